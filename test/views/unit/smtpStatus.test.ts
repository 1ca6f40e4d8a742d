import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseEnhanced, statusWords } from '../../../src/views/outbox/smtpStatus.ts';
import type { ErrorDetails } from '../../../src/core/api.ts';
import { sentenceOf } from '../../../src/views/present.ts';
import { plain } from './plainLocaliser.ts';

const words = (text: string): string => {
  const status = parseEnhanced(text);
  assert.ok(status, text);
  return statusWords(status, plain);
};

describe('views/SMTP status', () => {
  it('says what the common answers mean, the code of the server behind it', () => {
    assert.equal(words('5.1.1'), 'This mailbox does not exist (5.1.1)');
    assert.equal(words('4.2.2'), 'The mailbox is full (4.2.2)');
    assert.equal(words('5.7.26'), 'Neither signature nor server fit the sender domain (DKIM, SPF) (5.7.26)');
  });

  it('has a sentence for every subject of RFC 3463, and for those it has never heard of', () => {
    const sentences = Array.from({ length: 8 }, (_, subject) => words(`5.${subject}.199`));
    assert.equal(new Set(sentences.map((sentence) => sentence.replace(/\s*\(.*/, ''))).size, 8);
    assert.equal(words('4.99.1'), 'The server gives no closer reason (4.99.1)');
  });

  it('tells what is for now from what is for good', () => {
    assert.equal(parseEnhanced('4.4.1')?.kind, 'for-now');
    assert.equal(parseEnhanced('5.4.1')?.kind, 'for-good');
  });

  it('reads nothing into what is no enhanced status', () => {
    for (const text of ['', '550', '5.1', '3.1.1', '5.1.1.1', '5.1000.1', 'x5.1.1']) assert.equal(parseEnhanced(text), undefined, text);
    fc.assert(fc.property(fc.string(), (text) => void parseEnhanced(text)));
  });

  it('stands in the sentence of a failure that carries it; the bare number where the server gave no more', () => {
    const said = (details: ErrorDetails): string => sentenceOf({ code: 'smtp.rejected', details }, plain);
    assert.match(said({ status: 550, enhanced: '5.2.1' }), /: The mailbox is switched off \(5\.2\.1\)\./);
    assert.match(said({ status: 550 }), /: 550\./);
    assert.match(said({ enhanced: ['5.1.1'] }), /\./);
  });
});
