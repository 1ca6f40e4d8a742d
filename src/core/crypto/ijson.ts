import { QuMailError } from '../base/errors.ts';

/** A value of I-JSON (RFC 7493) as QuMail uses it: numbers are integers, objects have no prototype. */
export type IJsonValue = null | boolean | number | string | readonly IJsonValue[] | IJsonObject;
export interface IJsonObject {
  readonly [member: string]: IJsonValue;
}

export interface IJsonLimits {
  /** What is being read, for the `open.limit` details. */
  readonly what: string;
  /** Octets, checked before a byte is decoded. */
  readonly maxBytes: number;
  /** Objects and arrays inside each other; a scalar alone has nesting 0. */
  readonly maxNesting: number;
}

/**
 * Reads one I-JSON text (RFC 7493, RFC 8259), strictly: valid UTF-8 without a byte order mark, no duplicate member, no lone
 * surrogate or noncharacter, integers within +-(2^53 - 1) written without fraction, exponent or minus zero.
 *
 * JSON.parse is no substitute: it keeps the last of two equal members, so that two readers can disagree about one text.
 *
 * @throws QuMailError `open.limit` (details: what, limit), `open.duplicate-member` (details: name), `open.malformed` (details: what, at)
 */
export function readIJson(bytes: Uint8Array, limits: IJsonLimits): IJsonValue {
  if (bytes.byteLength > limits.maxBytes) throw new QuMailError('open.limit', { what: limits.what, limit: limits.maxBytes });
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new QuMailError('open.malformed', { what: limits.what }, { cause });
  }
  return new Reader(text, limits).readAll();
}

const ESCAPES: Readonly<Record<string, string>> = { '"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };
const NONCHARACTER = /\p{Noncharacter_Code_Point}/u;
const INTEGER = /-?(?:0|[1-9][0-9]*)/y;
const HEX4 = /^[0-9A-Fa-f]{4}$/;

class Reader {
  readonly #text: string;
  readonly #limits: IJsonLimits;
  #at = 0;

  constructor(text: string, limits: IJsonLimits) {
    this.#text = text;
    this.#limits = limits;
  }

  readAll(): IJsonValue {
    const value = this.#value(0);
    this.#space();
    if (this.#at !== this.#text.length) this.#fail();
    return value;
  }

  #fail(): never {
    throw new QuMailError('open.malformed', { what: this.#limits.what, at: this.#at });
  }

  #space(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.#at++;
    }
  }

  /** Skips white space and then `char`, if it stands there. */
  #take(char: string): boolean {
    this.#space();
    if (this.#text[this.#at] !== char) return false;
    this.#at++;
    return true;
  }

  #value(nesting: number): IJsonValue {
    this.#space();
    switch (this.#text[this.#at]) {
      case '{':
        return this.#object(this.#deeper(nesting));
      case '[':
        return this.#array(this.#deeper(nesting));
      case '"':
        return this.#string();
      case 't':
        return this.#word('true', true);
      case 'f':
        return this.#word('false', false);
      case 'n':
        return this.#word('null', null);
      default:
        return this.#integer();
    }
  }

  #deeper(nesting: number): number {
    if (nesting >= this.#limits.maxNesting) {
      throw new QuMailError('open.limit', { what: 'nesting', limit: this.#limits.maxNesting });
    }
    this.#at++;
    return nesting + 1;
  }

  #object(nesting: number): IJsonObject {
    const members: Record<string, IJsonValue> = Object.create(null);
    if (this.#take('}')) return members;
    do {
      this.#space();
      if (this.#text[this.#at] !== '"') this.#fail();
      const name = this.#string();
      if (name in members) throw new QuMailError('open.duplicate-member', { name: name.slice(0, 64) });
      if (!this.#take(':')) this.#fail();
      members[name] = this.#value(nesting);
    } while (this.#take(','));
    if (!this.#take('}')) this.#fail();
    return members;
  }

  #array(nesting: number): readonly IJsonValue[] {
    const items: IJsonValue[] = [];
    if (this.#take(']')) return items;
    do items.push(this.#value(nesting));
    while (this.#take(','));
    if (!this.#take(']')) this.#fail();
    return items;
  }

  #string(): string {
    const text = this.#text;
    let out = '';
    let from = ++this.#at;
    for (;;) {
      const code = text.charCodeAt(this.#at);
      // NaN at the end of the text fails the first comparison.
      if (!(code >= 0x20)) this.#fail();
      if (code === 0x22) break;
      if (code === 0x5c) {
        out += text.slice(from, this.#at) + this.#escape();
        from = this.#at;
      } else this.#at++;
    }
    out += text.slice(from, this.#at);
    this.#at++;
    if (!out.isWellFormed() || NONCHARACTER.test(out)) this.#fail();
    return out;
  }

  #escape(): string {
    const kind = this.#text[this.#at + 1] ?? '';
    if (kind === 'u') {
      const hex = this.#text.slice(this.#at + 2, this.#at + 6);
      if (!HEX4.test(hex)) this.#fail();
      this.#at += 6;
      return String.fromCharCode(Number.parseInt(hex, 16));
    }
    const char = Object.hasOwn(ESCAPES, kind) ? ESCAPES[kind] : undefined;
    if (char === undefined) this.#fail();
    this.#at += 2;
    return char;
  }

  #word<T extends IJsonValue>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#at)) this.#fail();
    this.#at += word.length;
    return value;
  }

  #integer(): number {
    INTEGER.lastIndex = this.#at;
    const digits = INTEGER.exec(this.#text)?.[0];
    if (digits === undefined || digits === '-0') this.#fail();
    const value = Number(digits);
    if (!Number.isSafeInteger(value)) this.#fail();
    // A fraction, an exponent or a leading zero is left standing behind the match and refused by whoever reads on.
    this.#at += digits.length;
    return value;
  }
}
