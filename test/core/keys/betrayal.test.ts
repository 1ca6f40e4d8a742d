import assert from 'node:assert/strict';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { findBetrayal } from '../../../src/core/keys/betrayal.ts';

const asUuid = (bytes: Buffer, version?: number): string => {
  const b = Buffer.from(bytes.subarray(0, 16));
  if (version !== undefined) {
    b[6] = (b[6]! & 0x0f) | (version << 4);
    b[8] = (b[8]! & 0x3f) | 0x80;
  }
  return b.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
};
const hash = (name: string, ...parts: (Buffer | string)[]): Buffer => {
  const h = createHash(name);
  for (const part of parts) h.update(part);
  return h.digest();
};

describe('keys that betray themselves', () => {
  const key = randomBytes(32);

  it('an ID that is a digest of the key is found, bare, as a UUID of any version, over its base64 or its hex', () => {
    for (const algorithm of ['md5', 'sha1', 'sha256', 'sha512']) {
      for (const form of [key, Buffer.from(key.toString('base64')), Buffer.from(key.toString('hex'))]) {
        const digest = hash(algorithm, form);
        for (const id of [
          digest.toString('hex'),
          asUuid(digest),
          asUuid(digest).toUpperCase(),
          asUuid(digest, 5),
          asUuid(digest, 4),
          digest.toString('base64'),
        ]) {
          assert.equal(findBetrayal(id, key), 'id-from-key', `${algorithm} ${id}`);
        }
      }
    }
  });

  it('a name-based UUID of the key is found', () => {
    const dns = Buffer.from('6ba7b8109dad11d180b400c04fd430c8', 'hex');
    assert.equal(findBetrayal(asUuid(hash('sha1', dns, key), 5), key), 'id-from-key');
    assert.equal(findBetrayal(asUuid(hash('md5', dns, key), 3), key), 'id-from-key');
  });

  it('an ID that is a part of the key is found', () => {
    assert.equal(findBetrayal(asUuid(key), key), 'id-from-key');
    assert.equal(findBetrayal(asUuid(key.subarray(16)), key), 'id-from-key');
  });

  it('a key that is a function of its ID is found', () => {
    const id = randomUUID();
    const raw = Buffer.from(id.replaceAll('-', ''), 'hex');
    for (const bytes of [
      hash('sha256', id),
      hash('sha512', raw),
      hash('sha256', id.replaceAll('-', '')),
      Buffer.from(id),
      Buffer.concat([raw, randomBytes(16)]),
    ]) {
      assert.notEqual(findBetrayal(id, bytes), undefined);
    }
    assert.equal(findBetrayal(id, hash('sha256', id)), 'key-from-id');
  });

  it('random UUIDs, numbers and short names over random keys are fine', () => {
    for (let i = 0; i < 200; i++) assert.equal(findBetrayal(randomUUID(), randomBytes(32)), undefined);
    for (const id of ['1', '1234567890123456', 'key-000001', 'x']) assert.equal(findBetrayal(id, key), undefined);
    assert.equal(findBetrayal(randomUUID(), randomBytes(65_568)), undefined);
  });
});
