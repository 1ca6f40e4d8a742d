import { u16be, wipe } from '../base/bytes.ts';
import type { Random } from '../base/ports.ts';
import { COBBLESTONE_KEY_LENGTH, COBBLESTONE_SALT_LENGTH, openCobblestone, sealCobblestone } from './cobblestone.ts';
import { hkdf } from './hkdf.ts';

/** Fewest octets of QKD key behind an L2 message. */
export const QUANTUM_SECRET_LENGTH = 32;
/** The length prefix of the message secret is one u16. */
export const MAX_QUANTUM_SECRET_LENGTH = 0xffff;

/** Octets of the post-quantum share of `+PQ`. */
export const SHARE_LENGTH = 32;

const SALT = Buffer.from('QuMail/1', 'latin1');
const INFO = Buffer.from('QM1 L2 message key', 'latin1');

/**
 * Kmsg = HKDF-SHA-512(ikm u16be(|Kq|)‖Kq [‖ u16be(32)‖Spq], salt "QuMail/1", info "QM1 L2 message key", 32), PROTOCOL 4. The length
 * prefixes keep the parts apart. The caller wipes the result.
 */
export function messageKey(quantumSecret: Uint8Array, share?: Uint8Array): Buffer {
  if (quantumSecret.byteLength < QUANTUM_SECRET_LENGTH || quantumSecret.byteLength > MAX_QUANTUM_SECRET_LENGTH) {
    throw new RangeError('quantum secret length');
  }
  if (share && share.byteLength !== SHARE_LENGTH) throw new RangeError('post-quantum share length');
  const shared = share ? [u16be(SHARE_LENGTH), share] : [];
  const secret = Buffer.concat([u16be(quantumSecret.byteLength), quantumSecret, ...shared]);
  try {
    return hkdf('sha512', secret, SALT, INFO, COBBLESTONE_KEY_LENGTH);
  } finally {
    wipe(secret);
  }
}

/** L2 body: Cobblestone-256(Kmsg, context = AAD) over the concatenation of `pieces`; with `+PQ`, `share` is Spq. */
export function sealQuantumAes(
  quantumSecret: Uint8Array,
  aad: Uint8Array,
  pieces: readonly Uint8Array[],
  random: Random,
  share?: Uint8Array,
): Buffer {
  const key = messageKey(quantumSecret, share);
  try {
    return sealCobblestone(key, random.bytes(COBBLESTONE_SALT_LENGTH), aad, pieces);
  } finally {
    wipe(key);
  }
}

/** @throws QuMailError `open.truncated`, `open.tampered` */
export function openQuantumAes(quantumSecret: Uint8Array, aad: Uint8Array, body: Uint8Array, share?: Uint8Array): Buffer {
  const key = messageKey(quantumSecret, share);
  try {
    return openCobblestone(key, aad, body);
  } finally {
    wipe(key);
  }
}
