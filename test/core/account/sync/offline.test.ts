import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AccountSyncState, QuMailApi, QuMailEvent } from '../../../../src/core/api.ts';
import { needMailWorld } from '../../../world/mailWorld.ts';
import { startPeopleWorld, type PeopleWorld, type Person } from '../../../world/peopleWorld.ts';
import { generateMailbox } from '../../../bench/mailbox.ts';

const COUNT = 300;

describe('the offline copy', function () {
  this.timeout(60_000);
  let world: PeopleWorld;
  let bob: Person;

  before(async function () {
    needMailWorld(this);
    world = await startPeopleWorld();
    world.mail.fill('bob@other.test', generateMailbox(COUNT));
    bob = await world.person('bob');
    await bob.signInWithPassword();
  });
  after(() => world?.dispose());

  const state = (engine = bob.engine): Promise<AccountSyncState> => engine.getSyncState({ accountId: bob.account.id });
  const folderOf = async (path: string, engine = bob.engine) => (await state(engine)).folders.find((folder) => folder.path === path);
  const doveadm = (...args: string[]): Promise<string> => world.mail.doveadm(args);
  const list = async (folder = 'INBOX', engine = bob.engine) =>
    (await engine.getEmailList({ accountId: bob.account.id, folder, limit: 500 })).messages;

  /** Resolves once `holds` does; looked at after every event. */
  function until(holds: () => Promise<boolean>, engine: QuMailApi = bob.engine): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    let looking = false;
    let again = false;
    const look = async (): Promise<void> => {
      again = looking;
      if (looking) return;
      looking = true;
      if (await holds()) resolve();
      looking = false;
      if (again) await look();
    };
    const heard = engine.onEvent(() => void look().catch(reject));
    look().catch(reject);
    return promise.finally(() => heard.dispose());
  }

  it('takes in every message with its source, and says how far it is', async () => {
    const steps: QuMailEvent[] = [];
    const heard = bob.engine.onEvent((event) => event.kind === 'sync-progress' && steps.push(event));
    await until(async () => (await state()).filling === 'complete' && (await folderOf('INBOX'))?.stored === COUNT);
    heard.dispose();
    const { disk, holder } = await state();
    assert.equal(holder, 'here');
    assert.ok(disk.used > 500_000 && disk.used < disk.budget);
    assert.ok(steps.every((step) => step.kind === 'sync-progress' && step.done <= step.total));
    assert.equal((await list()).length, COUNT);
  });

  it('shows what it read from the sources as the server’s own envelopes tell it', async () => {
    const fromEnvelopes = (await world.mail.doveadm(['fetch', '-u', bob.email, 'uid hdr.message-id', 'mailbox', 'INBOX'])).match(
      /<[^>]+>/g,
    );
    const ids = await Promise.all((await list()).slice(-5).map(({ id }) => bob.engine.openMessage({ messageId: id })));
    for (const { rfcMessageId } of ids) assert.ok(fromEnvelopes?.includes(rfcMessageId));
  });

  it('is read without a connection', async () => {
    const [message] = (await list()).slice(-1);
    world.imapProxy.faultNow({ how: 'reset' });
    const source = await bob.engine.getSource({ messageId: message!.id });
    assert.ok(Buffer.from(source).includes('Delivered-To: alice'));
  });

  it('follows flags, expunges and new mail on the server', async () => {
    const before = await list();
    await doveadm('flags', 'remove', '-u', bob.email, '\\Seen', 'mailbox', 'INBOX', 'uid', '7');
    await doveadm('expunge', '-u', bob.email, 'mailbox', 'INBOX', 'uid', '1:5');
    await until(async () => (await list()).length === COUNT - 5);
    assert.equal((await list()).filter(({ flags }) => !flags.includes('seen')).length, 1);
    assert.ok(before.length > 0);
  });

  it('keeps of Junk the headers, and what the person chose of any folder', async () => {
    await doveadm('copy', '-u', bob.email, 'Junk', 'mailbox', 'INBOX', 'uid', '10:19');
    await bob.engine.fetchMail({ accountId: bob.account.id });
    await until(async () => (await folderOf('Junk'))?.known === 10);
    assert.deepEqual(await folderOf('Junk').then((junk) => [junk?.sync, junk?.chosen, junk?.stored]), ['headers', false, 0]);
    await bob.engine.setFolderSync({ accountId: bob.account.id, folder: 'Junk', sync: 'all' });
    await until(async () => (await folderOf('Junk'))?.stored === 10);
    await assert.rejects(bob.engine.setFolderSync({ accountId: bob.account.id, folder: 'Junk', sync: 'some' as never }), {
      code: 'engine.bad-request',
    });
    await assert.rejects(bob.engine.setFolderSync({ accountId: bob.account.id, folder: 'None', sync: 'all' }), {
      code: 'imap.mailbox-missing',
    });
  });

  it('knows a renamed folder again, with all that is in it', async () => {
    await doveadm('mailbox', 'create', '-u', bob.email, 'Projects');
    await doveadm('copy', '-u', bob.email, 'Projects', 'mailbox', 'INBOX', 'uid', '20:29');
    await bob.engine.fetchMail({ accountId: bob.account.id });
    await until(async () => (await folderOf('Projects'))?.stored === 10);
    const ids = (await list('Projects')).map(({ id }) => id);
    await bob.engine.setFolderSync({ accountId: bob.account.id, folder: 'Projects', sync: 'headers' });
    await doveadm('mailbox', 'rename', '-u', bob.email, 'Projects', 'Vorhaben ü & Co');
    await bob.engine.fetchMail({ accountId: bob.account.id });
    assert.deepEqual(
      (await list('Vorhaben ü & Co')).map(({ id }) => id),
      ids,
    );
    assert.equal(await folderOf('Projects'), undefined);
    assert.equal((await folderOf('Vorhaben ü & Co'))?.sync, 'headers');
    await bob.engine.setFolderSync({ accountId: bob.account.id, folder: 'Vorhaben ü & Co', sync: 'all' });
  });

  it('begins anew where the UIDs mean other messages', async () => {
    await doveadm('mailbox', 'create', '-u', bob.email, 'Again');
    await doveadm('copy', '-u', bob.email, 'Again', 'mailbox', 'INBOX', 'uid', '30:39');
    await bob.engine.fetchMail({ accountId: bob.account.id });
    await until(async () => (await folderOf('Again'))?.stored === 10);
    await doveadm('mailbox', 'update', '-u', bob.email, '--uid-validity', '4242', 'Again');
    await doveadm('expunge', '-u', bob.email, 'mailbox', 'Again', '1:3');
    await bob.engine.fetchMail({ accountId: bob.account.id });
    await until(async () => (await folderOf('Again'))?.stored === 7 && (await folderOf('Again'))?.known === 7);
  });

  it('is filled by one window; another shows it, takes new mail from it, and goes on when the first has gone', async () => {
    const twin = await bob.window();
    try {
      assert.equal((await state(twin)).holder, 'elsewhere');
      await until(async () => (await twin.listAccounts())[0]?.state === 'online', twin);
      const arrives = until(async () => (await list('INBOX', twin))[0]?.subject === 'to both', twin);
      const carol = await world.person('carol');
      await carol.signInWithPassword();
      await carol.send({ To: bob.email, Subject: 'to both', Security: 'L4' }, 'hello\n');
      await arrives;
      await twin.fetchMail({ accountId: bob.account.id });
      await bob.engine[Symbol.asyncDispose]();
      await until(async () => (await state(twin)).holder === 'here', twin);
      await carol.send({ To: bob.email, Subject: 'to the heir', Security: 'L4' }, 'hello\n');
      await until(async () => (await list('INBOX', twin))[0]?.subject === 'to the heir', twin);
    } finally {
      await twin[Symbol.asyncDispose]();
      await bob.open();
    }
  });

  it('is stopped from any window, after a restart as well, until mail is fetched by hand', async () => {
    const { id: accountId } = bob.account;
    let twin = await bob.window();
    const both = async () => (await Promise.all([state(), state(twin)])).map(({ filling }) => filling);
    try {
      assert.deepEqual(await both(), ['complete', 'complete']);
      await twin.cancelSync({ accountId });
      assert.deepEqual(await both(), ['stopped', 'stopped']);
      const [health] = await bob.engine.getAccountHealth();
      assert.deepEqual(health?.offline, { filling: 'stopped' });
      await twin[Symbol.asyncDispose]();
      await bob.engine[Symbol.asyncDispose]();
      await doveadm('mailbox', 'create', '-u', bob.email, 'Old');
      await doveadm('copy', '-u', bob.email, 'Old', 'mailbox', 'INBOX', 'uid', '40:49');
      await bob.open();
      twin = await bob.window();
      await until(async () => (await folderOf('Old'))?.known === 10 && !(await state()).active);
      await bob.engine.fetchMail({ accountId, filling: 'as-it-is' });
      await until(async () => !(await state()).active);
      assert.deepEqual([(await folderOf('Old'))?.stored, (await state()).filling], [0, 'stopped']);
      await twin.fetchMail({ accountId });
      await until(async () => (await folderOf('Old'))?.stored === 10);
      await until(async () => (await both()).every((filling) => filling === 'complete'));
    } finally {
      await twin[Symbol.asyncDispose]();
    }
  });

  it('stays within its budget: old mail goes without its source, opens from the server, and what was read lately stays', async () => {
    await bob.engine[Symbol.asyncDispose]();
    await bob.open({ offlineBudgetMiB: 0 });
    await until(async () => (await state()).folders.every(({ stored }) => stored === 0));
    const [oldest] = (await list()).slice(-1);
    assert.ok((await bob.engine.openMessage({ messageId: oldest!.id })).text.length > 0);
    // What was read lately stays, the next time that room is made.
    await bob.engine.fetchMail({});
    await until(async () => !(await state()).active);
    assert.equal((await folderOf('INBOX'))?.stored, 1);
  });

  it('is whole again once there is room', async () => {
    await bob.engine[Symbol.asyncDispose]();
    await bob.open();
    await until(async () => (await state()).folders.every(({ known, stored }) => known === stored));
    assert.ok((await folderOf('INBOX'))!.stored > 1);
  });

  it('keeps what the person chose of a folder that is away for one look, and where mail.db begins anew', async () => {
    await doveadm('mailbox', 'create', '-u', bob.email, 'Lists');
    await bob.engine.fetchMail({ accountId: bob.account.id });
    await bob.engine.setFolderSync({ accountId: bob.account.id, folder: 'Lists', sync: 'off' });
    await doveadm('mailbox', 'delete', '-u', bob.email, 'Lists');
    await bob.engine.fetchMail({ accountId: bob.account.id });
    assert.equal(await folderOf('Lists'), undefined);
    await doveadm('mailbox', 'create', '-u', bob.email, 'Lists');
    await bob.engine.fetchMail({ accountId: bob.account.id });
    assert.equal((await folderOf('Lists'))?.sync, 'off');
    await bob.engine[Symbol.asyncDispose]();
    writeFileSync(join(bob.storageDir, 'mail.db'), 'Dear diary');
    await bob.open();
    await bob.engine.fetchMail({ accountId: bob.account.id });
    assert.deepEqual(await folderOf('Lists').then((folder) => [folder?.sync, folder?.chosen]), ['off', true]);
  });
});
