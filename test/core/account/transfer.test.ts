import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { QuMailError, type QuMailEvent } from '../../../src/core/api.ts';
import { needMailWorld } from '../../world/mailWorld.ts';
import { startPeopleWorld, type PeopleWorld, type Person } from '../../world/peopleWorld.ts';

describe('bringing mail in and out', function () {
  this.timeout(60_000);
  const dir = mkdtempSync(join(tmpdir(), 'qumail-transfer-'));
  let world: PeopleWorld;
  let alice: Person;
  let bob: Person;

  before(async function () {
    needMailWorld(this);
    world = await startPeopleWorld();
    [alice, bob] = await world.pair('alice', 'bob');
    await world.mail.doveadm(['mailbox', 'create', '-u', alice.email, 'In']);
    await world.mail.doveadm(['mailbox', 'create', '-u', alice.email, 'Again']);
    await alice.list();
  });

  after(async () => {
    await world?.dispose();
    rmSync(dir, { recursive: true, force: true });
  });

  const eml = (n: number, body = 'text'): string =>
    `From: a@b.example\r\nTo: c@d.example\r\nSubject: letter ${n}\r\nDate: Sat, 03 Jan 1998 01:05:34 +0000\r\nMessage-ID: <${n}@b.example>\r\n\r\n${body}\r\nFrom here\r\n>From there\r\n`;

  it('files an mbox with flags and dates, tells how far it is, and gives a folder back octet for octet', async () => {
    const path = join(dir, 'old.mbox');
    const letters = Array.from({ length: 25 }, (_, n) => eml(n));
    writeFileSync(
      path,
      letters
        .map(
          (text, n) =>
            `From x@y Sat Jan  3 01:05:34 1998\n${n === 3 ? 'Status: RO\nX-Status: F\n' : ''}${text.replace(/^(>*From (?:here|there))/gm, '>$1')}\n`,
        )
        .join(''),
    );
    const progress: Extract<QuMailEvent, { kind: 'transfer-progress' }>[] = [];
    const subscription = alice.engine.onEvent((event) => event.kind === 'transfer-progress' && progress.push(event));
    assert.deepEqual(await alice.engine.importMail({ accountId: alice.account.id, folder: 'In', path }), {
      imported: 25,
      refused: 0,
      present: 0,
    });
    subscription.dispose();
    assert.ok(progress.length >= 3);
    assert.equal(progress.at(-1)!.done, progress.at(-1)!.total);
    const listed = await alice.list('In', 100);
    assert.equal(listed.length, 25);
    assert.deepEqual([...listed.find(({ subject }) => subject === 'letter 3')!.flags].sort(), ['flagged', 'seen']);
    assert.deepEqual((await world.mail.storedMessages(alice.email, 'In')).map(String).sort(), letters.toSorted());
    assert.match(
      await world.mail.doveadm(['fetch', '-u', alice.email, 'date.received', 'mailbox', 'In', 'header', 'Subject', 'letter 7']),
      /1998-01-03/,
    );

    const out = join(dir, 'out.mbox');
    assert.deepEqual(await alice.engine.exportMail({ accountId: alice.account.id, folder: 'In', path: out, format: 'mbox' }), {
      exported: 25,
      missing: 0,
      path: out,
    });
    assert.equal(statSync(out).mode & 0o777, 0o600);
    assert.deepEqual(await alice.engine.importMail({ accountId: alice.account.id, folder: 'Again', path: out }), {
      imported: 25,
      refused: 0,
      present: 0,
    });
    assert.deepEqual((await world.mail.storedMessages(alice.email, 'Again')).map(String).sort(), letters.toSorted());
    assert.deepEqual([...(await alice.list('Again', 100)).find(({ subject }) => subject === 'letter 3')!.flags].sort(), [
      'flagged',
      'seen',
    ]);
  });

  it('writes single messages and folders of them as .eml, and reads them back', async () => {
    const listed = await alice.list('In', 100);
    const [one] = listed;
    const file = join(dir, 'one.eml');
    await alice.engine.exportMail({ messageIds: [one!.id], path: file, format: 'eml' });
    assert.equal(readFileSync(file, 'utf8'), eml(Number(one!.subject.split(' ')[1])));
    const { path: many } = await alice.engine.exportMail({ messageIds: listed.slice(0, 3).map(({ id }) => id), path: dir, format: 'eml' });
    assert.equal(readdirSync(many).length, 3);
    await world.mail.doveadm(['mailbox', 'create', '-u', alice.email, 'Third']);
    const { id: accountId } = alice.account;
    assert.deepEqual(await alice.engine.importMail({ accountId, folder: 'Third', path: many }), { imported: 3, refused: 0, present: 0 });
    assert.equal((await alice.list('Third', 100)).length, 3);
  });

  it('makes a new folder for .eml files in the one that was chosen, and leaves all else there as it is', async () => {
    const chosen = join(dir, 'chosen');
    mkdirSync(join(chosen, 'In'), { recursive: true });
    mkdirSync(`${chosen}.part`);
    writeFileSync(join(chosen, 'In', 'mine.txt'), 'mine');
    writeFileSync(join(chosen, 'x.mbox.part'), 'mine');
    const { id: accountId } = alice.account;
    const request = { accountId, folder: 'In', path: chosen, format: 'eml' } as const;
    assert.deepEqual(await alice.engine.exportMail(request), { exported: 25, missing: 0, path: join(chosen, 'In (2)') });
    assert.equal(readdirSync(join(chosen, 'In (2)')).length, 25);
    assert.equal((await alice.engine.exportMail({ ...request, name: '../Out: 1' })).path, join(chosen, '..-Out- 1'.replace(/^[.]+/, '')));
    await alice.engine.exportMail({ ...request, path: join(chosen, 'x.mbox'), format: 'mbox' });
    const cancel = new AbortController();
    const heard = alice.engine.onEvent((event) => event.kind === 'transfer-progress' && cancel.abort());
    const ids = (await alice.list('In', 100)).map(({ id }) => id);
    const long = { messageIds: [...ids, ...ids], path: chosen, name: 'Half', format: 'eml' } as const;
    await assert.rejects(alice.engine.exportMail(long, { signal: cancel.signal }), { code: 'engine.cancelled' });
    heard.dispose();
    assert.deepEqual(readdirSync(chosen).toSorted(), ['-Out- 1', 'In', 'In (2)', 'x.mbox', 'x.mbox.part']);
    assert.deepEqual(
      [readFileSync(join(chosen, 'In', 'mine.txt'), 'utf8'), readFileSync(join(chosen, 'x.mbox.part'), 'utf8')],
      ['mine', 'mine'],
    );
    assert.ok(existsSync(`${chosen}.part`));
  });

  it('exports all that the server lists, also of a folder that is not kept here, and says what is missing without a connection', async () => {
    const { id: accountId } = alice.account;
    await world.mail.doveadm(['mailbox', 'create', '-u', alice.email, 'Off']);
    await alice.engine.fetchMail({ accountId });
    await alice.engine.setFolderSync({ accountId, folder: 'Off', sync: 'off' });
    world.mail.fill(
      alice.email,
      Array.from({ length: 90 }, (_, n) => Buffer.from(eml(1000 + n))),
    );
    await world.mail.doveadm(['move', '-u', alice.email, 'Off', 'mailbox', 'INBOX', 'subject', 'letter 1']);
    const out = join(dir, 'off.mbox');
    const request = { accountId, folder: 'Off', path: out, format: 'mbox' } as const;
    assert.deepEqual(await alice.engine.exportMail(request), { exported: 90, missing: 0, path: out });
    assert.equal(readFileSync(out, 'latin1').match(/^Subject: letter/gm)?.length, 90);
    const { folders } = await alice.engine.getSyncState({ accountId });
    assert.equal(folders.find((folder) => folder.path === 'Off')?.stored, 0, 'nothing of it is kept');

    // A screenful of it is listed, and one message was opened.
    const [first] = await alice.list('Off', 100);
    await alice.engine.openMessage({ messageId: first!.id });
    await alice.engine.fetchMail({ accountId });
    world.imapProxy.admit('refuse');
    try {
      world.imapProxy.faultNow({ how: 'reset' });
      assert.deepEqual(await alice.engine.exportMail(request), { exported: 1, missing: 89, path: out, offline: true });
    } finally {
      world.imapProxy.admit('accept');
    }
    await alice.engine.fetchMail({ accountId });
  });

  it('tells how many were filed before it ended, and files the rest the next time', async () => {
    await world.mail.doveadm(['mailbox', 'create', '-u', alice.email, 'Twice']);
    const { id: accountId } = alice.account;
    const request = { accountId, folder: 'Twice', path: join(dir, 'old.mbox') };
    const cancel = new AbortController();
    const heard = alice.engine.onEvent((event) => event.kind === 'transfer-progress' && cancel.abort());
    const ended = await alice.engine.importMail(request, { signal: cancel.signal }).catch((error: unknown) => error);
    heard.dispose();
    assert.ok(QuMailError.is(ended, 'engine.cancelled'));
    const { imported } = ended.details;
    assert.ok(typeof imported === 'number' && imported >= 10 && imported < 25);
    assert.deepEqual(await alice.engine.importMail(request), { imported: 25 - imported, refused: 0, present: imported });
    assert.deepEqual(await alice.engine.importMail(request), { imported: 0, refused: 0, present: 25 });
    assert.equal((await alice.list('Twice', 100)).length, 25);
  });

  it('finds the mail in folders of Thunderbird and in Maildirs, with the flags that they tell', async () => {
    await world.mail.doveadm(['mailbox', 'create', '-u', alice.email, 'Moved']);
    const { id: accountId } = alice.account;
    const profile = join(dir, 'profile');
    for (const folder of ['Inbox.sbd', 'Maildir/cur', 'Maildir/new', 'Maildir/tmp']) mkdirSync(join(profile, folder), { recursive: true });
    const mbox = (n: number): string => `From - Sat Jan  3 01:05:34 1998\n${eml(n).replace(/^>?From .*\r\n/gm, '')}\n`;
    writeFileSync(join(profile, 'Inbox'), mbox(1));
    writeFileSync(join(profile, 'Inbox.msf'), '// <!-- <mdb:mork:z v="1.4"/> -->');
    writeFileSync(join(profile, 'Trash'), '');
    writeFileSync(join(profile, 'Trash.msf'), '');
    writeFileSync(join(profile, 'Inbox.sbd', 'v1.0 plans'), mbox(2));
    writeFileSync(join(profile, 'Inbox.sbd', 'v1.0 plans.msf'), '');
    writeFileSync(join(profile, 'Inbox.sbd', 'notes.txt'), 'From here on');
    writeFileSync(join(profile, 'Maildir', 'cur', '1700000000.M1P1.host:2,FS'), eml(3));
    writeFileSync(join(profile, 'Maildir', 'new', '1700000001.M1P1.host'), eml(4));
    writeFileSync(join(profile, 'Maildir', 'tmp', '1700000002.M1P1.host'), eml(5));
    assert.deepEqual(await alice.engine.importMail({ accountId, folder: 'Moved', path: profile }), { imported: 4, refused: 0, present: 0 });
    const listed = (await alice.list('Moved', 10)).toSorted((a, b) => a.subject.localeCompare(b.subject));
    assert.deepEqual(
      listed.map(({ subject, flags }) => [subject, flags.toSorted()]),
      [
        ['letter 1', []],
        ['letter 2', []],
        ['letter 3', ['flagged', 'seen']],
        ['letter 4', []],
      ],
    );
  });

  it('lets sealed mail out as the sealed source, and as plaintext only when that is asked for', async () => {
    await bob.send({ To: alice.email, Subject: 'Very secret', Security: 'L2' }, 'the secret text\n');
    const { summary } = await alice.receives('Very secret');
    const { folders } = await alice.engine.getSyncState({ accountId: alice.account.id });
    const sealedIn = (path: string) => folders.find((folder) => folder.path === path)?.sealed;
    assert.deepEqual([sealedIn('INBOX'), sealedIn('In')], [1, 0]);
    const sealed = join(dir, 'sealed.eml');
    await alice.engine.exportMail({ messageIds: [summary.id], path: sealed, format: 'eml' });
    assert.ok(!readFileSync(sealed).includes('secret text') && readFileSync(sealed).includes('qumail_payload.json'));
    const open = join(dir, 'open.eml');
    await alice.engine.exportMail({ messageIds: [summary.id], path: open, format: 'eml', sealed: 'plaintext' });
    assert.ok(readFileSync(open).includes('the secret text'));
    const twice = { messageIds: [summary.id, summary.id], path: dir, format: 'eml' } as const;
    const { path: folder } = await alice.engine.exportMail({ ...twice, name: 'inbox' });
    assert.ok(readdirSync(folder).every((name) => !name.includes('Very secret')));
  });

  it('stops when it is told to, leaves no half file, and names what cannot be read or written', async () => {
    const cancel = new AbortController();
    const out = join(dir, 'cancelled.mbox');
    const stopped = alice.engine.exportMail(
      { accountId: alice.account.id, folder: 'In', path: out, format: 'mbox' },
      { signal: cancel.signal },
    );
    cancel.abort();
    await assert.rejects(stopped, { code: 'engine.cancelled' });
    assert.ok(!existsSync(out) && !existsSync(`${out}.part`));
    const { id: accountId } = alice.account;
    await assert.rejects(alice.engine.importMail({ accountId, folder: 'In', path: join(dir, 'nothing') }), { code: 'import.unreadable' });
    writeFileSync(join(dir, 'picture.eml'), Buffer.alloc(5000, 0xff));
    assert.deepEqual(await alice.engine.importMail({ accountId, folder: 'In', path: join(dir, 'picture.eml') }), {
      imported: 0,
      refused: 1,
      present: 0,
    });
    await assert.rejects(alice.engine.importMail({ accountId, folder: 'Nowhere', path: join(dir, 'one.eml') }), {
      code: 'imap.mailbox-missing',
    });
    writeFileSync(join(dir, 'file'), '');
    await assert.rejects(alice.engine.exportMail({ accountId, folder: 'In', path: join(dir, 'file', 'x.mbox'), format: 'mbox' }), {
      code: 'export.unwritable',
    });
  });

  it('files each message once where the line is cut under it', async () => {
    await world.mail.doveadm(['mailbox', 'create', '-u', alice.email, 'Cut']);
    const path = join(dir, 'cut.mbox');
    writeFileSync(
      path,
      Array.from({ length: 8 }, (_, n) => `From x@y Sat Jan  3 01:05:34 1998\n${eml(n, 'y'.repeat(20_000))}\n`)
        .join('')
        .replace(/^From here/gm, '>From here')
        .replace(/^>From there/gm, '>>From there'),
    );
    let cuts = 0;
    const struck = world.imapProxy.struck;
    const stop = world.imapProxy.observe('to-server', (chunk) => {
      if (chunk.length > 8000 && ++cuts === 3) world.imapProxy.faultNow({ how: 'reset', direction: 'to-client', afterBytes: 1 });
    });
    try {
      assert.deepEqual(await alice.engine.importMail({ accountId: alice.account.id, folder: 'Cut', path }), {
        imported: 8,
        refused: 0,
        present: 0,
      });
    } finally {
      stop();
    }
    assert.ok(world.imapProxy.struck > struck);
    assert.equal((await world.mail.storedMessages(alice.email, 'Cut')).length, 8);
  });
});
