import { QuMailError } from '../base/errors.ts';

/** Packet types (RFC 9580 section 5, table 3) that are looked at here. */
export const PGP_TAG = {
  publicKeyEncryptedSessionKey: 1,
  signature: 2,
  symmetricKeyEncryptedSessionKey: 3,
  onePassSignature: 4,
  secretKey: 5,
  publicKey: 6,
  secretSubkey: 7,
  marker: 10,
  literalData: 11,
  userId: 13,
  publicSubkey: 14,
  userAttribute: 17,
  symmetricallyEncryptedIntegrityProtected: 18,
  padding: 21,
} as const;

export interface PgpPacket {
  readonly tag: number;
  /** The body; of a packet in partial lengths its first part alone, which has at least 512 octets. */
  readonly body: Uint8Array;
  /** False for partial body lengths (RFC 9580 section 4.2.1.4). */
  readonly whole: boolean;
}

/**
 * Cuts binary OpenPGP into packets, without looking into them: what a message or certificate claims is bounded here before a library
 * sees it. Nothing is copied.
 *
 * @param maxPackets more are refused
 * @throws QuMailError `open.limit` (details: what, limit), `open.malformed` (details: what) for lengths that lead beyond the end
 */
export function readPackets(bytes: Uint8Array, maxPackets: number): PgpPacket[] {
  const packets: PgpPacket[] = [];
  let at = 0;
  while (at < bytes.byteLength) {
    if (packets.length === maxPackets) throw new QuMailError('open.limit', { what: 'packets', limit: maxPackets });
    const { tag, start, length, partial } = readHeader(bytes, at);
    if (length > bytes.byteLength - start) throw malformed();
    packets.push({ tag, body: bytes.subarray(start, start + length), whole: !partial });
    at = partial ? skipPartials(bytes, start + length) : start + length;
  }
  return packets;
}

interface PacketHeader {
  readonly tag: number;
  readonly start: number;
  readonly length: number;
  readonly partial: boolean;
}

function readHeader(bytes: Uint8Array, at: number): PacketHeader {
  const first = octet(bytes, at);
  if ((first & 0x80) === 0) throw malformed();
  if ((first & 0x40) !== 0) return { tag: first & 0x3f, ...readLength(bytes, at + 1) };
  // The old format (RFC 9580 section 4.2.2), still written by GnuPG; its indeterminate length runs to the end.
  const tag = (first >> 2) & 0x0f;
  const type = first & 0x03;
  if (type === 3) return { tag, start: at + 1, length: bytes.byteLength - at - 1, partial: false };
  const size = 1 << type;
  let length = 0;
  for (let i = 0; i < size; i++) length = length * 256 + octet(bytes, at + 1 + i);
  return { tag, start: at + 1 + size, length, partial: false };
}

function readLength(bytes: Uint8Array, at: number): { start: number; length: number; partial: boolean } {
  const first = octet(bytes, at);
  if (first < 192) return { start: at + 1, length: first, partial: false };
  if (first < 224) return { start: at + 2, length: (first - 192) * 256 + octet(bytes, at + 1) + 192, partial: false };
  if (first < 255) {
    const length = 2 ** (first & 0x1f);
    if (length < 512) throw malformed();
    return { start: at + 1, length, partial: true };
  }
  let length = 0;
  for (let i = 1; i <= 4; i++) length = length * 256 + octet(bytes, at + i);
  return { start: at + 5, length, partial: false };
}

function skipPartials(bytes: Uint8Array, from: number): number {
  let at = from;
  for (;;) {
    const first = octet(bytes, at);
    // Parts after the first may be short, but a writer gains nothing by them.
    const partial = first >= 224 && first < 255;
    const part = partial ? { start: at + 1, length: 2 ** (first & 0x1f) } : readLength(bytes, at);
    if (part.length > bytes.byteLength - part.start) throw malformed();
    at = part.start + part.length;
    if (!partial) return at;
  }
}

function octet(bytes: Uint8Array, at: number): number {
  const value = bytes[at];
  if (value === undefined) throw malformed();
  return value;
}

function malformed(): QuMailError {
  return new QuMailError('open.malformed', { what: 'packet' });
}
