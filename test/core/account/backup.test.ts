import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { needMailWorld } from '../../world/mailWorld.ts';
import { chatOf, lineOf, seen } from '../chat/chatWorld.ts';
import { startPeopleWorld, type PeopleWorld, type Person } from '../../world/peopleWorld.ts';

describe('backup and restore', function () {
  this.timeout(30_000);
  const folder = mkdtempSync(join(tmpdir(), 'qumail-backup-'));
  const path = join(folder, 'alice.qumailbackup');
  let world: PeopleWorld;
  let alice: Person;
  let bob: Person;
  let phrase: string;
  let mailKept: number;

  before(async function () {
    needMailWorld(this);
    world = await startPeopleWorld();
    [alice, bob] = await world.pair('alice', 'bob');
    await bob.send({ To: alice.email, Subject: 'the received one', Security: 'L2' }, 'received body\n');
    await alice.receives('the received one');
    await alice.send({ To: bob.email, Subject: 'the sent one', Security: 'L1' }, 'sent body\n');
    await alice.receives('the sent one', 'Sent');
    await bob.receives('the sent one');
    for (const [giver, taker] of [
      [alice, bob],
      [bob, alice],
    ] as const) {
      const { file } = await giver.engine.exportCard({ accountId: giver.account.id });
      await taker.engine.importCard({ accountId: taker.account.id, content: file, name: giver.name });
    }
    await bob.send({ To: alice.email, Subject: 'the certified one', Security: 'L3' }, 'certified body\n');
    await alice.receives('the certified one');
    const draft = await alice.draft({ To: bob.email, Subject: 'not yet sent' }, 'draft body\n');
    await alice.engine.saveDraft(draft);
    const accountId = alice.account.id;
    const chat = await alice.engine.startChat({ accountId, members: [bob.email], name: 'Two of us' });
    await alice.engine.setChatReceipts({ chatId: chat.id, receipts: 'off' });
    await alice.engine.sendChatMessage({ chatId: chat.id, text: 'said in the chat' });
    const atBob = await chatOf(bob, 'Two of us');
    await bob.engine.setChatReceipts({ chatId: atBob.id, receipts: 'off' });
    await lineOf(bob, atBob.id, 'said in the chat');
    await bob.engine.sendChatMessage({ chatId: atBob.id, text: 'answered in the chat' });
    await lineOf(alice, chat.id, 'answered in the chat');
    await alice.engine.changeChat({ chatId: chat.id, change: { kind: 'timer', seconds: 3600 } });
    await alice.engine.sendChatMessage({ chatId: chat.id, text: 'gone in an hour' });
    await lineOf(bob, atBob.id, 'gone in an hour');
    await seen(alice, async () => {
      const { messages } = await alice.engine.getChatMessages({ chatId: chat.id, limit: 10 });
      return messages.length === 5 && messages.every(({ state }) => state !== 'queued') ? messages : undefined;
    });
    await alice.engine.saveSearch({ name: 'What I look for', query: 'from:bob' });
    await bob.send({ To: alice.email, Subject: 'the snoozed one', Security: 'L2' }, 'for tomorrow\n');
    const snoozed = await alice.receives('the snoozed one');
    await alice.engine.snoozeMessages({ messageIds: [snoozed.summary.id], until: Date.now() + 86_400_000 });
    await alice.engine.setKeyQuota({ accountId, address: bob.email, bits: 8_000_000, seconds: 86_400 });
    phrase = (await alice.engine.newRecoveryPhrase()).join(' ');
  });

  after(async () => {
    await world?.dispose();
    rmSync(folder, { recursive: true, force: true });
  });

  it('writes what is Alice’s, says what is not in it, and leaves nothing readable in the file', async () => {
    const written = await alice.engine.createBackup({ path, phrase });
    assert.deepEqual(written.omitted, ['pads', 'keys', 'tokens']);
    assert.deepEqual(
      written.accounts.map(({ email }) => email),
      [alice.email],
    );
    // Three letters and what was said in the chat; not the line that disappears.
    assert.ok(written.counts['mail']! >= 5);
    const rest = ['key-managers', 'chats', 'saved-searches', 'snoozes'].map((kind) => written.counts[kind]);
    assert.deepEqual(rest, [1, 1, 1, 1]);
    mailKept = written.counts['mail']!;
    assert.deepEqual([written.counts['certificates'], written.counts['own-certificates']], [1, 1]);
    assert.equal(written.counts['drafts'], 1);
    assert.equal(written.counts['contacts'], 1);
    const file = readFileSync(path);
    assert.equal(file.length, written.size);
    for (const text of ['received body', 'sent body', 'draft body', bob.email, alice.email, 'contacts'])
      assert.ok(!file.includes(text), text);
    assert.ok(!existsSync(`${path}.part`));
  });

  it('shows what is inside before anything is restored', async () => {
    const { version, counts, accounts } = await bob.engine.inspectBackup({ path, phrase });
    assert.equal(version, 1);
    assert.equal(counts['mail'], mailKept);
    assert.equal(accounts[0]?.displayName, 'Alice');
    assert.equal((await bob.engine.listAccounts()).length, 1);
  });

  it('brings everything back on another machine: mail opens without asking for a key again', async () => {
    const elsewhere = await world.person('alice');
    const result = await elsewhere.engine.restoreBackup({ path, phrase });
    assert.deepEqual(result.signInAgain, [alice.email]);
    assert.equal(result.added['mail'], mailKept);
    assert.deepEqual(result.conflicts, []);
    assert.ok(!(await saidIn(elsewhere)).includes('gone in an hour'));
    const [account] = await elsewhere.engine.listAccounts();
    elsewhere.account = await elsewhere.engine.signInAgain({ accountId: account!.id, password: 'alice-password' });
    const before = world.kme.pair.deliveries.length;
    assert.equal((await elsewhere.receives('the received one')).text.trim(), 'received body');
    assert.equal((await elsewhere.receives('the sent one', 'Sent')).text.trim(), 'sent body');
    assert.equal((await elsewhere.receives('the certified one')).text.trim(), 'certified body');
    const asked = world.kme.pair.deliveries.slice(before).filter(({ saeId }) => saeId === alice.saeId);
    assert.deepEqual(asked, []);
    // The own certificate came along: what is sealed to it from now on opens here as well, and its writer is known.
    await bob.send({ To: alice.email, Subject: 'after the backup', Security: 'L3' }, 'later body\n');
    const later = await elsewhere.receives('after the backup');
    assert.equal(later.text.trim(), 'later body');
    assert.equal(later.security.signature?.state, 'valid');
    assert.match((await elsewhere.engine.listDrafts())[0]?.text ?? '', /draft body/);
    const [contact] = await elsewhere.engine.listContacts({ accountId: account!.id });
    assert.equal(contact?.saeId, bob.saeId);
    // A second restore finds everything there.
    const again = await elsewhere.engine.restoreBackup({ path, phrase });
    assert.deepEqual([again.added, again.signInAgain], [{}, []]);
    assert.equal(again.kept['mail'], mailKept);
    await comesBackAsItWas(elsewhere);
  });

  async function saidIn(elsewhere: Person): Promise<string[]> {
    const chat = await chatOf(elsewhere, 'Two of us');
    return (await elsewhere.engine.getChatMessages({ chatId: chat.id, limit: 10 })).messages.map(({ text }) => text);
  }

  async function comesBackAsItWas(elsewhere: Person): Promise<void> {
    const accountId = elsewhere.account.id;
    const texts = await saidIn(elsewhere);
    assert.ok(texts.includes('said in the chat') && texts.includes('answered in the chat'), texts.join());
    assert.deepEqual(
      (await elsewhere.engine.listSavedSearches()).map(({ name, query }) => [name, query]),
      [['What I look for', 'from:bob']],
    );
    const [snoozed] = await elsewhere.engine.listSnoozed();
    assert.equal(snoozed?.message.subject, 'the snoozed one');
    const inbox = await elsewhere.engine.getEmailList({ accountId, folder: 'INBOX', limit: 50 });
    assert.ok(!inbox.messages.some(({ subject }) => subject === 'the snoozed one'));
    const [manager] = await elsewhere.engine.listKeyManagers();
    assert.equal(manager?.saeId, alice.saeId);
    // Its client key is entered again; until then it says so, and nothing goes out weaker.
    const draft = await elsewhere.draft({ To: bob.email, Subject: 'no key yet', Security: 'L2' }, 'x\n');
    await assert.rejects(elsewhere.engine.sendDraft(draft), { code: 'kme.client-key-missing' });
    await elsewhere.connectKeyManager();
    await elsewhere.engine.sendDraft(draft);
    await bob.receives('no key yet');
  }

  it('never lowers a contact’s minimum and never swaps an SAE ID silently', async () => {
    const accountId = alice.account.id;
    await alice.engine.saveContact({ accountId, address: bob.email, name: 'Bob', saeId: 'SAE-OTHER', minimumLevel: 'L1' });
    const { conflicts } = await alice.engine.restoreBackup({ path, phrase });
    assert.ok(conflicts.includes(bob.email));
    const [contact] = await alice.engine.listContacts({ accountId });
    assert.deepEqual([contact?.saeId, contact?.minimumLevel], ['SAE-OTHER', 'L1']);
    await alice.knows(bob);
  });

  it('refuses another phrase, a mistyped one, and a file that was cut, and restores nothing of it', async () => {
    const other = (await alice.engine.newRecoveryPhrase()).join(' ');
    await assert.rejects(alice.engine.restoreBackup({ path, phrase: other }), { code: 'backup.wrong-phrase' });
    await assert.rejects(alice.engine.inspectBackup({ path, phrase: 'qumail words' }), {
      code: 'backup.phrase-checksum',
      details: { index: 0 },
    });
    const cut = join(folder, 'cut');
    writeFileSync(cut, readFileSync(path).subarray(0, -1));
    const stranger = await world.person('carol');
    await assert.rejects(stranger.engine.restoreBackup({ path: cut, phrase }), { code: 'backup.truncated' });
    assert.deepEqual(await stranger.engine.listAccounts(), []);
    await assert.rejects(alice.engine.createBackup({ path: join(folder, 'no', 'such', 'place'), phrase }), { code: 'file.unwritable' });
  });

  it('puts neither phrase nor mail into log or database', () => {
    for (const person of world.people) {
      const written = JSON.stringify(person.log) + readFileSync(join(person.storageDir, 'vault.db')).toString('latin1');
      for (const secret of [phrase, phrase.split(' ').slice(0, 3).join(' '), 'received body', 'draft body'])
        assert.ok(!written.includes(secret));
    }
  });
});

describe('a vault with a passphrase', function () {
  this.timeout(30_000);
  let world: PeopleWorld;
  let alice: Person;
  let bob: Person;

  before(async function () {
    needMailWorld(this);
    world = await startPeopleWorld();
    [alice, bob] = await world.pair('alice', 'bob');
  });
  after(() => world?.dispose());

  it('is locked after a restart, answers so, and opens with the passphrase alone', async () => {
    await bob.send({ To: alice.email, Subject: 'before', Security: 'L2' }, 'before body\n');
    await alice.receives('before');
    assert.deepEqual(await alice.engine.getVaultState(), { locked: false, passphrase: 'none', secretsAreDurable: true });
    assert.deepEqual(await alice.engine.setPassphrase({ passphrase: 'correct horse battery' }), {
      locked: false,
      passphrase: 'set',
      secretsAreDurable: true,
    });
    assert.deepEqual([...alice.secrets.keys()], []);
    await alice.send({ To: bob.email, Subject: 'while set', Security: 'L2' }, 'x\n');
    await alice.reopen();
    assert.equal((await alice.engine.getVaultState()).locked, true);
    for (const ask of [
      () => alice.engine.getEmailList({ accountId: alice.account.id, folder: 'INBOX', limit: 10 }),
      () => alice.engine.fetchMail({}),
      () => alice.engine.createDraft({ accountId: alice.account.id, source: { kind: 'new' } }),
      () => alice.engine.verifyAudit({}),
    ])
      await assert.rejects(ask(), { code: 'vault.locked' });
    await assert.rejects(alice.engine.unlock({ passphrase: 'correct horse' }), { code: 'vault.wrong-passphrase' });
    assert.equal((await alice.engine.unlock({ passphrase: 'correct horse battery' })).locked, false);
    assert.equal((await alice.receives('before')).text.trim(), 'before body');
    await bob.send({ To: alice.email, Subject: 'after', Security: 'L2' }, 'after body\n');
    assert.equal((await alice.receives('after')).text.trim(), 'after body');
    assert.equal((await alice.engine.verifyAudit({})).intact, true);
  });

  it('asks other windows too, and goes back to the keyring when it is removed', async () => {
    const other = await alice.window();
    try {
      await assert.rejects(other.listDrafts(), { code: 'vault.locked' });
      await other.unlock({ passphrase: 'correct horse battery' });
      await alice.engine.removePassphrase({ current: 'correct horse battery' });
      assert.equal((await other.getVaultState()).passphrase, 'none');
      assert.deepEqual(await other.listDrafts(), []);
    } finally {
      await other[Symbol.asyncDispose]();
    }
    assert.ok(alice.secrets.size > 3);
    await alice.reopen();
    assert.equal((await alice.receives('after')).text.trim(), 'after body');
  });
});
