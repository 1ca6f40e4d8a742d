import assert from 'node:assert/strict';
import { parseQuery } from '../../../src/core/mail/parseQuery.ts';
import { gmailQuery, namedFolders, serverCriteria } from '../../../src/core/mail/serverQuery.ts';

const NOW = new Date(2026, 10, 22, 12).getTime();
const day = (month: number, date: number): Date => new Date(Date.UTC(2026, month - 1, date));
const node = (query: string) => parseQuery(query).node!;
const seconds = (month: number, date: number): number => new Date(2026, month - 1, date).getTime() / 1000;

/** Query, what an IMAP server is asked, what Gmail is asked. */
const MEANINGS: readonly (readonly [string, object, string])[] = [
  ['invoice', { text: 'invoice' }, '"invoice"'],
  ['from:bob invoice', { from: 'bob', text: 'invoice' }, 'from:"bob" "invoice"'],
  ['a b', { not: { or: [{ not: { text: 'a' } }, { not: { text: 'b' } }] } }, '"a" "b"'],
  ['a OR b', { or: [{ text: 'a' }, { text: 'b' }] }, '{"a" "b"}'],
  ['-subject:spam', { not: { subject: 'spam' } }, '-subject:"spam"'],
  ['is:unread is:flagged', { seen: false, flagged: true }, 'is:unread is:starred'],
  ['list:dev', { header: { 'list-id': 'dev' } }, 'list:"dev"'],
  ['before:2026-03-02', { sentBefore: day(3, 2) }, `before:${seconds(3, 2)}`],
  ['after:7d', { sentSince: day(11, 15) }, `after:${seconds(11, 15)}`],
  ['on:2026-02', { sentSince: day(2, 1), sentBefore: day(3, 1) }, `after:${seconds(2, 1)} before:${seconds(3, 1)}`],
  ['larger:1k', { larger: 1024 }, 'larger:1024'],
  ['tag:work', { keyword: 'work' }, 'label:"work"'],
  ['in:Archive x', { text: 'x' }, '"x"'],
  ['in:Archive', {}, ''],
  ['"a ""b"', { not: { or: [{ not: { text: 'a' } }, { not: { text: 'b' } }] } }, '"a" "b"'],
];

describe('mail/serverQuery', () => {
  for (const [query, criteria, gmail] of MEANINGS) {
    it(`asks a server for ${query}`, () => {
      assert.deepEqual(serverCriteria(node(query), NOW), criteria);
      assert.equal(gmailQuery(node(query), NOW), gmail);
    });
  }

  it('says what no server can be asked for, rather than asking for less', () => {
    for (const query of [
      'level:L2',
      'is:sealed',
      'filename:x',
      'has:attachment',
      'tag:"two words"',
      'a OR in:b',
      '-account:x',
      'account:x y',
      '-level:L1',
    ])
      assert.throws(() => serverCriteria(node(query), NOW), { code: 'search.server-cannot' }, query);
    for (const query of ['level:L2', 'is:sealed', 'is:answered', 'body:x', 'a OR in:b', 'account:x y'])
      assert.throws(() => gmailQuery(node(query), NOW), { code: 'search.server-cannot' }, query);
    assert.equal(gmailQuery(node('has:attachment filename:x'), NOW), 'has:attachment filename:"x"');
  });

  it('knows the folders that all hits must be in', () => {
    assert.deepEqual(namedFolders(node('x in:Archive')), ['Archive']);
    assert.deepEqual(namedFolders(node('x OR in:Archive')), []);
  });
});
