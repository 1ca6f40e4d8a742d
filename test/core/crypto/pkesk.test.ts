import assert from 'node:assert/strict';
import { systemRandom } from '../../../src/core/base/systemPorts.ts';
import { OpenPgpEngine } from '../../../src/core/crypto/openPgpEngine.ts';
import { isPostQuantumMessage } from '../../../src/core/crypto/pkesk.ts';

/** A packet in the new format with a one-octet length. */
const packet = (tag: number, ...body: number[]): Buffer => Buffer.from([0xc0 | tag, body.length, ...body]);
const v3 = (algorithm: number): Buffer => packet(1, 3, ...Array.from({ length: 8 }, () => 7), algorithm, 0);
const v6 = (algorithm: number): Buffer => packet(1, 6, 33, 6, ...Array.from({ length: 32 }, () => 7), algorithm, 0);
const data = packet(18, 2, 9, 3, 6);

describe('whether an OpenPGP message holds against quantum computers', () => {
  it('is true where every session key is wrapped by ML-KEM, and for what this program seals', async () => {
    assert.ok(isPostQuantumMessage(Buffer.concat([v6(35), v3(36), data])));
    const pgp = new OpenPgpEngine({ random: systemRandom });
    const { certificate } = await pgp.generate({ addresses: ['a@example.test'], name: 'A', now: Date.now() });
    const { message } = await pgp.seal({ plaintext: Buffer.from('x'), certificates: [certificate], now: Date.now(), profile: 'pq' });
    assert.ok(isPostQuantumMessage(message));
  });

  it('is false where one session key can be had by breaking RSA or a curve, or by guessing a password', () => {
    for (const weak of [v3(1), v3(18), v6(25), packet(3, 4, 9, 0, 8), packet(1, 9), packet(1)])
      assert.ok(!isPostQuantumMessage(Buffer.concat([v6(35), weak, data])));
    assert.ok(!isPostQuantumMessage(data));
  });
});
