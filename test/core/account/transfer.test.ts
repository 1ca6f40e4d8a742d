import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { QuMailEvent } from '../../../src/core/api.ts';
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
    assert.deepEqual(await alice.engine.importMail({ accountId: alice.account.id, folder: 'In', path }), { imported: 25, refused: 0 });
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
    });
    assert.equal(statSync(out).mode & 0o777, 0o600);
    assert.deepEqual(await alice.engine.importMail({ accountId: alice.account.id, folder: 'Again', path: out }), {
      imported: 25,
      refused: 0,
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
    const many = join(dir, 'many');
    await alice.engine.exportMail({ messageIds: listed.slice(0, 3).map(({ id }) => id), path: many, format: 'eml' });
    assert.equal(readdirSync(many).length, 3);
    const before = (await alice.list('Again', 100)).length;
    assert.deepEqual(await alice.engine.importMail({ accountId: alice.account.id, folder: 'Again', path: many }), {
      imported: 3,
      refused: 0,
    });
    assert.equal((await alice.list('Again', 100)).length, before + 3);
  });

  it('lets sealed mail out as the sealed source, and as plaintext only when that is asked for', async () => {
    await bob.send({ To: alice.email, Subject: 'Very secret', Security: 'L2' }, 'the secret text\n');
    const { summary } = await alice.receives('Very secret');
    const sealed = join(dir, 'sealed.eml');
    await alice.engine.exportMail({ messageIds: [summary.id], path: sealed, format: 'eml' });
    assert.ok(!readFileSync(sealed).includes('secret text') && readFileSync(sealed).includes('qumail_payload.json'));
    const open = join(dir, 'open.eml');
    await alice.engine.exportMail({ messageIds: [summary.id], path: open, format: 'eml', sealed: 'plaintext' });
    assert.ok(readFileSync(open).includes('the secret text'));
    const folder = join(dir, 'inbox');
    await alice.engine.exportMail({ messageIds: [summary.id, summary.id], path: folder, format: 'eml' });
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
      assert.deepEqual(await alice.engine.importMail({ accountId: alice.account.id, folder: 'Cut', path }), { imported: 8, refused: 0 });
    } finally {
      stop();
    }
    assert.ok(world.imapProxy.struck > struck);
    assert.equal((await world.mail.storedMessages(alice.email, 'Cut')).length, 8);
  });
});
