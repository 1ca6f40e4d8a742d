import assert from 'node:assert/strict';
import { ERROR_CODES } from '../../../src/core/api.ts';
import { present, type Localiser } from '../../../src/views/present.ts';
import { plain } from './plainLocaliser.ts';

const words = (code: (typeof ERROR_CODES)[number], details = {}): string => present({ code, details }, plain).sentence;

describe('views/present', () => {
  for (const code of ERROR_CODES) {
    it(`says ${code} in a short sentence that stands without details`, () => {
      const { sentence, step, button } = present({ code, details: {} }, plain);
      assert.match(sentence, /^["A-Z?].{8,}[.?]$/s, sentence);
      assert.ok(sentence.length <= 180, `${sentence.length} characters: ${sentence}`);
      assert.doesNotMatch(sentence, /\{\d\}|undefined|\bNaN\b|[a-z]+\.[a-z]+-[a-z]+/, sentence);
      assert.doesNotMatch(sentence, /  | [.,:]/, 'a gap where a detail is missing');
      assert.equal(step === undefined, button === undefined);
    });
  }

  it('never blames the person', () => {
    for (const code of ERROR_CODES) assert.doesNotMatch(words(code), /\b(invalid|illegal|fatal|you failed|your fault|wrong)\b/i, code);
  });

  it('tells one failure from another', () => {
    const sentences = ERROR_CODES.map((code) => words(code, { host: 'mx.example', reason: 'because' }));
    assert.equal(new Set(sentences).size, sentences.length);
  });

  it('puts details into the sentence', () => {
    assert.match(words('net.host-unknown', { host: 'imap.example.org' }), /imap\.example\.org/);
    assert.match(words('seal.below-minimum', { address: 'bob@example.org', minimum: 'L2' }), /bob@example\.org.*L2/);
    assert.match(words('kme.exhausted', { wantedBits: 8192, gotBits: 256 }), /8192 bits are needed, 256/);
    assert.match(words('smtp.recipient-rejected', { recipients: ['a@x.example', 'b@x.example'] }), /a@x\.example, b@x\.example/);
  });

  it('offers the way to the next step where only the person can help', () => {
    const buttons: Partial<Record<(typeof ERROR_CODES)[number], string>> = {
      'auth.sign-in-again': 'Sign In Again',
      'auth.client-missing': 'Set Client ID',
      'kme.not-configured': 'Connect Key Manager',
      'kme.exhausted': 'Choose Security Level',
      'seal.no-contact': 'Edit Contact',
      'engine.stopped': 'Restart QuMail',
    };
    for (const [code, button] of Object.entries(buttons)) {
      assert.equal(present({ code: code as (typeof ERROR_CODES)[number], details: {} }, plain).button, button, code);
    }
  });

  it('never offers a lower level by itself', () => {
    for (const code of ERROR_CODES) assert.doesNotMatch(words(code), /lowered|downgrade|sent (it )?unsealed/i, code);
  });

  it('has words for a code it does not know, as a newer engine may send', () => {
    assert.equal(present({ code: 'kme.from-the-future' as never, details: {} }, plain).sentence, words('engine.internal'));
  });

  it('lets every word be translated', () => {
    const shouting: Localiser = { t: (message, ...args) => plain.t(message.toUpperCase(), ...args) };
    for (const code of ERROR_CODES) {
      const { sentence, button } = present({ code, details: {} }, shouting);
      assert.equal(sentence, sentence.toUpperCase(), code);
      assert.equal(button, button?.toUpperCase(), code);
    }
  });
});
