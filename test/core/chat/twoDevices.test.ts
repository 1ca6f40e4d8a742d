import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { needMailWorld } from '../../world/mailWorld.ts';
import { startPeopleWorld, type PeopleWorld, type Person } from '../../world/peopleWorld.ts';
import { chatOf, lineOf, onServer } from './chatWorld.ts';

describe('chats on two devices of one person', function () {
  this.timeout(60_000);
  const folder = mkdtempSync(join(tmpdir(), 'qumail-devices-'));
  let world: PeopleWorld;
  let alice: Person;
  let elsewhere: Person;
  let bob: Person;

  before(async function () {
    needMailWorld(this);
    world = await startPeopleWorld();
    [alice, bob] = (await world.circle('alice', 'bob')) as [Person, Person];
    const path = join(folder, 'backup');
    const phrase = (await alice.engine.newRecoveryPhrase()).join(' ');
    await alice.engine.createBackup({ path, phrase });
    elsewhere = await world.person('alice');
    await elsewhere.engine.restoreBackup({ path, phrase });
    const [account] = await elsewhere.engine.listAccounts();
    elsewhere.account = await elsewhere.engine.signInAgain({ accountId: account!.id, password: 'alice-password' });
  });
  after(async () => {
    rmSync(folder, { recursive: true, force: true });
    await world?.dispose();
  });

  it('agree on who is in them and what was said, own lines included, at L3', async () => {
    const accountId = alice.account.id;
    const chat = await alice.engine.startChat({ accountId, members: [bob.email], name: 'Both', minimumLevel: 'L3' });
    await alice.engine.sendChatMessage({ chatId: chat.id, text: 'From the first', level: 'L3' });
    const atBob = await chatOf(bob, 'Both');
    await lineOf(bob, atBob.id, 'From the first');
    await bob.engine.sendChatMessage({ chatId: atBob.id, text: 'To both', level: 'L3' });
    await lineOf(alice, chat.id, 'To both');
    await onServer(async () => (await world.mail.storedMessages(alice.email, 'QuMail Chat')).length >= 3);
    await elsewhere.list('QuMail Chat');
    const there = await chatOf(elsewhere, 'Both');
    assert.equal((await lineOf(elsewhere, there.id, 'From the first')).own, true);
    await lineOf(elsewhere, there.id, 'To both');
    assert.deepEqual(
      there.members.map(({ address }) => address),
      chat.members.map(({ address }) => address),
    );
    const said = await elsewhere.engine.sendChatMessage({ chatId: there.id, text: 'From the second', level: 'L3' });
    await lineOf(bob, atBob.id, 'From the second');
    await onServer(async () => {
      await alice.list('QuMail Chat');
      const { messages } = await alice.engine.getChatMessages({ chatId: chat.id, limit: 50 });
      return messages.some(({ id, own }) => id === said.id && own);
    });
  });

  it('show a copy that the provider filed in Sent as the line it is, once', async () => {
    const chat = await chatOf(alice, 'Both');
    const { id } = await alice.engine.sendChatMessage({ chatId: chat.id, text: 'Filed twice', level: 'L3' });
    let copy: Buffer | undefined;
    await onServer(async () => {
      copy = (await world.mail.storedMessages(alice.email, 'QuMail Chat')).find((mime) => mime.includes(`Message-ID: ${id}`));
      return copy !== undefined;
    });
    const file = join(folder, 'copy.eml');
    writeFileSync(file, copy!);
    // Dovecot reads it as its own user.
    chmodSync(folder, 0o755);
    await world.mail.doveadm(['save', '-u', alice.email, '-m', 'Sent', file]);
    assert.deepEqual(await alice.list('Sent'), []);
    await onServer(async () => (await world.mail.storedMessages(alice.email, 'Sent')).length === 0);
    const { messages } = await alice.engine.getChatMessages({ chatId: chat.id, limit: 50 });
    assert.equal(messages.filter((message) => message.id === id).length, 1);
  });
});
