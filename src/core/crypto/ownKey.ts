import { QuMailError } from '../base/errors.ts';
import { hkdf } from './hkdf.ts';
import { PGP_TAG, readPackets } from './pgpPackets.ts';

const SALT = Buffer.from('QuMail/1', 'latin1');
/** Packets of an own secret key: two subkeys at most, their signatures, one user ID. */
const MAX_PACKETS = 400;

/**
 * A key that all devices with one own certificate share: HKDF-SHA-512 over the primary secret key packet, 32 octets. No
 * encryption subkey goes into it, so it is the same before and after these are renewed, and no public-key algorithm
 * stands between what it seals and whoever finds that. `info` keeps the keys for different uses apart. The caller wipes it.
 *
 * @param secretKey binary transferable secret key, unprotected
 * @throws QuMailError `open.malformed` for anything else
 */
export function ownKey(secretKey: Uint8Array, info: Uint8Array): Buffer {
  const [primary] = readPackets(secretKey, MAX_PACKETS);
  if (primary?.tag !== PGP_TAG.secretKey || !primary.whole) throw new QuMailError('open.malformed', { what: 'secret-key' });
  return hkdf('sha512', primary.body, SALT, info, 32);
}
