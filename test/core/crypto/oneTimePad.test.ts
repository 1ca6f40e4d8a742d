import assert from 'node:assert/strict';
import { chacha20 } from '@noble/ciphers/chacha.js';
import { poly1305 } from '@noble/ciphers/_poly1305.js';
import fc from 'fast-check';
import { QuMailError } from '../../../src/core/base/errors.ts';
import { openOneTimePad, sealOneTimePad } from '../../../src/core/crypto/oneTimePad.ts';
import { hex, readVectors, type AeadVector } from './wycheproof.ts';

/** The pad that turns L1 into RFC 8439: half a block for r‖s, then the key stream from block 1 on. */
function chachaPad(key: Buffer, nonce: Buffer, length: number): Buffer {
  const stream = chacha20(key, nonce, new Uint8Array(64 + length));
  return Buffer.concat([stream.subarray(0, 32), stream.subarray(64)]);
}

describe('one-time pad (L1)', () => {
  it('is RFC 8439 AEAD when its pad is the ChaCha20 key stream: section 2.8.2', () => {
    const key = hex('808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f');
    const aad = hex('50515253c0c1c2c3c4c5c6c7');
    const text = Buffer.from(
      "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.",
    );
    const pad = chachaPad(key, hex('070000004041424344454647'), text.byteLength);
    assert.equal(pad.subarray(0, 32).toString('hex'), '7bac2b252db447af09b67a55a4e955840ae1d6731075d9eb2a9375783ed553ff');
    const body = sealOneTimePad(pad, aad, text);
    assert.equal(body.subarray(0, 16).toString('hex'), '1ae10b594f09e26a7e902ecbd0600691');
    assert.equal(
      body.subarray(16).toString('hex'),
      'd31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36' +
        '92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc3ff4def08e4b7a9de576d26586cec64b6116',
    );
    assert.deepEqual(openOneTimePad(pad, aad, body), text);
  });

  it('opens RFC 8439 appendix A.5', () => {
    const key = hex('1c9240a5eb55d38af333888604f6b5f0473917c1402b80099dca5cbc207075c0');
    const ciphertext = hex(
      '64a0861575861af460f062c79be643bd5e805cfd345cf389f108670ac76c8cb24c6cfc18755d43eea09ee94e382d26b0bdb7b73c321b0100d4f03b7f355894cf' +
        '332f830e710b97ce98c8a84abd0b948114ad176e008d33bd60f982b1ff37c8559797a06ef4f0ef61c186324e2b3506383606907b6a7c02b0f9f6157b53c867e4' +
        'b9166c767b804d46a59b5216cde7a4e99040c5a40433225ee282a1b0a06c523eaf4534d7f83fa1155b0047718cbc546a0d072b04b3564eea1b422273f548271a' +
        '0bb2316053fa76991955ebd63159434ecebb4e466dae5a1073a6727627097a1049e617d91d361094fa68f0ff77987130305beaba2eda04df997b714d6c6f2c29' +
        'a6ad5cb4022b02709b',
    );
    const body = Buffer.concat([hex('eead9d67890cbb22392336fea1851f38'), ciphertext]);
    const pad = chachaPad(key, hex('000000000102030405060708'), ciphertext.byteLength);
    const text = openOneTimePad(pad, hex('f33388860000000000004e91'), body).toString('utf8');
    assert.match(text, /^Internet-Drafts are draft documents valid for a maximum of six months .*\/“work in progress.\/”$/s);
  });

  it('stands on a Poly1305 that carries and wraps as RFC 8439 appendix A.3 wants (vectors 7 to 11)', () => {
    const zero = '00'.repeat(16);
    const ff = 'ff'.repeat(16);
    const word = (first: string): string => first + '00'.repeat(15);
    const cases: [string, string, string, string][] = [
      [word('02'), zero, ff, word('03')],
      [word('02'), ff, word('02'), word('03')],
      [word('01'), zero, `${ff}f0${'ff'.repeat(15)}${word('11')}`, word('05')],
      [word('01'), zero, `${ff}fb${'fe'.repeat(15)}${'01'.repeat(16)}`, zero],
      [word('02'), zero, `fd${'ff'.repeat(15)}`, `fa${'ff'.repeat(15)}`],
    ];
    for (const [r, s, data, tag] of cases) assert.equal(Buffer.from(poly1305(hex(data), hex(r + s))).toString('hex'), tag);
  });

  it('agrees with every Wycheproof chacha20_poly1305 vector', function () {
    const counts = { opened: 0, refused: 0, 'no key stream exists for such a nonce': 0 };
    for (const group of readVectors<AeadVector>(this, 'chacha20_poly1305_test.json')) {
      for (const vector of group.tests) {
        const [key, iv, aad, msg] = [hex(vector.key), hex(vector.iv), hex(vector.aad), hex(vector.msg)];
        const body = hex(vector.tag + vector.ct);
        if (group.ivSize !== 96) {
          assert.equal(vector.result, 'invalid');
          assert.throws(() => chachaPad(key, iv, msg.byteLength));
          counts['no key stream exists for such a nonce']++;
          continue;
        }
        const pad = chachaPad(key, iv, body.byteLength - 16);
        if (vector.result === 'valid') {
          assert.deepEqual(sealOneTimePad(pad, aad, msg), body, `tcId ${vector.tcId}`);
          assert.deepEqual(openOneTimePad(pad, aad, body), msg, `tcId ${vector.tcId}`);
          counts.opened++;
        } else {
          assert.throws(() => openOneTimePad(pad, aad, body), { code: 'open.tampered' }, `tcId ${vector.tcId}`);
          counts.refused++;
        }
      }
    }
    console.log(`      ${JSON.stringify(counts)}`);
    assert.deepEqual(counts, { opened: 256, refused: 60, 'no key stream exists for such a nonce': 9 });
  });

  it('returns every message under the same pad and refuses any altered bit of body, AAD or used pad', () => {
    const bytes = (max: number) => fc.uint8Array({ maxLength: max });
    fc.assert(
      fc.property(bytes(300), bytes(40), fc.nat(), fc.integer({ min: 0, max: 7 }), (message, aad, at, bit) => {
        const pad = Buffer.from(Uint8Array.from({ length: 32 + message.length + 5 }, (_, i) => (i * 73 + at) & 0xff));
        const body = sealOneTimePad(pad, aad, message);
        assert.deepEqual(new Uint8Array(openOneTimePad(pad, aad, body)), new Uint8Array(message));
        const altered = Buffer.from(body);
        const index = at % altered.length;
        altered[index] = altered[index]! ^ (1 << bit);
        assert.throws(() => openOneTimePad(pad, aad, altered), { code: 'open.tampered' });
        assert.throws(() => openOneTimePad(pad, Uint8Array.of(...aad, 0), body), { code: 'open.tampered' });
      }),
      { numRuns: 200 },
    );
  });

  it('never stretches a pad: one octet short is refused on both sides', () => {
    const message = Buffer.alloc(100);
    const shortPad = Buffer.alloc(131, 7);
    const exhausted = { code: 'kme.exhausted', details: { wantedBits: 1056, gotBits: 1048 } };
    assert.throws(() => sealOneTimePad(shortPad, Buffer.alloc(0), message), exhausted);
    assert.throws(() => openOneTimePad(shortPad, Buffer.alloc(0), Buffer.alloc(116)), exhausted);
    assert.throws(
      () => openOneTimePad(shortPad, Buffer.alloc(0), Buffer.alloc(15)),
      (error) => QuMailError.is(error, 'open.truncated'),
    );
  });
});
