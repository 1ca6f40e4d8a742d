import assert from 'node:assert/strict';
import { ModelImap } from '../../transport/modelImap.ts';
import { ACCOUNT, SyncRig } from './syncRig.ts';

const mail = (n: number): Buffer =>
  Buffer.from(`From: bob@example.test\r\nSubject: number ${n}\r\nMessage-ID: <${n}@ids.test>\r\n\r\ntext\r\n`);

describe('renamed folders at a server with MAILBOXID (RFC 8474)', function () {
  this.timeout(20_000);
  let server: ModelImap;
  let rig: SyncRig;

  beforeEach(async () => {
    server = new ModelImap({ objectId: 'objectid', condstore: 'condstore' });
    await server.start();
    for (const path of ['One', 'Two', 'Empty']) server.create(path);
    // As if made in one second by a server that takes the time for UIDVALIDITY.
    for (const path of ['One', 'Two', 'Empty']) server.folders.get(path)!.uidValidity = 4242;
    for (let n = 0; n < 6; n++) server.add(n < 3 ? 'One' : 'Two', mail(n));
    rig = await new SyncRig(server.address).open();
    await rig.sync();
  });
  afterEach(async () => {
    rig.dispose();
    await server.close();
  });

  const fetches = (): number => server.commands.filter((line) => line.includes('BODY.PEEK[]')).length;
  const ids = (path: string): number[] => rig.messages.page(ACCOUNT, path, 10).map(({ id }) => id);

  it('are known again where all change names at once and their UIDs tell nothing apart, the empty one as well', async () => {
    const before = { one: ids('One'), two: ids('Two') };
    const fetched = fetches();
    for (const [from, to] of [
      ['One', 'Eins'],
      ['Two', 'Zwei'],
      ['Empty', 'Leer'],
    ] as const)
      server.rename(from, to);
    await rig.sync();
    assert.deepEqual([ids('Eins'), ids('Zwei')], [before.one, before.two]);
    assert.deepEqual(
      rig.messages.listFolders(ACCOUNT).map(({ path }) => path),
      ['Eins', 'INBOX', 'Leer', 'Zwei'],
    );
    assert.equal(fetches(), fetched, 'nothing is fetched again');
  });

  it('are not taken for one that was deleted where another with the same UIDs was made', async () => {
    server.folders.delete('One');
    server.create('Made since').uidValidity = 4242;
    for (let n = 10; n < 14; n++) server.add('Made since', mail(n));
    await rig.sync();
    assert.deepEqual(
      rig.stored('Made since').map(({ raw }) => /number (\d+)/.exec(raw ?? '')?.[1]),
      ['10', '11', '12', '13'],
    );
    assert.ok(!rig.messages.listFolders(ACCOUNT).some(({ path }) => path === 'One'));
  });

  it('begin anew under their new name where UIDVALIDITY changed as well', async () => {
    server.rename('One', 'Eins');
    server.renumber('Eins');
    await rig.sync();
    await rig.sync();
    assert.equal(rig.stored('Eins').length, 3);
    assert.ok(rig.stored('Eins').every(({ raw }) => raw !== undefined));
  });
});
