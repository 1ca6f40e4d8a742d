import { QuMailError } from '../base/errors.ts';
import type { Address } from '../base/types.ts';
import { cleanName, normalizeAddress } from './address.ts';

/** A header field as it goes on the wire: the value unfolded, 7-bit unless an address needs SMTPUTF8, without line breaks. */
export interface HeaderField {
  readonly name: string;
  readonly value: string;
}

/** RFC 5322 2.1.1: lines should hold 78 characters or less. */
const FOLD_AT = 78;
/** RFC 2047 section 2: an encoded word holds at most 75 characters; `=?UTF-8?B??=` takes 12, base64 makes 4 of 3. */
const ENCODED_OCTETS = 45;
const MESSAGE_ID = /^<[!-;=?-~]{1,200}@[!-;=?-~]{1,200}>$/;

/**
 * Free text as a header value (RFC 2047): printable ASCII as it is, everything else as UTF-8 encoded words. Text that
 * a reader could mistake for an encoded word is encoded too. Line breaks and other controls become spaces.
 */
export function encodeText(text: string): string {
  const clean = cleanLine(text);
  // A run too long to fold would make a line beyond the 998 octets of RFC 5322 2.1.1.
  const plain = /^[\x20-\x7e]*$/.test(clean) && !clean.includes('=?') && !/\S{500}|\s{500}/.test(clean);
  return plain ? clean : encodeWords(clean);
}

/**
 * A mailbox list as a header value; an empty list is the empty group that RFC 5322 3.4 allows. Throws `engine.bad-request`
 * for what is no address.
 */
export function encodeAddresses(addresses: readonly Address[]): string {
  return addresses.length === 0 ? 'undisclosed-recipients:;' : addresses.map(encodeAddress).join(', ');
}

function encodeAddress(a: Address): string {
  const address = normalizeAddress(a.address);
  if (address === undefined) throw new QuMailError('engine.bad-request', { field: 'address' });
  const name = cleanName(a.name);
  if (!name) return address;
  return `${encodePhrase(name)} <${address}>`;
}

function encodePhrase(name: string): string {
  if (!/^[\x20-\x7e]*$/.test(name) || name.includes('=?') || name.length > 500) return encodeWords(name);
  if (/^[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~]+(?: [A-Za-z0-9!#$%&'*+\-/=?^_`{|}~]+)*$/.test(name)) return name;
  return `"${name.replace(/["\\]/g, String.raw`\$&`)}"`;
}

function encodeWords(text: string): string {
  const words: string[] = [];
  let word = '';
  let octets = 0;
  // RFC 2047 section 5: an encoded word holds whole characters only.
  for (const char of text.toWellFormed()) {
    const length = Buffer.byteLength(char);
    if (octets + length > ENCODED_OCTETS) {
      words.push(word);
      word = '';
      octets = 0;
    }
    word += char;
    octets += length;
  }
  if (word) words.push(word);
  // White space between encoded words is not part of the text (section 6.2).
  return words.map((w) => `=?UTF-8?B?${Buffer.from(w).toString('base64')}?=`).join(' ');
}

/** One line: controls and line breaks as spaces, ends trimmed. */
export function cleanLine(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ').trim();
}

/** True for a Message-ID that can be written as it is: angle brackets, printable ASCII, one `@`-separated pair. */
export function isMessageId(id: string): boolean {
  return MESSAGE_ID.test(id);
}

/** RFC 5322 3.3, in UTC so that the sender's time zone stays at home. */
export function encodeDate(date: Date): string {
  return date.toUTCString().replace('GMT', '+0000');
}

/** The field with its line break, folded before white space where a line would grow beyond 78 characters (RFC 5322 2.2.3). */
export function foldField(field: HeaderField): string {
  let out = '';
  let line = `${field.name}:`;
  // Each piece carries the white space before it, so that unfolding gives back exactly the value.
  for (const piece of ` ${field.value}`.match(/\s*\S+/g) ?? []) {
    if (line.length + piece.length > FOLD_AT && line.trim() !== '' && out + line !== `${field.name}:`) {
      out += `${line}\r\n`;
      line = piece;
    } else line += piece;
  }
  return `${out}${line}\r\n`;
}
