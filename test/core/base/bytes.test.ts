import assert from 'node:assert/strict';
import fc from 'fast-check';
import { equalBytes, fromBase64url, le64, toBase64url, u16be, wipe } from '../../../src/core/base/bytes.ts';

describe('base/bytes', () => {
  it('reads back any bytes it wrote as base64url, also from the middle of a buffer', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(10), (bytes, offset) => {
        const view = bytes.subarray(Math.min(offset, bytes.length));
        assert.deepEqual(fromBase64url(toBase64url(view)), Buffer.from(view));
      }),
    );
  });

  it('knows one spelling per value: whatever base64url it accepts, it would have written', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'AQgwBCz019-_=+/ '), maxLength: 12 }), (text) => {
        const bytes = fromBase64url(text);
        assert.ok(bytes === undefined || toBase64url(bytes) === text);
      }),
    );
    for (const bad of ['A', 'AB', 'QQ==', 'a+b/', 'Q Q', 'QR']) assert.equal(fromBase64url(bad), undefined, bad);
  });

  it('writes integers in the byte order their names say', () => {
    assert.equal(u16be(0x0102).toString('hex'), '0102');
    assert.equal(le64(0x0102).toString('hex'), '0201000000000000');
  });

  it('compares bytes, and finds different lengths unequal', () => {
    assert.equal(equalBytes(Buffer.from('ab'), Buffer.from('ab')), true);
    assert.equal(equalBytes(Buffer.from('ab'), Buffer.from('ac')), false);
    assert.equal(equalBytes(Buffer.from('ab'), Buffer.from('abc')), false);
  });

  it('wipes every buffer it is given and steps over missing ones', () => {
    const first = Buffer.from('secret');
    const second = new Uint8Array([1, 2]);
    wipe(first, undefined, second);
    assert.deepEqual([...first, ...second], [0, 0, 0, 0, 0, 0, 0, 0]);
  });
});
