import { QuMailError } from '../base/errors.ts';
import { wipe } from '../base/bytes.ts';

/**
 * JavaScript strings cannot be overwritten: what JSON.parse makes of `"key":"<base64>"` stays in the heap until it happens to be
 * collected, and in every core dump meanwhile. So the answer of a key manager is never parsed as a whole. One pass over its bytes cuts
 * the value of every member named `key` out, decodes it into a Buffer that can be wiped, and leaves its ordinal number in its place;
 * what remains holds no secret and goes to JSON.parse. The caller wipes the answer itself.
 */
export interface CutAnswer {
  /** The parsed JSON, with a number in place of every string value of a member `key`. */
  readonly json: unknown;
  /** The decoded values; the numbers are indexes into this list. */
  readonly keys: readonly Buffer[];
}

const MAX_DEPTH = 16;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * Cuts the keys out of a JSON text. Throws `kme.bad-answer` with a `reason` when it is not UTF-8 JSON, is nested deeper than 16, or
 * holds a `key` that is not base64; whatever had been decoded by then is wiped.
 */
export function cutKeys(answer: Buffer): CutAnswer {
  const keys: Buffer[] = [];
  let rest: Buffer | undefined;
  try {
    const parts = scan(answer, keys);
    rest = Buffer.concat(parts);
    return { json: parse(rest), keys };
  } catch (error) {
    wipe(...keys);
    throw error;
  } finally {
    wipe(rest);
  }
}

function scan(answer: Buffer, keys: Buffer[]): Buffer[] {
  const parts: Buffer[] = [];
  let copied = 0;
  let depth = 0;
  let nextIsKey = false;
  for (let at = 0; at < answer.length; at++) {
    const byte = answer[at]!;
    if (byte === 0x7b || byte === 0x5b) {
      if (++depth > MAX_DEPTH) throw badAnswer('nesting');
    } else if (byte === 0x7d || byte === 0x5d) depth--;
    if (byte !== QUOTE) {
      if (!isSpace(byte)) nextIsKey = false;
      continue;
    }
    const end = endOfString(answer, at);
    const colon = afterSpace(answer, end + 1);
    if (answer[colon] === 0x3a) {
      nextIsKey = isKeyName(answer.subarray(at, end + 1));
      at = colon;
      continue;
    }
    if (nextIsKey) {
      parts.push(answer.subarray(copied, at), Buffer.from(String(keys.length)));
      keys.push(decodeBase64(answer.subarray(at + 1, end)));
      copied = end + 1;
    }
    nextIsKey = false;
    at = end;
  }
  parts.push(answer.subarray(copied));
  return parts;
}

const KEY = Buffer.from('"key"');

/** Whether a member name (with its quotes) is `key`, spelled with escapes or without. */
function isKeyName(name: Buffer): boolean {
  return name.includes(BACKSLASH) ? parse(name) === 'key' : name.equals(KEY);
}

function parse(rest: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(rest));
  } catch {
    throw badAnswer('not-json'); // without the cause: V8 quotes the text in its message
  }
}

function endOfString(answer: Buffer, start: number): number {
  for (let at = start + 1; at < answer.length; at++) {
    if (answer[at] === BACKSLASH) at++;
    else if (answer[at] === QUOTE) return at;
  }
  throw badAnswer('not-json');
}

function afterSpace(answer: Buffer, from: number): number {
  let at = from;
  while (at < answer.length && isSpace(answer[at]!)) at++;
  return at;
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d;
}

const PAD = 64;
const SKIP = 65;
/** Byte to sextet: RFC 4648 base64 and base64url, `=`, and the line breaks of MIME; 255 for anything else. */
const SEXTETS = sextets();

function sextets(): Uint8Array {
  const table = new Uint8Array(256).fill(255);
  const alphabet = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/');
  alphabet.forEach((byte, value) => (table[byte] = value));
  table[0x2d] = 62;
  table[0x5f] = 63;
  table[0x3d] = PAD;
  table[0x0a] = SKIP;
  table[0x0d] = SKIP;
  return table;
}

/** Decodes the inside of a JSON string of base64, JSON escapes included (some encoders write `\/`, some `\u003d`). */
function decodeBase64(text: Buffer): Buffer {
  const out = Buffer.alloc(Math.floor((text.length * 3) / 4));
  let length = 0;
  let held = 0;
  let bits = 0;
  let padded = 0;
  let sextetCount = 0;
  for (let at = 0; at < text.length; at++) {
    let byte = text[at]!;
    if (byte === BACKSLASH) [byte, at] = unescape(text, at);
    const value = SEXTETS[byte]!;
    if (value === SKIP) continue;
    if (value === PAD) padded++;
    if (value === PAD && padded <= 2) continue;
    if (value > 63 || padded > 0) return refuse(out);
    held = ((held << 6) | value) & 0xffff;
    bits += 6;
    sextetCount++;
    if (bits >= 8) {
      bits -= 8;
      out[length++] = (held >> bits) & 0xff;
    }
  }
  // Left-over bits must be zero, and one sextet alone is no octet.
  if (sextetCount % 4 === 1 || (held & ((1 << bits) - 1)) !== 0) return refuse(out);
  const exact = Buffer.alloc(length);
  out.copy(exact, 0, 0, length);
  wipe(out);
  return exact;
}

function refuse(partial: Buffer): never {
  wipe(partial);
  throw badAnswer('not-base64');
}

/** One JSON escape at `at`: the byte it stands for (0 when it stands for none of base64's) and the position of its last byte. */
function unescape(text: Buffer, at: number): [number, number] {
  const kind = text[at + 1];
  if (kind === 0x2f) return [0x2f, at + 1];
  if (kind === 0x6e) return [0x0a, at + 1];
  if (kind === 0x72) return [0x0d, at + 1];
  if (kind !== 0x75) return [0, at + 1];
  let code = 0;
  for (let i = at + 2; i < at + 6; i++) code = code * 16 + hexDigit(text[i]);
  return [code < 128 ? code : 0, at + 5];
}

function hexDigit(byte: number | undefined): number {
  if (byte === undefined) return Number.NaN;
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : Number.NaN;
}

function badAnswer(reason: string): QuMailError {
  return new QuMailError('kme.bad-answer', { reason });
}
