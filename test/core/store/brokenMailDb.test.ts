import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, openSync, readdirSync, readFileSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { generateMailbox } from '../../bench/mailbox.ts';
import { needMailWorld } from '../../world/mailWorld.ts';
import { startPeopleWorld, type PeopleWorld, type Person } from '../../world/peopleWorld.ts';

const COUNT = 300;

describe('an engine whose mail.db cannot be used', function () {
  this.timeout(90_000);
  let world: PeopleWorld;
  let bob: Person;
  let draftId: string;
  let text: string;
  let mounted = false;

  before(async function () {
    needMailWorld(this);
    world = await startPeopleWorld();
    world.mail.fill('bob@other.test', generateMailbox(COUNT));
    bob = await world.person('bob');
    await bob.engine[Symbol.asyncDispose]();
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'none', bob.storageDir], { stdio: 'pipe' });
      mounted = true;
    } catch (error) {
      if (process.env['CI'] === 'true') throw error;
    }
    await bob.open();
    await bob.signInWithPassword();
    await filled();
    ({ draftId, text } = await bob.draft({ To: 'alice@example.test', Subject: 'kept', Security: 'L4' }, 'written before\n'));
    await bob.engine.saveDraft({ draftId, text });
  });
  after(async () => {
    await bob?.engine?.[Symbol.asyncDispose]();
    if (mounted) execFileSync('umount', [bob.storageDir]);
    await world?.dispose();
  });

  const file = (name: string): string => join(bob.storageDir, name);
  const list = async () => (await bob.engine.getEmailList({ accountId: bob.account.id, folder: 'INBOX', limit: 50 })).messages;
  const look = (): Promise<unknown> => bob.engine.fetchMail({ accountId: bob.account.id });
  const codes = async (): Promise<string[]> => (await bob.engine.getAccountHealth())[0]?.errors.map(({ code }) => code) ?? [];
  /** New mail, so that the next look has something to store. */
  const arrives = (): Promise<string> => world.mail.doveadm(['copy', '-u', bob.email, 'INBOX', 'mailbox', 'INBOX', 'uid', '1:5']);
  const rows = async (): Promise<number> => {
    const { folders } = await bob.engine.getSyncState({ accountId: bob.account.id });
    return folders.find(({ path }) => path === 'INBOX')?.stored ?? 0;
  };

  async function filled(most = COUNT): Promise<void> {
    for (const end = Date.now() + 30_000; (await rows()) < most; await new Promise((resolve) => setTimeout(resolve, 20)))
      assert.ok(Date.now() < end, `${await rows()} of ${most}`);
  }

  it('because another program writes to it without end, says so, still answers, keeps drafts, and goes on afterwards', async () => {
    const other = new DatabaseSync(file('mail.db'));
    other.exec('BEGIN IMMEDIATE');
    try {
      await arrives();
      await assert.rejects(look(), { code: 'store.locked' });
      assert.equal((await list()).length, 50);
      await bob.engine.saveDraft({ draftId, text: `${text}more\n` });
      assert.equal((await bob.engine.loadDraft({ draftId })).text, `${text}more\n`);
      await bob.engine.saveDraft({ draftId, text });
      assert.ok((await codes()).includes('store.locked'), (await codes()).join());
    } finally {
      other.exec('ROLLBACK');
      other.close();
    }
    await look();
    await filled(COUNT + 5);
  });

  it('because the disk is read-only, is refused by name, changes nothing, and opens again once it is not', async function () {
    if (!mounted) return this.skip();
    await bob.engine[Symbol.asyncDispose]();
    const digests = (): string[] =>
      readdirSync(bob.storageDir)
        .filter((name) => name.endsWith('.db'))
        .map(
          (name) =>
            `${name} ${createHash('sha256')
              .update(readFileSync(file(name)))
              .digest('hex')}`,
        );
    const before = digests();
    execFileSync('mount', ['-o', 'remount,ro', bob.storageDir]);
    await assert.rejects(bob.window(), { code: 'store.unwritable' });
    execFileSync('mount', ['-o', 'remount,rw', bob.storageDir]);
    assert.deepEqual(digests(), before);
    await bob.open();
    assert.equal((await bob.engine.loadDraft({ draftId })).text, text);
    assert.equal((await list()).length, 50);
  });

  it('because it is damaged while in use, says so, keeps the vault as it is, and is filled anew after the next start', async () => {
    const outbox = await bob.engine.listOutbox();
    await bob.engine[Symbol.asyncDispose]();
    await bob.open();
    // Everything behind the first pages; what this process has read is in its cache, the rest is not.
    const { size } = statSync(file('mail.db'));
    const fd = openSync(file('mail.db'), 'r+');
    for (let at = 16 * 4096; at < size; at += 4096) writeSync(fd, Buffer.alloc(4096, 0xa5), 0, 4096, at);
    closeSync(fd);
    await arrives();
    const told: string[] = [];
    for (let tries = 0; tries < 5; tries++)
      for (const request of [look, list, () => bob.engine.search({ query: 'the', limit: 10 })])
        await request().catch((error: { code: string }) => void told.push(error.code));
    assert.ok(told.includes('store.mail-damaged'), told.join());
    assert.equal((await bob.engine.listAccounts())[0]?.failure?.code, 'store.mail-damaged');
    assert.ok(
      told.every((code) => code.startsWith('store.')),
      told.join(),
    );
    assert.equal((await bob.engine.loadDraft({ draftId })).text, text);
    await bob.engine.saveDraft({ draftId, text });
    await bob.reopen();
    assert.ok(bob.log.some(({ event }) => event.endsWith('mail-cache-rebuilt')));
    await filled(COUNT + 10);
    assert.equal((await bob.engine.loadDraft({ draftId })).text, text);
    assert.deepEqual(await bob.engine.listOutbox(), outbox);
  });
});
