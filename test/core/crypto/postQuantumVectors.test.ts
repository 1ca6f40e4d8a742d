import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { compileFunction } from 'node:vm';
import { isMlKem768Key } from '../../../src/core/crypto/mlKemKey.ts';
import { hex, readVectors } from './wycheproof.ts';

interface Kem {
  keygen(seed: Uint8Array): { publicKey: Uint8Array; secretKey: Uint8Array };
  encapsulate(publicKey: Uint8Array, m: Uint8Array): { cipherText: Uint8Array; sharedSecret: Uint8Array };
  decapsulate(cipherText: Uint8Array, secretKey: Uint8Array): Uint8Array;
}

interface Dsa {
  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array, context?: Uint8Array): boolean;
}

/**
 * ML-KEM-768 and ML-DSA-65 out of the very file that is shipped (openpgp.min.cjs, which the check `vsix` compares octet for octet): a line
 * is added that hands them out, nothing else is touched.
 */
function shippedPrimitives(): { kem: Kem; dsa: Dsa } {
  const require = createRequire(import.meta.url);
  const path = require.resolve('@protontech/openpgp');
  const source = readFileSync(path, 'utf8');
  const names = /Object\.freeze\(\{__proto__:null,ml_dsa65:([\w$]+),ml_kem768:([\w$]+)\}\)/.exec(source);
  assert.ok(names && path.endsWith('openpgp.min.cjs'), 'the library keeps its primitives in another form now');
  const exports: { dsa?: Dsa; kem?: Kem } = {};
  compileFunction(`${source};exports.dsa=${names[1]};exports.kem=${names[2]};`, ['exports', 'require', '__filename'])(
    exports,
    require,
    path,
  );
  return { kem: exports.kem!, dsa: exports.dsa! };
}

const { kem, dsa } = shippedPrimitives();
/** Views without Buffer's own `slice`, and of the vectors' exact length. */
const bytes = (text: string): Uint8Array => Uint8Array.from(hex(text));

describe('ML-KEM-768 of the shipped OpenPGP library', () => {
  it('makes keys and decapsulates as every Wycheproof vector says, implicit rejection included', function () {
    this.timeout(10_000);
    interface Vector {
      readonly tcId: number;
      readonly seed: string;
      readonly ek?: string;
      readonly c: string;
      readonly K: string;
      readonly result: 'valid' | 'invalid';
    }
    const counts = { valid: 0, invalid: 0 };
    for (const group of readVectors<Vector>(this, 'mlkem_768_test.json')) {
      for (const { tcId, seed, ek, c, K, result } of group.tests) {
        const run = (): { key: Uint8Array; secret: Uint8Array } => {
          const { publicKey, secretKey } = kem.keygen(bytes(seed));
          return { key: publicKey, secret: kem.decapsulate(bytes(c), secretKey) };
        };
        if (result === 'valid') {
          const { key, secret } = run();
          if (ek !== undefined) assert.equal(Buffer.from(key).toString('hex'), ek, `tcId ${tcId}`);
          assert.equal(Buffer.from(secret).toString('hex'), K, `tcId ${tcId}`);
        } else assert.throws(run, `tcId ${tcId}`);
        counts[result]++;
      }
    }
    console.log(`      ${JSON.stringify(counts)}`);
    assert.deepEqual(counts, { valid: 153, invalid: 40 });
  });

  it('encapsulates as every Wycheproof vector says, and is never given keys out of range', function () {
    this.timeout(10_000);
    interface Vector {
      readonly tcId: number;
      readonly m: string;
      readonly ek: string;
      readonly c: string;
      readonly K: string;
      readonly result: 'valid' | 'invalid';
    }
    const counts = { valid: 0, invalid: 0 };
    for (const group of readVectors<Vector>(this, 'mlkem_768_encaps_test.json')) {
      for (const { tcId, m, ek, c, K, result } of group.tests) {
        // The library alone takes keys out of range, so certificates are checked before they reach it (pgpCertificate.ts).
        const run = () => {
          assert.ok(isMlKem768Key(bytes(ek)));
          return kem.encapsulate(bytes(ek), bytes(m));
        };
        if (result === 'valid') {
          const { cipherText, sharedSecret } = run();
          assert.equal(Buffer.from(cipherText).toString('hex'), c, `tcId ${tcId}`);
          assert.equal(Buffer.from(sharedSecret).toString('hex'), K, `tcId ${tcId}`);
        } else assert.throws(run, `tcId ${tcId}`);
        counts[result]++;
      }
    }
    console.log(`      ${JSON.stringify(counts)}`);
    assert.deepEqual(counts, { valid: 133, invalid: 132 });
  });
});

describe('ML-DSA-65 of the shipped OpenPGP library', () => {
  it('verifies as every Wycheproof vector says', function () {
    this.timeout(20_000);
    interface Vector {
      readonly tcId: number;
      readonly msg: string;
      readonly ctx?: string;
      readonly sig: string;
      readonly result: 'valid' | 'invalid';
    }
    const counts = { valid: 0, invalid: 0 };
    const groups = readVectors<Vector>(this, 'mldsa_65_verify_test.json') as readonly { publicKey: string; tests: readonly Vector[] }[];
    for (const { publicKey, tests } of groups) {
      const key = bytes(publicKey);
      for (const { tcId, msg, ctx, sig, result } of tests) {
        const verify = (): boolean => {
          try {
            return dsa.verify(key, bytes(msg), bytes(sig), bytes(ctx ?? ''));
          } catch {
            return false;
          }
        };
        assert.equal(verify(), result === 'valid', `tcId ${tcId}`);
        counts[result]++;
      }
    }
    console.log(`      ${JSON.stringify(counts)}`);
    assert.deepEqual(counts, { valid: 79, invalid: 131 });
  });
});
