import assert from 'node:assert/strict';
import { takeChanges } from '../../../../src/core/account/sync/takeChanges.ts';
import { BODY } from '../../../../src/core/store/messageRow.ts';
import { ShownMail } from '../../../../src/core/store/shownMail.ts';
import { ModelImap } from '../../transport/modelImap.ts';
import { numberedMail } from './numberedMail.ts';
import { ACCOUNT, SyncRig } from './syncRig.ts';

describe('the first fill of a mailbox', function () {
  this.timeout(30_000);
  let server: ModelImap;
  let rig: SyncRig;

  async function start(o: ConstructorParameters<typeof ModelImap>[0] = {}): Promise<void> {
    server = new ModelImap(o);
    await server.start();
    rig = await new SyncRig(server.address).open();
  }
  afterEach(async () => {
    rig?.dispose();
    await server?.close();
  });

  function fill(path: string, count: number, octets = 5): void {
    if (!server.folders.has(path)) server.create(path);
    for (let n = 1; n <= count; n++) server.add(path, numberedMail(n, 'x'.repeat(octets)));
  }
  const uids = (path = 'INBOX'): number[] => rig.stored(path).map(({ uid }) => uid);

  it('lists by its header all there is no room for, also where the room ends in the middle', async () => {
    await start();
    fill('INBOX', 1000, 20_000);
    rig.budget = 10 * 1024 * 1024;
    await rig.sync();
    assert.equal(uids().length, 1000);
    const states = uids().map((uid) => rig.messages.byUid(ACCOUNT, 'INBOX', uid)!.bodyState);
    assert.ok(states.includes(BODY.stored) && states[0] === BODY.evicted, 'the newest with their sources, the oldest without');
    assert.ok(states.every((state) => state === BODY.stored || state === BODY.evicted));
    const commands = server.commands.length;
    await rig.sync();
    assert.ok(!server.commands.slice(commands).some((line) => /ENVELOPE|BODY/.test(line)));
  });

  it('asks for the newest first, in few large commands', async () => {
    await start();
    fill('INBOX', 3000, 2000);
    await rig.sync();
    const fetches = server.commands.filter((line) => line.includes('FETCH'));
    const first = (line: string): number => Math.max(...line.split(' ')[2]!.split(/[:,]/).map(Number));
    const sources = fetches.filter((line) => line.includes('BODY.PEEK[]'));
    assert.deepEqual(
      sources.map(first),
      sources.map(first).toSorted((a, b) => b - a),
    );
    assert.equal(first(sources[0]!), 3000);
    assert.ok(fetches.length <= 8, fetches.join('\n'));
    assert.ok(server.commands.length <= 30, `${server.commands.length} commands`);
    assert.match(fetches[0]!, /^FETCH 2941:\* .*ENVELOPE/, 'a screenful comes before anything else');
  });

  it('looks into every folder before it fills one', async () => {
    await start();
    fill('INBOX', 100);
    server.create('Sent', '\\Sent');
    for (const path of ['Sent', 'Work', 'Lists']) fill(path, 100);
    await rig.sync();
    const selected: string[] = [];
    for (const line of server.commands) {
      if (line.includes('BODY.PEEK[]')) break;
      const folder = /^SELECT "?([^"]+)"?/.exec(line)?.[1];
      if (folder) selected.push(folder);
    }
    assert.deepEqual(new Set(selected), new Set(['INBOX', 'Sent', 'Work', 'Lists']));
    for (const path of ['INBOX', 'Sent', 'Work', 'Lists']) assert.equal(uids(path).length, 100);
  });

  it('shows what arrives elsewhere while it goes on, once the list was asked for again', async () => {
    await start();
    fill('INBOX', 400, 100_000);
    fill('Work', 3);
    let asked = 0;
    const listed: Promise<void>[] = [];
    const seen: number[] = [];
    server.lies.onSources = ({ path }) => {
      if (path !== 'INBOX') return;
      if (asked === 1) {
        server.add('Work', numberedMail(4));
        listed.push(rig.handler.listFolders().then((folders) => rig.background.start(folders)));
      }
      asked += 1;
      seen.push(uids('Work').length);
    };
    await rig.sync();
    await Promise.all(listed);
    await rig.background.idle();
    assert.ok(asked > 3, `${asked} commands`);
    assert.equal(seen.at(-1), 4, `${seen}`);
    assert.equal(uids('INBOX').length, 400);
    assert.ok(rig.stored('Work').every(({ raw }) => raw !== undefined));
  });

  it('follows the flags of all messages where the server tells what changed, however many there are', async () => {
    await start({ condstore: 'condstore' });
    fill('INBOX', 2200);
    await rig.sync();
    server.setFlag('INBOX', 5, '\\Seen', 'on');
    server.setFlag('INBOX', 2199, '\\Seen', 'on');
    await rig.sync();
    assert.deepEqual(
      [5, 6, 2199].map((uid) => rig.messages.byUid(ACCOUNT, 'INBOX', uid)!.flags),
      [['seen'], [], ['seen']],
    );
  });

  for (const condstore of [{}, { condstore: 'condstore' }] as const) {
    it(`tells folders of one UIDVALIDITY apart that swap their names (${condstore.condstore ?? 'without mod-sequences'})`, async () => {
      await start({ objectId: 'objectid', ...condstore });
      for (const [path, from] of [
        ['A', 100],
        ['B', 200],
      ] as const) {
        server.create(path).uidValidity = 77;
        for (let n = 1; n <= 5; n++) server.add(path, numberedMail(from + n));
      }
      await rig.sync();
      const [a, b] = [server.folders.get('A')!, server.folders.get('B')!];
      [a.path, b.path] = ['B', 'A'];
      server.folders.set('B', a).set('A', b);
      rig.ahead += 3_600_000;
      await rig.sync();
      const subjects = (path: string): string[] => rig.messages.page(ACCOUNT, path, 10).map(({ subject }) => subject);
      assert.deepEqual(
        subjects('A').toSorted(),
        [201, 202, 203, 204, 205].map((n) => `number ${n}`),
      );
      assert.deepEqual(
        subjects('B').toSorted(),
        [101, 102, 103, 104, 105].map((n) => `number ${n}`),
      );
      assert.ok(rig.stored('A').every(({ raw }) => raw?.includes('number 20')));
      const commands = server.commands.length;
      await rig.sync();
      assert.ok(!server.commands.slice(commands).some((line) => line.includes('BODY.PEEK[]')));
    });
  }

  it('forgets no wish for a closer look that came while it looked', async () => {
    await start({ condstore: 'condstore' });
    fill('INBOX', 5);
    await rig.sync();
    const shown = new ShownMail({ db: rig.db });
    const look = (): Promise<unknown> => takeChanges({ accountId: ACCOUNT, handler: rig.handler }, 'INBOX', rig);
    for (const wish of ['lookAtFlags', 'lookAfresh'] as const) {
      server.add('INBOX', numberedMail(6));
      const looking = look();
      server.lies.beforeFetch = () => {
        delete server.lies.beforeFetch;
        shown[wish](ACCOUNT, 'INBOX');
        return [];
      };
      await looking;
      const { uidNext, highestModseq } = rig.messages.cursor(ACCOUNT, 'INBOX')!;
      if (wish === 'lookAtFlags') assert.equal(highestModseq, 1n);
      else assert.deepEqual([uidNext, highestModseq], [1, undefined]);
      await look();
      assert.equal(rig.messages.cursor(ACCOUNT, 'INBOX')!.uidNext, server.folders.get('INBOX')!.uidNext);
    }
    assert.deepEqual(uids(), [1, 2, 3, 4, 5, 6, 7]);
  });

  it('stores nothing of a look during which the UIDs came to mean others', async () => {
    await start();
    fill('INBOX', 5);
    await rig.sync();
    server.add('INBOX', numberedMail(6));
    server.lies.beforeFetch = () => {
      delete server.lies.beforeFetch;
      // As another window stores what it found.
      rig.messages.resetFolder(ACCOUNT, 'INBOX');
      rig.messages.setCursor(ACCOUNT, 'INBOX', { uidValidity: 5, uidNext: 1 });
      return [];
    };
    await takeChanges({ accountId: ACCOUNT, handler: rig.handler }, 'INBOX', rig);
    assert.deepEqual([uids(), rig.messages.cursor(ACCOUNT, 'INBOX')], [[], { uidValidity: 5, uidNext: 1 }]);
  });
});
