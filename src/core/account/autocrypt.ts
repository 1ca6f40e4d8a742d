import { normalizeAddress } from '../mail/address.ts';
import type { HeaderField } from '../mail/headerField.ts';

/** What a sender's program says in an Autocrypt header (Autocrypt Level 1 section 2.1). */
export interface AutocryptHeader {
  /** Normalised. */
  readonly addr: string;
  readonly preferEncrypt: 'mutual' | 'nopreference';
  /** Binary transferable public key, not looked at yet. */
  readonly keydata: Buffer;
}

/** Characters of one header; readMime keeps no more of a field either. A post-quantum certificate has some 19,000 in base64. */
const MAX_HEADER = 32 * 1024;

/**
 * The one Autocrypt header of a message that speaks for its From address. Undefined where there is none, or several: then none of them
 * counts (Level 1 section 2.2.1). Never throws; what does not fit is ignored, as the specification wants it.
 *
 * @param from the one address of From; a message with several authors says nothing about any of them
 */
export function autocryptOf(headers: readonly HeaderField[], from: string): AutocryptHeader | undefined {
  if (headers.filter(({ name }) => name.toLowerCase() === 'from').length !== 1) return undefined;
  const valid = headers
    .filter(({ name }) => name.toLowerCase() === 'autocrypt')
    .slice(0, 16)
    .flatMap(({ value }) => readAutocrypt(value) ?? [])
    .filter(({ addr }) => addr.toLowerCase() === from.toLowerCase());
  return valid.length === 1 ? valid[0] : undefined;
}

/** Reads the value of one header; undefined where it is not valid. */
export function readAutocrypt(value: string): AutocryptHeader | undefined {
  if (value.length > MAX_HEADER) return undefined;
  const attributes = new Map<string, string>();
  for (const part of value.split(';')) {
    if (part.trim() === '') continue;
    const equals = part.indexOf('=');
    const name = part.slice(0, Math.max(0, equals)).trim().toLowerCase();
    if (name === '' || attributes.has(name)) return undefined;
    attributes.set(name, part.slice(equals + 1).trim());
  }
  for (const name of attributes.keys()) {
    // An unknown attribute is critical unless its name starts with an underscore.
    if (!['addr', 'prefer-encrypt', 'keydata'].includes(name) && !name.startsWith('_')) return undefined;
  }
  const addr = normalizeAddress(attributes.get('addr') ?? '');
  const base64 = (attributes.get('keydata') ?? '').replace(/[ \t\r\n]+/g, '');
  if (addr === undefined || base64 === '' || !/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return undefined;
  const preferEncrypt = attributes.get('prefer-encrypt')?.toLowerCase() === 'mutual' ? 'mutual' : 'nopreference';
  return { addr, preferEncrypt, keydata: Buffer.from(base64, 'base64') };
}
