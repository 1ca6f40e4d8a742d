import assert from 'node:assert/strict';
import { ImapFlow } from 'imapflow';
import { createTransport } from 'nodemailer';
import type { Chat } from '../../../src/core/api.ts';
import { groupOfMessageIds } from '../../../src/core/mail/chatMessageId.ts';
import { readMessage } from '../../../src/core/mail/readMime.ts';
import { needMailWorld } from '../../world/mailWorld.ts';
import { startPeopleWorld, type PeopleWorld, type Person } from '../../world/peopleWorld.ts';
import { acquaint, chatOf, foldersOnServer, lineOf, onServer } from './chatWorld.ts';

describe('chat mail among other mail', function () {
  this.timeout(60_000);
  let world: PeopleWorld;
  let alice: Person;
  let bob: Person;
  let chat: Chat;

  before(async function () {
    needMailWorld(this);
    world = await startPeopleWorld();
    [alice, bob] = await world.pair('alice', 'bob');
    await acquaint([alice, bob]);
    chat = await alice.engine.startChat({ accountId: alice.account.id, members: [bob.email] });
    await chatOf(bob);
  });
  after(() => world?.dispose());

  /** Sends as an ordinary mail program of this person does, with these header fields. */
  async function writePlain(from: Person, to: Person, headers: { subject: string; text: string; inReplyTo?: string; messageId?: string }) {
    const { host, port } = world.mail.smtp;
    const auth = { user: from.email, pass: `${from.name}-password` };
    const transport = createTransport({ host, port, secure: true, tls: { ca: world.kme.pair.caPem }, auth });
    await transport.sendMail({ from: from.email, to: to.email, ...headers });
    transport.close();
  }

  const inboxOf = async (person: Person): Promise<string[]> => {
    const { messages } = await person.engine.getEmailList({ accountId: person.account.id, folder: 'INBOX', limit: 50 });
    return messages.map(({ subject }) => subject);
  };
  const unreadOf = async (person: Person): Promise<number> => {
    const folders = await person.engine.listFolders({ accountId: person.account.id });
    return folders.find(({ path }) => path === 'INBOX')?.unread ?? 0;
  };

  it('is never listed nor counted in the inbox, not for a moment', async () => {
    const atBob = await chatOf(bob);
    const sights: string[] = [];
    const looking: Promise<void>[] = [];
    const listening = bob.engine.onEvent(() => {
      looking.push(
        (async () => {
          const unified = await bob.engine.getUnifiedList({ role: 'inbox', limit: 10 });
          const found = [...(await inboxOf(bob)), ...unified.messages.map(({ subject }) => subject)];
          const unread = await unreadOf(bob);
          if (found.length > 0 || unread > 0) sights.push(`${found.join()} ${unread}`);
        })(),
      );
    });
    for (const text of ['one', 'two', 'three']) await alice.engine.sendChatMessage({ chatId: chat.id, text });
    await lineOf(bob, atBob.id, 'three');
    await bob.list();
    await onServer(async () => (await foldersOnServer(world, bob)).get('INBOX')?.messages === 0);
    listening.dispose();
    await Promise.all(looking);
    assert.ok(looking.length > 3);
    assert.deepEqual(sights, []);
  });

  it('is unread in the inbox, for other programs, no longer than it takes to open and move it', async () => {
    const { host, port } = world.mail.imap;
    const auth = { user: bob.email, pass: 'bob-password' };
    const other = new ImapFlow({ host, port, secure: true, auth, tls: { ca: world.kme.pair.caPem }, logger: false });
    await other.connect();
    const atBob = await chatOf(bob);
    let looks = 0;
    let unseen = 0;
    let longest = 0;
    const enough = new AbortController();
    const watched = (async () => {
      for (let since = 0; !enough.signal.aborted;) {
        const { unseen: now = 0 } = (await other.status('INBOX', { unseen: true })) || {};
        looks += 1;
        if (now > 0) unseen += 1;
        since = now > 0 ? since || performance.now() : 0;
        if (since > 0) longest = Math.max(longest, performance.now() - since);
      }
    })();
    for (const text of ['four', 'five', 'six']) {
      await alice.engine.sendChatMessage({ chatId: chat.id, text });
      await lineOf(bob, atBob.id, text);
      await onServer(async () => (await foldersOnServer(world, bob)).get('INBOX')?.messages === 0);
    }
    enough.abort();
    await watched;
    assert.equal(((await other.status('INBOX', { unseen: true })) || {}).unseen, 0);
    assert.equal(((await other.status('QuMail Chat', { unseen: true })) || {}).unseen, 0);
    await other.logout();
    console.log(`    unread for another program in ${unseen} of ${looks} looks, at most ${Math.round(longest)} ms on end`);
    assert.ok(looks > 50 && longest < 5000, `${longest} ms`);
  });

  it('shows other programs the fixed notice, and nothing of what is said', async () => {
    await alice.engine.sendChatMessage({ chatId: chat.id, text: 'none of their business' });
    await lineOf(bob, (await chatOf(bob)).id, 'none of their business');
    await onServer(async () => (await foldersOnServer(world, bob)).get('INBOX')?.messages === 0);
    for (const person of [alice, bob]) {
      const stored = await world.mail.storedMessages(person.email, 'QuMail Chat');
      assert.ok(stored.length > 3);
      for (const mime of stored) {
        const { text, subject, messageId, attachments } = await readMessage(mime);
        assert.match(text, /^This message is sealed with QuMail/, text);
        assert.equal(subject, 'QuMail Secure Message');
        assert.equal(groupOfMessageIds(messageId), chat.id.slice(-22));
        assert.deepEqual(attachments, []);
        for (const secret of ['none of their business', 'qumail_chat.json', 'Chat-Version', 'Chat-Group'])
          assert.ok(!mime.includes(secret), secret);
      }
    }
  });

  it('takes the answer of an ordinary mail program into the chat, as the plain mail it is', async () => {
    const { id } = await alice.engine.sendChatMessage({ chatId: chat.id, text: 'Answer me from anywhere' });
    await writePlain(bob, alice, { subject: 'Re: Chat', inReplyTo: id, text: 'From the train.\n\nOn Sunday Alice wrote:\n> something' });
    const line = await lineOf(alice, chat.id, 'From the train.');
    assert.deepEqual([line.sealed, line.level, line.author.address, line.replyTo], [false, 'L4', bob.email, id]);
    assert.deepEqual(await inboxOf(alice), []);
    await onServer(async () => (await foldersOnServer(world, alice)).get('INBOX')?.messages === 0);
  });

  it('leaves the answer of somebody who is no member among the other mail', async () => {
    const carol = await world.person('carol');
    const { id } = await alice.engine.sendChatMessage({ chatId: chat.id, text: 'Between us' });
    await writePlain(carol, alice, { subject: 'Let me in', inReplyTo: id, text: 'I want to be in this chat' });
    await alice.receives('Let me in');
    const { messages } = await alice.engine.getChatMessages({ chatId: chat.id, limit: 100 });
    assert.ok(!messages.some(({ text }) => text.includes('I want to be')));
  });

  it('shows mail that only bears a Message-ID like those of chats where it came', async () => {
    const messageId = chatIdLike(chat, 'x'.repeat(22));
    await writePlain(bob, alice, { subject: 'Plainly', messageId, text: 'no chat' });
    await alice.receives('Plainly');
    await bob.send({ To: alice.email, Subject: 'Sealed, and no chat', Security: 'L2' }, 'An ordinary message');
    await alice.receives('Sealed, and no chat');
  });

  it('is found by the search of chats and not by that of mail', async () => {
    const word = 'Schnabeltier';
    await alice.engine.sendChatMessage({ chatId: chat.id, text: `A ${word}` });
    const atBob = await chatOf(bob);
    await lineOf(bob, atBob.id, `A ${word}`);
    await bob.list();
    assert.equal((await bob.engine.searchChats({ text: word, limit: 5 })).length, 1);
    assert.deepEqual((await bob.engine.search({ query: word, limit: 5 })).messages, []);
  });
});

function chatIdLike({ id }: Chat, unique: string): string {
  return `<qumail-chat.${id.slice(-22)}.${unique}@other.test>`;
}
