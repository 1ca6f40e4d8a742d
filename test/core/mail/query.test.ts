import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseQuery } from '../../../src/core/mail/parseQuery.ts';
import { printQuery } from '../../../src/core/mail/printQuery.ts';
import {
  allOf,
  anyOf,
  decided,
  leavesOf,
  MAIL_STATES,
  QUERY_LIMITS,
  spanOf,
  wantedTexts,
  type QueryNode,
} from '../../../src/core/mail/query.ts';
import { SECURITY_LEVELS } from '../../../src/core/base/types.ts';

const word = (text: string, field = 'any') => ({ kind: 'text', field, match: 'word', text });
const phrase = (text: string, field = 'any') => ({ kind: 'text', field, match: 'phrase', text });

/** Queries and what they mean. */
const MEANINGS: readonly (readonly [string, unknown])[] = [
  ['invoice', word('invoice')],
  ['"due  date"', phrase('due  date')],
  ['inv*', { kind: 'text', field: 'any', match: 'prefix', text: 'inv' }],
  ['a b', { kind: 'and', parts: [word('a'), word('b')] }],
  ['a AND b', { kind: 'and', parts: [word('a'), word('b')] }],
  ['a OR b c', { kind: 'or', parts: [word('a'), { kind: 'and', parts: [word('b'), word('c')] }] }],
  ['(a OR b) c', { kind: 'and', parts: [{ kind: 'or', parts: [word('a'), word('b')] }, word('c')] }],
  ['-a', { kind: 'not', part: word('a') }],
  ['-(a b)', { kind: 'not', part: { kind: 'and', parts: [word('a'), word('b')] } }],
  ['a - b', { kind: 'and', parts: [word('a'), word('-'), word('b')] }],
  ['FROM:alice@example.test', word('alice@example.test', 'from')],
  ['subject:"the plan"', phrase('the plan', 'subject')],
  [
    'is:UNREAD has:attachments level:l2',
    {
      kind: 'and',
      parts: [
        { kind: 'is', state: 'unread' },
        { kind: 'has', what: 'attachment' },
        { kind: 'level', level: 'L2' },
      ],
    },
  ],
  ['before:2026-11-01', { kind: 'date', relation: 'before', day: { iso: '2026-11-01' } }],
  ['on:2026/11', { kind: 'date', relation: 'on', day: { iso: '2026-11' } }],
  ['after:2w', { kind: 'date', relation: 'after', day: { daysAgo: 14 } }],
  ['larger:1.5M', { kind: 'size', relation: 'larger', octets: 1_572_864 }],
  ['in:"Sent Items"', { kind: 'in', name: 'Sent Items' }],
  ['label:work', { kind: 'tag', name: 'work' }],
  ['https://example.test/a:b', word('https://example.test/a:b')],
  ['12:30', word('12:30')],
  ['Re: hello', { kind: 'and', parts: [word('Re:'), word('hello')] }],
  ['"from:alice"', phrase('from:alice')],
  ['東京 हिन्दी', { kind: 'and', parts: [word('東京'), word('हिन्दी')] }],
];

/** Queries that mean nothing, with the code, the columns and a detail. */
const MISTAKES: readonly (readonly [string, string, number, number, Record<string, unknown>?])[] = [
  ['', 'search.empty', 0, 0],
  ['  ', 'search.empty', 0, 2],
  ['a form:alice', 'search.unknown-operator', 2, 7, { name: 'form', nearest: 'from' }],
  ['zzzzzz:alice', 'search.unknown-operator', 0, 7, { name: 'zzzzzz' }],
  ['from: alice', 'search.value-missing', 0, 5, { name: 'from' }],
  ['is:happy', 'search.bad-value', 3, 8, { name: 'is', value: 'happy' }],
  ['level:L9', 'search.bad-value', 6, 8],
  ['before:2026-02-30', 'search.bad-value', 7, 17],
  ['larger:big', 'search.bad-value', 7, 10],
  ['*', 'search.bad-value', 0, 1, { name: '', value: '*' }],
  ['a "b c', 'search.unclosed-quote', 2, 6],
  ['(a b', 'search.unclosed-parenthesis', 0, 1],
  ['a) b', 'search.stray', 1, 2, { what: ')' }],
  ['()', 'search.stray', 0, 2],
  ['OR a', 'search.stray', 0, 2],
  ['a OR', 'search.stray', 2, 4],
  ['a AND', 'search.stray', 2, 5],
  ['-OR', 'search.stray', 0, 1],
  ['-'.repeat(20) + 'a', 'search.too-deep', 16, 21],
  ['a'.repeat(2001), 'search.too-long', 2000, 2001],
  ['a '.repeat(65), 'search.too-many-terms', 128, 130],
];

describe('mail/query', () => {
  for (const [text, meaning] of MEANINGS) {
    it(`understands ${text}`, () => assert.deepEqual(parseQuery(text), { node: meaning, problems: [] }));
  }

  for (const [text, code, from, to, details] of MISTAKES) {
    it(`points at the mistake in ${text.slice(0, 30) || 'nothing'}`, () => {
      const problem = parseQuery(text).problems[0];
      assert.deepEqual([problem?.code, problem?.from, problem?.to], [code, from, to]);
      if (details) assert.deepEqual(problem?.details, details);
    });
  }

  it('goes on after a mistake with what it understood', () => {
    const { node, problems } = parseQuery('report is:happy (is:unread');
    assert.equal(problems.length, 2);
    assert.equal(node && printQuery(node), 'report is:unread');
  });

  it('says what a snippet may mark: nothing that is negated', () => {
    const { node } = parseQuery('a -b (from:c OR -(d e)) is:unread');
    assert.deepEqual(
      wantedTexts(node!).map(({ text }) => text),
      ['a', 'c'],
    );
    assert.equal(leavesOf(node!).length, 6);
  });

  it('is decided as far as what is known of its leaves goes', () => {
    const known = (query: string) => decided(parseQuery(query).node!, (leaf) => (leaf.kind === 'account' ? leaf.name === 'me' : undefined));
    for (const [query, rest] of [
      ['account:me', true],
      ['-account:me', false],
      ['account:you a', false],
      ['account:you OR account:me', true],
      ['-(account:you a)', true],
      ['account:me -account:you', true],
    ] as const)
      assert.equal(known(query), rest, query);
    for (const [query, rest] of [
      ['account:me a', 'a'],
      ['account:you OR a', 'a'],
      ['-(account:me a) b', '-a b'],
      ['(account:you OR a OR b) account:me c', '(a OR b) c'],
    ] as const)
      assert.deepEqual(known(query), parseQuery(rest).node, query);
  });

  it('reads days in the time zone of the machine', () => {
    const now = new Date(2026, 10, 22, 15, 30).getTime();
    assert.deepEqual(spanOf({ iso: '2026-11-22' }, now), {
      from: new Date(2026, 10, 22).getTime(),
      until: new Date(2026, 10, 23).getTime(),
    });
    assert.deepEqual(spanOf({ iso: '2026' }, now), { from: new Date(2026, 0, 1).getTime(), until: new Date(2027, 0, 1).getTime() });
    assert.deepEqual(spanOf({ daysAgo: 1 }, now), { from: new Date(2026, 10, 21).getTime(), until: new Date(2026, 10, 22).getTime() });
  });

  it('never throws, and its problems lie within the text', () => {
    const soup = fc.array(
      fc.oneof(
        fc.constantFrom('(', ')', '"', '-', ' ', 'OR', 'AND', 'from:', 'is:', 'before:', '*', ':', '東', '\u0000'),
        fc.string({ unit: 'binary' }),
      ),
    );
    fc.assert(
      fc.property(
        soup.map((parts) => parts.join('')),
        (text) => {
          const { node, problems } = parseQuery(text);
          for (const { from, to } of problems) assert.ok(0 <= from && from <= to && to <= text.length);
          if (node) assert.ok(leavesOf(node).length <= QUERY_LIMITS.terms);
          assert.ok(node ?? problems.length > 0);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('reads a very long and a very deep query in no time', () => {
    const started = performance.now();
    for (const piece of ['(', '-', '"', 'a:', 'a OR ', ') ', 'from:']) parseQuery(piece.repeat(500_000));
    assert.ok(performance.now() - started < 500);
  });

  it('prints what it reads back as the same query', () => {
    fc.assert(
      fc.property(queries, (node) => assert.deepEqual(parseQuery(printQuery(node)), { node, problems: [] })),
      { numRuns: 1000 },
    );
  });
});

const field = fc.constantFrom('any', 'from', 'to', 'cc', 'subject', 'body', 'filename', 'list');
const plainWord = fc.stringMatching(/^[a-z0-9\u00e0-\u00ff\u4e00-\u4e20\u0905-\u0914.@_]{1,12}$/);
const leaf: fc.Arbitrary<QueryNode> = fc.oneof(
  fc.record(
    {
      kind: fc.constant('text' as const),
      field,
      match: fc.constantFrom('word', 'prefix'),
      text: plainWord,
    },
    { noNullPrototype: true },
  ) as fc.Arbitrary<QueryNode>,
  fc.record(
    {
      kind: fc.constant('text' as const),
      field,
      match: fc.constant('phrase'),
      text: fc.stringMatching(/^[a-z(-]{1,5} [a-z:*)]{1,5}$/),
    },
    { noNullPrototype: true },
  ) as fc.Arbitrary<QueryNode>,
  fc.constantFrom(...MAIL_STATES).map((state): QueryNode => ({ kind: 'is', state })),
  fc.constantFrom(...SECURITY_LEVELS).map((level): QueryNode => ({ kind: 'level', level })),
  fc.constant<QueryNode>({ kind: 'has', what: 'attachment' }),
  fc.nat(30_000).map((daysAgo): QueryNode => ({ kind: 'date', relation: 'after', day: { daysAgo } })),
  fc
    .integer({ min: 1, max: 12 })
    .map((month): QueryNode => ({ kind: 'date', relation: 'on', day: { iso: `2026-${String(month).padStart(2, '0')}` } })),
  fc.nat().map((octets): QueryNode => ({ kind: 'size', relation: 'larger', octets })),
  fc.stringMatching(/^[A-Za-z/ ()]{1,10}[a-z]$/).map((name): QueryNode => ({ kind: 'in', name })),
);
const { queries } = fc.letrec<{ queries: QueryNode }>((tie) => ({
  queries: fc.oneof(
    { maxDepth: 3, depthIdentifier: 'query' },
    { weight: 4, arbitrary: leaf },
    { weight: 1, arbitrary: fc.array(tie('queries'), { minLength: 2, maxLength: 3 }).map(allOf) },
    { weight: 1, arbitrary: fc.array(tie('queries'), { minLength: 2, maxLength: 3 }).map(anyOf) },
    { weight: 1, arbitrary: tie('queries').map((part): QueryNode => (part.kind === 'not' ? part : { kind: 'not', part })) },
  ),
}));
