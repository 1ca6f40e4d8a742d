import assert from 'node:assert/strict';
import type { EmailHandler } from '../../../src/core/transport/emailHandler.ts';
import { startCuttingProxy, type CuttingProxy } from '../../world/cuttingProxy.ts';
import { needMailWorld, type MailWorld } from '../../world/mailWorld.ts';
import { manualClock, type ManualClock } from './manualClock.ts';
import { ALICE, BOB, counter, handlerFor, message, startTokenServer, startWorld, tokenSource, type TokenServer } from './support.ts';

const MAIL = message({ from: ALICE.email, to: BOB.email, subject: 'x', body: 'x\r\n' });

describe('a line that died without a word', () => {
  let world: MailWorld;
  let tokens: TokenServer;
  let imap: CuttingProxy;
  let clock: ManualClock;
  let bob: EmailHandler;
  let other: EmailHandler;

  before(async function () {
    needMailWorld(this);
    tokens = await startTokenServer();
    world = await startWorld({ introspectionUrl: tokens.url });
    other = handlerFor(world, BOB);
  });
  beforeEach(async () => {
    imap = await startCuttingProxy(world.imap);
    clock = manualClock();
    bob = handlerFor(world, BOB, { imap: { ...world.imap, port: imap.port }, clock, timing: { pollMs: 1e9, imapIdleMs: 1e9 } });
  });
  afterEach(async () => {
    bob?.dispose();
    await imap?.close();
  });
  after(async () => {
    other?.dispose();
    await world?.stop();
    await tokens?.close();
  });

  async function watching(): Promise<ReturnType<typeof counter>> {
    const changes = counter();
    bob.watch('INBOX', changes.hit);
    await changes.reached(1);
    await clock.untilArmed(230_000, 230_001);
    return changes;
  }

  it('is told from a quiet one: IDLE is left, the server asked, and IDLE begun anew on the same connection', async () => {
    const changes = await watching();
    for (let round = 0; round < 3; round++) {
      clock.advance(230_000);
      await clock.untilArmed(230_000, 230_001);
      await clock.untilNoneBelow(230_000);
    }
    assert.equal(imap.total, 1);
    await other.append('INBOX', MAIL, []);
    await changes.reached(2);
  });

  it('is given up in IDLE ten seconds after a question without an answer, and what was missed is looked for', async () => {
    const changes = await watching();
    imap.faultNow({ how: 'stall' });
    clock.advance(230_000);
    await clock.untilArmed(10_000, 10_001);
    clock.advance(9_999);
    assert.equal(imap.total, 1);
    clock.advance(1);
    await clock.untilArmed(0, 1000);
    clock.advance(1000);
    await changes.reached(2);
    assert.equal(imap.total, 2);
  });

  it('is found within three seconds after waking up, in IDLE and at rest, and the watch is back at once', async () => {
    const changes = await watching();
    await bob.getEmailList('INBOX', 1);
    imap.faultNow({ how: 'stall' });
    clock.leap(1000);
    const checked = bob.check();
    await clock.untilArmed(3000, 3001);
    clock.advance(3000);
    await checked;
    await changes.reached(2);
    assert.ok((await bob.listFolders()).length > 0);
    assert.equal(imap.total, 4);
  });

  it('is not waited for where it died while logging in: after waking up another is opened, for the watch and for work under way', async () => {
    const changes = counter();
    imap.faultNext({ how: 'stall' });
    bob.watch('INBOX', changes.hit);
    await imap.untilStalled();
    await bob.check();
    await changes.reached(1);
    imap.faultNext({ how: 'stall' });
    const list = bob.listFolders();
    await imap.untilStalled();
    await bob.check();
    assert.ok((await list).length > 0);
  });

  it('costs a living line nothing but the question', async () => {
    await watching();
    await bob.getEmailList('INBOX', 1);
    await bob.check();
    await bob.getEmailList('INBOX', 1);
    assert.equal(imap.total, 2);
  });

  it('under work shows by the lack of any answer, and the work is done on another', async () => {
    await bob.getEmailList('INBOX', 1);
    imap.faultNow({ how: 'stall' });
    clock.advance(30_000);
    const list = bob.listFolders();
    await clock.untilArmed(10_000, 10_001);
    clock.advance(10_000);
    assert.ok((await list).length > 0);
    assert.equal(imap.total, 2);
  });

  it('before work that must not be done twice is found by a question first', async () => {
    await bob.getEmailList('INBOX', 1);
    const count = (await world.storedMessages(BOB.email, 'Drafts')).length;
    imap.faultNow({ how: 'stall' });
    clock.advance(30_000);
    const appended = bob.append('Drafts', MAIL, []);
    await clock.untilArmed(10_000, 10_001);
    clock.advance(10_000);
    await appended;
    assert.equal((await world.storedMessages(BOB.email, 'Drafts')).length, count + 1);
  });

  it('is cut under work that was going on while the machine slept', async () => {
    await bob.getEmailList('INBOX', 1);
    imap.faultNow({ how: 'stall' });
    const list = bob.listFolders();
    await new Promise((resolve) => setImmediate(resolve));
    const checked = bob.check();
    await clock.untilArmed(3000, 3001);
    clock.advance(3000);
    await checked;
    assert.ok((await list).length > 0);
  });

  it('shows in what is told about connections', async () => {
    await watching();
    await bob.listFolders();
    const [work, watch] = bob.connections();
    assert.deepEqual([work?.kind, watch?.kind, bob.connections().length], ['imap-work', 'imap-watch', 2]);
    assert.deepEqual([watch?.since, watch?.lastUsed, watch?.idleSince], [1_000_000, 1_000_000, 1_000_000]);
    for (const capability of ['IDLE', 'CONDSTORE', 'MOVE', 'UIDPLUS']) assert.ok(work?.capabilities?.includes(capability), capability);
    await bob.send({ from: BOB.email, to: [BOB.email], raw: MAIL });
    assert.deepEqual(
      bob.connections().map(({ kind }) => kind),
      ['imap-work', 'imap-watch', 'smtp'],
    );
    clock.advance(230_000);
    await clock.untilArmed(230_000, 230_001);
    assert.equal(bob.connections().find(({ kind }) => kind === 'imap-watch')?.idleSince, 1_230_000);
    bob.dispose();
    assert.deepEqual(bob.connections(), []);
    await clock.untilNoneBelow(Number.POSITIVE_INFINITY);
  });

  it('does not keep small work waiting while a large message is fetched: that has a connection of its own', async () => {
    const big = message({ from: ALICE.email, to: BOB.email, subject: 'big', body: `${'z'.repeat(76)}\r\n`.repeat(60_000) });
    const uid = (await other.append('INBOX', big, []))!;
    const { uidValidity } = await other.fetchChanges('INBOX', undefined, { limit: 1, knownUids: [] });
    await bob.getEmailList('INBOX', 1);
    imap.slowDown(8_000_000);
    let done = false;
    const source = bob.fetchSource('INBOX', uidValidity, uid, undefined, big.length).finally(() => (done = true));
    await imap.untilPassed('to-client', 200_000);
    await bob.getEmailList('INBOX', 1);
    assert.equal(done, false);
    imap.slowDown(undefined);
    assert.deepEqual(await source, big);
    assert.equal(imap.peak, 2);
  });

  it('that the server ended as the token ran out in IDLE costs no mail: what arrives meanwhile is seen within five seconds', async () => {
    tokens.grant('old', BOB.email);
    const source = tokenSource(BOB, { cached: 'old', refresh: () => (tokens.grant('new', BOB.email), 'new') });
    const watcher = handlerFor(world, BOB, { credentials: source });
    try {
      const seen = counter();
      const arrived = Promise.withResolvers<number>();
      watcher.watch('INBOX', () => {
        seen.hit();
        watcher.getEmailList('INBOX', 1).then(
          ([newest]) => newest?.subject === 'while it ran out' && arrived.resolve(Date.now()),
          () => {},
        );
      });
      await seen.reached(1);
      await watcher.getEmailList('INBOX', 1);
      tokens.revoke('old');
      const began = Date.now();
      await world.doveadm(['kick', BOB.email]);
      // The kick ends this line as well, perhaps only when the message is on its way: then it is filed again.
      const filed = (): Promise<unknown> =>
        other.append('INBOX', message({ from: ALICE.email, to: BOB.email, subject: 'while it ran out', body: 'x\r\n' }), []);
      await filed().catch(filed);
      const took = (await arrived.promise) - began;
      assert.ok(took < 5000, `${took} ms`);
      assert.ok(source.asked.fresh >= 1);
    } finally {
      watcher.dispose();
    }
  });
});
