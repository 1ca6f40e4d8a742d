import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { ChatMessage, QuMailApi } from '../../../src/core/api.ts';
import { parsePageAsk } from '../../../src/views/chats/chatAsks.ts';
import { firstUnread, stretchOf } from '../../../src/views/chats/chatModel.ts';
import { ChatPages } from '../../../src/views/chats/chatPages.ts';
import { MAX_FILES_OCTETS } from '../../../src/views/chats/chatProtocol.ts';
import { noticeText, timerText } from '../../../src/views/chats/chatText.ts';
import { newlyUnread } from '../../../src/views/chats/unreadGrowth.ts';
import { ChatLines, contextOf } from '../../../src/views/chats/webview/chatLines.ts';
import { Heights } from '../../../src/views/chats/webview/heights.ts';
import { parseMarkdown } from '../../../src/views/chats/webview/markdown.ts';
import { ALICE, BOB, CAROL, lineOf, message } from './chatPage.ts';
import { plain } from './plainLocaliser.ts';

const ids = (lines: readonly { readonly id: string }[]): string[] => lines.map(({ id }) => id);

describe('the lines of a chat', () => {
  it('are in the order of time, those of one instant in the order of their ids, whatever order they come in', () => {
    const lines = new ChatLines();
    lines.take({ lines: [message('b', 5), message('c', 1), message('a', 5)].map(lineOf) });
    assert.deepEqual(ids(lines.all), ['a', 'b', 'c']);
  });

  it('lose within a stretch what it no longer holds, and nothing outside it', () => {
    const lines = new ChatLines();
    lines.take(stretchOf([message('m1', 9), message('m2', 8), message('m3', 7), message('m4', 6)].map(lineOf), false));
    lines.take(stretchOf([message('m3', 7)].map(lineOf), true));
    assert.deepEqual(ids(lines.all), ['m1', 'm2', 'm3']);
    lines.take({ lines: [lineOf(message('m1', 9))], to: { at: message('m3', 7).at, id: '' } });
    assert.deepEqual(ids(lines.all), ['m1', 'm3']);
  });

  it('stay the same objects where nothing changed, and tell which lines of others are new', () => {
    const lines = new ChatLines();
    lines.take({ lines: [lineOf(message('m1', 3))] });
    const before = lines.at(0);
    const fresh = lines.take({ lines: [message('m1', 3), message('m2', 2), message('m3', 1, { author: ALICE })].map(lineOf) });
    assert.equal(lines.at(0), before);
    assert.deepEqual(ids(fresh), ['m2']);
  });

  it('stand under one name for five minutes of the same person at the same level', () => {
    const first = lineOf(message('m1', 10));
    assert.equal(contextOf(lineOf(message('m2', 8)), first).author, 'same');
    assert.equal(contextOf(lineOf(message('m2', 4)), first).author, 'new');
    assert.equal(contextOf(lineOf(message('m2', 8, { author: CAROL })), first).author, 'new');
    assert.equal(contextOf(lineOf(message('m2', 8, { level: 'L3' })), first).author, 'new');
    assert.equal(contextOf(lineOf(message('m2', 8, { sealed: false })), first).author, 'new');
    assert.deepEqual(contextOf(lineOf(message('m2', -1441)), first), { day: 'new', author: 'new' });
  });
});

describe('the window on a long chat', () => {
  it('finds for every height the row that lies there', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 200 }), fc.nat(), (sizes, place) => {
        const heights = new Heights();
        heights.setRows(sizes.map((_, index) => String(index)));
        for (const [index, size] of sizes.entries()) heights.measure(String(index), size);
        const y = place % heights.total;
        const at = heights.indexAt(y);
        assert.ok(heights.offsetOf(at) <= y && y < heights.offsetOf(at + 1));
        const { start, end, offset } = heights.windowOf(y, y + 500);
        assert.ok(start === at && end > start && offset === heights.offsetOf(start));
      }),
    );
  });

  it('is empty for an empty chat', () => {
    const heights = new Heights();
    assert.deepEqual([heights.total, heights.indexAt(10), heights.windowOf(0, 100)], [0, -1, { start: 0, end: 0, offset: 0 }]);
  });
});

describe('Markdown in a chat', () => {
  /** Everything in a tree that is text, in order. */
  const textOf = (node: unknown): string => {
    if (Array.isArray(node)) return node.map(textOf).join('');
    if (typeof node !== 'object' || node === null) return '';
    return Object.entries(node)
      .map(([key, value]) => (key === 'text' || key === 'language' ? String(value) : textOf(value)))
      .join('');
  };

  it('knows emphasis, code, lists, quotes and links', () => {
    assert.deepEqual(parseMarkdown('**a** _b_ ~~c~~ `d`'), [
      {
        kind: 'paragraph',
        lines: [
          [
            { kind: 'strong', parts: [{ kind: 'text', text: 'a' }] },
            { kind: 'text', text: ' ' },
            { kind: 'em', parts: [{ kind: 'text', text: 'b' }] },
            { kind: 'text', text: ' ' },
            { kind: 'del', parts: [{ kind: 'text', text: 'c' }] },
            { kind: 'text', text: ' ' },
            { kind: 'code', text: 'd' },
          ],
        ],
      },
    ]);
    const kinds = parseMarkdown('> q\n\n- a\n- b\n\n1. c\n\n```\nx **y**\n```').map((block) => block.kind);
    assert.deepEqual(kinds, ['quote', 'list', 'list', 'code']);
  });

  it('makes links of web and mail addresses alone', () => {
    for (const url of ['javascript:alert(1)', 'data:text/html,x', 'command:qumail.forgetChat', 'vscode:x', 'file:///etc/passwd']) {
      assert.ok(!JSON.stringify(parseMarkdown(`[x](${url})`)).includes('"link"'), url);
    }
    assert.ok(JSON.stringify(parseMarkdown('[x](https://example.org/)')).includes('"url":"https://example.org/"'));
  });

  it('loses no letter of any text and takes no long over it', () => {
    const letters = (text: string): string => text.replaceAll(/[^\p{L}]/gu, '');
    const pieces = fc.constantFrom('*', '**', '_', '`', '```', '~~', '[', '](', ')', '\n', '> ', 'x ', 'word', 'é');
    fc.assert(
      fc.property(
        fc.array(pieces, { maxLength: 60 }),
        (parts) => letters(textOf(parseMarkdown(parts.join('')))) === letters(parts.join('')),
      ),
    );
    const began = performance.now();
    for (const unit of ['**', '`', '[', '~~', '> ', '*a ', '[x](https://', '- ', '- a\n\n', '```\n', '> a\n\n'])
      parseMarkdown(unit.repeat(65_536 / unit.length));
    assert.ok(performance.now() - began < 2000);
  });
});

describe('what the page of a chat may ask', () => {
  it('is what the schema knows, to the letter', () => {
    assert.deepEqual(parsePageAsk({ kind: 'react', id: 'm', emoji: '👍' }), { kind: 'react', id: 'm', emoji: '👍' });
    for (const foreign of [
      null,
      'ready',
      {},
      { kind: 'exec' },
      { kind: 'ready', more: 1 },
      { kind: 'edit', id: '', text: '' },
      { kind: 'edit', id: 'm', text: 'x'.repeat(65_537) },
      { kind: 'picture', id: 'm', index: -1 },
      { kind: 'command', command: 'qumail.forgetChat' },
      { kind: 'send', ref: 1, text: 'x', files: [{ name: 'a', mimeType: 'b', content: 'c' }] },
      { kind: 'send', ref: 1, text: 'x', files: [{ name: 'a', mimeType: 'b', content: new Uint8Array(MAX_FILES_OCTETS + 1) }] },
    ]) {
      assert.equal(parsePageAsk(foreign), undefined);
    }
  });

  it('lets no value of any shape through as something else', () => {
    fc.assert(fc.property(fc.anything(), (value) => parsePageAsk(value) === undefined));
  });
});

describe('the pages of a chat', () => {
  /** An engine with these messages, oldest first, that counts what it was asked for. */
  function engineOf(all: ChatMessage[]): Pick<QuMailApi, 'getChatMessages'> & { all: ChatMessage[]; asked: number } {
    return {
      all,
      asked: 0,
      async getChatMessages({ limit, before }) {
        this.asked += 1;
        const end = before === undefined ? this.all.length : this.all.findIndex(({ id }) => id === before);
        const messages = this.all.slice(Math.max(0, end - limit), end);
        const first = messages[0];
        return { messages, ...(first && end - limit > 0 && { next: first.id }) };
      },
    };
  }
  const many = (count: number): ChatMessage[] =>
    Array.from({ length: count }, (_, index) => message(`m${String(index).padStart(4, '0')}`, 5000 - index));

  it('go back to the beginning, and end there', async () => {
    const engine = engineOf(many(250));
    const pages = new ChatPages(engine, 'c');
    const lines = new ChatLines();
    lines.take((await pages.latest(lineOf)).stretch);
    for (let page = await pages.earlier(lineOf); page; page = await pages.earlier(lineOf)) lines.take(page.stretch);
    assert.deepEqual(ids(lines.all), ids(engine.all));
  });

  it('leave no gap where more has come than one page holds', async () => {
    const engine = engineOf(many(120));
    const pages = new ChatPages(engine, 'c');
    const lines = new ChatLines();
    lines.take((await pages.latest(lineOf)).stretch);
    engine.all = many(420);
    for (const { stretch } of await pages.renewed(lineOf)) lines.take(stretch);
    assert.deepEqual(ids(lines.all), ids(engine.all.slice(20)));
  });

  it('bring a line that came with few messages and one question, and leave no gap where more came', async () => {
    const engine = engineOf(many(300));
    const pages = new ChatPages(engine, 'c');
    const lines = new ChatLines();
    lines.take((await pages.latest(lineOf)).stretch);
    engine.all = many(301);
    engine.asked = 0;
    const looks = await pages.newest(Promise.resolve(lineOf));
    assert.equal(engine.asked, 1);
    assert.ok((looks[0]?.messages.length ?? 0) < 10);
    for (const { stretch } of looks) lines.take(stretch);
    assert.deepEqual(ids(lines.all), ids(engine.all.slice(200)));
    engine.all = many(450);
    for (const { stretch } of await pages.newest(lineOf)) lines.take(stretch);
    assert.deepEqual(ids(lines.all), ids(engine.all.slice(200)));
  });

  it('bring what changed in the part that is on screen', async () => {
    const engine = engineOf(many(300));
    const pages = new ChatPages(engine, 'c');
    const lines = new ChatLines();
    lines.take((await pages.latest(lineOf)).stretch);
    for (let page = await pages.earlier(lineOf); page; page = await pages.earlier(lineOf)) lines.take(page.stretch);
    pages.onScreen('m0050', 'm0060');
    engine.all = engine.all.map((each) => (each.id === 'm0055' ? { ...each, text: 'changed', edited: true } : each));
    engine.asked = 0;
    for (const { stretch } of await pages.renewed(lineOf)) lines.take(stretch);
    assert.equal(lines.byId('m0055')?.text, 'changed');
    assert.equal(lines.length, 300);
    assert.equal(engine.asked, 2);
  });
});

describe('what is told about chats', () => {
  it('begins reading at the first unread message of others', () => {
    const messages = [message('m1', 4), message('m2', 3, { author: ALICE }), message('m3', 2), message('m4', 1, { author: CAROL })];
    assert.equal(firstUnread(messages, 2), 'm3');
    assert.equal(firstUnread(messages, 9), 'm1');
    assert.equal(firstUnread(messages, 0), undefined);
  });

  it('shows as read what everybody has read, and names who has where not all have', () => {
    const own = { author: ALICE };
    assert.equal(lineOf(message('m', 1, { ...own, read: [BOB.address, CAROL.address] })).state, 'read');
    assert.equal(lineOf(message('m', 1, { ...own, read: [BOB.address], delivered: [CAROL.address] })).state, 'delivered');
    assert.match(lineOf(message('m', 1, { ...own, read: [BOB.address] })).stateWord, /read by Bob/);
  });

  it('is news only where a chat has more unread than before, and never at the start', () => {
    const chats = [
      { id: 'a', name: 'A', unread: 2 },
      { id: 'b', name: 'B', unread: 1 },
    ];
    assert.deepEqual(newlyUnread(undefined, chats), []);
    assert.deepEqual(ids(newlyUnread(new Map([['a', 2]]), chats)), ['b']);
  });

  it('names spans of time and what happened in words', () => {
    assert.deepEqual(
      [0, 45, 300, 7200, 86_400, 604_800].map((seconds) => timerText(seconds, plain)),
      ['never', '45 s', '5 min', '2 h', '1 day', '7 days'],
    );
    assert.match(noticeText({ kind: 'added', by: 'Alice', member: 'Bob' }, plain), /^Alice added Bob$/);
  });
});
