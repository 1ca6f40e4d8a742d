import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseQuery } from '../../../src/core/mail/parseQuery.ts';
import { wantedTexts } from '../../../src/core/mail/query.ts';
import { Marker } from '../../../src/core/mail/snippet.ts';

const markerOf = (query: string): Marker => new Marker(wantedTexts(parseQuery(query).node!));
const marked = (query: string, text: string): string[] => {
  const snippet = markerOf(query).snippet(text);
  return snippet ? snippet.marks.map(({ from, to }) => snippet.text.slice(from, to)) : [];
};

/** Query, text, what is marked. */
const MARKED: readonly (readonly [string, string, readonly string[]])[] = [
  ['budget', 'The Budget of 2026. budgets', ['Budget']],
  ['budg*', 'The budget, budgets', ['budget', 'budgets']],
  ['"due date"', 'the due\r\n date is due', ['due date']],
  ['cafe', 'at the CAFÉ tomorrow', ['CAFÉ']],
  ['東京', '明日は東京都へ', ['東京']],
  ['हिन्दी', 'यह हिन्दी है', ['हिन्दी']],
  ['كتاب', 'هذا كِتَابٌ جديد', ['كِتَابٌ']],
  ['a OR c -b', 'a b c', ['a', 'c']],
  ['subject:a b', 'a b', ['b']],
  ['(.*)+', 'plain', []],
];

describe('mail/snippet', () => {
  for (const [query, text, expected] of MARKED) {
    it(`marks what ${query} found`, () => assert.deepEqual(marked(query, text), expected));
  }

  it('shows the stretch that says most of what was looked for', () => {
    const text = `alpha ${'filler '.repeat(100)} alpha beta ${'filler '.repeat(100)}`;
    const snippet = markerOf('alpha beta').snippet(text)!;
    assert.match(snippet.text, /^….*alpha beta.*…$/);
    assert.deepEqual(
      snippet.marks.map(({ from, to }) => snippet.text.slice(from, to)),
      ['alpha', 'beta'],
    );
  });

  it('shows the beginning where nothing is to be marked, and nothing of an empty text', () => {
    assert.deepEqual(markerOf('is:unread').snippet('  hello\n\tworld '), { text: 'hello world', marks: [] });
    assert.equal(markerOf('x').snippet(' \r\n '), undefined);
  });

  it('never puts a mark outside its text, nor cuts a character in half', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', maxLength: 600 }),
        fc.string({ unit: 'grapheme', minLength: 1, maxLength: 5 }),
        (text, word) => {
          const snippet = new Marker([{ kind: 'text', field: 'any', match: 'prefix', text: word }]).snippet(text);
          for (const { from, to } of snippet?.marks ?? []) assert.ok(from >= 0 && from < to && to <= snippet!.text.length);
          if (text.isWellFormed()) assert.ok(snippet === undefined || snippet.text.isWellFormed());
        },
      ),
      { numRuns: 300 },
    );
  });
});
