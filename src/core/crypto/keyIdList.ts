import { fromBase64url, toBase64url } from '../base/bytes.ts';

/** Above this many key IDs, UUIDs travel packed: 22 characters each instead of 39. */
const PACK_ABOVE = 8;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const UUID_LENGTH = 16;

export type WireKeyIds = { readonly k: readonly string[] } | { readonly kp: string };

/** `kp` when there are more than 8 key IDs and all are UUIDs in canonical lower-case form (RFC 9562 section 4); `k` otherwise. */
export function encodeKeyIds(keyIds: readonly string[]): WireKeyIds {
  if (keyIds.length <= PACK_ABOVE || !keyIds.every((id) => UUID.test(id))) return { k: keyIds };
  return { kp: toBase64url(Buffer.from(keyIds.join('').replaceAll('-', ''), 'hex')) };
}

/** The key IDs of a `kp`, or undefined when it is not canonical base64url of whole UUIDs. */
export function unpackKeyIds(packed: string): string[] | undefined {
  const bytes = fromBase64url(packed);
  if (!bytes || bytes.byteLength === 0 || bytes.byteLength % UUID_LENGTH !== 0) return undefined;
  const ids: string[] = [];
  for (let at = 0; at < bytes.byteLength; at += UUID_LENGTH) {
    const hex = bytes.toString('hex', at, at + UUID_LENGTH);
    ids.push(`${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`);
  }
  return ids;
}
