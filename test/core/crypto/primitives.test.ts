import assert from 'node:assert/strict';
import { createCipheriv, createDecipheriv, createHmac, createSecretKey, type CipherGCMTypes } from 'node:crypto';
import { hkdf, hkdfExpand, type HkdfHash } from '../../../src/core/crypto/hkdf.ts';
import { hex, readVectors, type AeadVector } from './wycheproof.ts';

interface HkdfVector {
  readonly tcId: number;
  readonly ikm: string;
  readonly salt: string;
  readonly info: string;
  readonly size: number;
  readonly okm: string;
  readonly result: 'valid' | 'invalid';
}

function extract(hash: HkdfHash, salt: Buffer, ikm: Buffer): Buffer {
  return createHmac(hash, salt.length > 0 ? salt : Buffer.alloc(hash === 'sha256' ? 32 : 64))
    .update(ikm)
    .digest();
}

describe('HKDF', () => {
  const facts = [
    {
      name: 'A.1',
      ikm: '0b'.repeat(22),
      salt: '000102030405060708090a0b0c',
      info: 'f0f1f2f3f4f5f6f7f8f9',
      prk: '077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5',
      okm: '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865',
    },
    {
      name: 'A.2',
      ikm: Buffer.from(Uint8Array.from({ length: 80 }, (_, i) => i)).toString('hex'),
      salt: Buffer.from(Uint8Array.from({ length: 80 }, (_, i) => 0x60 + i)).toString('hex'),
      info: Buffer.from(Uint8Array.from({ length: 80 }, (_, i) => 0xb0 + i)).toString('hex'),
      prk: '06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244',
      okm: 'b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87',
    },
    {
      name: 'A.3',
      ikm: '0b'.repeat(22),
      salt: '',
      info: '',
      prk: '19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04',
      okm: '8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8',
    },
  ];
  for (const { name, ikm, salt, info, prk, okm } of facts) {
    it(`gives RFC 5869 appendix ${name}, extract and expand`, () => {
      assert.equal(extract('sha256', hex(salt), hex(ikm)).toString('hex'), prk);
      assert.equal(hkdfExpand('sha256', hex(prk), hex(info), okm.length / 2).toString('hex'), okm);
      assert.equal(hkdf('sha256', hex(ikm), hex(salt), hex(info), okm.length / 2).toString('hex'), okm);
    });
  }

  for (const [hash, file, valid, invalid] of [
    ['sha256', 'hkdf_sha256_test.json', 83, 3],
    ['sha512', 'hkdf_sha512_test.json', 80, 3],
  ] as const) {
    it(`agrees with every Wycheproof vector for ${hash}, whole and as extract and expand`, function () {
      const counts = { valid: 0, invalid: 0 };
      for (const group of readVectors<HkdfVector>(this, file)) {
        for (const vector of group.tests) {
          const [ikm, salt, info] = [hex(vector.ikm), hex(vector.salt), hex(vector.info)];
          const ways = [
            () => hkdf(hash, ikm, salt, info, vector.size),
            () => hkdfExpand(hash, extract(hash, salt, ikm), info, vector.size),
          ];
          for (const run of ways) {
            if (vector.result === 'valid') assert.equal(run().toString('hex'), vector.okm, `tcId ${vector.tcId}`);
            else assert.throws(run, RangeError, `tcId ${vector.tcId}`);
          }
          counts[vector.result]++;
        }
      }
      console.log(`      ${JSON.stringify(counts)}`);
      assert.deepEqual(counts, { valid, invalid });
    });
  }
});

describe('AES-GCM of this runtime', () => {
  it('agrees with every Wycheproof vector, all key and nonce sizes, whole and in pieces', function () {
    const counts = { 'AES-256, 96-bit nonce (what QuMail uses)': 0, 'other sizes': 0, 'nonce above the 1,024 bits this runtime takes': 0 };
    for (const group of readVectors<AeadVector>(this, 'aes_gcm_test.json')) {
      const name = `aes-${group.keySize}-gcm` as CipherGCMTypes;
      for (const vector of group.tests) {
        const [key, iv, aad, msg] = [createSecretKey(hex(vector.key)), hex(vector.iv), hex(vector.aad), hex(vector.msg)];
        const open = (piece = 1 << 30): Buffer => {
          const decipher = createDecipheriv(name, key, iv, { authTagLength: 16 }).setAAD(aad).setAuthTag(hex(vector.tag));
          const ciphertext = hex(vector.ct);
          const pieces: Buffer[] = [];
          for (let at = 0; at < ciphertext.length; at += piece) pieces.push(decipher.update(ciphertext.subarray(at, at + piece)));
          return Buffer.concat([...pieces, decipher.final()]);
        };
        if ((group.ivSize ?? 0) > 1024) {
          assert.throws(() => open(), TypeError);
          counts['nonce above the 1,024 bits this runtime takes']++;
          continue;
        }
        if (vector.result === 'valid') {
          for (const piece of [undefined, 1, 7, 16]) assert.deepEqual(open(piece), msg, `tcId ${vector.tcId}`);
          const cipher = createCipheriv(name, key, iv).setAAD(aad);
          const sealed = Buffer.concat([cipher.update(msg), cipher.final(), cipher.getAuthTag()]);
          assert.equal(sealed.toString('hex'), vector.ct + vector.tag, `tcId ${vector.tcId}`);
        } else for (const piece of [undefined, 7]) assert.throws(() => open(piece), `tcId ${vector.tcId}`);
        counts[group.keySize === 256 && group.ivSize === 96 ? 'AES-256, 96-bit nonce (what QuMail uses)' : 'other sizes']++;
      }
    }
    console.log(`      ${JSON.stringify(counts)}`);
    assert.deepEqual(Object.values(counts), [66, 247, 3]);
  });
});
