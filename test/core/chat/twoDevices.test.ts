import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTransport } from 'nodemailer';
import type { ChatMessage } from '../../../src/core/api.ts';
import { chatMessageId } from '../../../src/core/mail/chatMessageId.ts';
import { copyIdOf, COPY_PART } from '../../../src/core/mail/copyMessage.ts';
import { needMailWorld } from '../../world/mailWorld.ts';
import { startPeopleWorld, type PeopleWorld, type Person } from '../../world/peopleWorld.ts';
import { chatOf, lineOf, onServer } from './chatWorld.ts';

describe('chats on two devices of one person', function () {
  this.timeout(120_000);
  const folder = mkdtempSync(join(tmpdir(), 'qumail-devices-'));
  let world: PeopleWorld;
  let alice: Person;
  let elsewhere: Person;
  let bob: Person;
  let carol: Person;

  before(async function () {
    needMailWorld(this);
    world = await startPeopleWorld();
    [alice, bob, carol] = (await world.circle('alice', 'bob', 'carol')) as [Person, Person, Person];
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

  const pageOf = async (person: Person, chatId: string): Promise<readonly ChatMessage[]> =>
    (await person.engine.getChatMessages({ chatId, limit: 100 })).messages;
  const lines = async (person: Person, chatId: string): Promise<readonly unknown[]> =>
    (await pageOf(person, chatId)).map(({ author, delivered, read, ...line }) => ({
      ...line,
      chatId: '',
      author: author.address,
      delivered: [...delivered].sort(),
      read: [...read].sort(),
    }));
  /** Both devices show the same, once each has looked at what the other left. */
  const agree = async (chatId: string, there: string): Promise<void> => {
    const look = async () => {
      for (const device of [alice, elsewhere]) await device.list('QuMail Chat');
      return [await lines(alice, chatId), await lines(elsewhere, there)] as const;
    };
    let seen = await look();
    await onServer(async () => JSON.stringify((seen = await look())[0]) === JSON.stringify(seen[1])).catch(() => {});
    assert.deepEqual(seen[1], seen[0]);
  };
  const until = (person: Person, chatId: string, isSo: (message: ChatMessage) => boolean) =>
    onServer(async () => (await pageOf(person, chatId)).some(isSo));

  for (const kind of ['direct', 'group'] as const) {
    it(`agree at L2 on texts, edits, reactions, receipts and what was taken back (${kind}), though each key was delivered once`, async () => {
      const name = kind === 'group' ? { name: 'At L2' } : {};
      const accountId = alice.account.id;
      const members = kind === 'group' ? [bob.email, carol.email] : [bob.email];
      const { id: chatId } = await alice.engine.startChat({ accountId, members, ...name });
      const first = await alice.engine.sendChatMessage({ chatId, text: 'one' });
      await alice.engine.sendChatMessage({
        chatId,
        text: 'a slip',
        files: [{ name: 'a.txt', mimeType: 'text/plain', content: Buffer.from('a') }],
      });
      await onServer(async () => (await bob.engine.listChats({})).some((chat) => chat.kind === kind && chat.minimumLevel === 'L2'));
      const atBob = (await bob.engine.listChats({})).find((chat) => chat.kind === kind && chat.minimumLevel === 'L2')!;
      await lineOf(bob, atBob.id, 'one');
      const slip = await lineOf(alice, chatId, 'a slip');
      await alice.engine.editChatMessage({ chatId, messageId: first.id, text: 'one, mended' });
      await bob.engine.sendChatMessage({ chatId: atBob.id, text: 'two', replyTo: first.id });
      await bob.engine.reactToChatMessage({ chatId: atBob.id, messageId: first.id, emoji: '👍' });
      const last = await lineOf(alice, chatId, 'two');
      await bob.engine.markChatRead({ chatId: atBob.id, upTo: first.id });
      await until(alice, chatId, ({ id, read, reactions }) => id === first.id && read.includes(bob.email) && reactions.length === 1);
      await elsewhere.list('QuMail Chat');
      await onServer(async () => {
        await elsewhere.list('QuMail Chat');
        return (await elsewhere.engine.listChats({})).some((chat) => chat.id.endsWith(chatId.slice(-22)));
      });
      const there = (await elsewhere.engine.listChats({})).find((chat) => chat.id.endsWith(chatId.slice(-22)))!;
      await agree(chatId, there.id);
      await alice.engine.deleteChatMessage({ chatId, messageId: slip.id });
      await agree(chatId, there.id);
      const seen = (await pageOf(elsewhere, there.id)).filter(({ notice }) => !notice);
      assert.deepEqual(
        seen.map(({ text, level, own, edited, deleted }) => [text, level, own, edited, deleted]),
        [
          ['one, mended', 'L2', true, true, false],
          ['', 'L2', true, false, true],
          ['two', 'L2', false, false, false],
        ],
      );
      // Read here, read there.
      assert.equal((await elsewhere.engine.getChat({ chatId: there.id })).unread, 1);
      await alice.engine.markChatRead({ chatId, upTo: last.id });
      await onServer(async () => {
        await elsewhere.list('QuMail Chat');
        return (await elsewhere.engine.getChat({ chatId: there.id })).unread === 0;
      });
      // Nothing of it is listed as mail that could not be opened.
      for (const device of [alice, elsewhere]) assert.deepEqual(await device.list('QuMail Chat'), []);
    });
  }

  it('agree also on what the other device says at L2, and on whose keys it took', async () => {
    await elsewhere.connectKeyManager();
    const here = (await alice.engine.listChats({})).find(({ name }) => name === 'At L2')!;
    const there = (await elsewhere.engine.listChats({})).find(({ name }) => name === 'At L2')!;
    const atBob = await chatOf(bob, 'At L2');
    await elsewhere.engine.sendChatMessage({ chatId: there.id, text: 'from the other device' });
    await lineOf(bob, atBob.id, 'from the other device');
    // Either device may be the one that gets the key of an answer.
    for (let line = 0; line < 3; line += 1) await bob.engine.sendChatMessage({ chatId: atBob.id, text: `answer ${line}` });
    await agree(here.id, there.id);
    const texts = (await pageOf(elsewhere, there.id)).map(({ text }) => text);
    for (const text of ['from the other device', 'answer 0', 'answer 1', 'answer 2']) assert.ok(texts.includes(text), text);
  });

  it('show a line at L1 in its place, as one that the other device alone can show', async () => {
    const accountId = alice.account.id;
    const { id: chatId } = await alice.engine.startChat({ accountId, members: [bob.email], name: 'Padded' });
    const said = await alice.engine.sendChatMessage({ chatId, text: 'for the pad alone', level: 'L1' });
    const atBob = await chatOf(bob, 'Padded');
    await lineOf(bob, atBob.id, 'for the pad alone');
    await onServer(async () => {
      await elsewhere.list('QuMail Chat');
      return (await elsewhere.engine.listChats({})).some(({ name, lastMessage }) => name === 'Padded' && lastMessage !== undefined);
    });
    const there = await chatOf(elsewhere, 'Padded');
    const line = (await pageOf(elsewhere, there.id)).find(({ id }) => id === said.id);
    assert.deepEqual([line?.elsewhere, line?.text, line?.level, line?.own], [true, '', 'L1', true]);
    // Not an octet of it went to the own server another way.
    const copy = (await world.mail.storedMessages(alice.email, 'QuMail Chat')).find((mime) => mime.includes(copyIdOf(said.id)));
    assert.ok(copy && copy.length < 3000, `${copy?.length}`);
  });

  it('never asked a key manager for a key twice, whichever device got it', () => {
    const asked = world.kme.pair.deliveries.map(({ saeId, keyId, verb }) => `${verb} ${saeId} ${keyId}`);
    assert.ok(asked.length > 30);
    assert.equal(new Set(asked).size, asked.length);
  });

  it('take no copy from anybody else: what only looks like one is the mail it is', async () => {
    const chat = (await alice.engine.listChats({})).find(({ name }) => name === 'At L2')!;
    // Receipts for what was said before may still come.
    const said = async (): Promise<string[]> => (await pageOf(alice, chat.id)).map(({ author, text }) => `${author.address}: ${text}`);
    const before = await said();
    const { host, port } = world.mail.smtp;
    const auth = { user: bob.email, pass: 'bob-password' };
    const transport = createTransport({ host, port, secure: true, tls: { ca: world.kme.pair.caPem }, auth });
    const unheardOf = chatMessageId(chat.id.slice(-22), alice.email, (octets) => randomBytes(octets));
    for (const from of [bob.email, alice.email]) {
      await transport.sendMail({
        envelope: { from: bob.email, to: alice.email },
        from,
        to: alice.email,
        subject: 'QuMail copy',
        messageId: copyIdOf(unheardOf),
        inReplyTo: unheardOf,
        text: 'put into her mouth',
        attachments: [{ filename: COPY_PART, content: randomBytes(600) }],
      });
    }
    transport.close();
    await onServer(async () => (await alice.list()).length === 2);
    for (const device of [alice, elsewhere]) assert.equal((await device.list()).length, 2);
    assert.deepEqual(await said(), before);
  });

  it('erase the copies of what is taken back or disappears', async () => {
    const chat = (await alice.engine.listChats({})).find(({ name }) => name === 'At L2')!;
    const { id } = await alice.engine.sendChatMessage({ chatId: chat.id, text: 'gone again' });
    const lies = async (): Promise<number> =>
      (await world.mail.storedMessages(alice.email, 'QuMail Chat')).filter((mime) => mime.includes(id)).length;
    await onServer(async () => (await lies()) === 2);
    await alice.engine.deleteChatMessage({ chatId: chat.id, messageId: id });
    // What took it back names it too: that one is no copy of it.
    await onServer(async () => {
      const left = (await world.mail.storedMessages(alice.email, 'QuMail Chat')).filter((mime) =>
        [id, copyIdOf(id)].some((own) => mime.includes(`Message-ID: ${own}`)),
      );
      return left.length === 0;
    });
  });
});
