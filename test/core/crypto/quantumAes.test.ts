import assert from 'node:assert/strict';
import { createDecipheriv, createHmac, hkdfSync } from 'node:crypto';
import { systemRandom } from '../../../src/core/base/systemPorts.ts';
import { messageKey, openQuantumAes, sealQuantumAes } from '../../../src/core/crypto/quantumAes.ts';

describe('quantum-aided AES (L2)', () => {
  const quantumSecret = Buffer.from(Uint8Array.from({ length: 32 }, (_, i) => i));
  const aad = Buffer.from('QuMail-AAD-v1\0eyJ2IjoxfQ', 'latin1');

  it('derives its message key from the length-prefixed QKD key', () => {
    const ikm = Buffer.concat([Buffer.from([0, 32]), quantumSecret]);
    assert.deepEqual(messageKey(quantumSecret), Buffer.from(hkdfSync('sha512', ikm, 'QuMail/1', 'QM1 L2 message key', 32)));
    assert.equal(messageKey(quantumSecret).toString('hex'), messageKey(Buffer.from(quantumSecret)).toString('hex'));
    assert.notDeepEqual(messageKey(Buffer.concat([quantumSecret, Buffer.alloc(1)])), messageKey(quantumSecret));
  });

  it('can be opened by hand from its description: HMAC, HKDF and AES-GCM alone', () => {
    const message = Buffer.alloc(16_384 + 5, 'm');
    const body = sealQuantumAes(quantumSecret, aad, [message], systemRandom);
    const salt = body.subarray(0, 24);
    const prk = messageKey(quantumSecret);
    const info = Buffer.concat([Buffer.from('c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0', 'latin1'), salt, aad]);
    const t1 = createHmac('sha512', prk).update(info).update(Buffer.of(1)).digest();
    const t2 = createHmac('sha512', prk).update(t1).update(info).update(Buffer.of(2)).digest();
    const okm = Buffer.concat([t1, t2]);
    assert.deepEqual(body.subarray(24, 56), okm.subarray(44, 76));
    const chunks = [body.subarray(56, 56 + 16_400), body.subarray(56 + 16_400)];
    const opened = chunks.map((chunk, index) => {
      const nonce = Buffer.from(okm.subarray(32, 44));
      nonce[11] = nonce[11]! ^ index;
      const decipher = createDecipheriv('aes-256-gcm', okm.subarray(0, 32), nonce).setAuthTag(chunk.subarray(-16));
      return Buffer.concat([decipher.update(chunk.subarray(0, -16)), decipher.final()]);
    });
    assert.deepEqual(Buffer.concat(opened), message);
  });

  it('opens under the same key and AAD and no other, and never seals twice alike', () => {
    const message = Buffer.from('text');
    const body = sealQuantumAes(quantumSecret, aad, [message], systemRandom);
    assert.deepEqual(openQuantumAes(quantumSecret, aad, body), message);
    assert.notDeepEqual(sealQuantumAes(quantumSecret, aad, [message], systemRandom), body);
    assert.throws(() => openQuantumAes(Buffer.alloc(32), aad, body), { code: 'open.tampered' });
    assert.throws(() => openQuantumAes(quantumSecret, Buffer.concat([aad, Buffer.from('A')]), body), { code: 'open.tampered' });
  });

  it('takes no key below 256 bits and none whose length does not fit its prefix', () => {
    for (const length of [0, 31, 65_536]) assert.throws(() => messageKey(Buffer.alloc(length)), RangeError);
    assert.equal(messageKey(Buffer.alloc(65_535)).length, 32);
  });
});
