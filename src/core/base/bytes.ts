import { timingSafeEqual } from 'node:crypto';

/** Overwrites `bytes` with zeros. Call it in `finally` on everything that held key material. */
export function wipe(...buffers: (Uint8Array | undefined)[]): void {
  for (const bytes of buffers) bytes?.fill(0);
}

/** Base64url without padding (RFC 4648 section 5). */
export function toBase64url(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64url');
}

/**
 * Strict base64url: refuses padding, other alphabets and non-zero trailing bits, so that one value has one spelling.
 * Returns undefined when `text` is not canonical.
 */
export function fromBase64url(text: string): Buffer | undefined {
  if (!/^[A-Za-z0-9_-]*$/.test(text)) return undefined;
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : undefined;
}

/** Unsigned 16-bit big-endian. */
export function u16be(value: number): Buffer {
  const out = Buffer.alloc(2);
  out.writeUInt16BE(value);
  return out;
}

/** Unsigned 64-bit little-endian. */
export function le64(value: number): Buffer {
  const out = Buffer.alloc(8);
  out.writeBigUInt64LE(BigInt(value));
  return out;
}

/** Constant-time comparison; buffers of different length are unequal (length is not secret anywhere here). */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && timingSafeEqual(a, b);
}
