import type * as openpgp from '@protontech/openpgp';
import { ensureAesKeyWrap } from './aesKeyWrap.ts';

/** OpenPGP.js (Proton's fork, which has the algorithms of RFC 9980). Only files named pgp* know it. */
export type PgpLibrary = typeof openpgp;

export type LoadPgpLibrary = () => Promise<PgpLibrary>;

let loading: Promise<PgpLibrary> | undefined;

/**
 * The library, loaded when first needed: 0.4 MB that a person without OpenPGP mail never pays for. In the packaged engine it is the file
 * `openpgp.min.cjs` beside it (LGPL: unbundled and exchangeable, see esbuild.mjs); under plain Node it comes from node_modules.
 */
export function loadPgpLibrary(): Promise<PgpLibrary> {
  loading ??= (async () => {
    await ensureAesKeyWrap(globalThis.crypto.subtle);
    return await import('@protontech/openpgp');
  })();
  return loading;
}

const MIB = 1_048_576;

/** Bounds of what is parsed, in octets or counts. */
export const PGP_LIMITS = {
  /** A post-quantum certificate has 14 KB, a classic one with its history seldom more than 100 KB. */
  certificate: 256 * 1024,
  certificatePackets: 400,
  userIds: 64,
  subkeys: 64,
  secretKey: 4 * MIB,
  /** As large as any source that QuMail reads. */
  message: 64 * MIB,
  /** Decompressed; other programs compress. */
  plaintext: 64 * MIB,
  /** Session-key packets, and what else may stand before the encrypted data. */
  messagePackets: 256,
  signature: 64 * 1024,
} as const;

/** Clocks of two people differ: what was signed this much in the future is accepted. Milliseconds. */
export const CLOCK_TOLERANCE = 10 * 60_000;

/** Everything the library may decide by itself, decided here. */
export function pgpConfig(library: PgpLibrary): openpgp.Config {
  const { hash } = library.enums;
  const brokenHashes = new Set([hash.md5, hash.sha1, hash.ripemd]);
  return {
    ...library.config,
    v6Keys: true,
    aeadProtect: true,
    // OCB runs in JavaScript here: 25 MiB take 7 s against 0.1 s.
    preferredAEADAlgorithm: library.enums.aead.gcm,
    preferredSymmetricAlgorithm: library.enums.symmetric.aes256,
    preferredHashAlgorithm: hash.sha512,
    preferredCompressionAlgorithm: library.enums.compression.uncompressed,
    allowUnauthenticatedMessages: false,
    allowUnauthenticatedStream: false,
    enforceGrammar: true,
    minRSABits: 2048,
    rejectHashAlgorithms: brokenHashes,
    rejectMessageHashAlgorithms: brokenHashes,
    maxUserIDLength: 1024,
    maxDecompressedMessageSize: PGP_LIMITS.plaintext,
    showVersion: false,
    showComment: false,
  };
}

/** A plain view: the library relies on Uint8Array's `slice`, which copies, where Buffer's does not. */
export function plainBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength);
}

export function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
