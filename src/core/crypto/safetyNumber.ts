import { createHash } from 'node:crypto';

/** One side of a pair of people, as the safety number sees it. */
export interface SafetyParty {
  /** In any case; two spellings that are one mailbox give one number. */
  readonly address: string;
  /** Upper-case hex, of a certificate. */
  readonly fingerprint: string;
}

/** As many as Signal's NumericFingerprint: what a look-alike costs is multiplied by it, what a comparison costs stays milliseconds. */
const ITERATIONS = 5200;
const GROUPS = 6;
const GROUP_OCTETS = 5;

/**
 * The number that both sides of a pair compare: 60 decimal digits, the same whoever computes it.
 *
 * ```
 * h(0)    = SHA-512("QuMail-Safety-v1" ‖ 0x00 ‖ u8(|fingerprint|) ‖ fingerprint ‖ address)     fingerprint as octets; address NFC, lower case, UTF-8
 * h(i+1)  = SHA-512(h(i) ‖ fingerprint)                                       5,199 times
 * half    = for each of the first six groups of 5 octets of h: big-endian integer mod 100,000, five digits
 * number  = the smaller half ‖ the greater half
 * ```
 */
export function safetyNumber(a: SafetyParty, b: SafetyParty): string {
  return [half(a), half(b)].sort().join('');
}

function half({ address, fingerprint }: SafetyParty): string {
  const octets = Buffer.from(fingerprint, 'hex');
  let hash = createHash('sha512')
    .update('QuMail-Safety-v1\0')
    .update(Buffer.of(octets.length))
    .update(octets)
    .update(mailboxOctets(address))
    .digest();
  for (let i = 1; i < ITERATIONS; i++) hash = createHash('sha512').update(hash).update(octets).digest();
  let digits = '';
  for (let group = 0; group < GROUPS; group++) {
    digits += String(hash.readUIntBE(group * GROUP_OCTETS, GROUP_OCTETS) % 100_000).padStart(5, '0');
  }
  return digits;
}

function mailboxOctets(address: string): Buffer {
  return Buffer.from(address.normalize('NFC').toLowerCase(), 'utf8');
}
