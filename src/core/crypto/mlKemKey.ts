/** ML-KEM-768 (FIPS 203 section 8): three polynomials of 256 coefficients of 12 bits, then a seed of 32 octets. */
const POLYNOMIALS_LENGTH = 1152;
const KEY_LENGTH = 1184;
const Q = 3329;

/**
 * The check of an encapsulation key that FIPS 203 section 7.2 demands: its length, and that every coefficient is below q. The OpenPGP
 * library omits it (its own comparison re-encodes without reducing); whoever hands out such a key gets no message sealed to it.
 */
export function isMlKem768Key(key: Uint8Array): boolean {
  if (key.byteLength !== KEY_LENGTH) return false;
  for (let at = 0; at < POLYNOMIALS_LENGTH; at += 3) {
    const [a, b, c] = [key[at]!, key[at + 1]!, key[at + 2]!];
    if ((a | ((b & 0x0f) << 8)) >= Q || ((b >> 4) | (c << 4)) >= Q) return false;
  }
  return true;
}
