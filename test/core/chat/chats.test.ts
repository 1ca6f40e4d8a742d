import assert from 'node:assert/strict';
import type { Chat } from '../../../src/core/api.ts';
import { needMailWorld } from '../../world/mailWorld.ts';
import { startPeopleWorld, type PeopleWorld, type Person } from '../../world/peopleWorld.ts';
import { acquaint, chatOf, foldersOnServer, lineOf, onServer, seen } from './chatWorld.ts';

describe('chats between people on a real mail host', function () {
  this.timeout(60_000);
  let world: PeopleWorld;
  let alice: Person;
  let bob: Person;
  let carol: Person;
  let direct: Chat;

  before(async function () {
    needMailWorld(this);
    world = await startPeopleWorld();
    [alice, bob] = await world.pair('alice', 'bob');
    carol = await world.person('carol');
    await carol.signInWithPassword();
    await carol.connectKeyManager();
    await acquaint([alice, bob]);
    await acquaint([alice, carol]);
  });
  after(() => world?.dispose());

  it('begins with one line, sealed at L2, and the other answers', async () => {
    direct = await alice.engine.startChat({ accountId: alice.account.id, members: [bob.email] });
    assert.equal(direct.kind, 'direct');
    assert.equal(direct.minimumLevel, 'L2');
    const sent = await alice.engine.sendChatMessage({ chatId: direct.id, text: 'Are you there?' });
    const atBob = await chatOf(bob);
    const line = await lineOf(bob, atBob.id, 'Are you there?');
    assert.deepEqual([line.author.address, line.own, line.level, line.sealed], [alice.email, false, 'L2', true]);
    assert.equal(line.id, sent.id);
    await bob.engine.sendChatMessage({ chatId: atBob.id, text: 'I am.', replyTo: line.id });
    const answer = await lineOf(alice, direct.id, 'I am.');
    assert.equal(answer.replyTo, sent.id);
  });

  it('lies in a folder of its own, and nothing of it in the inbox', async () => {
    await bob.list();
    const inbox = await bob.engine.getEmailList({ accountId: bob.account.id, folder: 'INBOX', limit: 50 });
    assert.deepEqual(
      inbox.messages.map(({ subject }) => subject),
      [],
    );
    const folders = await bob.engine.listFolders({ accountId: bob.account.id });
    assert.equal(folders.find(({ path }) => path === 'INBOX')?.unread, 0);
    // What lies there is shown as chats, and the folder is not listed beside the others.
    assert.ok(!folders.some(({ path }) => path === 'QuMail Chat'));
    // The group's beginning, the line, and the own answer.
    await onServer(async () => {
      const there = await foldersOnServer(world, bob);
      const { messages, unseen } = there.get('QuMail Chat') ?? { messages: 0, unseen: 0 };
      return messages >= 3 && unseen === 0 && there.get('INBOX')?.messages === 0 && !there.get('Sent')?.messages;
    });
  });

  it('tells the author that a message came, and that it was read', async () => {
    const atBob = await chatOf(bob);
    const { messages } = await bob.engine.getChatMessages({ chatId: atBob.id, limit: 50 });
    const last = messages.findLast(({ own }) => !own && true)!;
    assert.equal(atBob.unread, 1);
    await bob.engine.markChatRead({ chatId: atBob.id, upTo: last.id });
    assert.equal((await bob.engine.getChat({ chatId: atBob.id })).unread, 0);
    await seen(alice, async () => {
      const page = await alice.engine.getChatMessages({ chatId: direct.id, limit: 50 });
      return page.messages.find(({ text, read }) => text === 'Are you there?' && read.includes(bob.email));
    });
  });

  it('carries edits, reactions and what was taken back to the other side', async () => {
    const atBob = await chatOf(bob);
    const { id } = await alice.engine.sendChatMessage({ chatId: direct.id, text: 'See you at fife' });
    await lineOf(bob, atBob.id, 'See you at fife');
    await alice.engine.editChatMessage({ chatId: direct.id, messageId: id, text: 'See you at five' });
    assert.equal((await lineOf(bob, atBob.id, 'See you at five')).edited, true);
    await bob.engine.reactToChatMessage({ chatId: atBob.id, messageId: id, emoji: '👍' });
    await seen(alice, async () => {
      const page = await alice.engine.getChatMessages({ chatId: direct.id, limit: 50 });
      return page.messages.find((message) => message.id === id && message.reactions[0]?.emoji === '👍');
    });
    await alice.engine.deleteChatMessage({ chatId: direct.id, messageId: id });
    await seen(bob, async () => {
      const page = await bob.engine.getChatMessages({ chatId: atBob.id, limit: 50 });
      return page.messages.find((message) => message.id === id && message.deleted && message.text === '');
    });
  });

  it('carries a file, byte for byte', async () => {
    const atBob = await chatOf(bob);
    const content = Buffer.from(Array.from({ length: 5000 }, (_, i) => i % 251));
    const files = [{ name: 'plan.bin', mimeType: 'application/octet-stream', content }];
    const { id } = await alice.engine.sendChatMessage({ chatId: direct.id, text: 'The plan', files });
    const line = await lineOf(bob, atBob.id, 'The plan');
    assert.deepEqual(
      line.attachments.map(({ name, size }) => [name, size]),
      [['plan.bin', 5000]],
    );
    const got = await bob.engine.getChatAttachment({ chatId: atBob.id, messageId: id, index: line.attachments[0]!.index });
    assert.ok(content.equals(got.content));
  });

  it('makes members known to each other who were not', async () => {
    const group = await alice.engine.startChat({ accountId: alice.account.id, members: [bob.email, carol.email], name: 'Three' });
    assert.equal(group.kind, 'group');
    const atCarol = await chatOf(carol, 'Three');
    assert.deepEqual(
      atCarol.members.map(({ address }) => address),
      [alice.email, bob.email, carol.email],
    );
    await carol.engine.sendChatMessage({ chatId: atCarol.id, text: 'Hello from Carol' });
    const atBob = await chatOf(bob, 'Three');
    assert.equal((await lineOf(bob, atBob.id, 'Hello from Carol')).author.address, carol.email);
    await lineOf(alice, group.id, 'Hello from Carol');
    const contacts = await bob.engine.listContacts({ accountId: bob.account.id });
    assert.ok(!contacts.some(({ address }) => address === bob.email), 'nobody is a contact of their own');
  });

  it('lets who was removed read nothing that is said afterwards', async () => {
    const group = await chatOf(alice, 'Three');
    await alice.engine.changeChat({ chatId: group.id, change: { kind: 'remove', address: bob.email } });
    const atBob = await seen(bob, async () => (await bob.engine.listChats({})).find(({ name, member }) => name === 'Three' && !member));
    await alice.engine.sendChatMessage({ chatId: group.id, text: 'Without Bob' });
    const atCarol = await chatOf(carol, 'Three');
    await lineOf(carol, atCarol.id, 'Without Bob');
    await bob.list();
    const { messages } = await bob.engine.getChatMessages({ chatId: atBob.id, limit: 50 });
    assert.ok(!messages.some(({ text }) => text === 'Without Bob'));
    await assert.rejects(bob.engine.sendChatMessage({ chatId: atBob.id, text: 'Still here' }), { code: 'chat.not-member' });
  });
});
