import { u16be } from '../base/bytes.ts';
import { openOneTimePad, PAD_AUTHENTICATOR_LENGTH, sealOneTimePad, TAG_LENGTH } from './oneTimePad.ts';

/** Octets of a content encryption key. */
export const CEK_LENGTH = 32;
/** Octets of pairwise key that one wrap uses up. */
export const WRAP_KEY_LENGTH = PAD_AUTHENTICATOR_LENGTH + CEK_LENGTH;
/** Octets of `w`: T ‖ C. */
export const WRAP_LENGTH = TAG_LENGTH + CEK_LENGTH;

/** `QuMail-WRAP-v1` ‖ 0x00 ‖ ASCII(id) ‖ 0x00 ‖ u16be of every recipient index, in order (PROTOCOL 8.2). */
function wrapAad(id: string, to: readonly number[]): Buffer {
  return Buffer.concat([Buffer.from(`QuMail-WRAP-v1\0${id}\0`, 'latin1'), ...to.map(u16be)]);
}

/** Wraps `cek` for the recipients `to` of message `id` (base64url) by the L1 construction; `key` holds at least 64 octets. */
export function wrapCek(key: Uint8Array, id: string, to: readonly number[], cek: Uint8Array): Buffer {
  return sealOneTimePad(key.subarray(0, WRAP_KEY_LENGTH), wrapAad(id, to), cek);
}

/** @throws QuMailError `open.tampered` */
export function unwrapCek(key: Uint8Array, id: string, to: readonly number[], wrapped: Uint8Array): Buffer {
  return openOneTimePad(key.subarray(0, WRAP_KEY_LENGTH), wrapAad(id, to), wrapped);
}
