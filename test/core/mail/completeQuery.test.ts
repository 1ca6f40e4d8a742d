import assert from 'node:assert/strict';
import fc from 'fast-check';
import { completeQuery, type CompletionSources } from '../../../src/core/mail/completeQuery.ts';
import { parseQuery } from '../../../src/core/mail/parseQuery.ts';

const sources: CompletionSources = {
  folders: () => ['INBOX', 'Sent', 'Projects/Über uns'],
  accounts: () => ['alice@example.test'],
  people: (prefix) => [
    { name: 'Bob Ross', address: 'bob@example.test' },
    { name: '', address: `${prefix}.first@example.test` },
  ],
  tags: () => ['work', 'two words'],
};
const texts = (text: string, at = text.length): string[] => completeQuery(text, at, sources).map((suggestion) => suggestion.text);

describe('mail/completeQuery', () => {
  it('offers operators where a word begins', () => {
    assert.equal(texts('').includes('from:'), true);
    assert.deepEqual(texts('a f'), ['from:', 'filename:']);
    assert.deepEqual(texts('(-is'), ['is:']);
    assert.deepEqual(texts('"fr'), []);
    assert.deepEqual(texts('zzz'), []);
  });

  it('offers the values of an operator after its colon', () => {
    assert.deepEqual(texts('is:un'), ['unread']);
    assert.deepEqual(texts('level:'), ['L1', 'L2', 'L3', 'L4']);
    assert.deepEqual(texts('has:'), ['attachment']);
    assert.deepEqual(texts('in:s'), ['Sent']);
    assert.deepEqual(texts('in:über'), ['"Projects/Über uns"']);
    assert.deepEqual(texts('account:ex'), ['alice@example.test']);
    assert.deepEqual(texts('tag:"two'), ['"two words"']);
    assert.deepEqual(texts('after:to'), ['today']);
    assert.deepEqual(texts('subject:x'), []);
    assert.deepEqual(completeQuery('from:bo', 7, sources)[0], {
      kind: 'person',
      text: 'bob@example.test',
      detail: 'Bob Ross',
      from: 5,
      to: 7,
    });
  });

  it('replaces the whole of what the cursor stands in', () => {
    assert.deepEqual(completeQuery('a is:unr b', 7, sources), [{ kind: 'state', text: 'unread', from: 5, to: 8 }]);
    assert.deepEqual(completeQuery('fro:x', 2, sources)[0], { kind: 'operator', text: 'from:', from: 0, to: 4 });
  });

  it('never throws, stays within the text, and what it offers can be read', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: -5, max: 50 }), (text, at) => {
        for (const { from, to } of completeQuery(text, at, sources)) assert.ok(from >= 0 && from <= to && to <= text.length);
      }),
    );
    for (const operator of ['is:', 'in:', 'has:', 'level:', 'before:', 'larger:', 'tag:', 'from:']) {
      for (const { text } of completeQuery(operator, operator.length, sources))
        assert.deepEqual(parseQuery(operator + text).problems, [], operator + text);
    }
  });
});
