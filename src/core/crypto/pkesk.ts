import { PGP_TAG, readPackets } from './pgpPackets.ts';

/** ML-KEM-768+X25519 (RFC 9980). */
const POST_QUANTUM = new Set([35, 36]);
const MAX_PACKETS = 10_000;

/**
 * Whether breaking an OpenPGP message takes breaking ML-KEM whichever session key packet one starts from: all are of algorithm 35 or 36,
 * there is at least one, and no password opens it. Says nothing about who signed.
 *
 * @throws QuMailError `open.malformed`, `open.limit`
 */
export function isPostQuantumMessage(message: Uint8Array): boolean {
  const packets = readPackets(message, MAX_PACKETS);
  const sessionKeys = packets.filter(({ tag }) => tag === PGP_TAG.publicKeyEncryptedSessionKey);
  const byPassword = packets.some(({ tag }) => tag === PGP_TAG.symmetricKeyEncryptedSessionKey);
  return !byPassword && sessionKeys.length > 0 && sessionKeys.every(({ body }) => POST_QUANTUM.has(algorithmOf(body)));
}

/** The algorithm of a PKESK packet: version 3 has it after an 8-octet key ID, version 6 after a counted fingerprint (RFC 9580 5.1). */
function algorithmOf(body: Uint8Array): number {
  if (body[0] === 3) return body[9] ?? -1;
  if (body[0] === 6) return body[2 + (body[1] ?? 0)] ?? -1;
  return -1;
}
