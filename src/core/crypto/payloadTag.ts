import { createHmac } from 'node:crypto';
import { wipe } from '../base/bytes.ts';
import { hkdf } from './hkdf.ts';

const SALT = Buffer.from('QuMail/1', 'latin1');
const INFO = Buffer.from('QM1 L3 payload tag', 'latin1');

/** Octets of the tag. */
export const PAYLOAD_TAG_LENGTH = 32;

/**
 * The tag of an L3 payload (PROTOCOL 5): OpenPGP authenticates what is encrypted, but not the session-key packets of the other recipients.
 * T = HMAC-SHA-256(HKDF-SHA-512(session key, "QuMail/1", "QM1 L3 payload tag", 32), AAD ‖ body), so that whoever opens the message knows that
 * all of it is as it was sealed.
 *
 * @param sessionKey as PgpEngine hands it out: one octet for the cipher, then the key. Not wiped here.
 */
export function payloadTag(sessionKey: Uint8Array, aad: Uint8Array, body: Uint8Array): Buffer {
  const key = hkdf('sha512', sessionKey.subarray(1), SALT, INFO, 32);
  try {
    return createHmac('sha256', key).update(aad).update(body).digest();
  } finally {
    wipe(key);
  }
}
