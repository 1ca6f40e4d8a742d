import { createHash } from 'node:crypto';
import { QuMailError } from '../base/errors.ts';
import { foldField, type HeaderField } from './headerField.ts';
import { writeInner, type OuterHeaders, type OutgoingMessage } from './writeMime.ts';

/**
 * OpenPGP covers the MIME entity and not the envelope's header. So the entity, which is signed, names the digest of the header (PROTOCOL 5):
 * `QuMail-Control-Digest: sha-256=<base64url of SHA-256(AAD)>`. The field has one length, so that the entity's length can stand in the very
 * header it is the digest of.
 */
const FIELD = 'QuMail-Control-Digest';
const EMPTY = foldField({ name: FIELD, value: `sha-256=${'A'.repeat(43)}` });
/** Filler after the last boundary, which no reader shows (RFC 2046 5.1.1). */
const FILLER_LINE = `${'.'.repeat(76)}\r\n`;

export interface SignedInner {
  /** Octets of the whole entity. */
  readonly length: number;
  /** The entity as pieces, bound to one envelope header. */
  pieces(aad: Uint8Array): readonly Buffer[];
}

/**
 * The inner entity of a message at L3, padded by an epilogue so that any program can read it.
 *
 * @param padded the length to reach for a length of content; never less than it
 */
export async function writeSignedInner(m: OutgoingMessage, outer: OuterHeaders, padded: (length: number) => number): Promise<SignedInner> {
  const entity = await padEntity(await writeInner({ ...m, body: 'text+html' }, outer), EMPTY.length, padded);
  return {
    length: EMPTY.length + entity.length,
    pieces: (aad) => [Buffer.from(foldField(controlDigest(aad))), entity],
  };
}

/** A multipart entity followed by an epilogue, so that it and the `before` octets in front of it have a padded length. */
export async function padEntity(entity: Buffer, before: number, padded: (length: number) => number): Promise<Buffer> {
  const missing = padded(before + entity.length) - before - entity.length;
  const filler = FILLER_LINE.repeat(Math.ceil(missing / FILLER_LINE.length)).slice(0, missing);
  return Buffer.concat([entity, Buffer.from(filler)]);
}

/** Refuses an inner message that was not written for this envelope header. @throws QuMailError `open.tampered` (details: what) */
export function requireControlDigest(fields: readonly HeaderField[], aad: Uint8Array): void {
  const found = fields.filter(({ name }) => name.toLowerCase() === FIELD.toLowerCase());
  if (found.length !== 1 || found[0]?.value !== controlDigest(aad).value)
    throw new QuMailError('open.tampered', { what: 'control-digest' });
}

function controlDigest(aad: Uint8Array): HeaderField {
  return { name: FIELD, value: `sha-256=${createHash('sha256').update(aad).digest('base64url')}` };
}
