import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from 'node:crypto';
import { equalBytes, wipe } from '../base/bytes.ts';
import { QuMailError } from '../base/errors.ts';
import { hkdfExpand } from './hkdf.ts';

/** Cobblestone-256: C2SP chunked-encryption@v1 with AEAD_AES_256_GCM and HKDF-SHA-512. */
export const COBBLESTONE_KEY_LENGTH = 32;
export const COBBLESTONE_SALT_LENGTH = 24;
export const CHUNK_LENGTH = 16_384;
const COMMITMENT_LENGTH = 32;
const HEADER_LENGTH = COBBLESTONE_SALT_LENGTH + COMMITMENT_LENGTH;
const NONCE_LENGTH = 12;
const TAG_LENGTH = 16;
const LABEL = Buffer.from('c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0', 'latin1');
/** The specification's own limit is 2^38 chunks; 2^32 is the lowest it allows, and lets the counter be one 32-bit word. */
const MAX_CHUNKS = 2 ** 32;

/** Octets of the ciphertext of a message of `length` octets. */
export function cobblestoneLength(length: number): number {
  return HEADER_LENGTH + length + TAG_LENGTH * (Math.floor(length / CHUNK_LENGTH) + 1);
}

/**
 * Seals the concatenation of `pieces`: salt ‖ commitment ‖ chunks.
 *
 * @param key 32 octets, uniformly random; RangeError for any other length
 * @param salt 24 octets, never used twice with one key
 * @param context authenticated, not sent; may be empty
 */
export function sealCobblestone(key: Uint8Array, salt: Uint8Array, context: Uint8Array, pieces: readonly Uint8Array[]): Buffer {
  const length = pieces.reduce((sum, piece) => sum + piece.byteLength, 0);
  const out = Buffer.allocUnsafeSlow(cobblestoneLength(length));
  const keys = deriveKeys(key, salt, context);
  try {
    out.set(salt);
    out.set(keys.commitment, COBBLESTONE_SALT_LENGTH);
    let at = HEADER_LENGTH;
    let index = 0;
    for (const chunk of chunksOf(pieces, length)) {
      // A KeyObject instead of a Buffer: importing the key anew for every chunk would cost more than the encryption.
      const cipher = createCipheriv('aes-256-gcm', keys.aead, keys.nonceOf(index++));
      out.set(cipher.update(chunk), at);
      cipher.final();
      at += chunk.byteLength;
      out.set(cipher.getAuthTag(), at);
      at += TAG_LENGTH;
    }
    return out;
  } finally {
    keys.wipe();
  }
}

/**
 * Opens what `sealCobblestone` made. The commitment is compared first; no byte of an unverified chunk, and nothing at all of a
 * message that fails later, is handed out.
 *
 * @throws QuMailError `open.truncated` for lengths that lack something, `open.tampered` for everything else
 */
export function openCobblestone(key: Uint8Array, context: Uint8Array, sealed: Uint8Array): Buffer {
  const body = sealed.byteLength - HEADER_LENGTH;
  const lastSealed = body % (CHUNK_LENGTH + TAG_LENGTH);
  if (body < TAG_LENGTH || lastSealed < TAG_LENGTH) throw new QuMailError('open.truncated');
  const salt = sealed.subarray(0, COBBLESTONE_SALT_LENGTH);
  const keys = deriveKeys(key, salt, context);
  const chunks = Math.floor(body / (CHUNK_LENGTH + TAG_LENGTH)) + 1;
  const message = Buffer.allocUnsafeSlow(body - chunks * TAG_LENGTH);
  try {
    if (!equalBytes(keys.commitment, sealed.subarray(COBBLESTONE_SALT_LENGTH, HEADER_LENGTH))) throw new QuMailError('open.tampered');
    let at = HEADER_LENGTH;
    for (let index = 0; index < chunks; index++) {
      const length = index === chunks - 1 ? lastSealed - TAG_LENGTH : CHUNK_LENGTH;
      const tagAt = at + length;
      message.set(
        openChunk(keys.aead, keys.nonceOf(index), sealed.subarray(at, tagAt), sealed.subarray(tagAt, tagAt + TAG_LENGTH)),
        index * CHUNK_LENGTH,
      );
      at = tagAt + TAG_LENGTH;
    }
    return message;
  } catch (error) {
    wipe(message);
    throw error;
  } finally {
    keys.wipe();
  }
}

function openChunk(key: KeyObject, nonce: Uint8Array, ciphertext: Uint8Array, tag: Uint8Array): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_LENGTH }).setAuthTag(tag);
  const chunk = decipher.update(ciphertext);
  try {
    decipher.final();
    return chunk;
  } catch (cause) {
    wipe(chunk);
    throw new QuMailError('open.tampered', {}, { cause });
  }
}

interface ChunkKeys {
  readonly aead: KeyObject;
  readonly commitment: Buffer;
  /** The same buffer on every call: use it before asking again. */
  nonceOf(index: number): Buffer;
  wipe(): void;
}

function deriveKeys(key: Uint8Array, salt: Uint8Array, context: Uint8Array): ChunkKeys {
  if (key.byteLength !== COBBLESTONE_KEY_LENGTH) throw new RangeError('Cobblestone-256 key length');
  const okm = hkdfExpand('sha512', key, Buffer.concat([LABEL, salt, context]), COBBLESTONE_KEY_LENGTH + NONCE_LENGTH + COMMITMENT_LENGTH);
  const nonce = Buffer.from(okm.subarray(COBBLESTONE_KEY_LENGTH, COBBLESTONE_KEY_LENGTH + NONCE_LENGTH));
  const counterBase = nonce.readUInt32BE(NONCE_LENGTH - 4);
  return {
    aead: createSecretKey(okm.subarray(0, COBBLESTONE_KEY_LENGTH)),
    commitment: okm.subarray(COBBLESTONE_KEY_LENGTH + NONCE_LENGTH),
    nonceOf(index) {
      if (index >= MAX_CHUNKS) throw new QuMailError('open.limit', { what: 'chunks', limit: MAX_CHUNKS });
      nonce.writeUInt32BE((counterBase ^ index) >>> 0, NONCE_LENGTH - 4);
      return nonce;
    },
    wipe: () => wipe(okm, nonce),
  };
}

/** Cuts pieces into chunks of 16 KiB and a last, shorter, possibly empty one; copies only chunks that span pieces. */
function* chunksOf(pieces: readonly Uint8Array[], length: number): Generator<Uint8Array> {
  let index = 0;
  let offset = 0;
  for (let left = length; ; left -= CHUNK_LENGTH) {
    const size = Math.min(left, CHUNK_LENGTH);
    while (index < pieces.length - 1 && offset === pieces[index]!.byteLength) {
      index++;
      offset = 0;
    }
    const piece = pieces[index];
    if (piece && piece.byteLength - offset >= size) {
      yield piece.subarray(offset, offset + size);
      offset += size;
    } else {
      const chunk = new Uint8Array(size);
      for (let filled = 0; filled < size;) {
        const part = pieces[index]!.subarray(offset, offset + size - filled);
        chunk.set(part, filled);
        filled += part.byteLength;
        offset += part.byteLength;
        if (filled < size) {
          index++;
          offset = 0;
        }
      }
      yield chunk;
      wipe(chunk);
    }
    if (size < CHUNK_LENGTH) return;
  }
}
