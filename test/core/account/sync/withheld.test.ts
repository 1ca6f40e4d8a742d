import assert from 'node:assert/strict';
import { summaryOf } from '../../../../src/core/account/readMessage.ts';
import { BODY } from '../../../../src/core/store/messageRow.ts';
import type { SealedMailStore } from '../../../../src/core/store/sealedMail.ts';
import { ModelImap } from '../../transport/modelImap.ts';
import { numberedMail } from './numberedMail.ts';
import { ACCOUNT, SyncRig } from './syncRig.ts';

const upTo = (last: number): number[] => Array.from({ length: last }, (_, n) => n + 1);

describe('a server that does not hand out all it lists', function () {
  this.timeout(20_000);
  let server: ModelImap;
  let rig: SyncRig;

  beforeEach(async () => {
    server = new ModelImap();
    await server.start();
    rig = await new SyncRig(server.address).open();
  });
  afterEach(async () => {
    rig?.dispose();
    await server?.close();
  });

  function fill(path: string, count: number): void {
    for (let n = 1; n <= count; n++) server.add(path, numberedMail(n));
  }
  const uids = (path = 'INBOX'): number[] => rig.stored(path).map(({ uid }) => uid);
  const withSource = (path = 'INBOX'): number[] => rig.stored(path).flatMap(({ uid, raw }) => (raw === undefined ? [] : [uid]));
  const row = (uid: number, path = 'INBOX') => rig.messages.byUid(ACCOUNT, path, uid)!;
  const failureOf = (uid: number, path = 'INBOX'): string | undefined => summaryOf(row(uid, path), {} as SealedMailStore).failure?.code;
  async function commandsOf(work: () => Promise<void>): Promise<string[]> {
    const before = server.commands.length;
    await work();
    return server.commands.slice(before);
  }

  it('lists by its header what has no source, wherever it stands in the folder, and says so', async () => {
    fill('INBOX', 300);
    server.lies.withheld = new Set([1, 299]);
    await rig.sync();
    assert.deepEqual(uids(), upTo(300));
    assert.deepEqual([row(1).subject, row(1).bodyState, failureOf(1)], ['number 1', BODY.damaged, 'imap.message-withheld']);
    assert.deepEqual([failureOf(299), failureOf(2)], ['imap.message-withheld', undefined]);
    const commands = await commandsOf(() => rig.sync());
    assert.ok(!commands.some((line) => line.includes('BODY.PEEK[]')), 'asked for again');
  });

  it('lists with what is known of it what has no header either, in folders kept by their headers as well', async () => {
    server.create('Junk', '\\Junk');
    for (const path of ['INBOX', 'Junk']) fill(path, 300);
    server.lies.headless = new Set([2, 298]);
    await rig.sync();
    for (const path of ['INBOX', 'Junk']) {
      assert.deepEqual(uids(path), upTo(300));
      for (const uid of [2, 298])
        assert.deepEqual([row(uid, path).bodyState, failureOf(uid, path)], [BODY.damaged, 'imap.message-withheld']);
      assert.equal(row(2, path).size, numberedMail(2).length);
    }
    assert.equal(withSource().length, 298);
    server.setFlag('INBOX', 2, '\\Seen', 'on');
    const commands = await commandsOf(() => rig.sync());
    assert.ok(!commands.some((line) => line.includes('BODY.PEEK')), 'asked for again');
    assert.deepEqual(row(2).flags, ['seen']);
  });

  it('lists what arrives and is not handed out, and goes on with what comes after it', async () => {
    fill('INBOX', 10);
    await rig.sync();
    server.lies.headless = new Set([12]);
    fill('INBOX', 3);
    await rig.sync();
    assert.deepEqual(uids(), upTo(13));
    assert.equal(failureOf(12), 'imap.message-withheld');
    fill('INBOX', 1);
    await rig.sync();
    assert.deepEqual(withSource(), [...upTo(11), 13, 14]);
  });

  it('comes to an end with thousands that SEARCH names and FETCH knows nothing of', async () => {
    fill('INBOX', 1);
    await rig.sync();
    const folder = server.folders.get('INBOX')!;
    folder.uidNext = 3002;
    server.lies.found = () => upTo(3001).slice(1);
    const commands = await commandsOf(() => rig.sync());
    assert.ok(commands.length < 100, `${commands.length} commands`);
    delete server.lies.found;
    fill('INBOX', 1);
    await rig.sync();
    assert.ok(withSource().includes(3002), 'what comes then is found');
  });

  for (const how of ['afterwards', 'at-once'] as const) {
    it(`takes in all others where it refuses a command for one of its messages (${how})`, async () => {
      server.create('Junk', '\\Junk');
      for (const path of ['INBOX', 'Junk']) fill(path, 200);
      server.lies.refused = { uids: new Set([70, 195]), how, code: '[SERVERBUG]' };
      const commands = await commandsOf(() => rig.sync());
      assert.deepEqual(
        withSource(),
        upTo(200).filter((uid) => uid !== 70 && uid !== 195),
      );
      for (const path of ['INBOX', 'Junk']) {
        assert.deepEqual(uids(path), upTo(200));
        assert.deepEqual([failureOf(70, path), failureOf(195, path)], ['imap.message-withheld', 'imap.message-withheld']);
      }
      assert.ok(commands.length < 150, `${commands.length} commands`);
      const again = await commandsOf(() => rig.sync());
      assert.ok(!again.some((line) => line.includes('BODY.PEEK')), 'asked for again');
    });
  }

  it('shows new mail although it refuses one of it', async () => {
    fill('INBOX', 5);
    await rig.sync();
    server.lies.refused = { uids: new Set([7]), how: 'at-once' };
    fill('INBOX', 4);
    await rig.sync();
    assert.deepEqual(uids(), upTo(9));
    assert.deepEqual(withSource(), [1, 2, 3, 4, 5, 6, 8, 9]);
  });

  it('takes no refusal for a message’s that concerns the account, keeps what came, and comes to the rest later', async () => {
    fill('INBOX', 200);
    server.lies.refused = { uids: new Set([100]), how: 'afterwards', code: '[UNAVAILABLE]' };
    await rig.sync();
    assert.equal(failureOf(150), undefined);
    assert.equal(withSource().length, 199);
    assert.ok(rig.log.some(({ event, facts }) => event === 'sync.folder-not-filled' && facts?.['code'] === 'imap.rejected'));
    delete server.lies.refused;
    await rig.sync();
    assert.deepEqual(withSource(), upTo(200));
  });

  it('gives a folder up for this run in which it refuses one message after the other', async () => {
    fill('INBOX', 1500);
    server.lies.refused = { uids: new Set(upTo(1400)), how: 'at-once' };
    const commands = await commandsOf(() => rig.sync());
    assert.ok(commands.length < 300, `${commands.length} commands`);
    assert.ok(withSource().length > 0);
  });
});
