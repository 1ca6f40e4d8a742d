import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { inflateSync } from 'node:zlib';
import { QuMailError } from '../../../src/core/base/errors.ts';
import { CHUNK_LENGTH, cobblestoneLength, openCobblestone, sealCobblestone } from '../../../src/core/crypto/cobblestone.ts';
import { hex, readVectors } from './wycheproof.ts';

interface ChunkedVector {
  readonly tcId: number;
  readonly comment: string;
  readonly key: string;
  readonly ctx: string;
  readonly ct: string;
  readonly msgLength?: number;
  readonly msgSha512?: string;
  readonly result: 'valid' | 'invalid';
  readonly flags: readonly string[];
}

function piecesOf(message: Buffer, size: number): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < message.length; at += size) pieces.push(message.subarray(at, at + size));
  return pieces;
}

describe('Cobblestone-256', () => {
  it('agrees with every published chunked-encryption vector, sealed whole, in pieces and byte by byte', function () {
    this.timeout(20_000);
    const counts = { opened: 0, resealed: 0, refused: 0 };
    for (const group of readVectors<ChunkedVector>(this, 'c2sp_chunked_encryption_aes_256_gcm_test.json')) {
      for (const vector of group.tests) {
        const name = `tcId ${vector.tcId} ${vector.comment}`;
        const [key, context, sealed] = [hex(vector.key), hex(vector.ctx), inflateSync(hex(vector.ct))];
        if (vector.result === 'invalid') {
          assert.throws(
            () => openCobblestone(key, context, sealed),
            vector.flags.includes('InvalidKeySize') ? RangeError : QuMailError,
            name,
          );
          counts.refused++;
          continue;
        }
        const message = openCobblestone(key, context, sealed);
        assert.equal(message.length, vector.msgLength, name);
        assert.equal(createHash('sha512').update(message).digest('hex'), vector.msgSha512, name);
        counts.opened++;
        const salt = sealed.subarray(0, 24);
        const cuts = [message.length || 1, 16_384, 16_383, 5_000, 65_537, ...(message.length < 40_000 ? [1] : [])];
        for (const size of cuts)
          assert.ok(sealCobblestone(key, salt, context, piecesOf(message, size)).equals(sealed), `${name} in pieces of ${size}`);
        counts.resealed += cuts.length;
      }
    }
    console.log(`      ${JSON.stringify(counts)}`);
    assert.deepEqual([counts.opened, counts.refused], [10, 25]);
  });

  it('names what is cut off and what was changed', () => {
    const key = Buffer.alloc(32, 1);
    const context = Buffer.from('context');
    const sealed = sealCobblestone(key, Buffer.alloc(24, 2), context, [Buffer.alloc(2 * CHUNK_LENGTH + 10, 3)]);
    assert.equal(sealed.length, cobblestoneLength(2 * CHUNK_LENGTH + 10));
    for (const length of [0, 23, 55, 56, 71, 56 + CHUNK_LENGTH + 16, 56 + 2 * (CHUNK_LENGTH + 16), 56 + 2 * (CHUNK_LENGTH + 16) + 15]) {
      assert.throws(() => openCobblestone(key, context, sealed.subarray(0, length)), { code: 'open.truncated' }, `cut to ${length}`);
    }
    for (const at of [0, 23, 24, 55, 56, 56 + CHUNK_LENGTH, 56 + CHUNK_LENGTH + 16, sealed.length - 17, sealed.length - 1]) {
      const altered = Buffer.from(sealed);
      altered[at] = altered[at]! ^ 1;
      assert.throws(() => openCobblestone(key, context, altered), { code: 'open.tampered' }, `altered at ${at}`);
    }
  });

  it('commits to key and context: another of either is refused before any chunk is decrypted', () => {
    const sealed = sealCobblestone(Buffer.alloc(32, 1), Buffer.alloc(24, 2), Buffer.from('a'), [Buffer.from('text')]);
    assert.throws(() => openCobblestone(Buffer.alloc(32, 9), Buffer.from('a'), sealed), { code: 'open.tampered' });
    assert.throws(() => openCobblestone(Buffer.alloc(32, 1), Buffer.from('b'), sealed), { code: 'open.tampered' });
  });

  it('seals pieces of any shape, empty ones included, as their concatenation', () => {
    const message = Buffer.from(Uint8Array.from({ length: 3 * CHUNK_LENGTH }, (_, i) => i & 0xff));
    const [key, salt, context] = [Buffer.alloc(32, 1), Buffer.alloc(24, 2), Buffer.alloc(0)];
    const whole = sealCobblestone(key, salt, context, [message]);
    const empty = Buffer.alloc(0);
    const shapes = [
      [empty, message, empty],
      [message.subarray(0, 1), empty, empty, message.subarray(1, CHUNK_LENGTH), message.subarray(CHUNK_LENGTH)],
      [...piecesOf(message, 7_777), empty],
    ];
    for (const pieces of shapes) assert.ok(sealCobblestone(key, salt, context, pieces).equals(whole));
    assert.equal(openCobblestone(key, context, sealCobblestone(key, salt, context, [])).length, 0);
    assert.equal(openCobblestone(key, context, sealCobblestone(key, salt, context, [empty])).length, 0);
  });
});
