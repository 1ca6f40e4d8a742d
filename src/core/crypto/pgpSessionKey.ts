import { QuMailError } from '../base/errors.ts';
import type { PgpLibrary } from './pgpLibrary.ts';

/** A session key as the library has it. */
export interface LibrarySessionKey {
  data: Uint8Array<ArrayBuffer>;
  algorithm: 'aes128' | 'aes192' | 'aes256';
  aeadAlgorithm?: 'gcm' | 'ocb';
}

/** One octet for the cipher (RFC 9580 section 9.3), then the key: version 1 of the packet does not say the cipher outside. */
export function packSessionKey(library: PgpLibrary, { algorithm, data }: LibrarySessionKey): Buffer {
  return Buffer.concat([Buffer.of(library.enums.symmetric[algorithm ?? 'aes256']), data]);
}

/** @throws QuMailError `engine.bad-request` (details: field) */
export function unpackSessionKey(library: PgpLibrary, packed: Uint8Array): LibrarySessionKey {
  const { symmetric } = library.enums;
  const name = (['aes128', 'aes192', 'aes256'] as const).find((each) => symmetric[each] === packed[0]);
  const size = { aes128: 16, aes192: 24, aes256: 32 } as const;
  if (!name || packed.byteLength !== 1 + size[name]) throw new QuMailError('engine.bad-request', { field: 'sessionKey' });
  return { data: Uint8Array.from(packed.subarray(1)), algorithm: name };
}
