import { domainToASCII } from 'node:url';
import type { Address } from '../base/types.ts';

/** RFC 5321 4.5.3.1: 256 octets of path less the angle brackets; RFC 3696 erratum 1690. */
const MAX_ADDRESS_OCTETS = 254;
const MAX_LOCAL_OCTETS = 64;
/** RFC 5322 atext, plus what RFC 6532 adds; `\p{C}` and `\p{Z}` keep invisible characters out. */
const ATOM = String.raw`(?:[A-Za-z0-9!#$%&'*+\-/=?^_\x60{|}~]|[^\x00-\x7f\p{C}\p{Z}])+`;
const DOT_ATOM = new RegExp(String.raw`^${ATOM}(?:\.${ATOM})*$`, 'u');
/** Words of a display name that need no quotes. */
const PHRASE = new RegExp(String.raw`^${ATOM}(?: ${ATOM})*$`, 'u');
const LABEL = String.raw`(?:[A-Za-z0-9_\-]|[^\x00-\x7f\p{C}\p{Z}])+`;
const DOMAIN = new RegExp(String.raw`^${LABEL}(?:\.${LABEL})*$`, 'u');
const DOMAIN_LITERAL = /^\[(?:\d{1,3}(?:\.\d{1,3}){3}|IPv6:[0-9a-f:.]{2,45})\]$/i;
const CONTROL = /[\p{Cc}\u2028\u2029]/u;

/** Where an entry of an address list stands in its text: UTF-16 offsets, end exclusive. */
export interface AddressEntry {
  readonly text: string;
  readonly from: number;
  readonly to: number;
  /** Undefined when the entry is not one well-formed mailbox. */
  readonly address: Address | undefined;
}

/**
 * The one spelling of an addr-spec (RFC 5322 3.4.1): NFC, lower-case domain, local part quoted only where it must be.
 * Internationalised domains become A-labels, which is how headers carry them, so that one mailbox has one spelling.
 * Returns undefined for anything else: no `@`, control characters, blanks, more than 254 octets.
 */
export function normalizeAddress(text: string): string | undefined {
  const spec = text.trim();
  // A longer text cannot be an address; looked at first so that hostile input costs nothing.
  if (spec.length > MAX_ADDRESS_OCTETS || CONTROL.test(spec)) return undefined;
  const normal = spec.normalize('NFC');
  const at = normal.lastIndexOf('@');
  if (at < 1) return undefined;
  const local = normalizeLocalPart(normal.slice(0, at));
  const domain = normalizeDomain(normal.slice(at + 1));
  if (local === undefined || domain === undefined) return undefined;
  const address = `${local}@${domain}`;
  if (Buffer.byteLength(local) > MAX_LOCAL_OCTETS || Buffer.byteLength(address) > MAX_ADDRESS_OCTETS) return undefined;
  return address;
}

function normalizeDomain(domain: string): string | undefined {
  if (DOMAIN_LITERAL.test(domain)) return domain.toLowerCase();
  if (!DOMAIN.test(domain)) return undefined;
  // Only where it is needed: the conversion would also read 0x7f.1 as an IPv4 address.
  const ascii = /^[\x00-\x7f]*$/.test(domain) ? domain.toLowerCase() : domainToASCII(domain);
  return DOMAIN.test(ascii) ? ascii : undefined;
}

function normalizeLocalPart(local: string): string | undefined {
  if (DOT_ATOM.test(local)) return local;
  let content: string;
  if (local.startsWith('"')) {
    if (!/^"(?:[^"\\]|\\.)*"$/.test(local) || local.length < 3) return undefined;
    content = local.slice(1, -1).replace(/\\(.)/g, '$1');
  } else {
    // Dots where RFC 5322 wants none, as some carriers hand out (`a..b@`, `a.@`): valid once quoted.
    if (!DOT_ATOM.test(local.replaceAll('.', ''))) return undefined;
    content = local;
  }
  return DOT_ATOM.test(content) ? content : quote(content);
}

/**
 * Parses a recipient list as people and programs write it (RFC 5322 3.4): display names, quoted strings, comments,
 * groups, `,` or `;` between entries. Linear in `text`. Entries that are not one well-formed mailbox come back in
 * `bad` with their UTF-16 range. Encoded words (RFC 2047) are left alone: this is for text, not for header bytes.
 */
export function parseAddressList(text: string): { addresses: Address[]; bad: { text: string; from: number; to: number }[] } {
  const addresses: Address[] = [];
  const bad: { text: string; from: number; to: number }[] = [];
  for (const entry of scanAddressList(text)) {
    if (entry.address) addresses.push(entry.address);
    else bad.push({ text: entry.text, from: entry.from, to: entry.to });
  }
  return { addresses, bad };
}

/** Every entry of an address list in order, good and bad, with its range. Empty entries are skipped. Linear. */
export function scanAddressList(text: string): AddressEntry[] {
  const entries: AddressEntry[] = [];
  let start = 0;
  let quoted = false;
  let depth = 0;
  let angle = false;
  let group = false;
  let atSeen = false;
  const finish = (end: number): void => {
    const entry = readEntry(text, start, end);
    if (entry) entries.push(entry);
    start = end + 1;
    quoted = angle = atSeen = false;
    depth = 0;
  };
  for (let i = 0; i < text.length; i++) {
    const char = text[i];
    if (char === '\\' && (quoted || depth > 0)) i++;
    else if (quoted) quoted = char !== '"';
    else if (char === '"' && depth === 0) quoted = true;
    else if (char === '(') depth++;
    else if (char === ')' && depth > 0) depth--;
    else if (depth > 0) continue;
    else if (char === '<') angle = true;
    else if (char === '>') angle = false;
    else if (char === '@') atSeen = true;
    else if (char === ',') finish(i);
    else if (char === ';') {
      finish(i);
      group = false;
    } else if (char === ':' && !group && !angle && !atSeen) {
      // What came before was the group's name (RFC 5322 3.4), not an address.
      group = true;
      start = i + 1;
    }
  }
  finish(text.length);
  return entries;
}

/** One entry between separators, trimmed; undefined when it is blank or nothing but comments. */
function readEntry(text: string, start: number, end: number): AddressEntry | undefined {
  while (start < end && isBlank(text, start)) start++;
  while (end > start && isBlank(text, end - 1)) end--;
  if (start === end) return undefined;
  const entry = text.slice(start, end);
  if (entry.startsWith('(') && withoutComments(entry)?.trim() === '') return undefined;
  return { text: entry, from: start, to: end, address: readMailbox(entry) };
}

/** A mailbox: `Name <a@b>`, `<a@b>`, `a@b`, `a@b (Name)`; undefined when it is none of them. */
function readMailbox(entry: string): Address | undefined {
  let name = '';
  let bare = '';
  let comment = '';
  let angle: string | undefined;
  for (let i = 0; i < entry.length;) {
    const char = entry[i];
    if (char === '(') {
      const end = commentEnd(entry, i);
      if (end === undefined) return undefined;
      comment += `${comment && ' '}${entry.slice(i + 1, end).replace(/\\(.)/gs, '$1')}`;
      i = end + 1;
    } else if (char === '"') {
      const end = quotedEnd(entry, i);
      if (end === undefined || angle !== undefined) return undefined;
      name += entry.slice(i + 1, end).replace(/\\(.)/gs, '$1');
      bare += entry.slice(i, end + 1);
      i = end + 1;
    } else if (char === '<') {
      const end = angleEnd(entry, i);
      if (angle !== undefined || end === undefined) return undefined;
      angle = entry.slice(i + 1, end);
      i = end + 1;
    } else {
      if (angle !== undefined && !isBlank(entry, i)) return undefined;
      name += char;
      bare += char;
      i++;
    }
  }
  const address = readSpec(angle ?? bare);
  if (address === undefined) return undefined;
  // A quoted name keeps its inner spaces as written; only what surrounds it is trimmed.
  return { name: cleanName(angle === undefined ? comment : name.trim() || comment), address };
}

/** An addr-spec with what obsolete syntax allows (RFC 5322 4.4): a source route, comments and blanks between its words. */
function readSpec(text: string): string | undefined {
  const plain = normalizeAddress(text);
  if (plain !== undefined || text.length > 4 * MAX_ADDRESS_OCTETS) return plain;
  const spec = withoutComments(text)?.replace(/^\s*@[^:"]*:/, '');
  return spec === undefined ? undefined : normalizeAddress(spec.replace(/\s*([.@])\s*/g, '$1'));
}

function withoutComments(text: string): string | undefined {
  let rest = '';
  for (let i = 0; i < text.length;) {
    const end = text[i] === '(' ? commentEnd(text, i) : text[i] === '"' ? quotedEnd(text, i) : i;
    if (end === undefined) return undefined;
    if (text[i] !== '(') rest += text.slice(i, end + 1);
    i = end + 1;
  }
  return rest;
}

function commentEnd(text: string, from: number): number | undefined {
  let depth = 0;
  for (let i = from; i < text.length; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === '(') depth++;
    else if (text[i] === ')' && --depth === 0) return i;
  }
  return undefined;
}

function quotedEnd(text: string, from: number): number | undefined {
  for (let i = from + 1; i < text.length; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === '"') return i;
  }
  return undefined;
}

/** The `>` that closes the address, quoted local parts and comments skipped. */
function angleEnd(text: string, from: number): number | undefined {
  for (let i = from + 1; i < text.length; i++) {
    if (text[i] === '>') return i;
    if (text[i] === '<') return undefined;
    if (text[i] === '"' || text[i] === '(') {
      const end = text[i] === '"' ? quotedEnd(text, i) : commentEnd(text, i);
      if (end === undefined) return undefined;
      i = end;
    }
  }
  return undefined;
}

/** `Name <a@b>` with quotes where RFC 5322 wants them, or the bare address; one line, never CR or LF. */
export function formatAddress(a: Address): string {
  const name = cleanName(a.name);
  const address = cleanName(a.address);
  if (!name) return address;
  return `${PHRASE.test(name) ? name : quote(name)} <${address}>`;
}

/** A display name on one line: control characters, line breaks and direction overrides become spaces, ends are trimmed. */
export function cleanName(name: string): string {
  return name.replace(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]+/gu, ' ').trim();
}

function quote(content: string): string {
  return `"${content.replace(/["\\]/g, String.raw`\$&`)}"`;
}

function isBlank(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code === 0x20 || code === 0x09 || code === 0x0d || code === 0x0a || code === 0xa0;
}
