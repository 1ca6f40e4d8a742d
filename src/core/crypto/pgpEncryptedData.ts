import { createCipheriv, createSecretKey } from 'node:crypto';
import { wipe } from '../base/bytes.ts';
import { hkdf } from './hkdf.ts';

const ENCRYPTED_DATA_TAG = 18;
const VERSION = 2;
const AES_256 = 9;
const GCM = 3;
/** Chunks of 2^(12+6) octets, 256 KiB. */
const CHUNK_SIZE_OCTET = 12;
const CHUNK_LENGTH = 2 ** (CHUNK_SIZE_OCTET + 6);
const SALT_LENGTH = 32;
const TAG_LENGTH = 16;
const NONCE_LENGTH = 12;
const COUNTER_LENGTH = 8;
const HEADER_LENGTH = 4 + SALT_LENGTH;

/** The header of a packet in the new format with a length of five octets (RFC 9580 section 4.2.1). */
export function packetHeader(tag: number, length: number): Buffer {
  const header = Buffer.alloc(6);
  header[0] = 0xc0 | tag;
  header[1] = 0xff;
  header.writeUInt32BE(length, 2);
  return header;
}

/**
 * The encrypted data packet of a message, version 2 with AES-256-GCM (RFC 9580 section 5.13.2), around the packets in `pieces`. The library
 * makes the same in three times the time, in thread-pool turns and copies.
 *
 * @param sessionKey 32 octets
 * @param salt 32 octets, never used twice with one session key
 * @param before what stands in front of the packet in the result: the session-key packets
 */
export function sealEncryptedData(sessionKey: Uint8Array, salt: Uint8Array, pieces: readonly Uint8Array[], before: Uint8Array): Buffer {
  const length = pieces.reduce((sum, piece) => sum + piece.byteLength, 0);
  const chunks = Math.max(1, Math.ceil(length / CHUNK_LENGTH));
  const body = HEADER_LENGTH + length + (chunks + 1) * TAG_LENGTH;
  const info = Buffer.of(0xc0 | ENCRYPTED_DATA_TAG, VERSION, AES_256, GCM, CHUNK_SIZE_OCTET);
  const out = Buffer.allocUnsafeSlow(before.byteLength + 6 + body);
  out.set(before);
  out.set(packetHeader(ENCRYPTED_DATA_TAG, body), before.byteLength);
  let at = before.byteLength + 6;
  out.set(info.subarray(1), at);
  out.set(salt, at + 4);
  at += HEADER_LENGTH;

  const derived = hkdf('sha256', sessionKey, salt, info, 32 + NONCE_LENGTH - COUNTER_LENGTH);
  const key = createSecretKey(derived.subarray(0, 32));
  const nonce = Buffer.alloc(NONCE_LENGTH);
  derived.copy(nonce, 0, 32);
  try {
    const source = cursorOf(pieces);
    for (let index = 0; index < chunks; index++) {
      nonce.writeUInt32BE(index, NONCE_LENGTH - 4);
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(info);
      for (const part of source(Math.min(CHUNK_LENGTH, length - index * CHUNK_LENGTH))) {
        out.set(cipher.update(part), at);
        at += part.byteLength;
      }
      cipher.final();
      out.set(cipher.getAuthTag(), at);
      at += TAG_LENGTH;
    }
    // The last tag covers how much there was, so that nothing can be cut off between chunks.
    nonce.writeUInt32BE(chunks, NONCE_LENGTH - 4);
    const total = Buffer.alloc(COUNTER_LENGTH);
    total.writeBigUInt64BE(BigInt(length));
    const last = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.concat([info, total]));
    last.final();
    out.set(last.getAuthTag(), at);
    return out;
  } finally {
    wipe(derived, nonce);
  }
}

/** Hands out the next so many octets of the pieces as views. */
function cursorOf(pieces: readonly Uint8Array[]): (length: number) => Generator<Uint8Array> {
  let index = 0;
  let offset = 0;
  return function* next(length) {
    let left = length;
    while (left > 0) {
      const piece = pieces[index]!;
      const part = piece.subarray(offset, offset + left);
      offset += part.byteLength;
      left -= part.byteLength;
      if (offset === piece.byteLength) {
        index++;
        offset = 0;
      }
      if (part.byteLength > 0) yield part;
    }
  };
}
