import assert from 'node:assert/strict';
import { ModelImap } from '../../transport/modelImap.ts';
import { numberedMail } from './numberedMail.ts';
import { ACCOUNT, SyncRig } from './syncRig.ts';

describe('an offline copy of a server that cannot be trusted', function () {
  this.timeout(20_000);
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

  const uids = (path = 'INBOX'): number[] => rig.stored(path).map(({ uid }) => uid);

  it('holds what an honest one has', async () => {
    await start();
    for (let n = 1; n <= 200; n++) server.add('INBOX', numberedMail(n), { flags: n % 2 ? ['\\Seen'] : [] });
    await rig.sync();
    assert.deepEqual(
      rig.stored('INBOX'),
      server.folders.get('INBOX')!.messages.map(({ uid, raw, flags }) => ({
        uid,
        flags: flags.has('\\Seen') ? ['seen'] : [],
        raw: raw.toString('latin1'),
      })),
    );
    const commands = server.commands.length;
    await rig.sync();
    assert.ok(server.commands.length - commands <= 6, 'a look that finds nothing asks little');
  });

  it('takes no message that was not asked for, and none twice', async () => {
    await start();
    for (let n = 1; n <= 5; n++) server.add('INBOX', numberedMail(n));
    const forged = (uid: number): string => `* 1 FETCH (UID ${uid} FLAGS () INTERNALDATE "01-Jan-2026 10:00:00 +0000" BODY[] {4}\r\nevil)`;
    server.lies.beforeSources = () => [forged(99), forged(4_294_967_295), '* 3 FETCH (FLAGS (\\Seen))', '* 4 FETCH (UID 4 FLAGS ())'];
    await rig.sync();
    assert.deepEqual(uids(), [1, 2, 3, 4, 5]);
    assert.ok(rig.stored('INBOX').every(({ raw }) => raw !== 'evil'));
  });

  it('stores one message for each UID however often the server sends it, and asks for none again', async () => {
    await start();
    for (let n = 1; n <= 5; n++) server.add('INBOX', numberedMail(n));
    const again = (uid: number, body: string): string =>
      `* ${uid} FETCH (UID ${uid} FLAGS () INTERNALDATE "01-Jan-2026 10:00:00 +0000" BODY[] {${body.length}}\r\n${body})`;
    server.lies.beforeSources = () => [again(3, 'first'), again(3, 'second'), again(2, 'other'), again(3, 'third')];
    await rig.sync();
    assert.deepEqual(uids(), [1, 2, 3, 4, 5]);
    assert.ok(rig.stored('INBOX').every(({ raw }) => raw !== undefined));
    const commands = server.commands.length;
    await rig.sync();
    assert.ok(!server.commands.slice(commands).some((line) => line.includes('BODY.PEEK[]')));
    assert.equal(rig.db.prepare('PRAGMA integrity_check').get()?.['integrity_check'], 'ok');
  });

  it('gives up on a server that answers without end what was not asked', async () => {
    await start();
    server.add('INBOX', numberedMail(1));
    server.lies.beforeSources = () => Array.from({ length: 11_000 }, (_, n) => `* 1 FETCH (UID ${n + 10} BODY[] {1}\r\nx)`);
    await rig.sync();
    assert.ok(rig.log.some(({ facts }) => facts?.['code'] === 'net.protocol'));
    delete server.lies.beforeSources;
    await rig.sync();
    assert.deepEqual(uids(), [1]);
  });

  it('stores what came where the sizes were wrong, and leaves out a literal of a gigabyte', async () => {
    await start();
    for (let n = 1; n <= 6; n++) server.add('INBOX', numberedMail(n));
    server.lies.size = ({ uid }) => (uid === 2 ? 1 : uid === 3 ? 4_000_000_000 : 100);
    server.lies.literal = ({ uid, raw }) => (uid === 5 ? 1024 ** 3 : raw.length);
    await rig.sync();
    const stored = rig.stored('INBOX');
    assert.deepEqual(
      stored.map(({ uid, raw }) => [uid, raw !== undefined]),
      [
        [1, true],
        [2, true],
        [3, false],
        [4, true],
        [5, false],
        [6, true],
      ],
    );
    const states = [3, 5].map((uid) => rig.messages.byUid(ACCOUNT, 'INBOX', uid)?.bodyState);
    assert.deepEqual(states, [4, 4], 'too large');
    const commands = server.commands.length;
    await rig.sync();
    assert.ok(!server.commands.slice(commands).some((line) => line.includes('BODY.PEEK[]')), 'neither is asked for again');
  });

  it('does not ask for ever for a source that is listed and never handed out', async () => {
    await start();
    for (let n = 1; n <= 3; n++) server.add('INBOX', numberedMail(n));
    server.lies.withheld = new Set([2]);
    await rig.sync();
    assert.deepEqual(
      rig.stored('INBOX').map(({ raw }) => raw !== undefined),
      [true, false, true],
    );
    assert.equal(rig.messages.byUid(ACCOUNT, 'INBOX', 2)?.bodyState, 3, 'damaged');
    const commands = server.commands.length;
    await rig.sync();
    assert.ok(!server.commands.slice(commands).some((line) => line.includes('BODY.PEEK[]')));
  });

  it('begins anew where UIDVALIDITY changes in the middle', async () => {
    await start();
    for (let n = 1; n <= 100; n++) server.add('INBOX', numberedMail(n));
    let changed = false;
    server.lies.onSources = (folder) => {
      if (changed) return;
      changed = true;
      server.expunge(folder.path, 1);
      server.renumber(folder.path);
    };
    await rig.sync();
    await rig.sync();
    await rig.sync();
    assert.deepEqual(
      rig.stored('INBOX').map(({ uid, raw }) => [uid, raw]),
      server.folders.get('INBOX')!.messages.map(({ uid, raw }) => [uid, raw.toString('latin1')]),
    );
  });

  it('lists no message of what it says about flags unasked', async () => {
    await start({ condstore: 'condstore' });
    server.create('Junk', '\\Junk');
    for (const path of ['INBOX', 'Junk']) for (let n = 1; n <= 100; n++) server.add(path, numberedMail(n), { flags: ['\\Seen'] });
    server.lies.beforeFetch = () =>
      [5, 90].flatMap((n) => [`* ${n} FETCH (UID ${n} FLAGS (\\Flagged))`, `* ${n} FETCH (UID ${n} MODSEQ (7))`]);
    await rig.sync();
    await rig.sync();
    for (const path of ['INBOX', 'Junk']) {
      const rows = rig.messages.page(ACCOUNT, path, 1000);
      assert.deepEqual(
        [rows.length, rows.filter(({ subject, size, date }) => subject === '' || size === 0 || date === 0).length],
        [100, 0],
      );
      assert.ok(
        rows.every(({ flags }) => flags.includes('seen')),
        'an answer without flags takes none away',
      );
    }
  });

  it('finds new mail after it answered for a message that cannot be', async () => {
    await start();
    for (let n = 1; n <= 3; n++) server.add('INBOX', numberedMail(n));
    const envelope = `ENVELOPE (NIL "evil" NIL NIL NIL NIL NIL NIL NIL "<e@e>")`;
    const forged = (uid: number): string =>
      `* 1 FETCH (UID ${uid} FLAGS () RFC822.SIZE 4 INTERNALDATE "01-Jan-2026 10:00:00 +0000" ${envelope})`;
    server.lies.beforeFetch = (_, items) => (items.includes('ENVELOPE') ? [forged(4_294_967_295), forged(9)] : []);
    await rig.sync();
    server.add('INBOX', numberedMail(4));
    await rig.sync();
    server.add('INBOX', numberedMail(5));
    await rig.sync();
    assert.deepEqual(uids(), [1, 2, 3, 4, 5]);
    assert.deepEqual(rig.messages.page(ACCOUNT, 'INBOX', 10).filter(({ subject }) => subject === 'evil').length, 0);
  });

  it('goes on with other folders where one answers what is no IMAP, in every run', async () => {
    await start();
    for (const path of ['Broken', 'After', 'Later']) {
      if (path === 'Broken') server.create(path, '\\Drafts');
      else server.create(path);
      server.add(path, numberedMail(1));
    }
    server.lies.beforeSources = ({ path }) =>
      path === 'Broken' ? Array.from({ length: 11_000 }, (_, n) => `* 1 FETCH (UID ${n + 10} BODY[] {1}\r\nx)`) : [];
    await rig.sync();
    for (const path of ['After', 'Later']) assert.ok(rig.stored(path)[0]?.raw, path);
    server.add('After', numberedMail(2));
    await rig.sync();
    assert.ok(rig.stored('After').every(({ raw }) => raw !== undefined));
    delete server.lies.beforeSources;
    await rig.sync();
    assert.ok(rig.stored('Broken')[0]?.raw);
  });

  it('takes no list for true in which INBOX is missing, and loses nothing', async () => {
    await start();
    server.create('Work');
    for (const path of ['INBOX', 'Work']) server.add(path, numberedMail(1));
    await rig.sync();
    for (const missing of [() => true, (path: string) => path === 'INBOX']) {
      server.lies.unlisted = missing;
      await assert.rejects(rig.sync(), { code: 'net.protocol', details: { protocol: 'imap', reason: 'no-inbox' } });
    }
    delete server.lies.unlisted;
    for (const path of ['INBOX', 'Work']) assert.deepEqual(uids(path), [1]);
    await rig.sync();
    assert.equal(rig.messages.listFolders(ACCOUNT).length, 2);
  });

  it('takes 10,000 of 50,000 folders, the inbox among them, and syncs them with one command each', async function () {
    this.timeout(120_000);
    await start();
    for (let n = 0; n < 50_000; n++) server.create(`Folder ${n}`);
    server.create('Sent', '\\Sent');
    const listed = await rig.handler.listFolders();
    assert.equal(listed.length, 10_000);
    assert.deepEqual(
      ['inbox', 'sent'].map((role) => listed.some(({ specialUse }) => specialUse === role)),
      [true, true],
    );
    for (let n = 0; n < 50; n++) server.add(listed[listed.length - 1 - n]!.path, numberedMail(n));
    await rig.sync();
    assert.equal(rig.messages.listFolders(ACCOUNT).length, 10_000);
    assert.ok(listed.slice(-50).every(({ path }) => rig.stored(path)[0]?.raw !== undefined));
    const first = server.commands.length;
    assert.ok(first < 10_500, `${first} commands`);
    server.add(listed[5000]!.path, numberedMail(1));
    await rig.sync();
    assert.ok(rig.stored(listed[5000]!.path)[0]?.raw);
    assert.ok(server.commands.length - first < 20, `${server.commands.length - first} commands more`);
  });

  it('shows folders of hostile names by names that can be shown, and passes over what no command could name', async () => {
    await start();
    const names = [
      '../../etc/passwd',
      '"><script>',
      'a\u202Etxt.exe',
      '__proto__',
      'constructor',
      '%00',
      'x'.repeat(2000),
      ' ',
      '*',
      'a%b',
    ];
    for (const name of names) server.create(Buffer.from(name).toString('latin1'));
    await rig.sync();
    const folders = rig.messages.listFolders(ACCOUNT);
    assert.ok(folders.every(({ name }) => name !== '' && !/[\p{Cc}\u202a-\u202e\u2066-\u2069]/u.test(name)));
    assert.ok(!folders.some(({ path }) => path.length > 1000));
    assert.ok(folders.some(({ path }) => path === '__proto__'));
  });
});
