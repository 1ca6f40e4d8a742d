import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { ChatLetter } from '../../../src/core/account/chatLetter.ts';
import type { Chat } from '../../../src/core/api.ts';
import { CHAT_PART, CHAT_SIGNATURE, decodeChatPart, encodeChatPart, type ChatPart } from '../../../src/core/chat/chatPart.ts';
import type { ArrivedMail } from '../../../src/core/chat/chatPorts.ts';
import { systemRandom } from '../../../src/core/base/systemPorts.ts';
import { newGroupEvent } from '../../../src/core/chat/groupEvent.ts';
import { chatMessageId } from '../../../src/core/mail/chatMessageId.ts';
import { removeTempFolders } from '../store/vaultFixture.ts';
import { arrivalOf, deliverAll, openSide, type Side } from './memoryWorld.ts';

describe('chat/what pretends to be part of a chat', function () {
  this.timeout(20_000);
  let alice: Side;
  let bob: Side;
  let carol: Side;
  let mallory: Side;
  let chat: Chat;
  let groupId: string;

  beforeEach(async () => {
    [alice, bob, carol, mallory] = (await Promise.all(
      ['alice', 'bob', 'carol', 'mallory'].map((name) => openSide(`${name}@example.test`)),
    )) as [Side, Side, Side, Side];
    const all = [alice, bob, carol, mallory];
    for (const side of all) for (const other of all) if (side !== other) side.meet(other);
    chat = await alice.changes.startChat({ accountId: 'alice', members: [bob.address, carol.address], name: 'Three' });
    groupId = chat.id.slice(-22);
    await deliverAll(...all);
  });
  afterEach(() => {
    for (const side of [alice, bob, carol, mallory]) side.dispose();
    removeTempFolders();
  });

  const chatOf = (side: Side): string => `${side.accountId}/${groupId}`;
  const letterOf = async (side: Side, text: string): Promise<ChatLetter> => {
    await side.service.sendChatMessage({ chatId: chatOf(side), text });
    return side.letters.pop()!;
  };
  /** The letter with its part changed, under the old signature, or under one of `by`. */
  const altered = async (letter: ChatLetter, change: Partial<ChatPart>, by?: Side): Promise<ChatLetter> => {
    const file = letter.files.find(({ name }) => name === CHAT_PART.name)!;
    const content = encodeChatPart({ ...decodeChatPart(file.content)!, ...change });
    const others = letter.files.filter(({ name }) => name !== CHAT_PART.name && (!by || name !== CHAT_SIGNATURE.name));
    const signed = by && { ...CHAT_SIGNATURE, content: await by.signPart(content) };
    return { ...letter, files: [...others, { ...CHAT_PART, content }, ...(signed ? [signed] : [])] };
  };
  /** Alice's view of the chat before and after something came; it must not have changed. */
  const leavesUnharmed = async (mail: ArrivedMail, code?: string): Promise<void> => {
    const before = [await alice.lines(chat.id), alice.groups.require('alice', groupId).hash];
    if (code === undefined) assert.equal((await alice.receiver.receive(mail)).outcome, 'none');
    else await assert.rejects(alice.receiver.receive(mail), { code });
    assert.equal(await alice.handler.arrived(mail), 'mail');
    assert.deepEqual([await alice.lines(chat.id), alice.groups.require('alice', groupId).hash], before);
  };

  it('is refused where it is altered, and where nobody signed it', async () => {
    const letter = await letterOf(bob, 'genuine');
    await leavesUnharmed(arrivalOf(await altered(letter, { text: 'forged' }), bob, alice), 'chat.unsigned');
    const unsigned = { ...letter, files: letter.files.filter(({ name }) => name !== CHAT_SIGNATURE.name) };
    await leavesUnharmed(arrivalOf(unsigned, bob, alice), 'chat.unsigned');
    await leavesUnharmed(arrivalOf(await altered(letter, {}, mallory), bob, alice), 'chat.unsigned');
    const broken = { ...letter, files: [{ ...CHAT_PART, content: Buffer.from('{}') }] };
    await leavesUnharmed(arrivalOf(broken, bob, alice), 'chat.malformed');
  });

  it('is refused where somebody claims another’s address', async () => {
    const letter = await letterOf(bob, 'I am Carol');
    await leavesUnharmed(arrivalOf(await altered(letter, { author: carol.address }, bob), bob, alice), 'chat.headers-differ');
    const messageId = chatMessageId(groupId, carol.address, (octets) => systemRandom.bytes(octets));
    const claim = { author: carol.address, key: bob.certificate.fingerprint, messageId };
    const asCarol = { ...(await altered(letter, claim, bob)), messageId };
    const mail = { ...arrivalOf(asCarol, bob, alice), from: { name: '', address: carol.address } };
    assert.equal((await alice.receiver.receive(mail)).outcome, 'waiting');
    assert.deepEqual(await alice.lines(chat.id), []);
  });

  it('is refused where it says something else outside than inside', async () => {
    const letter = await letterOf(bob, 'hello');
    const mail = arrivalOf(letter, bob, alice);
    await leavesUnharmed({ ...mail, messageId: mail.messageId.replace(/.{3}@/, 'xyz@') }, 'chat.headers-differ');
    const other = `<qumail-chat.${'g'.repeat(22)}.${'u'.repeat(22)}@example.test>`;
    await leavesUnharmed({ ...mail, messageId: other }, 'chat.headers-differ');
    const resigned = await altered({ ...letter, messageId: other }, { messageId: other }, bob);
    await leavesUnharmed(arrivalOf(resigned, bob, alice), 'chat.headers-differ');
    const files = [{ name: 'a', mimeType: 'text/plain', size: 1, sha256: 'h'.repeat(43) }];
    await leavesUnharmed(arrivalOf(await altered(letter, { files }, bob), bob, alice), 'chat.headers-differ');
  });

  it('is ordinary mail where the part came in the clear', async () => {
    const { sealed: _, ...mail } = arrivalOf(await letterOf(bob, 'in the clear'), bob, alice);
    await leavesUnharmed({ ...mail, level: 'L4' });
  });

  it('takes no place of a message that is still on its way, neither in the clear nor signed by another member', async () => {
    const awaited = arrivalOf(await letterOf(bob, 'the real one'), bob, alice);
    const { sealed: _, ...clear } = { ...awaited, files: [], inReplyTo: awaited.messageId, level: 'L4' as const, text: 'put before it' };
    await leavesUnharmed(clear);
    const { messageId } = awaited;
    const letter = await letterOf(carol, 'put in its place');
    const { address: author } = carol;
    const taken = { ...(await altered(letter, { messageId }, carol)), messageId };
    await leavesUnharmed({ ...arrivalOf(taken, carol, alice), from: { name: '', address: author } }, 'chat.headers-differ');
    assert.equal(await alice.handler.arrived(awaited), 'chat');
    assert.deepEqual(await alice.lines(chat.id), ['bob: the real one']);
  });

  it('changes nothing when it comes again', async () => {
    const mail = arrivalOf(await letterOf(bob, 'once'), bob, alice);
    for (let time = 0; time < 3; time += 1) assert.equal(await alice.handler.arrived(mail), 'chat');
    assert.deepEqual(await alice.lines(chat.id), ['bob: once']);
    assert.equal((await alice.book.getChat({ chatId: chat.id })).unread, 1);
  });

  it('is refused from somebody who never was a member, events included', async () => {
    const parents = alice.groups.require('alice', groupId).heads;
    const { address: author } = mallory;
    const { fingerprint: key } = mallory.certificate;
    const self = { address: author, name: 'Mallory', fingerprint: key };
    const event = newGroupEvent({ group: groupId, author, key, at: 1, parents, change: { kind: 'add', member: self } });
    const signature = (await mallory.signEvent(event.encoded)).toString('base64url');
    const messageId = chatMessageId(groupId, author, (octets) => systemRandom.bytes(octets));
    const change = { author, key, messageId, events: [{ encoded: event.encoded, signature }] };
    const letter = { ...(await altered(await letterOf(bob, 'let me in'), change, mallory)), messageId };
    await leavesUnharmed(arrivalOf(letter, mallory, alice), 'chat.not-member');
    assert.equal(alice.groups.event('alice', groupId, event.id), undefined);
  });

  it('is refused from a member who was removed, however early it says it was written', async () => {
    const early = await letterOf(bob, 'before');
    await alice.changes.changeChat({ chatId: chat.id, change: { kind: 'remove', address: bob.address } });
    const now = Date.now();
    // On its way when its author was removed.
    assert.equal(await alice.handler.arrived({ ...arrivalOf(early, bob, alice), receivedAt: now }), 'chat');
    const late = await letterOf(bob, 'after');
    await leavesUnharmed(arrivalOf(late, bob, alice), 'chat.not-member');
    const backdated = await altered(late, { at: early.at }, bob);
    await leavesUnharmed({ ...arrivalOf(backdated, bob, alice), receivedAt: now + 2 * 86_400_000 }, 'chat.not-member');
  });

  it('tells of a leave or removal as chat mail, though its author, or who reads it, is no member any more', async () => {
    await bob.changes.leaveChat({ chatId: chatOf(bob) });
    const leave = bob.letters.pop()!;
    for (const side of [alice, carol]) assert.equal(await side.handler.arrived(arrivalOf(leave, bob, side)), 'chat');
    // The own copy, where another device finds it.
    assert.equal(await bob.handler.arrived(arrivalOf(leave, bob, bob)), 'chat');
    await alice.changes.changeChat({ chatId: chat.id, change: { kind: 'remove', address: carol.address } });
    const removal = alice.letters.pop()!;
    for (const side of [carol, alice]) assert.equal(await side.handler.arrived(arrivalOf(removal, alice, side)), 'chat');
    // And nothing more than that is believed of somebody who has left.
    await leavesUnharmed(
      arrivalOf(await altered(leave, { text: 'one more word', act: { kind: 'message' } }, bob), bob, alice),
      'chat.not-member',
    );
  });

  it('is refused where its events are another group’s, or conflict with each other', async () => {
    const other = await alice.changes.startChat({ accountId: 'alice', members: [bob.address], name: 'Other' });
    await deliverAll(alice, bob, carol);
    const signed = alice.groups.signed('alice', other.id.slice(-22));
    const before = alice.groups.require('alice', groupId).hash;
    const letter = await altered(await letterOf(bob, 'look'), { events: [...signed] }, bob);
    await alice.handler.arrived(arrivalOf(letter, bob, alice));
    assert.equal(alice.groups.require('alice', groupId).hash, before);
    assert.equal(alice.groups.events('alice', groupId).length, 1);
    // Two events of one author on the same past that cannot both be: everybody takes the same one, whichever came first.
    const parents = alice.groups.require('alice', groupId).heads;
    const { address: author } = alice;
    const { fingerprint: key } = alice.certificate;
    const [first, second] = ['One', 'Two'].map((name) =>
      newGroupEvent({ group: groupId, author, key, at: 1, parents, change: { kind: 'rename', name } }),
    );
    const events = [];
    for (const { encoded } of [first!, second!])
      events.push({ encoded, signature: (await alice.signEvent(encoded)).toString('base64url') });
    const letters = [events, [...events].reverse()].map(async (carried) =>
      altered(await letterOf(alice, 'both'), { events: carried }, alice),
    );
    await bob.handler.arrived(arrivalOf(await letters[0]!, alice, bob));
    await carol.handler.arrived(arrivalOf(await letters[1]!, alice, carol));
    assert.equal(bob.groups.require('bob', groupId).hash, carol.groups.require('carol', groupId).hash);
  });

  it('waits where it comes before what it builds on, and is healed by asking', async () => {
    await alice.changes.changeChat({ chatId: chat.id, change: { kind: 'rename', name: 'Lost on the way' } });
    alice.letters.length = 0;
    const letter = await letterOf(alice, 'You know the name');
    assert.equal(await bob.handler.arrived(arrivalOf(letter, alice, bob)), 'chat');
    await bob.sent();
    assert.equal((await bob.book.getChat({ chatId: chatOf(bob) })).name, 'Three');
    await deliverAll(alice, bob);
    await alice.sent();
    await deliverAll(alice, bob);
    assert.equal((await bob.book.getChat({ chatId: chatOf(bob) })).name, 'Lost on the way');
  });

  it('takes back what was taken back, also where that came first', async () => {
    const letter = await letterOf(bob, 'a slip');
    await bob.service.deleteChatMessage({ chatId: chatOf(bob), messageId: letter.messageId });
    const deletion = bob.letters.pop()!;
    await alice.handler.arrived(arrivalOf(deletion, bob, alice));
    await alice.handler.arrived(arrivalOf(letter, bob, alice));
    await carol.handler.arrived(arrivalOf(letter, bob, carol));
    await carol.handler.arrived(arrivalOf(deletion, bob, carol));
    for (const side of [alice, carol]) {
      assert.deepEqual(await side.lines(chatOf(side)), ['bob: ']);
      assert.equal(side.erased.length, 1);
      assert.equal(side.store.entry(side.accountId, groupId, letter.messageId)?.content.text, '');
    }
  });

  it('keeps no picture of 50 MB that a member sends, and none that is not the one named', async () => {
    const { address: author } = bob;
    const { fingerprint: key } = bob.certificate;
    const parents = alice.groups.require('alice', groupId).heads;
    const huge = Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), Buffer.alloc(50 << 20)]);
    const sha256 = createHash('sha256').update(huge).digest('base64url');
    const picture = { sha256, mimeType: 'image/png', size: huge.length };
    // Nobody's own program writes such an event: it is put together by hand.
    const encoded = JSON.stringify({ v: 1, group: groupId, author, key, at: 1, parents, change: { kind: 'picture', picture } });
    const events = [{ encoded, signature: (await bob.signEvent(encoded)).toString('base64url') }];
    const letter = await altered(await letterOf(bob, 'look'), { act: { kind: 'events' }, events }, bob);
    const mail = arrivalOf(letter, bob, alice);
    const before = alice.groups.require('alice', groupId).hash;
    await alice.handler.arrived({ ...mail, files: [...mail.files, { index: 9, name: 'picture', mimeType: 'image/png', content: huge }] });
    assert.equal(alice.groups.require('alice', groupId).hash, before);
    assert.equal(await alice.book.getChatPicture({ chatId: chat.id }), undefined);
    // A small one is named, and other octets come.
    const small = { name: 'p.png', mimeType: 'image/png', content: Buffer.from('\x89PNG\r\n\x1a\nsmall', 'latin1') };
    await bob.changes.changeChat({ chatId: chatOf(bob), change: { kind: 'picture', picture: small } });
    const named = arrivalOf(bob.letters.pop()!, bob, alice);
    const swapped = named.files.map((file) => (file.name === 'picture' ? { ...file, content: Buffer.from('another') } : file));
    await assert.rejects(alice.receiver.receive({ ...named, files: swapped }), { code: 'chat.headers-differ' });
    assert.equal(await alice.handler.arrived(named), 'chat');
    assert.equal((await alice.book.getChatPicture({ chatId: chat.id }))?.content.byteLength, small.content.length);
  });

  it('is never said without sealing', async () => {
    const before = await alice.lines(chat.id);
    const said = alice.service.sendChatMessage({ chatId: chat.id, text: 'in the clear', level: 'L4' as 'L3' });
    await assert.rejects(said, { code: 'chat.below-minimum' });
    assert.deepEqual([await alice.lines(chat.id), alice.letters.length], [before, 0]);
    const start = alice.changes.startChat({ accountId: 'alice', members: [bob.address], name: 'Open', minimumLevel: 'L4' as 'L3' });
    await assert.rejects(start, { code: 'engine.bad-request' });
    const change = { kind: 'minimum-level' as const, minimumLevel: 'L4' as 'L3' };
    await assert.rejects(alice.changes.changeChat({ chatId: chat.id, change }), { code: 'engine.bad-request' });
  });

  it('refuses a picture of 50 MB, and one that is none', async () => {
    const big = {
      name: 'p.png',
      mimeType: 'image/png',
      content: Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), Buffer.alloc(50 << 20)]),
    };
    const change = (picture: typeof big) => alice.changes.changeChat({ chatId: chat.id, change: { kind: 'picture', picture } });
    await assert.rejects(change(big), { code: 'chat.file-too-large' });
    await assert.rejects(change({ ...big, content: Buffer.from('<svg/>') }), { code: 'engine.bad-request' });
    assert.equal((await alice.book.getChat({ chatId: chat.id })).hasPicture, false);
  });
});
