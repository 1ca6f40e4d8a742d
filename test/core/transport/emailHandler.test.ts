import assert from 'node:assert/strict';
import type { EmailHandler } from '../../../src/core/transport/emailHandler.ts';
import { needMailWorld, type MailWorld } from '../../world/mailWorld.ts';
import { ALICE, BOB, handlerFor, message, rejectsWith, startWorld, untilMessages } from './support.ts';

describe('EmailHandler between two users', () => {
  let world: MailWorld;
  let alice: EmailHandler;
  let bob: EmailHandler;

  before(async function () {
    needMailWorld(this);
    world = await startWorld();
    alice = handlerFor(world, ALICE);
    bob = handlerFor(world, BOB);
  });
  after(async () => {
    alice?.dispose();
    bob?.dispose();
    await world?.stop();
  });

  /** An empty folder of its own for a test, with these messages in it. */
  async function folderWith(
    handler: EmailHandler,
    folder: string,
    subjects: readonly string[],
  ): Promise<{ uidValidity: number; uids: number[] }> {
    await handler.ensureFolder(folder);
    for (const subject of subjects) await handler.append(folder, message({ from: ALICE.email, to: BOB.email, subject, body: 'x\r\n' }), []);
    const { uidValidity, added } = await handler.fetchChanges(folder, undefined, { limit: 1000, knownUids: [] });
    return { uidValidity, uids: added.map(({ uid }) => uid).reverse() };
  }

  it('carries a message there and the answer back, octet for octet', async () => {
    const body = Buffer.concat([
      Buffer.from('.\r\n..\r\n.leading dot\r\n\r\n'),
      Buffer.from([0xc3, 0xa9, 0xff, 0x01]),
      Buffer.from('\r\nend without a dot'),
    ]);
    const there = message({ from: ALICE.email, to: BOB.email, subject: 'there', body, headers: 'Content-Transfer-Encoding: 8bit\r\n' });
    const outcome = await alice.send({ from: ALICE.email, to: [BOB.email], raw: there });
    assert.deepEqual([outcome.accepted, outcome.rejected], [[BOB.email], []]);
    assert.match(outcome.response, /^250 /);
    await untilMessages(bob, 1);
    const [received] = await bob.getEmailList('INBOX', 1);
    assert.equal(received?.subject, 'there');
    assert.equal(received?.from.address, ALICE.email);
    const { uidValidity } = await bob.fetchChanges('INBOX', undefined, { limit: 1, knownUids: [] });
    const source = await bob.fetchSource('INBOX', uidValidity, received!.uid);
    assert.equal(source.length, received!.size);
    assert.deepEqual(source.subarray(-there.length - 2), Buffer.concat([there, Buffer.from('\r\n')]));
    assert.deepEqual((await world.storedMessages(BOB.email))[0], source);

    const back = message({
      from: BOB.email,
      to: ALICE.email,
      subject: 'Re: there',
      body: 'yes\r\n',
      headers: `In-Reply-To: ${received!.rfcMessageId}\r\nReferences: ${received!.rfcMessageId}\r\n`,
    });
    await bob.send({ from: BOB.email, to: [ALICE.email], raw: back });
    await untilMessages(alice, 1);
    const [answer] = await alice.getEmailList('INBOX', 1);
    assert.equal(answer?.inReplyTo, received!.rfcMessageId);
    assert.deepEqual(answer?.references, [received!.rfcMessageId]);
    assert.deepEqual((await world.storedMessages(ALICE.email))[0]!.subarray(-back.length), back);
  });

  it('works over STARTTLS as over TLS', async () => {
    const handler = handlerFor(world, ALICE, { imap: world.imapStartTls, smtp: world.smtpStartTls });
    try {
      await handler.verify();
      const raw = message({ from: ALICE.email, to: ALICE.email, subject: 'starttls', body: 'x\r\n' });
      assert.match((await handler.send({ from: ALICE.email, to: [ALICE.email], raw })).response, /^250 /);
    } finally {
      handler.dispose();
    }
  });

  it('lists folders with their roles and counts', async () => {
    await folderWith(bob, 'Counted/Below', ['one', 'two']);
    const folders = await bob.listFolders();
    const role = (path: string): string | undefined => folders.find((folder) => folder.path === path)?.specialUse;
    assert.deepEqual(['INBOX', 'Sent', 'Drafts', 'Trash', 'Junk', 'Counted/Below'].map(role), [
      'inbox',
      'sent',
      'drafts',
      'trash',
      'junk',
      undefined,
    ]);
    const below = folders.find((folder) => folder.path === 'Counted/Below');
    assert.deepEqual([below?.name, below?.delimiter, below?.unread, below?.total, below?.selectable], ['Below', '/', 2, 2, true]);
    assert.equal(folders.find((folder) => folder.path === 'Counted')?.selectable, false);
  });

  it('pages through a folder from the newest message backwards', async () => {
    const { uidValidity } = await folderWith(bob, 'Paged', ['1', '2', '3', '4', '5']);
    const first = await bob.getEmailList('Paged', 2);
    assert.deepEqual(
      first.map(({ subject }) => subject),
      ['5', '4'],
    );
    const second = await bob.getOlderEmails('Paged', uidValidity, first.at(-1)!.uid, 2);
    const third = await bob.getOlderEmails('Paged', uidValidity, second.at(-1)!.uid, 2);
    assert.deepEqual(
      [...second, ...third].map(({ subject }) => subject),
      ['3', '2', '1'],
    );
    assert.deepEqual(await bob.getOlderEmails('Paged', uidValidity, third.at(-1)!.uid, 2), []);
    assert.deepEqual(await bob.getEmailList('Paged', 0), []);
  });

  it('finds what came after the connection for long work selected the folder', async () => {
    const { uidValidity } = await folderWith(bob, 'Later', ['before']);
    const [before] = await bob.getEmailList('Later', 1);
    // Nobody said how much it is, so it goes over a connection of its own, which stays.
    await bob.fetchSources('Later', uidValidity, [before!.uid], () => {});
    await bob.append('Later', message({ from: ALICE.email, to: BOB.email, subject: 'after', body: 'x\r\n' }), []);
    const [after] = await bob.getEmailList('Later', 1);
    assert.equal(after?.subject, 'after');
    assert.deepEqual(
      (await bob.fetchFacts('Later', uidValidity, [after.uid])).map(({ uid }) => uid),
      [after.uid],
    );
  });

  it('tells sealed containers from messages with attachments without reading bodies', async () => {
    const multipart = (fileName: string): string =>
      [
        '--b\r\nContent-Type: text/plain\r\n\r\nnotice',
        `--b\r\nContent-Type: application/octet-stream\r\nContent-Disposition: attachment; filename="${fileName}"\r\n\r\nx`,
        '--b--\r\n',
      ].join('\r\n');
    await bob.ensureFolder('Parts');
    for (const name of ['qumail_payload.json', 'report.pdf']) {
      const headers = 'Content-Type: multipart/mixed; boundary=b\r\n';
      await bob.append('Parts', message({ from: ALICE.email, to: BOB.email, subject: name, body: multipart(name), headers }), ['seen']);
    }
    const list = await bob.getEmailList('Parts', 10);
    assert.deepEqual(
      list.map(({ subject, hasPayload, hasAttachments, flags }) => [subject, hasPayload, hasAttachments, flags]),
      [
        ['report.pdf', false, true, ['seen']],
        ['qumail_payload.json', true, false, ['seen']],
      ],
    );
  });

  it('reports only what changed since the last look', async () => {
    const { uids } = await folderWith(bob, 'Changing', ['a', 'b', 'c']);
    const first = await bob.fetchChanges('Changing', undefined, { limit: 10, knownUids: [] });
    assert.deepEqual(
      first.added.map(({ subject }) => subject),
      ['c', 'b', 'a'],
    );
    const quiet = await bob.fetchChanges('Changing', first, { limit: 10, knownUids: uids });
    assert.deepEqual([quiet.added, quiet.flags, quiet.vanished, quiet.reset], [[], [], [], 'no']);

    await bob.setFlags('Changing', first.uidValidity, [uids[0]!], { add: ['seen', 'flagged'], remove: [] });
    await bob.delete('Changing', first.uidValidity, [uids[1]!]);
    await bob.append('Changing', message({ from: ALICE.email, to: BOB.email, subject: 'd', body: 'x\r\n' }), []);
    for (const since of [first, { uidValidity: first.uidValidity, uidNext: first.uidNext }]) {
      const changes = await bob.fetchChanges('Changing', since, { limit: 10, knownUids: uids });
      assert.deepEqual(
        changes.added.map(({ subject }) => subject),
        ['d'],
      );
      assert.deepEqual(changes.vanished, [uids[1]]);
      assert.deepEqual(changes.flags.find(({ uid }) => uid === uids[0])?.flags, ['seen', 'flagged']);
      assert.equal(changes.uidNext, changes.added[0]!.uid + 1);
    }
  });

  it('is told of changes and disappearances at once where the server has QRESYNC, and asks about no message', async () => {
    const { uids } = await folderWith(bob, 'Resync', ['a', 'b', 'c', 'd']);
    const first = await bob.fetchChanges('Resync', undefined, { limit: 2, knownUids: [] });
    assert.ok(bob.connections().some(({ capabilities }) => capabilities?.includes('QRESYNC')));
    const [oldest, second, third] = uids.toSorted((a, b) => a - b);
    await bob.setFlags('Resync', first.uidValidity, [oldest!, third!], { add: ['seen'], remove: [] });
    await bob.delete('Resync', first.uidValidity, [second!]);
    const knownUids = (): number[] => assert.fail('asked about each message');
    const changes = await bob.fetchChanges('Resync', first, { limit: 10, knownUids });
    assert.deepEqual(
      changes.flags.toSorted((a, b) => a.uid - b.uid).map(({ uid, flags }) => [uid, ...flags]),
      [
        [oldest, 'seen'],
        [third, 'seen'],
      ],
    );
    assert.deepEqual(changes.vanished, [second]);
    const quiet = await bob.fetchChanges('Resync', changes, { limit: 10, knownUids });
    assert.deepEqual([quiet.flags, quiet.vanished], [[], []]);
  });

  it('hands out many new messages in order and in portions, losing none', async () => {
    const { uidValidity } = await folderWith(bob, 'Many', ['0']);
    let cursor = await bob.fetchChanges('Many', undefined, { limit: 10, knownUids: [] });
    await folderWith(bob, 'Many', ['1', '2', '3', '4', '5']);
    const seen: string[] = [];
    do {
      cursor = await bob.fetchChanges('Many', cursor, { limit: 2, knownUids: [] });
      seen.push(...cursor.added.map(({ subject }) => subject).reverse());
    } while (cursor.more);
    assert.deepEqual(seen, ['1', '2', '3', '4', '5']);
    assert.equal(cursor.uidValidity, uidValidity);
  });

  it('tells of new messages before it asks what became of the known ones', async () => {
    const { uids } = await folderWith(bob, 'Early', ['old']);
    const cursor = await bob.fetchChanges('Early', undefined, { limit: 10, knownUids: [] });
    await folderWith(bob, 'Early', ['new']);
    const told: (readonly [string, boolean])[] = [];
    let over = false;
    const arrived = (added: readonly { subject: string }[]): void => void told.push([added.map(({ subject }) => subject).join(), over]);
    const changes = await bob.fetchChanges('Early', cursor, { limit: 10, knownUids: uids, arrived }).finally(() => (over = true));
    assert.deepEqual(told, [['new', false]]);
    assert.equal(changes.added.length, 1);
    await bob.fetchChanges('Early', changes, { limit: 10, knownUids: uids, arrived });
    assert.equal(told.length, 1);
  });

  it('starts over when UIDVALIDITY changed, and refuses UIDs of before', async () => {
    const { uidValidity, uids } = await folderWith(bob, 'Renewed', ['kept']);
    const before = await bob.fetchChanges('Renewed', undefined, { limit: 10, knownUids: [] });
    await world.doveadm(['mailbox', 'update', '--uid-validity', '4242', '-u', BOB.email, 'Renewed']);
    const changes = await bob.fetchChanges('Renewed', before, { limit: 10, knownUids: uids });
    assert.deepEqual([changes.reset, changes.uidValidity, changes.vanished], ['uid-validity', 4242, []]);
    assert.deepEqual(
      changes.added.map(({ subject }) => subject),
      ['kept'],
    );
    await rejectsWith(bob.fetchSource('Renewed', uidValidity, uids[0]!), 'imap.message-missing', { reason: 'uid-validity' });
    await rejectsWith(bob.delete('Renewed', uidValidity, uids), 'imap.message-missing');
    assert.equal((await bob.getEmailList('Renewed', 10)).length, 1);
  });

  it('adds and removes flags', async () => {
    const { uidValidity, uids } = await folderWith(bob, 'Flagged', ['a', 'b']);
    await bob.setFlags('Flagged', uidValidity, uids, { add: ['seen', 'answered'], remove: [] });
    await bob.setFlags('Flagged', uidValidity, [uids[0]!], { add: ['flagged'], remove: ['seen'] });
    const list = await bob.getEmailList('Flagged', 2);
    assert.deepEqual(
      list.map(({ flags }) => flags),
      [
        ['seen', 'answered'],
        ['flagged', 'answered'],
      ],
    );
  });

  it('moves messages, and leaves them where they are when the target does not exist', async () => {
    const { uidValidity, uids } = await folderWith(bob, 'From here', ['a', 'b']);
    await rejectsWith(bob.move('From here', uidValidity, uids, 'Nowhere'), 'imap.mailbox-missing');
    assert.equal((await bob.getEmailList('From here', 5)).length, 2);
    await bob.ensureFolder('Zu ändern & 日本');
    await bob.move('From here', uidValidity, [uids[0]!], 'Zu ändern & 日本');
    assert.deepEqual(
      (await bob.getEmailList('From here', 5)).map(({ subject }) => subject),
      ['b'],
    );
    assert.deepEqual(
      (await bob.getEmailList('Zu ändern & 日本', 5)).map(({ subject }) => subject),
      ['a'],
    );
  });

  it('deletes exactly the messages named, not others that another client marked', async () => {
    const { uidValidity, uids } = await folderWith(bob, 'Deleting', ['mine', 'marked', 'other']);
    await world.doveadm(['flags', 'add', '-u', BOB.email, '\\Deleted', 'mailbox', 'Deleting', 'uid', String(uids[1])]);
    await bob.delete('Deleting', uidValidity, [uids[0]!]);
    assert.deepEqual(
      (await bob.getEmailList('Deleting', 5)).map(({ subject }) => subject),
      ['other', 'marked'],
    );
  });

  it('files a message with flags and tells its UID', async () => {
    const raw = message({ from: BOB.email, to: ALICE.email, subject: 'sent copy', body: 'x\r\n' });
    const uid = await bob.append('Sent', raw, ['seen']);
    const { uidValidity, added } = await bob.fetchChanges('Sent', undefined, { limit: 1, knownUids: [] });
    assert.deepEqual([added[0]?.uid, added[0]?.flags], [uid, ['seen']]);
    assert.deepEqual(await bob.fetchSource('Sent', uidValidity, uid!), raw);
  });

  it('names what is missing', async () => {
    await rejectsWith(bob.getEmailList('No such folder', 1), 'imap.mailbox-missing');
    await rejectsWith(bob.append('No such folder', message({ from: 'a@b', to: 'c@d', subject: '', body: '' }), []), 'imap.mailbox-missing');
    const { uidValidity } = await bob.fetchChanges('INBOX', undefined, { limit: 1, knownUids: [] });
    await rejectsWith(bob.fetchSource('INBOX', uidValidity, 999_999), 'imap.message-missing', { folder: 'INBOX', uid: 999_999 });
  });

  it('notices that the open folder was deleted by someone else', async () => {
    const { uidValidity, uids } = await folderWith(bob, 'Vanishing', ['a']);
    await bob.fetchSource('Vanishing', uidValidity, uids[0]!);
    await world.doveadm(['mailbox', 'delete', '-u', BOB.email, 'Vanishing']);
    await rejectsWith(bob.fetchSource('Vanishing', uidValidity, uids[0]!), 'imap.mailbox-missing');
    assert.ok((await bob.listFolders()).every(({ path }) => path !== 'Vanishing'));
  });
});
