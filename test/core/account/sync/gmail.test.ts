import assert from 'node:assert/strict';
import { ModelImap } from '../../transport/modelImap.ts';
import { ACCOUNT, SyncRig } from './syncRig.ts';

const ID = 1_812_345_678_901_234_000n;
const mail = (n: number): Buffer =>
  Buffer.from(`From: bob@example.test\r\nSubject: number ${n}\r\nMessage-ID: <${n}@mail.gmail.com>\r\n\r\ntext ${n}\r\n`);
const gmail = (n: number, labels: readonly string[] = []) => ({ id: String(ID + BigInt(n)), thread: String(ID + BigInt(n >> 1)), labels });

describe('an offline copy of Gmail', function () {
  this.timeout(10_000);
  let server: ModelImap;
  let rig: SyncRig;

  beforeEach(async () => {
    server = new ModelImap({ gmail: 'gmail', condstore: 'condstore' });
    await server.start();
    server.create('[Gmail]/All Mail', '\\All');
    server.create('[Gmail]/Starred', '\\Flagged');
    for (let n = 0; n < 20; n++) {
      server.add('[Gmail]/All Mail', mail(n), { gmail: gmail(n, n < 8 ? ['\\Inbox', 'Work/Ü'] : []) });
      if (n < 8) server.add('INBOX', mail(n), { gmail: gmail(n, ['Work/Ü']), flags: ['\\Seen'] });
      if (n < 2) server.add('[Gmail]/Starred', mail(n), { gmail: gmail(n) });
    }
    rig = await new SyncRig(server.address).open();
    await rig.sync();
  });
  afterEach(async () => {
    rig.dispose();
    await server.close();
  });

  const bodies = (): number => Number(rig.db.prepare('SELECT count(*) AS n FROM bodies').get()!['n']);
  const sources = (): number => server.commands.filter((line) => line.includes('BODY.PEEK[]')).length;

  it('keeps each message once, whatever folders it is in', () => {
    assert.equal(bodies(), 20);
    assert.deepEqual([rig.stored('INBOX').length, rig.stored('[Gmail]/All Mail').length], [8, 20]);
    assert.ok(
      [...rig.stored('INBOX'), ...rig.stored('[Gmail]/All Mail')].every(({ raw }) => raw !== undefined),
      'each is read from either',
    );
    assert.deepEqual(rig.stored('[Gmail]/Starred'), [], 'a search of the server’s, no folder');
  });

  it('keeps Gmail’s ids beyond 53 bits, and its labels', () => {
    const row = rig.messages.byUid(ACCOUNT, 'INBOX', 8);
    assert.deepEqual(row?.gmail, { messageId: '1812345678901234007', threadId: '1812345678901234003', labels: ['Work/Ü', '\\Inbox'] });
    assert.deepEqual(rig.messages.byUid(ACCOUNT, '[Gmail]/All Mail', 20)?.gmail?.labels, []);
  });

  const labels = (path: string, uid: number): readonly string[] | undefined => rig.messages.byUid(ACCOUNT, path, uid)?.gmail?.labels;

  it('knows all labels of a message in each of its folders, though Gmail leaves out the one of the folder it is asked in', async () => {
    assert.deepEqual(labels('[Gmail]/All Mail', 8), labels('INBOX', 8));
    server.create('Work');
    for (let n = 0; n < 8; n++) {
      server.add('Work', mail(n), { gmail: gmail(n, ['Work/Ü', '\\Inbox']) });
      server.setLabels('INBOX', n + 1, ['Work', 'Work/Ü']);
    }
    await rig.sync();
    for (const path of ['INBOX', '[Gmail]/All Mail', 'Work']) assert.deepEqual(labels(path, 8), ['Work', 'Work/Ü', '\\Inbox'], path);
  });

  it('sees a label that is given or taken later, wherever it is told first', async () => {
    server.setLabels('[Gmail]/All Mail', 8, ['\\Inbox', 'Later', 'Work/Ü']);
    server.setLabels('[Gmail]/All Mail', 12, ['Later']);
    await rig.sync();
    assert.deepEqual(
      [labels('[Gmail]/All Mail', 8), labels('INBOX', 8)],
      [
        ['Later', 'Work/Ü', '\\Inbox'],
        ['Later', 'Work/Ü', '\\Inbox'],
      ],
    );
    assert.deepEqual(labels('[Gmail]/All Mail', 12), ['Later']);
    server.setLabels('[Gmail]/All Mail', 8, ['\\Inbox']);
    server.setLabels('INBOX', 8, []);
    await rig.sync();
    assert.deepEqual([labels('[Gmail]/All Mail', 8), labels('INBOX', 8)], [['\\Inbox'], ['\\Inbox']]);
  });

  it('still has a message that was archived, without fetching it again', async () => {
    const before = sources();
    server.expunge('INBOX', 8);
    await rig.sync();
    assert.equal(rig.stored('INBOX').length, 7);
    assert.equal(rig.messages.byUid(ACCOUNT, '[Gmail]/All Mail', 8)?.bodyState, 1);
    assert.equal(rig.stored('[Gmail]/All Mail')[7]?.raw, mail(7).toString());
    assert.equal(sources(), before);
  });

  it('still has what was in a label that is deleted, large messages too, without fetching it again', async () => {
    server.create('Work');
    const large = Buffer.concat([mail(99), Buffer.alloc(3 * 1024 * 1024, 'x'.repeat(75) + '\n')]);
    for (let n = 20; n < 40; n++) {
      const raw = n === 39 ? large : mail(n);
      server.add('Work', raw, { gmail: gmail(n) });
      server.add('[Gmail]/All Mail', raw, { gmail: gmail(n, ['Work']) });
    }
    await rig.sync();
    const before = sources();
    server.folders.delete('Work');
    await rig.sync();
    assert.deepEqual(
      rig.stored('[Gmail]/All Mail').map(({ raw }) => raw?.length),
      server.folders.get('[Gmail]/All Mail')!.messages.map(({ raw }) => raw.length),
    );
    assert.equal(rig.stored('[Gmail]/All Mail').at(-1)?.raw, large.toString('latin1'));
    assert.deepEqual([bodies(), sources()], [40, before]);
  });

  it('still has what was in a folder whose UIDs mean others, without fetching it again', async () => {
    const before = sources();
    server.renumber('INBOX');
    await rig.sync();
    assert.deepEqual([bodies(), sources()], [20, before]);
    assert.ok([...rig.stored('INBOX'), ...rig.stored('[Gmail]/All Mail')].every(({ raw }) => raw !== undefined));
  });

  it('finds a Message-ID through Gmail’s own index', async () => {
    assert.deepEqual(await rig.handler.findByMessageId('[Gmail]/All Mail', '<11@mail.gmail.com>'), [12]);
    assert.ok(server.commands.some((line) => line.includes('X-GM-RAW') && line.includes('rfc822msgid:11@mail.gmail.com')));
    await rig.handler.findByMessageId('[Gmail]/All Mail', '<1" in:trash@x>');
    assert.ok(server.commands.at(-1)?.includes('HEADER'), 'nothing but an id gets into a query');
  });
});

describe('a server without Gmail’s extension', function () {
  this.timeout(10_000);

  it('is asked for none of it', async () => {
    const server = new ModelImap();
    await server.start();
    server.add('INBOX', mail(1));
    const rig = await new SyncRig(server.address).open();
    try {
      await rig.sync();
      await rig.handler.findByMessageId('INBOX', '<1@mail.gmail.com>');
      assert.ok(!server.commands.some((line) => line.includes('X-GM')));
      assert.equal(rig.messages.byUid(ACCOUNT, 'INBOX', 1)?.gmail, undefined);
    } finally {
      rig.dispose();
      await server.close();
    }
  });
});
