import { QuMailError } from '../base/errors.ts';
import type { ArmorKind } from './pgpEngine.ts';
import { PGP_LIMITS } from './pgpLibrary.ts';
import { PGP_TAG, readPackets } from './pgpPackets.ts';

const LABELS: Readonly<Record<ArmorKind, string>> = {
  message: 'PGP MESSAGE',
  certificate: 'PGP PUBLIC KEY BLOCK',
  'secret-key': 'PGP PRIVATE KEY BLOCK',
  signature: 'PGP SIGNATURE',
};
const KINDS = new Map(Object.entries(LABELS).map(([kind, label]) => [label, kind as ArmorKind]));
const LINE = 64;
/** Base64 and line ends around the largest message. */
const MAX_TEXT = Math.ceil(PGP_LIMITS.message * 1.4);
const HEADER_LINES = 32;

/**
 * ASCII armor (RFC 9580 section 6.2) with CRLF and without headers. The checksum that section 6.1 forbids beside packets of its own versions is
 * written beside older ones: GnuPG 2.2 takes the last line for data where neither a checksum nor base64's padding ends it.
 */
export function armorPgp(kind: ArmorKind, bytes: Uint8Array): string {
  const base64 = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
  const lines: string[] = [];
  for (let at = 0; at < base64.length; at += LINE) lines.push(base64.slice(at, at + LINE));
  if (isClassic(bytes)) lines.push(`=${checksum(bytes)}`);
  const label = LABELS[kind];
  return `-----BEGIN ${label}-----\r\n\r\n${lines.join('\r\n')}${lines.length > 0 ? '\r\n' : ''}-----END ${label}-----\r\n`;
}

/** Whether nothing in it is of a version that RFC 9580 brought. */
function isClassic(bytes: Uint8Array): boolean {
  try {
    const packets = readPackets(bytes, MAX_PACKETS);
    return packets.every(({ tag, body }) => {
      return tag === PGP_TAG.symmetricallyEncryptedIntegrityProtected ? body[0] === 1 : !VERSIONED.has(tag) || (body[0] ?? 0) < 6;
    });
  } catch {
    return false;
  }
}

const MAX_PACKETS = 10_000;
const VERSIONED: ReadonlySet<number> = new Set([
  PGP_TAG.publicKeyEncryptedSessionKey,
  PGP_TAG.signature,
  PGP_TAG.secretKey,
  PGP_TAG.publicKey,
  PGP_TAG.secretSubkey,
  PGP_TAG.publicSubkey,
]);

const CRC_START = 0xb704ce;
const CRC_POLYNOMIAL = 0x1864cfb;
const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, octet) => {
  let crc = octet << 16;
  for (let bit = 0; bit < 8; bit++) crc = (crc << 1) ^ ((crc & 0x800000) === 0 ? 0 : CRC_POLYNOMIAL);
  return crc & 0xffffff;
});

/** CRC-24 (RFC 9580 section 6.1.1), base64. */
function checksum(bytes: Uint8Array): string {
  let crc = CRC_START;
  for (let i = 0; i < bytes.byteLength; i++) crc = ((crc << 8) & 0xffffff) ^ CRC_TABLE[((crc >> 16) ^ bytes[i]!) & 0xff]!;
  return Buffer.of(crc >> 16, (crc >> 8) & 0xff, crc & 0xff).toString('base64');
}

/**
 * The first armored block of `text`; what stands around it is ignored, and so is a checksum, as RFC 9580 section 6.1 asks.
 * @throws QuMailError `open.malformed` (details: what), `open.limit`
 */
export function dearmorPgp(text: string): { kind: ArmorKind; bytes: Buffer } {
  if (text.length > MAX_TEXT) throw new QuMailError('open.limit', { what: 'armor', limit: MAX_TEXT });
  const begin = /^-----BEGIN (PGP [A-Z ]{3,24})-----[ \t]*\r?$/m.exec(text);
  const kind = begin ? KINDS.get(begin[1]!) : undefined;
  if (!begin || !kind) throw malformed();
  const start = begin.index + begin[0].length;
  const end = text.indexOf(`-----END ${LABELS[kind]}-----`, start);
  if (end < 0) throw malformed();
  const base64 = skipHeaders(text, start, end);
  const data = base64.replace(/=[A-Za-z0-9+/]{4}\s*$/, '').replaceAll(/[\t\n\r ]+/g, '');
  const bytes = Buffer.from(data, 'base64');
  // Node skips what is no base64, which shows in the length; a regular expression over 200 MB would run out of stack.
  if (data.length % 4 !== 0 || bytes.byteLength !== (data.length / 4) * 3 - (data.endsWith('==') ? 2 : data.endsWith('=') ? 1 : 0)) {
    throw malformed();
  }
  return { kind, bytes };
}

/** Armor headers end with an empty line; some programs write neither. */
function skipHeaders(text: string, start: number, end: number): string {
  let at = text.indexOf('\n', start) + 1;
  for (let line = 0; line < HEADER_LINES && at > 0 && at < end; line++) {
    const next = text.indexOf('\n', at);
    if (next < 0 || next >= end) break;
    const content = text.slice(at, next).trim();
    if (content !== '' && !content.includes(': ')) break;
    at = next + 1;
    if (content === '') break;
  }
  return text.slice(at, end);
}

function malformed(): QuMailError {
  return new QuMailError('open.malformed', { what: 'armor' });
}
