import assert from 'node:assert/strict';
import fc from 'fast-check';
import { decodeChatPart, encodeChatPart, type ChatAct, type ChatPart } from '../../../src/core/chat/chatPart.ts';
import { chatMessageId, groupOfMessageIds, isChatMessageIdOf } from '../../../src/core/mail/chatMessageId.ts';
import { conversation, type ChatEntry } from '../../../src/core/chat/conversation.ts';

const HASH = 'h'.repeat(43);
const GROUP = 'g'.repeat(22);
const id = (n: number): string => `<m${n}@example.test>`;

let next = 0;
function entry(author: string, act: ChatAct, text = '', more: Partial<ChatEntry> = {}): ChatEntry {
  next += 1;
  return { id: id(next), author, at: next, act, text, timer: 0, sealed: true, ...more };
}
const said = (author: string, text: string, more?: Partial<ChatEntry>): ChatEntry => entry(author, { kind: 'message' }, text, more);

describe('chat/conversation', () => {
  it('shows messages oldest first, with the last edit of their author and of nobody else', () => {
    const hello = said('alice', 'helo');
    const forged = entry('bob', { kind: 'edit', target: hello.id }, 'I owe Bob money');
    const first = entry('alice', { kind: 'edit', target: hello.id }, 'hallo');
    const second = entry('alice', { kind: 'edit', target: hello.id }, 'hello');
    const answer = said('bob', 'hi');
    const shown = conversation([answer, second, forged, hello, first]);
    assert.deepEqual(
      shown.map(({ author, text, edited }) => [author, text, edited]),
      [
        ['alice', 'hello', true],
        ['bob', 'hi', false],
      ],
    );
  });

  it('leaves an empty place where an author took a message back, and nobody else can', () => {
    const hello = said('alice', 'hello');
    const love = entry('bob', { kind: 'reaction', target: hello.id, emoji: '❤️' });
    assert.equal(conversation([hello, love, entry('bob', { kind: 'delete', target: hello.id })])[0]!.deleted, false);
    const [shown] = conversation([hello, love, entry('alice', { kind: 'delete', target: hello.id })]);
    assert.deepEqual([shown!.deleted, shown!.text, shown!.reactions.size], [true, '', 0]);
  });

  it('keeps the last reaction of each member, and none of who took it back', () => {
    const hello = said('alice', 'hello');
    const react = (who: string, emoji: string): ChatEntry => entry(who, { kind: 'reaction', target: hello.id, emoji });
    const [shown] = conversation([
      hello,
      react('bob', '👍'),
      react('carol', '👍'),
      react('bob', '❤️'),
      react('dave', '👍'),
      react('dave', ''),
    ]);
    assert.deepEqual(
      [...shown!.reactions],
      [
        ['❤️', ['bob']],
        ['👍', ['carol']],
      ],
    );
  });

  it('tells who got and who read a message, and nothing of its author', () => {
    const hello = said('alice', 'hello');
    const receipt = (who: string, delivered: string[], read: string[]): ChatEntry => entry(who, { kind: 'receipt', delivered, read });
    const [shown] = conversation([
      receipt('carol', [], [hello.id]),
      hello,
      receipt('bob', [hello.id], []),
      receipt('carol', [hello.id], []),
      receipt('alice', [hello.id], []),
    ]);
    assert.deepEqual(shown!.receipts, [
      { member: 'bob', state: 'delivered' },
      { member: 'carol', state: 'read' },
    ]);
  });

  it('does not let unsigned mail edit or take back what was sealed', () => {
    const hello = said('alice', 'hello');
    const plain = { sealed: false };
    const [shown] = conversation([
      hello,
      entry('alice', { kind: 'edit', target: hello.id }, 'bye', plain),
      entry('alice', { kind: 'delete', target: hello.id }, '', plain),
    ]);
    assert.deepEqual([shown!.text, shown!.deleted], ['hello', false]);
  });

  it('is the same whatever order its entries came in', () => {
    const act = fc.oneof(
      fc.constant<ChatAct>({ kind: 'message' }),
      fc.record({ kind: fc.constantFrom('edit' as const, 'delete' as const), target: fc.nat(9).map(id) }),
      fc.record({ kind: fc.constant('reaction' as const), target: fc.nat(9).map(id), emoji: fc.constantFrom('👍', '❤️', '') }),
      fc.record({ kind: fc.constant('receipt' as const), delivered: fc.array(fc.nat(9).map(id)), read: fc.array(fc.nat(9).map(id)) }),
    );
    const entries = fc.uniqueArray(
      fc.record({
        id: fc.nat(40).map(id),
        author: fc.constantFrom('alice', 'bob', 'carol'),
        at: fc.nat(5),
        act,
        text: fc.string(),
        timer: fc.constant(0),
        sealed: fc.boolean(),
      }),
      { selector: (each) => each.id, maxLength: 20 },
    );
    fc.assert(
      fc.property(entries, (list) => {
        const expected = conversation(list);
        assert.deepEqual(conversation([...list].reverse()), expected);
        assert.deepEqual(conversation([...list].sort((a, b) => (a.id < b.id ? -1 : 1))), expected);
      }),
    );
  });
});

describe('chat/the part for programs', () => {
  const part: ChatPart = {
    group: GROUP,
    messageId: id(7),
    author: 'alice@example.test',
    key: 'A'.repeat(64),
    at: 5,
    text: 'hello',
    files: [{ name: 'a.txt', mimeType: 'text/plain', size: 1, sha256: HASH }],
    act: { kind: 'message', replyTo: id(1) },
    heads: [HASH],
    state: HASH,
    events: [{ encoded: '{}', signature: 'abc' }],
    timer: 60,
  };

  it('comes back as it was written', () => {
    const acts: ChatAct[] = [
      part.act,
      { kind: 'message' },
      { kind: 'edit', target: id(1) },
      { kind: 'reaction', target: id(1), emoji: '👩‍💻' },
      { kind: 'receipt', delivered: [id(1)], read: [] },
      { kind: 'need', events: [HASH] },
    ];
    for (const act of acts) assert.deepEqual(decodeChatPart(encodeChatPart({ ...part, act })), { ...part, act });
  });

  it('is refused where it is anything else', () => {
    const text = encodeChatPart(part).toString();
    const wrong: [string, string][] = [
      [GROUP, 'short'],
      ['"v":1', '"v":2'],
      ['"kind":"message"', '"kind":"unknown"'],
      [id(1), 'no-message-id'],
      [id(1), '<two\\r\\nlines@x>'],
      ['"timer":60', '"timer":-1'],
      ['"signature":"abc"', '"signature":"a b"'],
    ];
    for (const [from, to] of wrong) assert.equal(decodeChatPart(Buffer.from(text.replace(from, to))), undefined, to);
    const words = { ...part, act: { kind: 'reaction' as const, target: id(1), emoji: 'words' } };
    assert.equal(decodeChatPart(encodeChatPart(words)), undefined);
    assert.equal(decodeChatPart(Buffer.alloc(9 * 1_048_576, 0x20)), undefined);
    fc.assert(fc.property(fc.uint8Array(), (bytes) => decodeChatPart(bytes) === undefined));
  });

  it('shows the group in its Message-ID, so that answers of other programs find it', () => {
    const own = chatMessageId(GROUP, 'alice@example.test', (octets) => Buffer.alloc(octets, 1));
    assert.equal(groupOfMessageIds('<other@example.test>', `<first@x> ${own}`), GROUP);
    assert.equal(groupOfMessageIds('<qumail-chat.short.x@example.test>', ''), undefined);
    assert.ok(isChatMessageIdOf(own, GROUP, 'alice@example.test'));
    for (const [group, author] of [
      [GROUP, 'mallory@example.test'],
      [GROUP, 'alice@example.com'],
      ['h'.repeat(22), 'alice@example.test'],
    ] as const)
      assert.ok(!isChatMessageIdOf(own, group, author), author);
    assert.ok(!isChatMessageIdOf(own.replace(/.@/, '!@'), GROUP, 'alice@example.test'));
    assert.ok(!isChatMessageIdOf('', GROUP, 'alice@example.test'));
  });
});
