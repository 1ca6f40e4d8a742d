import { poly1305 } from '@noble/ciphers/_poly1305.js';
import { equalBytes, le64, wipe } from '../base/bytes.ts';
import { QuMailError } from '../base/errors.ts';

/** Octets at the front of a pad that become the one-time Poly1305 key r‖s. */
export const PAD_AUTHENTICATOR_LENGTH = 32;
export const TAG_LENGTH = 16;

/**
 * L1 (PROTOCOL 3): RFC 8439 section 2.8 with pad bytes in place of the ChaCha20 key stream. Returns T ‖ C.
 *
 * `pad` must hold at least 32 + |message| octets that were never used and never will be again: two messages under one pad
 * give away both, and two tags under one r‖s allow forgery. It is read, not wiped; that is the caller's duty.
 */
export function sealOneTimePad(pad: Uint8Array, aad: Uint8Array, message: Uint8Array): Buffer {
  requirePad(pad, message.byteLength);
  const body = Buffer.alloc(TAG_LENGTH + message.byteLength);
  const ciphertext = body.subarray(TAG_LENGTH);
  xorPad(pad, message, ciphertext);
  body.set(tagOf(pad, aad, ciphertext));
  return body;
}

/**
 * Verifies T in constant time, and only then decrypts.
 * @throws QuMailError `open.truncated` below 16 octets, `open.tampered` when the tag does not match
 */
export function openOneTimePad(pad: Uint8Array, aad: Uint8Array, body: Uint8Array): Buffer {
  if (body.byteLength < TAG_LENGTH) throw new QuMailError('open.truncated');
  const ciphertext = body.subarray(TAG_LENGTH);
  requirePad(pad, ciphertext.byteLength);
  const tag = tagOf(pad, aad, ciphertext);
  if (!equalBytes(tag, body.subarray(0, TAG_LENGTH))) throw new QuMailError('open.tampered');
  const message = Buffer.alloc(ciphertext.byteLength);
  xorPad(pad, ciphertext, message);
  return message;
}

function requirePad(pad: Uint8Array, length: number): void {
  const wanted = PAD_AUTHENTICATOR_LENGTH + length;
  if (pad.byteLength < wanted) throw new QuMailError('kme.exhausted', { wantedBits: wanted * 8, gotBits: pad.byteLength * 8 });
}

function xorPad(pad: Uint8Array, from: Uint8Array, into: Uint8Array): void {
  for (let i = 0; i < from.length; i++) into[i] = from[i]! ^ pad[PAD_AUTHENTICATOR_LENGTH + i]!;
}

/** Poly1305(r‖s ; AAD ‖ pad16 ‖ C ‖ pad16 ‖ le64(|AAD|) ‖ le64(|C|)), RFC 8439 section 2.8. */
function tagOf(pad: Uint8Array, aad: Uint8Array, ciphertext: Uint8Array): Uint8Array {
  const key = Uint8Array.from(pad.subarray(0, PAD_AUTHENTICATOR_LENGTH));
  try {
    const mac = poly1305.create(key);
    for (const part of [aad, ciphertext]) {
      mac.update(part);
      mac.update(new Uint8Array(-part.byteLength & 15));
    }
    mac.update(le64(aad.byteLength));
    mac.update(le64(ciphertext.byteLength));
    return mac.digest();
  } finally {
    wipe(key);
  }
}
