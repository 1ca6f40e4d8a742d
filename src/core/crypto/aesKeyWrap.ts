import { equalBytes } from '../base/bytes.ts';

/** What of WebCrypto's SubtleCrypto is needed here. */
export interface KeyWrapping {
  importKey: SubtleCrypto['importKey'];
  wrapKey: SubtleCrypto['wrapKey'];
  unwrapKey: SubtleCrypto['unwrapKey'];
  exportKey: SubtleCrypto['exportKey'];
}

type SubtleCrypto = typeof globalThis.crypto.subtle;

/** RFC 3394 section 4.6: 256 bits of key data with a 256-bit key-encryption key. */
const KEK = Uint8Array.from({ length: 32 }, (_, i) => i);
const KEY_DATA = Uint8Array.from(Buffer.from('00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f', 'hex'));
const WRAPPED = Uint8Array.from(Buffer.from('28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21', 'hex'));

/** Whether AES-KW (RFC 3394) works, wrapping and unwrapping; Electron has offered it and refused with OperationError. */
export async function worksAesKeyWrap(subtle: KeyWrapping): Promise<boolean> {
  try {
    const kek = await subtle.importKey('raw', KEK, { name: 'AES-KW' }, false, ['wrapKey', 'unwrapKey']);
    const hmac = { name: 'HMAC', hash: 'SHA-256' };
    const key = await subtle.importKey('raw', KEY_DATA, hmac, true, ['sign']);
    const wrapped = new Uint8Array(await subtle.wrapKey('raw', key, kek, { name: 'AES-KW' }));
    if (!equalBytes(wrapped, WRAPPED)) return false;
    const unwrapped = await subtle.unwrapKey('raw', WRAPPED, kek, { name: 'AES-KW' }, hmac, true, ['sign']);
    return equalBytes(new Uint8Array(await subtle.exportKey('raw', unwrapped)), KEY_DATA);
  } catch {
    return false;
  }
}

/**
 * To be awaited before the OpenPGP library is imported. Where AES-KW does not work, `importKey` for it is made to say so by the name that
 * the library falls back on (NotSupportedError); everything else stays as it is. Runs in the engine's worker, so nobody else sees it.
 *
 * @returns what was found
 */
export async function ensureAesKeyWrap(subtle: KeyWrapping): Promise<'works' | 'replaced'> {
  if (await worksAesKeyWrap(subtle)) return 'works';
  const importKey = subtle.importKey;
  const honest = async (...args: unknown[]): Promise<unknown> => {
    const algorithm = args[2] as string | { readonly name?: string } | undefined;
    const name = typeof algorithm === 'string' ? algorithm : algorithm?.name;
    if (name?.toUpperCase() === 'AES-KW') throw new DOMException('AES-KW', 'NotSupportedError');
    return Reflect.apply(importKey, subtle, args);
  };
  Object.defineProperty(subtle, 'importKey', { value: honest, configurable: true, writable: true });
  return 'replaced';
}
