import { createHash } from 'node:crypto';
import { wipe } from '../base/bytes.ts';

/**
 * Some key managers compute the key ID from the key (SHA-1 of it), or the key from its ID. Key IDs travel in the clear, so an ID that is
 * a function of the key gives away as many bits of it to an unbounded adversary, and a key that is a function of its ID is no secret at
 * all. Only the usual functions are tried: this finds carelessness, not malice.
 */
export type Betrayal = 'id-from-key' | 'key-from-id';

const ALGORITHMS = ['md5', 'sha1', 'sha256', 'sha512'] as const;
/** RFC 9562 appendix: name spaces of UUID versions 3 and 5 (DNS, URL, OID, X.500), and the nil UUID. */
const NAME_SPACES = [...[0, 1, 2, 4].map((n) => `6ba7b81${n}9dad11d180b400c04fd430c8`), '0'.repeat(32)].map((hex) =>
  Buffer.from(hex, 'hex'),
);
/** Fewer equal bytes than this may be chance. */
const MIN_MATCH = 8;

/** How `keyId` and `bytes` depend on each other, or undefined where none of the usual functions fits. */
export function findBetrayal(keyId: string, bytes: Buffer): Betrayal | undefined {
  const id = idBytes(keyId);
  if (id !== undefined && fitsKey(id, bytes)) return 'id-from-key';
  return fitsId(keyId, id, bytes) ? 'key-from-id' : undefined;
}

function fitsKey(id: Buffer, key: Buffer): boolean {
  const base64 = base64Text(key);
  const hex = hexText(key);
  const candidates: Buffer[] = [Buffer.from(key.subarray(0, id.length)), Buffer.from(key.subarray(-id.length))];
  try {
    for (const algorithm of ALGORITHMS) for (const form of [key, base64, hex]) candidates.push(digest(algorithm, form));
    for (const space of NAME_SPACES) for (const algorithm of ['md5', 'sha1'] as const) candidates.push(digest(algorithm, space, key));
    return candidates.some((candidate) => sameId(id, candidate));
  } finally {
    wipe(base64, hex, ...candidates);
  }
}

function fitsId(keyId: string, id: Buffer | undefined, key: Buffer): boolean {
  const forms = [
    Buffer.from(keyId),
    Buffer.from(keyId.toLowerCase()),
    Buffer.from(keyId.replaceAll('-', '')),
    ...(id === undefined ? [] : [id]),
  ];
  return forms.some((form) => startsAlike(key, form) || ALGORITHMS.some((algorithm) => startsAlike(key, digest(algorithm, form))));
}

/** The octets an ID stands for: hexadecimal with or without dashes (UUID), or base64 of a digest. */
function idBytes(keyId: string): Buffer | undefined {
  const hex = keyId.replaceAll('-', '');
  if (/^(?:[0-9a-f]{2}){8,64}$/i.test(hex)) return Buffer.from(hex, 'hex');
  const decoded = /^[A-Za-z0-9+/_-]{11,88}={0,2}$/.test(keyId) ? Buffer.from(keyId, 'base64') : undefined;
  return decoded !== undefined && decoded.length >= MIN_MATCH ? decoded : undefined;
}

/** Compares an ID with the start of a digest; of a UUID, the version and variant bits are not the digest's. */
function sameId(id: Buffer, candidate: Buffer): boolean {
  const length = Math.min(id.length, candidate.length);
  if (length < MIN_MATCH || length < id.length) return false;
  let difference = 0;
  for (let i = 0; i < length; i++) {
    const mask = id.length === 16 ? (i === 6 ? 0x0f : i === 8 ? 0x3f : 0xff) : 0xff;
    difference |= (id[i]! ^ candidate[i]!) & mask;
  }
  return difference === 0;
}

function startsAlike(key: Buffer, candidate: Buffer): boolean {
  const length = Math.min(key.length, candidate.length);
  return length >= MIN_MATCH && key.subarray(0, length).equals(candidate.subarray(0, length));
}

function digest(algorithm: (typeof ALGORITHMS)[number], ...parts: Buffer[]): Buffer {
  const hash = createHash(algorithm);
  for (const part of parts) hash.update(part);
  return hash.digest();
}

const BASE64 = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/');
const HEX = Buffer.from('0123456789abcdef');

/** base64 of `bytes` as octets, because a string could not be wiped. */
function base64Text(bytes: Buffer): Buffer {
  const out = Buffer.alloc(Math.ceil(bytes.length / 3) * 4, 0x3d);
  for (let i = 0, o = 0; i < bytes.length; i += 3, o += 4) {
    const group = (bytes[i]! << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    const filled = Math.min(3, bytes.length - i) + 1;
    for (let k = 0; k < filled; k++) out[o + k] = BASE64[(group >> (18 - 6 * k)) & 63]!;
  }
  return out;
}

function hexText(bytes: Buffer): Buffer {
  const out = Buffer.alloc(bytes.length * 2);
  bytes.forEach((byte, i) => {
    out[2 * i] = HEX[byte >> 4]!;
    out[2 * i + 1] = HEX[byte & 15]!;
  });
  return out;
}
