import assert from 'node:assert/strict';
import fc from 'fast-check';
import { QuMailError } from '../../../src/core/base/errors.ts';
import { cutKeys } from '../../../src/core/keys/keyCutter.ts';

const cut = (text: string) => cutKeys(Buffer.from(text));
const refused = (text: string, reason: string) =>
  assert.throws(
    () => cut(text),
    (e) => QuMailError.is(e, 'kme.bad-answer') && e.details['reason'] === reason,
  );

describe('cutting keys out of an answer', () => {
  it('leaves a number where each key stood, and the key itself only in a buffer', () => {
    const { json, keys } = cut('{"keys":[{"key_ID":"a","key":"AAEC"},{"key":"//8=","key_ID":"b"}]}');
    assert.deepEqual(json, {
      keys: [
        { key_ID: 'a', key: 0 },
        { key: 1, key_ID: 'b' },
      ],
    });
    assert.deepEqual(keys, [Buffer.from([0, 1, 2]), Buffer.from([255, 255])]);
  });

  it('reads base64 as encoders write it: escaped slash and equals sign, base64url, line breaks, no padding, white space around the colon', () => {
    for (const text of ['"\\/\\/8="', '"//8\\u003d"', '"__8"', '"//\\r\\n8="', '"//8"']) {
      assert.deepEqual(cut(`{"key" :\n ${text} }`).keys, [Buffer.from([255, 255])], text);
    }
  });

  it('finds a key whose name is spelled with escapes', () => {
    assert.deepEqual(cut('{"\\u006bey":"AAEC"}').keys, [Buffer.from([0, 1, 2])]);
  });

  it('takes no other member for a key, whatever stands in its value', () => {
    const text = '{"key_ID":"key","x":"\\"key\\":\\"AAEC\\"","key_extension":{"n":"key"},"list":["key","AAEC"],"key":7}';
    const { json, keys } = cut(text);
    assert.deepEqual(json, JSON.parse(text));
    assert.equal(keys.length, 0);
  });

  it('refuses what is not base64, not JSON, not UTF-8, or too deep', () => {
    for (const key of ['A', 'A===', 'AB=C', '=AAA', 'A A=', 'é', '\\u00e9', '\\t', '\\u00']) refused(`{"key":"${key}"}`, 'not-base64');
    refused('{"key":"AAA\\"}', 'not-json');
    refused('{"key":"AB=="}', 'not-base64'); // the four left-over bits are not zero
    refused('<!DOCTYPE html><html lang="en">', 'not-json');
    refused('', 'not-json');
    refused('{"a":"', 'not-json');
    refused('['.repeat(17), 'nesting');
    assert.throws(
      () => cutKeys(Buffer.from([0x22, 0xff, 0x22])),
      (e) => QuMailError.is(e, 'kme.bad-answer'),
    );
  });

  it('does not quote the answer in its error', () => {
    try {
      cut('{"key_ID":"secret-looking" oops');
      assert.fail('parsed');
    } catch (error) {
      assert.ok(error instanceof QuMailError);
      assert.equal(error.cause, undefined);
      assert.ok(!JSON.stringify(error.details).includes('secret'));
    }
  });

  it('gives back every list of keys that JSON and base64 can carry', () => {
    const list = fc.array(fc.record({ key_ID: fc.string(), key: fc.uint8Array({ maxLength: 70 }), note: fc.jsonValue({ maxDepth: 3 }) }), {
      maxLength: 6,
    });
    fc.assert(
      fc.property(list, fc.constantFrom(undefined, 1), (entries, indent) => {
        fc.pre(!JSON.stringify(entries.map((entry) => entry.note)).includes('"key"'));
        const text = JSON.stringify(
          { keys: entries.map((entry) => ({ ...entry, key: Buffer.from(entry.key).toString('base64') })) },
          null,
          indent,
        );
        const { json, keys } = cut(text);
        const expected = { keys: entries.map((entry, i) => ({ ...entry, key: i })) };
        assert.deepEqual(json, JSON.parse(JSON.stringify(expected)));
        assert.deepEqual(
          keys.map((key) => [...key]),
          entries.map((entry) => [...entry.key]),
        );
      }),
    );
  });

  it('ends on any bytes at all, with a value or with kme.bad-answer', () => {
    const soup = fc.array(
      fc.constantFrom('{', '}', '[', ']', '"', '"key"', ':', ',', '\\', 'A', '=', ' ', '1', 'null', '"AAEC"', '\\u0', 'é'),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(
        fc.oneof(
          soup.map((parts) => Buffer.from(parts.join(''))),
          fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
        ),
        (bytes) => {
          try {
            cutKeys(bytes);
          } catch (error) {
            assert.ok(QuMailError.is(error, 'kme.bad-answer'));
          }
        },
      ),
      { numRuns: 2000 },
    );
  });
});
