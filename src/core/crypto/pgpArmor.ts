import { QuMailError } from '../base/errors.ts';
import type { ArmorKind } from './pgpEngine.ts';
import { PGP_LIMITS } from './pgpLibrary.ts';

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
 * ASCII armor (RFC 9580 section 6.2) with CRLF and without headers. Section 6.1 advises against the checksum; GnuPG 2.2 takes the letters of
 * the last line for data where neither it nor base64's padding ends them.
 */
export function armorPgp(kind: ArmorKind, bytes: Uint8Array, checksum?: 'crc24'): string {
  const base64 = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
  const lines: string[] = [];
  for (let at = 0; at < base64.length; at += LINE) lines.push(base64.slice(at, at + LINE));
  if (checksum) lines.push(`=${crc24(bytes)}`);
  const label = LABELS[kind];
  return `-----BEGIN ${label}-----\r\n\r\n${lines.join('\r\n')}${lines.length > 0 ? '\r\n' : ''}-----END ${label}-----\r\n`;
}

/** RFC 9580 section 6.1.1, in base64. */
function crc24(bytes: Uint8Array): string {
  let crc = 0xb704ce;
  for (const octet of bytes) {
    crc ^= octet << 16;
    for (let bit = 0; bit < 8; bit++) {
      crc <<= 1;
      if ((crc & 0x1000000) !== 0) crc ^= 0x1864cfb;
    }
  }
  return Buffer.from([(crc >> 16) & 0xff, (crc >> 8) & 0xff, crc & 0xff]).toString('base64');
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
