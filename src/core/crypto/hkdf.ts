import { createHmac, hkdfSync } from 'node:crypto';
import { wipe } from '../base/bytes.ts';

export type HkdfHash = 'sha256' | 'sha512';

const HASH_LENGTH = { sha256: 32, sha512: 64 } as const;

/** HKDF, extract and expand (RFC 5869 section 2); `length` in octets, at most 255 hash lengths (RangeError above). */
export function hkdf(hash: HkdfHash, secret: Uint8Array, salt: Uint8Array, info: Uint8Array, length: number): Buffer {
  return Buffer.from(hkdfSync(hash, secret, salt, info, length));
}

/** HKDF-Expand alone (RFC 5869 section 2.3), which node:crypto does not offer; `length` in octets, at most 255 hash lengths. */
export function hkdfExpand(hash: HkdfHash, prk: Uint8Array, info: Uint8Array, length: number): Buffer {
  const size = HASH_LENGTH[hash];
  const rounds = Math.ceil(length / size);
  if (rounds > 255) throw new RangeError('HKDF-Expand length');
  const blocks = Buffer.alloc(rounds * size);
  for (let i = 1; i <= rounds; i++) {
    const hmac = createHmac(hash, prk);
    if (i > 1) hmac.update(blocks.subarray((i - 2) * size, (i - 1) * size));
    const block = hmac.update(info).update(Uint8Array.of(i)).digest();
    blocks.set(block, (i - 1) * size);
    wipe(block);
  }
  wipe(blocks.subarray(length));
  return blocks.subarray(0, length);
}
