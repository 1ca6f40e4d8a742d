import assert from 'node:assert/strict';
import { createPrivateKey, createPublicKey, diffieHellman, verify, webcrypto } from 'node:crypto';
import { hex, readVectors } from './wycheproof.ts';

/** DER around raw keys (RFC 8410 section 10.3 and 7). */
const X25519_PUBLIC = hex('302a300506032b656e032100');
const X25519_PRIVATE = hex('302e020100300506032b656e04220420');
const ED25519_PUBLIC = hex('302a300506032b6570032100');

function x25519(privateKey: Buffer, publicKey: Buffer): Buffer {
  return diffieHellman({
    privateKey: createPrivateKey({ key: Buffer.concat([X25519_PRIVATE, privateKey]), format: 'der', type: 'pkcs8' }),
    publicKey: createPublicKey({ key: Buffer.concat([X25519_PUBLIC, publicKey]), format: 'der', type: 'spki' }),
  });
}

/** The way the OpenPGP library goes. */
async function x25519ByWebCrypto(privateKey: Buffer, publicKey: Buffer): Promise<Buffer> {
  const { subtle } = webcrypto;
  const name = 'X25519';
  const own = await subtle.importKey('pkcs8', Buffer.concat([X25519_PRIVATE, privateKey]), { name }, false, ['deriveBits']);
  const other = await subtle.importKey('raw', publicKey, { name }, false, []);
  return Buffer.from(await subtle.deriveBits({ name, public: other }, own, 256));
}

function ed25519(publicKey: Buffer, message: Buffer, signature: Buffer): boolean {
  const key = createPublicKey({ key: Buffer.concat([ED25519_PUBLIC, publicKey]), format: 'der', type: 'spki' });
  return verify(null, message, key, signature);
}

async function ed25519ByWebCrypto(publicKey: Buffer, message: Buffer, signature: Buffer): Promise<boolean> {
  const key = await webcrypto.subtle.importKey('raw', publicKey, { name: 'Ed25519' }, false, ['verify']);
  return webcrypto.subtle.verify({ name: 'Ed25519' }, key, signature, message);
}

describe('X25519 of this runtime, as node:crypto and as WebCrypto', () => {
  it('agrees with RFC 7748 section 5.2', async () => {
    const scalar = hex('a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4');
    const point = hex('e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c');
    const out = 'c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552';
    assert.equal(x25519(scalar, point).toString('hex'), out);
    assert.equal((await x25519ByWebCrypto(scalar, point)).toString('hex'), out);
  });

  it('agrees with every Wycheproof vector, and gives no secret of zeros away', async function () {
    interface Vector {
      readonly tcId: number;
      readonly public: string;
      readonly private: string;
      readonly shared: string;
      readonly flags: readonly string[];
      readonly result: 'valid' | 'acceptable';
    }
    const counts = { valid: 0, acceptable: 0, 'acceptable, a secret of zeros: refused': 0 };
    for (const group of readVectors<Vector>(this, 'x25519_test.json')) {
      for (const vector of group.tests) {
        const [own, other] = [hex(vector.private), hex(vector.public)];
        if (/^0+$/.test(vector.shared)) {
          assert.throws(() => x25519(own, other), `tcId ${vector.tcId}`);
          await assert.rejects(x25519ByWebCrypto(own, other), `tcId ${vector.tcId}`);
          counts['acceptable, a secret of zeros: refused']++;
          continue;
        }
        assert.equal(x25519(own, other).toString('hex'), vector.shared, `tcId ${vector.tcId}`);
        assert.equal((await x25519ByWebCrypto(own, other)).toString('hex'), vector.shared, `tcId ${vector.tcId}`);
        counts[vector.result]++;
      }
    }
    console.log(`      ${JSON.stringify(counts)}`);
    assert.equal(counts.valid, 264);
    assert.equal(counts.valid + counts.acceptable + counts['acceptable, a secret of zeros: refused'], 518);
  });
});

describe('Ed25519 of this runtime, as node:crypto and as WebCrypto', () => {
  it('agrees with RFC 8032 section 7.1, test 3', async () => {
    const key = hex('fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025');
    const message = hex('af82');
    const signature = hex(
      '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
    );
    assert.equal(ed25519(key, message, signature), true);
    assert.equal(await ed25519ByWebCrypto(key, message, signature), true);
  });

  it('verifies as every Wycheproof vector says', async function () {
    interface Vector {
      readonly tcId: number;
      readonly msg: string;
      readonly sig: string;
      readonly result: 'valid' | 'invalid';
    }
    const counts = { valid: 0, invalid: 0 };
    const groups = readVectors<Vector>(this, 'ed25519_test.json') as readonly { publicKey: { pk: string }; tests: readonly Vector[] }[];
    for (const { publicKey, tests } of groups) {
      for (const { tcId, msg, sig, result } of tests) {
        const [key, message, signature] = [hex(publicKey.pk), hex(msg), hex(sig)];
        assert.equal(ed25519(key, message, signature), result === 'valid', `tcId ${tcId}`);
        assert.equal(await ed25519ByWebCrypto(key, message, signature), result === 'valid', `tcId ${tcId}`);
        counts[result]++;
      }
    }
    console.log(`      ${JSON.stringify(counts)}`);
    assert.deepEqual(counts, { valid: 88, invalid: 63 });
  });
});
