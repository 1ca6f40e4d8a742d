import assert from 'node:assert/strict';
import fc from 'fast-check';
import { isPaddedLength, pad, paddedLength, paddingOf, unpad } from '../../../src/core/crypto/padding.ts';

describe('padding', () => {
  it('has the lengths that PROTOCOL 2 names', () => {
    const table: [number, number][] = [
      [0, 256],
      [254, 256],
      [255, 256],
      [256, 512],
      [4094, 4096],
      [4095, 4096],
      [4096, 4352],
      [4351, 4352],
      [4352, 4608],
      [8191, 8192],
      [8192, 8704],
      [16_384, 17_408],
      [65_535, 65_536],
      [65_536, 67_584],
      [25 * 2 ** 20, 26_738_688],
    ];
    for (const [length, padded] of table) assert.equal(paddedLength(length), padded, `${length}`);
  });

  it('adds at least the mark, at most 255 octets below 4 KiB and 12 % above, and grows with the message', () => {
    for (let length = 0; length < 70_000; length++) {
      const padded = paddedLength(length);
      assert.ok(padded > length && padded <= Math.max(length + 256, (length + 1) * 1.12), `${length}`);
      assert.ok(padded <= paddedLength(length + 1));
      assert.ok(isPaddedLength(padded));
    }
  });

  it('recognises exactly the lengths it makes', () => {
    const made = new Set(Array.from({ length: 70_000 }, (_, length) => paddedLength(length)));
    for (let length = 0; length <= 65_536; length++) assert.equal(isPaddedLength(length), made.has(length), `${length}`);
    for (const length of [-256, 1.5, Number.NaN, Infinity, 2 ** 53]) assert.equal(isPaddedLength(length), false);
  });

  it('comes off again at every size, whatever the message ends with', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 9000, size: 'max' }), fc.constantFrom([], [0], [0x80], [0x80, 0, 0]), (start, end) => {
        const message = Buffer.from([...start, ...end]);
        const padded = pad(message);
        assert.equal(padded.length, paddedLength(message.length));
        assert.deepEqual(Buffer.concat([message, paddingOf(message.length)]), padded);
        assert.deepEqual(unpad(padded), message);
      }),
      { numRuns: 200 },
    );
  });

  it('is refused without its mark, with another, or with more zeros than a writer adds', () => {
    const malformed = { code: 'open.malformed', details: { what: 'padding' } };
    for (const padded of [
      Buffer.alloc(0),
      Buffer.alloc(256),
      Buffer.alloc(256, 1),
      Buffer.concat([pad(Buffer.from('a')), Buffer.alloc(256)]),
    ]) {
      assert.throws(() => unpad(padded), malformed);
    }
    assert.throws(() => unpad(Buffer.from([0x80])), malformed);
  });
});
