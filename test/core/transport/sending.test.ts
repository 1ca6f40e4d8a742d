import assert from 'node:assert/strict';
import type { EmailHandler } from '../../../src/core/transport/emailHandler.ts';
import { startCuttingProxy, type CuttingProxy } from '../../world/cuttingProxy.ts';
import { needMailWorld, type MailWorld } from '../../world/mailWorld.ts';
import { ALICE, BOB, handlerFor, message, passwordOf, rejectsWith, startWorld, untilMessages, untilSubject } from './support.ts';

const LIMIT = 24 * 1024 * 1024;
const note = (subject: string, to = BOB.email): Buffer => message({ from: ALICE.email, to, subject, body: 'x\r\n' });
const big = (subject: string, bytes: number): Buffer =>
  message({
    from: ALICE.email,
    to: BOB.email,
    subject,
    body: 'y'
      .repeat(76)
      .concat('\r\n')
      .repeat(Math.ceil(bytes / 78)),
  });

describe('sending', () => {
  let world: MailWorld;
  let imap: CuttingProxy;
  let smtp: CuttingProxy;
  let alice: EmailHandler;
  let logins = 0;

  before(async function () {
    needMailWorld(this);
    world = await startWorld({ messageSizeLimit: LIMIT });
  });
  beforeEach(async () => {
    [imap, smtp] = [await startCuttingProxy(world.imap), await startCuttingProxy(world.smtp)];
    logins = 0;
    alice = aliceWith({});
  });
  afterEach(async () => {
    alice?.dispose();
    await imap?.close();
    await smtp?.close();
  });
  after(() => world?.stop());

  function aliceWith(timing: { silenceMs?: number; smtpIdleMs?: number }): EmailHandler {
    const credentials = passwordOf(ALICE);
    return handlerFor(world, ALICE, {
      imap: { ...world.imap, port: imap.port },
      smtp: { ...world.smtp, port: smtp.port },
      credentials: (how, signal) => {
        logins++;
        return credentials(how, signal);
      },
      timing,
    });
  }
  const send = (raw: Buffer, to: readonly string[] = [BOB.email], signal?: AbortSignal) =>
    alice.send({ from: ALICE.email, to, raw }, signal);
  /** Subjects in Bob's INBOX, as files. */
  const inbox = async (): Promise<string[]> =>
    (await world.storedMessages(BOB.email)).map((raw) => /^Subject: (.*)\r$/m.exec(raw.subarray(0, 4000).toString('latin1'))?.[1] ?? '');

  it('sends fifty messages back to back over one connection and one log-in', async () => {
    alice.watch('INBOX', () => {});
    await alice.listFolders();
    const outcomes = await Promise.all(Array.from({ length: 50 }, (_, i) => send(note(`burst ${i}`))));
    assert.ok(outcomes.every(({ response }) => response.startsWith('250 ')));
    assert.equal(smtp.total, 1);
    assert.equal(imap.peak + smtp.peak, 3);
    assert.equal(logins, 3);
    const bob = handlerFor(world, BOB);
    try {
      await untilMessages(bob, 50);
    } finally {
      bob.dispose();
    }
    assert.equal(new Set((await inbox()).filter((subject) => subject.startsWith('burst'))).size, 50);
  });

  it('ends the connection politely when there is nothing more to send', async () => {
    alice.dispose();
    alice = aliceWith({ smtpIdleMs: 30 });
    await send(note('then quiet'));
    assert.equal(smtp.open, 1);
    await smtp.untilClosed();
    await send(note('again'));
    assert.equal(smtp.total, 2);
  });

  it('names refused recipients, and sends to the others', async () => {
    await rejectsWith(send(note('x'), ['rejected@example.test']), 'smtp.recipient-rejected', {
      status: 550,
      enhanced: '5.7.1',
      recipients: ['rejected@example.test'],
    });
    await rejectsWith(send(note('x'), ['nobody@example.test']), 'smtp.recipient-rejected', { enhanced: '5.1.1' });
    await rejectsWith(send(note('x'), ['deferred@example.test']), 'smtp.deferred', { status: 450, enhanced: '4.2.1' });
    const outcome = await send(note('some'), ['rejected@example.test', BOB.email, 'deferred@other.test']);
    assert.deepEqual(outcome.accepted, [BOB.email]);
    assert.deepEqual(outcome.rejected, ['rejected@example.test', 'deferred@other.test']);
    assert.deepEqual(outcome.rejections, [
      { address: 'rejected@example.test', status: 550, enhanced: '5.7.1' },
      { address: 'deferred@other.test', status: 450, enhanced: '4.2.1' },
    ]);
    assert.equal(smtp.total, 1, 'a refusal costs no connection');
  });

  it('refuses a message above the size limit before transmitting it', async () => {
    await rejectsWith(send(big('too big', LIMIT + 1)), 'smtp.too-large');
    assert.match((await send(note('small again'))).response, /^250 /);
  });

  it('refuses to rewrite bytes that SMTP cannot carry', async () => {
    await rejectsWith(send(Buffer.from('Subject: a\nb\r\n\r\n')), 'engine.bad-request', { reason: 'bare-lf' });
    await rejectsWith(send(Buffer.from('Subject: a\rb\r\n\r\n')), 'engine.bad-request', { reason: 'bare-cr' });
    assert.equal(smtp.total, 0);
  });

  it('cut inside the message: not sent, and sending again delivers it once', async function () {
    this.timeout(30_000); // more than the system buffers on the way, twice
    const bob = handlerFor(world, BOB);
    try {
      await send(note('warm'));
      const raw = big('cut inside', 16 * 1024 * 1024);
      smtp.faultNow({ direction: 'to-server', afterBytes: 100_000, how: 'reset' });
      await rejectsWith(send(raw), 'net.cut');
      assert.match((await send(raw)).response, /^250 /);
      await untilSubject(bob, 'cut inside');
      assert.equal((await inbox()).filter((subject) => subject === 'cut inside').length, 1);
    } finally {
      bob.dispose();
    }
  });

  it('cut after the message and before the answer: acceptance unknown', async () => {
    await send(note('warm'));
    const raw = note('cut after');
    // EHLO, AUTH and MAIL are answered; the answers to the envelope pass, the one to the message does not.
    const answers = await answerBytes(raw);
    smtp.faultNow({ direction: 'to-client', afterBytes: answers.envelope, how: 'cut' });
    await rejectsWith(send(raw), 'smtp.acceptance-unknown');
  });

  /** Octets that come back before the answer to the message, measured on a twin of the message. */
  async function answerBytes(raw: Buffer): Promise<{ envelope: number }> {
    // One TLS record each for the pipelined envelope's answer and for the message's, so the second one starts after the first.
    const records: number[] = [];
    const stop = smtp.observe('to-client', (chunk) => records.push(chunk.length));
    await send(Buffer.from(raw.toString('latin1').replace('cut after', 'cut twin.'), 'latin1'));
    stop();
    return { envelope: records.slice(0, -1).reduce((a, b) => a + b, 0) };
  }

  it('stalled before the message: timeout; stalled after it: acceptance unknown', async () => {
    alice.dispose();
    alice = aliceWith({ silenceMs: 250 });
    await send(note('warm'));
    smtp.faultNow({ how: 'stall' });
    await rejectsWith(send(note('stalled')), 'net.timeout');
    await send(note('warm again'));
    const { envelope } = await answerBytes(note('cut after'));
    smtp.faultNow({ direction: 'to-client', afterBytes: envelope, how: 'stall' });
    await rejectsWith(send(note('cut after')), 'smtp.acceptance-unknown');
    assert.match((await send(note('and on'))).response, /^250 /);
  });

  it('does not mind that a kept connection was closed meanwhile', async () => {
    for (const how of ['cut', 'reset', 'half-close'] as const) {
      await send(note('before'));
      const open = smtp.total;
      smtp.faultNow({ how });
      assert.match((await send(note('after'))).response, /^250 /);
      assert.equal(smtp.total, open + 1);
    }
    await send(note('before restart'));
    await world.restart();
    assert.match((await send(note('after restart'))).response, /^250 /);
  });

  it('can be cancelled while waiting, while transmitting and after', async () => {
    const controller = new AbortController();
    controller.abort();
    await rejectsWith(send(note('never'), [BOB.email], controller.signal), 'engine.cancelled');
    assert.equal(smtp.total, 0);

    const transmitting = new AbortController();
    await send(note('warm'));
    smtp.slowDown(2_000_000);
    const slow = send(big('cancelled', 16 * 1024 * 1024), [BOB.email], transmitting.signal);
    const waiting = send(note('waits'));
    await smtp.untilPassed('to-server', 200_000);
    transmitting.abort();
    await rejectsWith(slow, 'engine.cancelled');
    smtp.slowDown(undefined);
    assert.match((await waiting).response, /^250 /);
    assert.ok(!(await inbox()).includes('cancelled'));

    const { envelope } = await answerBytes(note('cut after'));
    smtp.faultNow({ direction: 'to-client', afterBytes: envelope, how: 'stall' });
    const after = new AbortController();
    const sent = send(note('cut after'), [BOB.email], after.signal);
    await smtp.untilStalled();
    after.abort();
    await rejectsWith(sent, 'smtp.acceptance-unknown');
  });

  it('leaves no socket behind when disposed of, in the middle of it or at rest', async () => {
    await send(note('warm'));
    smtp.slowDown(1_000_000);
    const sending = send(big('disposed', 16 * 1024 * 1024));
    await smtp.untilPassed('to-server', 100_000);
    alice.dispose();
    await rejectsWith(sending, 'engine.stopped');
    smtp.slowDown(undefined);
    await smtp.untilClosed();
    await rejectsWith(send(note('late')), 'engine.stopped');
    assert.equal(smtp.open, 0);
  });
});
