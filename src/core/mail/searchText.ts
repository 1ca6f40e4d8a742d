import { isUtf8 } from 'node:buffer';
import { TextDecoder } from 'node:util';
import { decodeWords } from 'postal-mime';
import { htmlWords } from './htmlWords.ts';
import { fieldOf, mimeLeaves, type MimeLeaf } from './mimeLeaves.ts';
import { isPayloadName } from './payloadNames.ts';

/** What can be looked for in a message, as it reads: not folded, not segmented. */
export interface SearchText {
  readonly subject: string;
  readonly from: string;
  readonly to: string;
  readonly cc: string;
  /** Names of attachments, one a line. */
  readonly fileNames: string;
  /** The List-Id. */
  readonly list: string;
  readonly text: string;
}

export const SEARCH_TEXT_LIMITS = {
  /** Characters of all texts together. */
  text: 256 * 1024,
  /** Octets of one part that are decoded. */
  part: 512 * 1024,
  /** Characters of one header field. */
  field: 64 * 1024,
  fileNames: 200,
} as const;

/**
 * What can be looked for in an RFC 5322 source (or an inner entity of sealed mail), read in one pass and a fraction of the time that a whole
 * parser takes. Of alternatives the plain text counts, and HTML where there is none. Bounded by SEARCH_TEXT_LIMITS and OUTLINE_LIMITS; never throws.
 */
export function searchTextOf(raw: Buffer): SearchText {
  const { header, leaves } = mimeLeaves(raw);
  const named = leaves.filter(({ fileName }) => fileName !== '').slice(0, SEARCH_TEXT_LIMITS.fileNames);
  return {
    subject: fieldText(header, 'subject'),
    from: fieldText(header, 'from'),
    to: fieldText(header, 'to'),
    cc: fieldText(header, 'cc'),
    fileNames: named
      .map(({ fileName }) => headerText(fileName))
      .filter((name) => !isPayloadName(name))
      .join('\n'),
    list: fieldText(header, 'list-id'),
    text: textOf(raw, leaves).replaceAll('\0', ' '),
  };
}

function textOf(raw: Buffer, leaves: readonly MimeLeaf[]): string {
  const readable = leaves.filter(({ type, attached }) => !attached && (type === 'text/plain' || type === 'text/html'));
  const plain = new Set(
    readable.filter(({ type, from, to }) => type === 'text/plain' && to - from > 2).map(({ alternative }) => alternative),
  );
  let text = '';
  for (const leaf of readable) {
    const rest = SEARCH_TEXT_LIMITS.text - text.length;
    if (rest <= 0) break;
    if (leaf.type === 'text/html' && leaf.alternative > 0 && plain.has(leaf.alternative)) continue;
    const decoded = decodedText(raw, leaf);
    const words = leaf.type === 'text/html' ? htmlWords(decoded, SEARCH_TEXT_LIMITS.part) : decoded;
    text += `${text === '' ? '' : '\n'}${words.slice(0, rest)}`;
  }
  return text.slice(0, SEARCH_TEXT_LIMITS.text);
}

/** A header field as text. 8-bit octets are UTF-8 where they are valid UTF-8 and Windows-1252 where not. */
function fieldText(header: string, name: string): string {
  const value = fieldOf(header, name);
  return value === '' ? '' : headerText(value.slice(0, SEARCH_TEXT_LIMITS.field));
}

function headerText(latin1: string): string {
  const text = /[\x80-\xff]/.test(latin1) ? eightBit(Buffer.from(latin1, 'latin1')) : latin1;
  return (text.includes('=?') ? decodeWords(text) : text).replaceAll('\0', ' ');
}

function decodedText(raw: Buffer, leaf: MimeLeaf): string {
  const octets = raw.subarray(leaf.from, Math.min(leaf.to, leaf.from + SEARCH_TEXT_LIMITS.part));
  const { encoding } = leaf;
  const content =
    encoding === 'base64'
      ? Buffer.from(octets.toString('latin1'), 'base64')
      : encoding === 'quoted-printable'
        ? fromQuoted(octets)
        : octets;
  return inCharset(content, leaf.charset.trim().toLowerCase());
}

/** Quoted-printable (RFC 2045 6.7), leniently: what is no code stays as it is. */
function fromQuoted(octets: Buffer): Buffer {
  let equals = octets.indexOf(0x3d);
  if (equals < 0) return octets;
  const out = Buffer.allocUnsafe(octets.length);
  let length = 0;
  let at = 0;
  while (equals >= 0) {
    length += octets.copy(out, length, at, equals);
    const high = hexValue(octets[equals + 1]);
    const low = hexValue(octets[equals + 2]);
    if (high >= 0 && low >= 0) {
      out[length++] = high * 16 + low;
      at = equals + 3;
    } else if (octets[equals + 1] === 0x0a) at = equals + 2;
    else if (octets[equals + 1] === 0x0d && octets[equals + 2] === 0x0a) at = equals + 3;
    else {
      out[length++] = 0x3d;
      at = equals + 1;
    }
    equals = octets.indexOf(0x3d, at);
  }
  length += octets.copy(out, length, at);
  return out.subarray(0, length);
}

function hexValue(code: number | undefined): number {
  if (code === undefined) return -1;
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

function inCharset(content: Buffer, charset: string): string {
  if (charset === '' || /^(?:utf-?8|us-?ascii|ascii|unknown|unknown-8bit|default|8bit)$/.test(charset)) return eightBit(content);
  try {
    return decoderOf(charset).decode(content);
  } catch {
    return eightBit(content);
  }
}

/** UTF-8 where it is; text that was cut inside a character still is. */
function eightBit(content: Buffer): string {
  if (isUtf8(content) || isUtf8(content.subarray(0, wholeCharacters(content)))) return content.toString('utf8');
  return decoderOf('windows-1252').decode(content);
}

function wholeCharacters(content: Buffer): number {
  let end = content.length;
  while (end > 0 && content.length - end < 4 && (content[end - 1]! & 0xc0) === 0x80) end--;
  return Math.max(0, end - 1);
}

const decoders = new Map<string, TextDecoder>();

/** @throws RangeError for a charset that nobody knows */
function decoderOf(charset: string): TextDecoder {
  let decoder = decoders.get(charset);
  if (!decoder) {
    decoder = new TextDecoder(charset);
    // Kept only where it is known, so that names from mail cannot fill the memory: there are some 200 labels.
    decoders.set(charset, decoder);
  }
  return decoder;
}
