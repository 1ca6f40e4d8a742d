import assert from 'node:assert/strict';
import type { Clock } from '../../../src/core/base/ports.ts';
import type { EmailHandler } from '../../../src/core/transport/emailHandler.ts';
import { startCuttingProxy, type CuttingProxy } from '../../world/cuttingProxy.ts';
import { needMailWorld, type MailWorld } from '../../world/mailWorld.ts';
import { manualClock } from './manualClock.ts';
import { ALICE, BOB, counter, handlerFor, message, rejectsWith, startWorld } from './support.ts';

const MEGABYTE = 1024 * 1024;

describe('reading over a bad connection', () => {
  let world: MailWorld;
  let imap: CuttingProxy;
  let bob: EmailHandler;
  let uidValidity: number;
  let uid: number;
  const big = message({ from: ALICE.email, to: BOB.email, subject: 'big', body: `${'z'.repeat(76)}\r\n`.repeat((4 * MEGABYTE) / 78) });

  before(async function () {
    needMailWorld(this);
    world = await startWorld({ mailboxQuota: 16 * MEGABYTE });
    const direct = handlerFor(world, BOB);
    uid = (await direct.append('INBOX', big, []))!;
    uidValidity = (await direct.fetchChanges('INBOX', undefined, { limit: 1, knownUids: [] })).uidValidity;
    direct.dispose();
  });
  beforeEach(async () => {
    imap = await startCuttingProxy(world.imap);
    bob = bobWith({});
  });
  afterEach(async () => {
    bob?.dispose();
    await imap?.close();
  });
  after(() => world?.stop());

  function bobWith(o: { silenceMs?: number; imapIdleMs?: number; clock?: Clock; pollMs?: number }): EmailHandler {
    const { clock, ...timing } = o;
    return handlerFor(world, BOB, { imap: { ...world.imap, port: imap.port }, timing, ...(clock ? { clock } : {}) });
  }
  const fetch = (signal?: AbortSignal) => bob.fetchSource('INBOX', uidValidity, uid, signal);

  for (const how of ['cut', 'reset', 'half-close'] as const) {
    it(`fetches a message whole although the connection is ended in the middle of it (${how})`, async () => {
      await bob.getEmailList('INBOX', 1);
      imap.faultNow({ afterBytes: MEGABYTE, how });
      assert.deepEqual(await fetch(), big);
      assert.equal(imap.total, 2);
    });
  }

  it('gives up with net.cut when the second connection is cut as well, and never hands out a part', async () => {
    await bob.getEmailList('INBOX', 1);
    imap.faultNow({ afterBytes: MEGABYTE, how: 'cut' });
    imap.faultNext({ afterBytes: MEGABYTE, how: 'cut' });
    await rejectsWith(fetch(), 'net.cut');
    assert.deepEqual(await fetch(), big);
  });

  it('gives a silent server up after the time set for it, and comes back', async () => {
    bob.dispose();
    bob = bobWith({ silenceMs: 250 });
    await bob.getEmailList('INBOX', 1);
    imap.faultNow({ afterBytes: MEGABYTE, how: 'stall' });
    await rejectsWith(fetch(), 'net.timeout');
    assert.deepEqual(await fetch(), big);
  });

  it('waits for a slow server as long as it keeps sending', async () => {
    bob.dispose();
    bob = bobWith({ silenceMs: 700 });
    await bob.getEmailList('INBOX', 1);
    imap.slowDown(4 * MEGABYTE);
    assert.deepEqual(await fetch(), big);
    assert.equal(imap.total, 1);
  });

  it('does not file a message twice when the connection ends in the middle of filing it', async () => {
    const count = async (): Promise<number> => (await bob.listFolders()).find(({ path }) => path === 'Drafts')!.total;
    const before = await count();
    imap.faultNow({ direction: 'to-server', afterBytes: MEGABYTE, how: 'cut' });
    await rejectsWith(bob.append('Drafts', big, []), 'net.cut');
    assert.equal(imap.total, 1, 'it is not tried again unasked');
    assert.equal(await count(), before);
  });

  it('reports a full mailbox as a refusal of the server, and how full it is', async () => {
    await bob.ensureFolder('Full');
    const half = Buffer.alloc(6 * MEGABYTE, big);
    await bob.append('Full', half, []);
    const error = await rejectsWith(bob.append('Full', half, []), 'imap.rejected');
    assert.match(String(error.details['response']), /OVERQUOTA/);
    const quota = await bob.readQuota();
    assert.ok(quota && quota.used >= half.length && quota.used <= quota.limit, JSON.stringify(quota));
  });

  it('finds the server again after a restart', async () => {
    await bob.getEmailList('INBOX', 1);
    await world.restart();
    assert.deepEqual(await fetch(), big);
    assert.equal(imap.total, 2);
  });

  it('reports net.cut while every connection is reset at once, and works once that is over', async () => {
    imap.admit('refuse');
    await rejectsWith(fetch(), 'net.cut');
    imap.admit('accept');
    assert.deepEqual(await fetch(), big);
  });

  it('can be cancelled in the middle of a message, and goes on with the next call', async () => {
    imap.slowDown(4 * MEGABYTE);
    const controller = new AbortController();
    const cancelled = fetch(controller.signal);
    const behind = bob.getEmailList('INBOX', 1);
    await imap.untilPassed('to-client', MEGABYTE);
    controller.abort();
    await rejectsWith(cancelled, 'engine.cancelled');
    imap.slowDown(undefined);
    assert.equal((await behind).length, 1);
  });

  it('keeps its order: calls made together are done one after the other on one connection', async () => {
    const results = await Promise.all([fetch(), bob.listFolders(), bob.getEmailList('INBOX', 1), fetch(), bob.getEmailList('Sent', 1)]);
    assert.deepEqual(results[3], big);
    assert.deepEqual(results[4], []);
    assert.equal(imap.total, 1);
  });

  it('says something on an idle connection, and closes it when it stays idle', async () => {
    bob.dispose();
    const clock = manualClock();
    bob = bobWith({ clock, imapIdleMs: 100_000 });
    await bob.getEmailList('INBOX', 1);
    const noop = imap.untilPassed('to-server', 1);
    clock.advance(45_000);
    await noop;
    await clock.untilArmed(45_000);
    assert.equal(imap.open, 1);
    const again = imap.untilPassed('to-server', 1);
    clock.advance(45_000);
    await again;
    await clock.untilArmed(45_000);
    clock.advance(45_000);
    await imap.untilClosed();
  });

  it('is told of new mail, flags and deletions as they happen', async () => {
    const other = handlerFor(world, BOB);
    try {
      const changes = counter();
      bob.watch('INBOX', changes.hit);
      await changes.reached(1);
      const added = (await other.append('INBOX', message({ from: ALICE.email, to: BOB.email, subject: 'new', body: 'x\r\n' }), []))!;
      await changes.reached(2);
      await other.setFlags('INBOX', uidValidity, [added], { add: ['seen'], remove: [] });
      await changes.reached(3);
      await other.delete('INBOX', uidValidity, [added]);
      await changes.reached(4);
    } finally {
      other.dispose();
    }
  });

  it('goes on watching after the connection was lost, by itself, and looks for what was missed', async () => {
    const changes = counter();
    const watch = bob.watch('INBOX', changes.hit);
    await changes.reached(1);
    for (const how of ['cut', 'reset'] as const) {
      const seen = changes.count;
      imap.faultNow({ how });
      await changes.reached(seen + 1);
    }
    assert.equal(imap.total, 3);
    watch.dispose();
    await imap.untilClosed();
  });

  it('looks at intervals while it cannot be pushed, and for further folders', async () => {
    bob.dispose();
    bob = bobWith({ pollMs: 40 });
    imap.admit('refuse');
    const [pushed, polled] = [counter(), counter()];
    bob.watch('INBOX', pushed.hit);
    bob.watch('Sent', polled.hit);
    await Promise.all([pushed.reached(2), polled.reached(2)]);
    assert.equal(imap.total, 0);
  });

  it('shares one connection between watchers of a folder', async () => {
    const [first, second] = [counter(), counter()];
    const watch = bob.watch('INBOX', first.hit);
    await first.reached(1);
    const other = bob.watch('INBOX', second.hit);
    watch.dispose();
    await bob.append('INBOX', message({ from: ALICE.email, to: BOB.email, subject: 'shared', body: 'x\r\n' }), []);
    await second.reached(1);
    assert.equal(first.count, 1);
    assert.equal(imap.peak, 2);
    other.dispose();
  });

  it('leaves neither socket nor timer behind', async () => {
    await new Promise((resolve) => setImmediate(resolve)); // mocha starts its own timer after the first step of a test
    const before = activeResources();
    const handler = bobWith({});
    handler.watch('INBOX', () => {});
    handler.watch('Sent', () => {});
    await handler.verify();
    const pending = handler.fetchSource('INBOX', uidValidity, uid);
    const raw = message({ from: BOB.email, to: BOB.email, subject: 'x', body: 'x\r\n' });
    await handler.send({ from: BOB.email, to: [BOB.email], raw });
    handler.dispose();
    await rejectsWith(Promise.all([pending, handler.listFolders()]), 'engine.stopped');
    await imap.untilClosed();
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(activeResources(), before);
  });
});

/** Open sockets and running timers of this process. */
function activeResources(): Record<string, number> {
  const counts: Record<string, number> = { TCPSocketWrap: 0, TLSWrap: 0, Timeout: 0 };
  for (const name of process.getActiveResourcesInfo()) if (name in counts) counts[name]!++;
  return counts;
}
