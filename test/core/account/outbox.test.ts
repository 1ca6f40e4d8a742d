import assert from 'node:assert/strict';
import type { OutboxEntry, QuMailEvent, SendResult } from '../../../src/core/api.ts';
import { needMailWorld } from '../../world/mailWorld.ts';
import { CAROL } from '../../world/kmeWorld.ts';
import { startPeopleWorld, type PeopleWorld, type Person } from '../../world/peopleWorld.ts';
import { LeapClock } from '../../faults/leapClock.ts';

const HOUR = 3_600_000;
type Sent = Extract<QuMailEvent, { kind: 'sent' }>;

describe('the outbox', function () {
  this.timeout(60_000);
  const clock = new LeapClock();
  let world: PeopleWorld;
  let alice: Person;
  let bob: Person;

  before(async function () {
    needMailWorld(this);
    world = await startPeopleWorld({ ports: { clock } });
    [alice, bob] = await world.pair('alice', 'bob');
    for (const address of ['rejected@other.test', 'deferred@other.test'])
      await alice.engine.saveContact({ accountId: alice.account.id, address, name: '', saeId: CAROL, minimumLevel: 'L4' });
  });

  after(() => world?.dispose());

  afterEach(async () => {
    world.smtpProxy.admit('accept');
    world.imapProxy.admit('accept');
    for (const { id } of await alice.engine.listOutbox()) await alice.engine.discardOutbox({ outboxId: id });
  });

  const cutSmtp = (): void => {
    world.smtpProxy.faultNow({ how: 'reset' });
    world.smtpProxy.admit('refuse');
  };

  const entries = (): Promise<readonly OutboxEntry[]> => alice.engine.listOutbox();

  async function only(): Promise<OutboxEntry> {
    const [entry, ...more] = await entries();
    assert.ok(entry && more.length === 0);
    return entry;
  }

  /** Resolves with the next event of this kind that alice's engine fires. */
  function next<K extends QuMailEvent['kind']>(kind: K): Promise<Extract<QuMailEvent, { kind: K }>> {
    return new Promise((resolve) => {
      const subscription = alice.engine.onEvent((event) => {
        if (event.kind !== kind) return;
        subscription.dispose();
        resolve(event as Extract<QuMailEvent, { kind: K }>);
      });
    });
  }

  /** Resolves once the outbox is as wanted, looked at whenever the engine says that it changed. */
  async function until(wanted: (all: readonly OutboxEntry[]) => boolean): Promise<void> {
    for (;;) {
      const changed = next('outbox');
      if (wanted(await entries())) return;
      await changed;
    }
  }

  /** Everyone's messages of this subject on the server, bob's unless told otherwise. */
  async function copies(subject: string, person = bob, folder = 'INBOX'): Promise<number> {
    return (await person.list(folder, 200)).filter((message) => message.subject === subject).length;
  }

  async function stuck(subject: string, level: 'L2' | 'L4' = 'L2'): Promise<{ draftId: string; text: string }> {
    const draft = await alice.draft({ To: bob.email, Subject: subject, Security: level }, `about ${subject}\n`);
    cutSmtp();
    await assert.rejects(alice.engine.sendDraft(draft), (error: { code: string }) => error.code.startsWith('net.'));
    return draft;
  }

  it('sends what could not go by itself at its next try, as the same bytes with the same keys, and says so', async () => {
    const draft = await stuck('by itself');
    const { state, attempts, nextTry, failure, draftId } = await only();
    assert.deepEqual([state, attempts, draftId], ['waiting', 1, draft.draftId]);
    assert.ok(failure?.code.startsWith('net.') && nextTry! > clock.now() && nextTry! <= clock.now() + HOUR);
    const delivered = world.kme.pair.deliveries.length;
    clock.leap(nextTry! - clock.now());
    await until(([entry]) => entry?.state === 'waiting' && entry.attempts === 2);
    world.smtpProxy.admit('accept');
    const sent = next('sent');
    clock.leap(HOUR);
    assert.deepEqual(await sent, {
      kind: 'sent',
      accountId: alice.account.id,
      draftId: draft.draftId,
      subject: 'by itself',
    } satisfies Sent);
    assert.equal((await bob.receives('by itself')).text.trim(), 'about by itself');
    assert.equal(
      world.kme.pair.deliveries.filter(({ saeId }) => saeId === alice.saeId).length,
      delivered === 0 ? 0 : deliveriesTo(alice, delivered),
    );
    await assert.rejects(alice.engine.loadDraft(draft), { code: 'draft.missing' });
    await until((all) => all.length === 0);
    assert.deepEqual([await copies('by itself'), await copies('by itself', alice, 'Sent')], [1, 1]);
  });

  const deliveriesTo = (person: Person, upTo: number): number =>
    world.kme.pair.deliveries.slice(0, upTo).filter(({ saeId }) => saeId === person.saeId).length;

  it('sends at once when the account is online again, before the next try is due', async () => {
    await stuck('online again');
    world.imapProxy.faultNow({ how: 'reset' });
    world.imapProxy.admit('refuse');
    await assert.rejects(alice.engine.fetchMail({ accountId: alice.account.id }));
    world.imapProxy.admit('accept');
    world.smtpProxy.admit('accept');
    const sent = next('sent');
    await alice.engine.fetchMail({ accountId: alice.account.id });
    assert.equal((await sent).subject, 'online again');
    await bob.receives('online again');
  });

  it('sends what waited when the window is opened again', async () => {
    await stuck('restart');
    const { nextTry } = await only();
    await alice.engine[Symbol.asyncDispose]();
    world.smtpProxy.admit('accept');
    clock.leap(nextTry! - clock.now());
    await alice.open();
    await bob.receives('restart');
    await until((all) => all.length === 0);
    assert.equal(await copies('restart'), 1);
  });

  it('takes back what waits when the draft is edited, and sends nothing of the older version', async () => {
    const draft = await stuck('edited');
    await alice.engine.saveDraft(draft);
    assert.equal((await entries()).length, 1, 'saving the same text changes nothing');
    const text = draft.text.replace('about edited', 'newer');
    await alice.engine.saveDraft({ draftId: draft.draftId, text });
    assert.deepEqual(await entries(), []);
    world.smtpProxy.admit('accept');
    clock.leap(2 * HOUR);
    const result = await alice.engine.sendDraft({ draftId: draft.draftId, text });
    assert.equal(result.state, 'sent');
    const message = await bob.receives('edited');
    assert.equal(message.text.trim(), 'newer');
    assert.deepEqual(message.security.keyIds, result.keyIds);
    assert.equal(await copies('edited'), 1);
  });

  it('cannot take back what is on its way: the older version arrives once, and the newer text is kept', async () => {
    const draft = await alice.draft({ To: bob.email, Subject: 'on its way', Security: 'L2' }, 'older\n');
    const sending = alice.engine.sendDraft(draft);
    await until(([entry]) => entry?.state === 'sending');
    const text = draft.text.replace('older', 'newer');
    const sent = next('sent');
    await alice.engine.saveDraft({ draftId: draft.draftId, text });
    await assert.rejects(alice.engine.sendDraft({ draftId: draft.draftId, text }), { code: 'smtp.acceptance-unknown' });
    assert.equal((await sending).state, 'sent');
    assert.equal((await sent).draftId, undefined, 'the editor with the newer text stays');
    assert.equal((await alice.engine.loadDraft(draft)).text, text);
    assert.equal((await bob.receives('on its way')).text.trim(), 'older');
    assert.equal(await copies('on its way'), 1);
  });

  it('takes back what waits when the draft is deleted', async () => {
    const draft = await stuck('deleted', 'L4');
    await alice.engine.deleteDraft(draft);
    assert.deepEqual(await entries(), []);
  });

  it('does not send by itself what the person cancelled, and sends the same bytes when asked again', async () => {
    const draft = await alice.draft({ To: bob.email, Subject: 'cancelled', Security: 'L2' }, 'not now\n');
    world.smtpProxy.faultNow({ how: 'reset' });
    world.smtpProxy.faultNext({ how: 'stall' });
    const cancel = new AbortController();
    const sending = assert.rejects(alice.engine.sendDraft(draft, { signal: cancel.signal }), { code: 'engine.cancelled' });
    await world.smtpProxy.untilStalled();
    cancel.abort();
    await sending;
    const { state, nextTry, failure } = await only();
    assert.deepEqual([state, nextTry, failure?.code], ['waiting', undefined, 'engine.cancelled']);
    clock.leap(2 * HOUR);
    await alice.engine.nudge({ reason: 'wake' });
    assert.equal((await only()).attempts, 1);
    await alice.engine.sendDraft(draft);
    await bob.receives('cancelled');
    assert.equal(await copies('cancelled'), 1);
  });

  describe('holding for undo', () => {
    before(() => alice.engine.configure({ ...settings(), undoSendSeconds: 20 }));
    after(() => alice.engine.configure(settings()));

    it('brings a message back unsent', async () => {
      const draft = await alice.draft({ To: bob.email, Subject: 'regretted', Security: 'L2' }, 'oops\n');
      const result = await alice.engine.sendDraft(draft);
      assert.deepEqual([result.state, result.replies], ['held', []]);
      const again = await alice.engine.sendDraft(draft);
      assert.equal(again.outboxId, result.outboxId, 'pressing Send again holds the same message');
      assert.equal((await alice.engine.undoSend({ outboxId: result.outboxId! })).text, draft.text);
      assert.deepEqual(await entries(), []);
      clock.leap(60_000);
      await alice.send({ To: bob.email, Subject: 'meant', Security: 'L4' }, 'this one\n');
      const sent = next('sent');
      clock.leap(21_000);
      assert.equal((await sent).subject, 'meant');
      await bob.receives('meant');
      assert.equal(await copies('regretted'), 0);
      await assert.rejects(alice.engine.undoSend({ outboxId: result.outboxId! }), { code: 'message.missing' });
    });

    it('sends when the delay is over, and not a moment before', async () => {
      const draft = await alice.draft({ To: bob.email, Subject: 'held', Security: 'L2' }, 'patience\n');
      const { outboxId, notBefore } = await alice.engine.sendDraft(draft);
      assert.ok(notBefore! > clock.now() + 15_000);
      clock.leap(10_000);
      const { id, state, attempts } = await only();
      assert.deepEqual([id, state, attempts], [outboxId, 'held', 0]);
      const sent = next('sent');
      clock.leap(11_000);
      assert.equal((await sent).draftId, draft.draftId);
      await bob.receives('held');
    });

    it('waits like any other when it cannot go then', async () => {
      const draft = await alice.draft({ To: bob.email, Subject: 'held and cut', Security: 'L4' }, 'patience\n');
      await alice.engine.sendDraft(draft);
      cutSmtp();
      clock.leap(21_000);
      await until(([entry]) => entry?.state === 'waiting');
      assert.equal((await alice.engine.loadDraft(draft)).text, draft.text);
      const { id } = await only();
      assert.equal((await alice.engine.undoSend({ outboxId: id })).id, draft.draftId);
      assert.deepEqual(await entries(), []);
    });
  });

  describe('scheduling', () => {
    const schedule = async (subject: string, ahead: number): Promise<{ draft: { draftId: string; text: string }; result: SendResult }> => {
      const draft = await alice.draft({ To: bob.email, Subject: subject, Security: 'L2' }, 'later\n');
      return { draft, result: await alice.engine.sendDraft({ ...draft, sendAt: clock.now() + ahead }) };
    };

    it('sends late after sleep and restart, dated for when it was to go', async () => {
      const sendAt = clock.now() + HOUR;
      const { result } = await schedule('scheduled', HOUR);
      assert.equal(result.state, 'scheduled');
      await alice.engine[Symbol.asyncDispose]();
      await alice.open();
      clock.leap(HOUR / 2);
      await alice.engine.nudge({ reason: 'wake' });
      assert.equal((await only()).state, 'scheduled');
      const sent = next('sent');
      clock.leap(8 * HOUR);
      await sent;
      const message = await bob.receives('scheduled');
      assert.ok(Math.abs(message.summary.date - sendAt) < 2000);
      assert.deepEqual(message.security.keyIds, result.keyIds);
    });

    it('is refused for a time that is over, too far, or no time', async () => {
      const draft = await alice.draft({ To: bob.email, Subject: 'never', Security: 'L4' }, '\n');
      for (const sendAt of [clock.now() - 1, clock.now() + 400 * 24 * HOUR, Number.NaN])
        await assert.rejects(alice.engine.sendDraft({ ...draft, sendAt }), { code: 'engine.bad-request', details: { field: 'sendAt' } });
    });

    it('is written anew when it is to go at another time', async () => {
      const { draft, result } = await schedule('moved', HOUR);
      const moved = await alice.engine.sendDraft({ ...draft, sendAt: clock.now() + 2 * HOUR });
      assert.notEqual(moved.outboxId, result.outboxId);
      assert.equal((await only()).id, moved.outboxId);
      const now = await alice.engine.retryOutbox({ outboxId: moved.outboxId! });
      assert.equal(now.state, 'sent');
      const message = await bob.receives('moved');
      assert.ok(Math.abs(message.summary.date - clock.now()) < 10_000);
      assert.equal(await copies('moved'), 1);
    });
  });

  describe('several envelopes of one message', () => {
    it('ends the message when one recipient is refused for good: who has it does not get it again', async () => {
      const draft = await alice.draft({ To: bob.email, Bcc: 'rejected@other.test', Subject: 'one refused', Security: 'L2' }, 'x\n');
      const result = await alice.engine.sendDraft(draft);
      assert.equal(result.warning?.code, 'smtp.recipient-rejected');
      const { state, to, failure } = await only();
      assert.deepEqual([state, to], ['rejected', ['rejected@other.test']]);
      assert.deepEqual([String(failure?.details['status']), failure?.details['class']], ['550', 'policy']);
      await assert.rejects(alice.engine.loadDraft(draft), { code: 'draft.missing' });
      await bob.receives('one refused');
      assert.deepEqual([await copies('one refused'), await copies('one refused', alice, 'Sent')], [1, 1]);
    });

    it('goes on with those that wait only, and files one copy in the end', async () => {
      const draft = await alice.draft({ To: bob.email, Bcc: 'deferred@other.test', Subject: 'one deferred', Security: 'L2' }, 'x\n');
      await assert.rejects(alice.engine.sendDraft(draft), { code: 'smtp.deferred' });
      await assert.rejects(alice.engine.sendDraft(draft), { code: 'smtp.deferred' });
      const { id, to, attempts } = await only();
      assert.deepEqual([to, attempts], [['deferred@other.test'], 2]);
      await bob.receives('one deferred');
      assert.deepEqual([await copies('one deferred'), await copies('one deferred', alice, 'Sent')], [1, 0]);
      await assert.rejects(alice.engine.undoSend({ outboxId: id }), { code: 'engine.bad-request' });
      const sent = next('sent');
      await alice.engine.discardOutbox({ outboxId: id });
      void sent;
      await alice.receives('one deferred', 'Sent');
      assert.deepEqual([await copies('one deferred'), await copies('one deferred', alice, 'Sent')], [1, 1]);
    });

    it('makes an entry of its own for recipients asked to wait while others were served', async () => {
      const headers = { To: `${bob.email}, deferred@other.test, rejected@other.test`, Subject: 'mixed', Security: 'L4' };
      const draft = await alice.draft(headers, 'x\n');
      const result = await alice.engine.sendDraft(draft);
      assert.equal(result.state, 'sent');
      const found = (await entries()).map(({ state, to, failure }) => [state, to, failure?.code]);
      assert.deepEqual(found, [
        ['waiting', ['deferred@other.test'], 'smtp.deferred'],
        ['rejected', ['rejected@other.test'], 'smtp.recipient-rejected'],
      ]);
      await bob.receives('mixed');
      assert.deepEqual([await copies('mixed'), await copies('mixed', alice, 'Sent')], [1, 1]);
    });
  });

  describe('when the answer to DATA never came', () => {
    const unsure = async (subject: string): Promise<{ draftId: string; text: string }> => {
      await alice.send({ To: bob.email, Subject: 'warm up', Security: 'L4' }, 'the connection is open now\n');
      const draft = await alice.draft({ To: bob.email, Subject: subject, Security: 'L2' }, 'was it?\n');
      const stop = world.smtpProxy.observe('to-server', (chunk) => {
        if (chunk.length > 1000) world.smtpProxy.faultNow({ how: 'reset', direction: 'to-client' });
      });
      await assert.rejects(alice.engine.sendDraft(draft), { code: 'smtp.acceptance-unknown' });
      stop();
      return draft;
    };

    it('asks the person, who may say that it was sent', async () => {
      const draft = await unsure('it was');
      const { id } = await only();
      clock.leap(2 * HOUR);
      await alice.engine.nudge({ reason: 'wake' });
      assert.equal((await only()).state, 'acceptance-unknown', 'time alone settles nothing');
      await assert.rejects(alice.engine.undoSend({ outboxId: id }), { code: 'smtp.acceptance-unknown' });
      await alice.engine.saveDraft({ draftId: draft.draftId, text: `${draft.text} edited` });
      assert.equal((await only()).state, 'acceptance-unknown', 'editing takes back nothing that may have been sent');
      await alice.engine.settleOutbox({ outboxId: id, as: 'sent' });
      assert.deepEqual(await entries(), []);
      assert.match((await alice.engine.loadDraft(draft)).text, /edited$/, 'what was typed meanwhile is kept');
      await alice.receives('it was', 'Sent');
    });

    it('sends the identical bytes again when the person says so', async () => {
      const draft = await unsure('again then');
      const { id } = await only();
      await alice.engine.settleOutbox({ outboxId: id, as: 'resend' });
      await bob.receives('again then');
      await assert.rejects(alice.engine.loadDraft(draft), { code: 'draft.missing' });
      await assert.rejects(alice.engine.settleOutbox({ outboxId: id, as: 'sent' }), { code: 'message.missing' });
    });
  });

  const settings = () => ({
    googleClientId: '',
    yahooClientId: '',
    certificateAuthorities: { '127.0.0.1': world.kme.pair.caPem },
    fetchInterval: 3600,
    signInRedirect: 'loopback' as const,
    uriRedirect: '',
    startLevel: 'best' as const,
    offlineBudgetMiB: 100,
    undoSendSeconds: 0,
  });
});
