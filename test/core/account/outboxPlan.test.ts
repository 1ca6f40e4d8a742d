import assert from 'node:assert/strict';
import fc from 'fast-check';
import { ERROR_CODES, type ErrorCode } from '../../../src/core/api.ts';
import { QuMailError } from '../../../src/core/base/errors.ts';
import { backoff, dueAt, planOutbox, type OutboxHappening, type Planned } from '../../../src/core/account/outboxPlan.ts';
import { classified, refusals, replySubject } from '../../../src/core/account/smtpReply.ts';

const NOW = 1_800_000_000_000;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const entry = (change: Partial<Planned>): Planned => ({ state: 'waiting', attempts: 1, updatedAt: NOW, elsewhere: false, ...change });
const failed = (code: ErrorCode, details = {}): OutboxHappening => ({ kind: 'failed', failure: { code, details }, fraction: 0.5 });
const look: OutboxHappening = { kind: 'look' };
const again: OutboxHappening = { kind: 'online', how: 'again' };
const signedIn: OutboxHappening = { kind: 'online', how: 'signed-in' };
const cut = { code: 'net.cut', details: {} } as const;
const later = NOW + HOUR;

describe('the plan of the outbox', () => {
  const acts: readonly [string, Planned, OutboxHappening, 'nothing' | 'send' | 'settle' | 'file'][] = [
    ['what a process left queued is sent', entry({ state: 'queued' }), look, 'send'],
    ['what another window is about to send is not', entry({ state: 'queued', elsewhere: true }), look, 'nothing'],
    ['what is held stays until its time', entry({ state: 'held', notBefore: NOW + 1 }), look, 'nothing'],
    ['what is held goes when its time comes', entry({ state: 'held', notBefore: NOW }), look, 'send'],
    ['what is scheduled stays until its time, online or not', entry({ state: 'scheduled', notBefore: later }), signedIn, 'nothing'],
    ['what is scheduled goes late after sleep', entry({ state: 'scheduled', notBefore: NOW - 8 * HOUR }), look, 'send'],
    ['what waits stays until its next try', entry({ nextTry: later, failure: cut }), look, 'nothing'],
    ['what waits goes at its next try', entry({ nextTry: NOW, failure: cut }), look, 'send'],
    ['what the network kept goes when the account is online again', entry({ nextTry: later, failure: cut }), again, 'send'],
    [
      'what the mail server asked to wait waits all the same',
      entry({ nextTry: later, failure: { code: 'smtp.deferred', details: {} } }),
      signedIn,
      'nothing',
    ],
    [
      'a refused log-in is not tried with every look at IMAP',
      entry({ nextTry: later, failure: { code: 'auth.wrong-password', details: {} } }),
      again,
      'nothing',
    ],
    ['but it is after a sign-in', entry({ nextTry: later, failure: { code: 'auth.sign-in-again', details: {} } }), signedIn, 'send'],
    ['what was cancelled goes only when asked for', entry({ failure: { code: 'engine.cancelled', details: {} } }), signedIn, 'nothing'],
    ['what was rejected stays', entry({ state: 'rejected', nextTry: NOW }), signedIn, 'nothing'],
    ['what is being sent is left alone', entry({ state: 'sending' }), signedIn, 'nothing'],
    ['what may have been sent is looked for', entry({ state: 'acceptance-unknown', nextTry: NOW }), look, 'settle'],
    ['what may have been sent is never sent by itself', entry({ state: 'acceptance-unknown', nextTry: later }), signedIn, 'settle'],
    ['what was accepted is filed', entry({ state: 'accepted', nextTry: NOW }), look, 'file'],
  ];
  for (const [sentence, planned, happening, act] of acts) {
    it(sentence, () => assert.equal(planOutbox(planned, happening, NOW).act, act));
  }

  const failures: readonly [ErrorCode, string][] = [
    ['smtp.rejected', 'rejected'],
    ['smtp.recipient-rejected', 'rejected'],
    ['smtp.too-large', 'rejected'],
    ['smtp.deferred', 'waiting'],
    ['smtp.acceptance-unknown', 'acceptance-unknown'],
    ['net.cut', 'waiting'],
    ['net.host-unknown', 'waiting'],
    ['net.certificate', 'waiting'],
    ['auth.refresh-failed', 'waiting'],
    ['auth.sign-in-again', 'waiting'],
    ['engine.cancelled', 'waiting'],
    ['engine.stopped', 'waiting'],
    ['engine.internal', 'waiting'],
  ];
  for (const [code, state] of failures) {
    it(`${code} leaves an entry ${state}`, () => {
      const step = planOutbox(entry({ state: 'sending' }), failed(code, { status: 450 }), NOW);
      assert.deepEqual([step.state, step.failure?.code, step.failure?.details], [state, code, { status: 450 }]);
    });
  }

  it('tries between one minute and twice as long each time, at most an hour', () => {
    assert.deepEqual([backoff(1, 0), backoff(1, 0.999999), backoff(2, 0.999999)], [MINUTE, 2 * MINUTE, 4 * MINUTE]);
    assert.deepEqual([backoff(50, 0), backoff(50, 1)], [MINUTE, HOUR]);
  });

  it('gives up after five days with a code of its own that says what kept it', () => {
    const old = entry({ state: 'sending', firstTry: NOW - 5 * DAY, attempts: 130 });
    const step = planOutbox(old, failed('smtp.deferred', { status: 451, enhanced: '4.7.1' }), NOW);
    assert.deepEqual(step, {
      state: 'rejected',
      failure: { code: 'smtp.gave-up', details: { reason: 'smtp.deferred', days: 5, status: 451, enhanced: '4.7.1' } },
      act: 'nothing',
    });
    const young = planOutbox({ ...old, firstTry: NOW - 5 * DAY + 1 }, failed('smtp.deferred'), NOW);
    assert.equal(young.state, 'waiting');
  });

  it('looks into Sent a few times and then only when the account comes online', () => {
    let planned = entry({ state: 'acceptance-unknown', nextTry: NOW + 10_000 });
    const looks: number[] = [];
    while (planned.nextTry !== undefined) {
      looks.push(planned.nextTry - NOW);
      planned = { ...planned, nextTry: planOutbox(planned, { kind: 'not-found' }, planned.nextTry).nextTry };
    }
    assert.deepEqual(
      looks,
      [10, 30, 70, 150, 310, 630].map((seconds) => seconds * 1000),
    );
    assert.equal(dueAt(planned), undefined);
  });

  it('gives up filing after five days, for it was sent', () => {
    const accepted = entry({ state: 'accepted', updatedAt: NOW - 5 * DAY });
    assert.equal(planOutbox(accepted, { kind: 'not-filed', fraction: 0 }, NOW).state, 'filed');
    assert.equal(planOutbox(accepted, { kind: 'not-filed', fraction: 0 }, NOW - 1).state, 'accepted');
  });

  describe('whatever happens', () => {
    const states = ['queued', 'held', 'scheduled', 'sending', 'waiting', 'rejected', 'acceptance-unknown', 'accepted', 'filed'] as const;
    const time = fc.option(fc.integer({ min: NOW - 10 * DAY, max: NOW + 10 * DAY }), { nil: undefined });
    const failure = fc.constantFrom(...ERROR_CODES).map((code) => ({ code, details: {} }));
    const anyEntry = fc.record({
      state: fc.constantFrom(...states),
      attempts: fc.integer({ min: 0, max: 1000 }),
      notBefore: time,
      nextTry: time,
      firstTry: time,
      updatedAt: fc.integer({ min: NOW - 10 * DAY, max: NOW }),
      failure: fc.option(failure, { nil: undefined }),
      elsewhere: fc.boolean(),
    });
    const fraction = fc.double({ min: 0, max: 0.999999, noNaN: true });
    const trigger = fc.constantFrom(look, again, signedIn);

    it('nothing is sent that may have been sent, was refused, or another window is at', () => {
      fc.assert(
        fc.property(anyEntry, trigger, (planned, happening) => {
          const { act, state } = planOutbox(planned, happening, NOW);
          if (act !== 'send') return;
          assert.ok(['queued', 'held', 'scheduled', 'waiting'].includes(planned.state) && !planned.elsewhere);
          assert.equal(state, planned.state);
          assert.ok(
            planned.notBefore === undefined || planned.state === 'waiting' || planned.state === 'queued' || planned.notBefore <= NOW,
          );
        }),
      );
    });

    it('what is due by the clock is done by a look, and nothing else is', () => {
      fc.assert(
        fc.property(anyEntry, (planned) => {
          const due = dueAt(planned);
          assert.equal(planOutbox(planned, look, NOW).act !== 'nothing', due !== undefined && due <= NOW);
        }),
      );
    });

    it('a failed try ends in a named state, keeps its failure, and comes back no earlier than in a minute and no later than in an hour', () => {
      fc.assert(
        fc.property(anyEntry, failure, fraction, (planned, why, jitter) => {
          const step = planOutbox({ ...planned, state: 'sending' }, { kind: 'failed', failure: why, fraction: jitter }, NOW);
          assert.ok(['waiting', 'rejected', 'acceptance-unknown'].includes(step.state));
          assert.equal(step.failure?.code, step.failure?.code === 'smtp.gave-up' ? 'smtp.gave-up' : why.code);
          assert.equal(step.act, 'nothing');
          if (step.state !== 'waiting' || step.nextTry === undefined || why.code === 'engine.stopped') return;
          assert.ok(step.nextTry >= NOW + MINUTE && step.nextTry <= NOW + HOUR);
        }),
      );
    });
  });
});

describe('what an SMTP reply means', () => {
  it('is told by the subject of its enhanced status', () => {
    const enhanced = ['5.1.1', '4.2.2', '5.3.4', '4.4.1', '5.5.2', '5.6.0', '4.7.1', '5.0.0', '5.9.1', '', 'junk'];
    assert.deepEqual(enhanced.map(replySubject), [
      'address',
      'mailbox',
      'system',
      'network',
      'protocol',
      'content',
      'policy',
      'other',
      'other',
      'other',
      'other',
    ]);
  });

  it('goes into the details beside status and enhanced, and only where a server spoke', () => {
    const full = classified(new QuMailError('smtp.rejected', { status: 552, enhanced: '5.2.2' }));
    assert.deepEqual(full.details, { status: 552, enhanced: '5.2.2', class: 'mailbox' });
    const silent = new QuMailError('net.cut', { host: 'h' });
    assert.equal(classified(silent), silent);
  });

  it('tells recipients to be asked again from those refused for good', () => {
    const outcome = {
      accepted: ['a@x.test'],
      rejected: ['later@x.test', 'never@x.test', 'silent@x.test'],
      rejections: [
        { address: 'later@x.test', status: 450, enhanced: '4.2.0' },
        { address: 'never@x.test', status: 550, enhanced: '5.1.1' },
      ],
      response: '250 ok',
    };
    assert.deepEqual(
      refusals(outcome).map(({ recipients, failure }) => [failure.code, recipients, failure.details['class']]),
      [
        ['smtp.deferred', ['later@x.test'], 'mailbox'],
        ['smtp.recipient-rejected', ['never@x.test', 'silent@x.test'], 'address'],
      ],
    );
  });
});
