import assert from 'node:assert/strict';
import { readPublished } from './wycheproof.ts';
import { pgp } from './pgpWorld.ts';

/** What the appendix of RFC 9980 signs, with the line end of a text signature (RFC 9580 section 5.2.4). */
const SIGNED = Buffer.from('Testing\n');
const CREATED = Date.UTC(2025, 0, 1);
const NOW = Date.UTC(2026, 0, 1);

describe('The sample certificate and signature of RFC 9980', () => {
  it('is read: version 6, ML-DSA-65+Ed25519 and ML-KEM-768+X25519', async function () {
    const { kind, bytes } = await pgp.dearmor(readPublished(this, 'rfc9980/v6-mldsa-65-sample-pk.asc').toString());
    assert.equal(kind, 'certificate');
    const facts = await pgp.inspect(bytes, { now: NOW, address: 'pqc-test-key@example.com' });
    assert.deepEqual(facts, {
      fingerprint: 'A3E2E14B6A493FF930FB27321F125E9A6880338BE9FB7DA3AE065EA65793242F',
      version: 6,
      addresses: ['pqc-test-key@example.com'],
      createdAt: CREATED,
      postQuantum: true,
      algorithms: ['pqc_mldsa_ed25519', 'pqc_mlkem_x25519'],
    });
  });

  it('can be sealed to', async function () {
    const { bytes } = await pgp.dearmor(readPublished(this, 'rfc9980/v6-mldsa-65-sample-pk.asc').toString());
    const { message, sessionKey } = await pgp.seal({ plaintext: SIGNED, certificates: [bytes], now: NOW, profile: 'pq' });
    assert.deepEqual((await pgp.open({ message, secretKeys: [], sessionKey, verifyWith: [], now: NOW })).plaintext, SIGNED);
  });

  it('verifies what was signed and nothing else, and no altered octet of the signature', async function () {
    this.timeout(20_000);
    const { bytes: certificate } = await pgp.dearmor(readPublished(this, 'rfc9980/v6-mldsa-65-sample-pk.asc').toString());
    const { kind, bytes: signature } = await pgp.dearmor(readPublished(this, 'rfc9980/v6-mldsa-65-sample-signature.asc').toString());
    assert.equal(kind, 'signature');
    const verify = (data: Buffer, by: Buffer) => pgp.verify({ data, signature: by, verifyWith: [certificate], now: NOW });
    const result = await verify(SIGNED, signature);
    assert.equal(result.state, 'valid');
    assert.equal(result.postQuantum, true);
    assert.equal((await verify(Buffer.from('Testing'), signature)).state, 'invalid');
    let refused = 0;
    for (let at = 0; at < signature.length; at += 67) {
      const altered = Buffer.from(signature);
      altered[at] = altered[at]! ^ (1 << (at % 8));
      const outcome = await verify(SIGNED, altered).catch((error: { code?: string }) => error.code);
      // The unhashed area may say anything: a changed issuer there leads to nobody, not to another answer.
      assert.ok(outcome === 'open.malformed' || (typeof outcome === 'object' && outcome.state !== 'valid'), `octet ${at}`);
      refused++;
    }
    console.log(`      ${refused} altered signatures refused`);
  });
});
