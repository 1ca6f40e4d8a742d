import assert from 'node:assert/strict';
import fc from 'fast-check';
import { QuMailError } from '../../../src/core/base/errors.ts';
import { readIJson } from '../../../src/core/crypto/ijson.ts';

const LIMITS = { what: 'test', maxBytes: 4096, maxNesting: 6 };
const read = (text: string | Uint8Array) => readIJson(typeof text === 'string' ? Buffer.from(text, 'utf8') : text, LIMITS);
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe('I-JSON reader', () => {
  it('reads what JSON.parse reads, for every value of I-JSON within six levels', () => {
    const scalar = fc.oneof(
      fc.constant(null),
      fc.boolean(),
      fc.maxSafeInteger(),
      fc.string({ unit: 'grapheme', maxLength: 8 }).filter((s) => !/\p{Noncharacter_Code_Point}/u.test(s)),
    );
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 5 },
        scalar,
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(fc.string({ maxLength: 5 }), tie('value'), { maxKeys: 3 }),
      ),
    }));
    fc.assert(
      fc.property(value, fc.constantFrom(undefined, 1, '\t'), (input, indent) => {
        const text = JSON.stringify(input, undefined, indent);
        fc.pre(Buffer.byteLength(text) <= LIMITS.maxBytes && !text.includes('-0'));
        assert.deepEqual(plain(read(text)), JSON.parse(text));
      }),
      { numRuns: 500 },
    );
  });

  it('answers any octets with a value or an open.* error, never anything else', () => {
    const jsonish = fc.array(
      fc.constantFrom('{', '}', '[', ']', '"', ':', ',', '\\', 'u', '0', '1', '-', 'e', '.', 'true', ' ', '\ud800', 'ü'),
      { maxLength: 40 },
    );
    const input = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      jsonish.map((parts) => Buffer.from(parts.join(''), 'utf8')),
    );
    fc.assert(
      fc.property(input, (bytes) => {
        try {
          read(bytes);
        } catch (error) {
          assert.ok(QuMailError.is(error) && error.code.startsWith('open.'), String(error));
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('refuses a duplicate member, however it is spelled', () => {
    for (const text of ['{"a":1,"a":1}', '{"a":1,"b":{"c":1,"c":2}}', '{"a":1,"\\u0061":2}', '{"__proto__":1,"__proto__":2}']) {
      assert.throws(() => read(text), { code: 'open.duplicate-member' }, text);
    }
    assert.deepEqual(Object.keys(read('{"__proto__":1,"constructor":2}') as object), ['__proto__', 'constructor']);
  });

  it('refuses what is not an exact integer', () => {
    for (const number of ['1.0', '1e3', '1E3', '0.5', '-0', '01', '+1', '-', '9007199254740992', '-9007199254740992', '1e999', 'NaN']) {
      assert.throws(() => read(number), { code: 'open.malformed' }, number);
      assert.throws(() => read(`[${number}]`), { code: 'open.malformed' }, number);
    }
    assert.deepEqual(read('[0,-1,9007199254740991,-9007199254740991]'), [0, -1, 9007199254740991, -9007199254740991]);
  });

  it('refuses text that is not Unicode: broken UTF-8, a byte order mark, lone surrogates, noncharacters', () => {
    const bad = [
      Buffer.from([0x22, 0xff, 0x22]),
      Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]),
      Buffer.from([0x22, 0xc0, 0xaf, 0x22]),
      '\ufeff"a"',
    ];
    for (const text of [...bad, '"\\ud800"', '"\\udc00\\ud800"', '"\\uffff"', '"\\ufdd0"', '"\ud83f\udfff"']) {
      assert.throws(() => read(text), { code: 'open.malformed' }, String(text));
    }
    assert.equal(read('"\\ud83d\\ude00\\n\\/\\u00e9"'), '😀\n/é');
  });

  it('refuses broken syntax', () => {
    const texts = [
      '',
      ' ',
      '{',
      '[',
      '"',
      '"\\',
      '"\\u12"',
      '"\\x"',
      '"\n"',
      '{"a"}',
      '{"a":}',
      '{"a":1,}',
      '[1,]',
      '[1 2]',
      '{a:1}',
      "{'a':1}",
    ];
    for (const text of [...texts, '1 1', 'nul', 'TRUE', '[1]]', '{"a":1}x', '/**/1', '"\\u00zz"']) {
      assert.throws(() => read(text), { code: 'open.malformed' }, JSON.stringify(text));
    }
  });

  it('counts octets before it decodes, and levels before it descends', () => {
    assert.throws(() => read(Buffer.alloc(4097, 0xff)), { code: 'open.limit', details: { what: 'test', limit: 4096 } });
    assert.deepEqual(read('[[[[[[]]]]]]'), [[[[[[]]]]]]);
    assert.throws(() => read('[[[[[[['), { code: 'open.limit', details: { what: 'nesting', limit: 6 } });
    assert.throws(() => read('{"a":[{"a":[{"a":[{}]}]}]}'), { code: 'open.limit' });
  });
});
