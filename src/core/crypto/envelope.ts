import { hash } from 'node:crypto';
import { fromBase64url, toBase64url } from '../base/bytes.ts';
import { QuMailError } from '../base/errors.ts';
import { cobblestoneLength } from './cobblestone.ts';
import { decodeHeader, type EnvelopeHeader } from './header.ts';
import { type IJsonObject, type IJsonValue, readIJson } from './ijson.ts';
import { LIMITS, PAYLOAD_PART_NAME } from './limits.ts';
import { TAG_LENGTH } from './oneTimePad.ts';
import { PAYLOAD_TAG_LENGTH } from './payloadTag.ts';

export { encodeHeader } from './header.ts';
export type { EnvelopeHeader, EnvelopeKey, EnvelopeParty, Suite } from './header.ts';

const AAD_PREFIX = 'QuMail-AAD-v1\0';

/** The two attachments of PROTOCOL 2; `bin` only where the body exceeds 65,536 octets. */
export interface Payload {
  readonly json: Buffer;
  readonly bin?: Buffer;
}

export interface ReadPayload {
  readonly header: EnvelopeHeader;
  /** Exactly as received. */
  readonly protectedHeader: string;
  readonly aad: Buffer;
  readonly body: Buffer;
  /** At L3, and there alone. */
  readonly tag?: Buffer;
}

/** ASCII `QuMail-AAD-v1` ‖ 0x00 ‖ the `protected` string exactly as it travels. */
export function aadOf(protectedHeader: string): Buffer {
  return Buffer.from(AAD_PREFIX + protectedHeader, 'latin1');
}

/** Packs header and body, and at L3 the tag, into the JSON attachment and, for long bodies, the binary one (`body` itself, not a copy). */
export function writePayload(protectedHeader: string, body: Buffer, tag?: Buffer): Payload {
  const inline = body.byteLength <= LIMITS.inlineBody;
  const rest = inline
    ? { body: toBase64url(body) }
    : { part: { name: PAYLOAD_PART_NAME, len: body.byteLength, sha256: hash('sha256', body, 'base64url') } };
  const json = Buffer.from(
    JSON.stringify({ qumail: 1, protected: protectedHeader, ...rest, ...(tag && { tag: toBase64url(tag) }) }),
    'utf8',
  );
  return inline ? { json } : { json, bin: body };
}

/**
 * Reads what `writePayload` wrote, with everything checked that needs no key: a message that fails here has cost none.
 *
 * @param parts the binary attachments of the message by name
 * @throws QuMailError `open.limit`, `open.malformed`, `open.duplicate-member`, `open.unknown-version`, `open.unknown-critical`,
 *   `open.unknown-suite`, `open.level-unsupported`, `open.part-missing`, `open.part-mismatch`, `open.truncated`
 */
export function readPayload(json: Buffer, parts: ReadonlyMap<string, Buffer>): ReadPayload {
  const payload = readIJson(json, { what: 'payload', maxBytes: LIMITS.payloadJson, maxNesting: LIMITS.nesting });
  if (!isObject(payload)) throw malformed('payload');
  const version = payload['qumail'];
  if (version !== 1) throw new QuMailError(typeof version === 'number' ? 'open.unknown-version' : 'open.malformed', { what: 'qumail' });
  const protectedHeader = payload['protected'];
  if (typeof protectedHeader !== 'string') throw malformed('protected');
  if (protectedHeader.length > Math.ceil((LIMITS.header * 4) / 3))
    throw new QuMailError('open.limit', { what: 'header', limit: LIMITS.header });
  const headerBytes = fromBase64url(protectedHeader);
  if (!headerBytes) throw malformed('protected');
  const header = decodeHeader(headerBytes);
  const body = readBody(payload, parts);
  requireLength(header, body.byteLength);
  return { header, protectedHeader, aad: aadOf(protectedHeader), body, ...readTag(header, payload['tag']) };
}

function readTag(header: EnvelopeHeader, tag: IJsonValue | undefined): { tag?: Buffer } {
  if (header.level !== 'L3') return {};
  const octets = typeof tag === 'string' ? fromBase64url(tag) : undefined;
  if (octets?.byteLength !== PAYLOAD_TAG_LENGTH) throw malformed('tag');
  return { tag: octets };
}

function malformed(what: string): QuMailError {
  return new QuMailError('open.malformed', { what });
}

function isObject(value: IJsonValue | undefined): value is IJsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function readBody(payload: IJsonObject, parts: ReadonlyMap<string, Buffer>): Buffer {
  const { body, part } = payload;
  if ((body === undefined) === (part === undefined)) throw malformed('body');
  if (part !== undefined) return readPart(part, parts);
  if (typeof body !== 'string') throw malformed('body');
  if (body.length > Math.ceil((LIMITS.inlineBody * 4) / 3)) throw new QuMailError('open.limit', { what: 'body', limit: LIMITS.inlineBody });
  const bytes = fromBase64url(body);
  if (!bytes) throw malformed('body');
  return bytes;
}

function readPart(part: IJsonValue, parts: ReadonlyMap<string, Buffer>): Buffer {
  if (!isObject(part)) throw malformed('part');
  const { name, len, sha256 } = part;
  if (typeof name !== 'string' || typeof len !== 'number' || typeof sha256 !== 'string') throw malformed('part');
  if (len <= LIMITS.inlineBody) throw malformed('part.len');
  const bytes = parts.get(name);
  if (!bytes) throw new QuMailError('open.part-missing', { name: name.slice(0, 64) });
  if (bytes.byteLength < len) throw new QuMailError('open.truncated', { wanted: len, got: bytes.byteLength });
  if (bytes.byteLength > len || hash('sha256', bytes, 'base64url') !== sha256) throw new QuMailError('open.part-mismatch');
  return bytes;
}

/** At L1 and L2 the body's length follows from `len` alone, so a cut or swapped body is noticed before a key is asked for. */
function requireLength(header: EnvelopeHeader, got: number): void {
  if (header.level === 'L3') return requirePgpLength(header, got);
  const wanted = header.level === 'L1' ? TAG_LENGTH + header.paddedLength : cobblestoneLength(header.paddedLength);
  if (header.level === 'L1' && header.paddedLength > LIMITS.padPlaintext) {
    throw new QuMailError('open.limit', { what: 'pad', limit: LIMITS.padPlaintext });
  }
  if (got < wanted) throw new QuMailError('open.truncated', { wanted, got });
  if (got > wanted) throw malformed('body');
}

/** An OpenPGP message is longer than what it holds, and not by more than its session keys, its signature and its framing take. */
function requirePgpLength(header: EnvelopeHeader, got: number): void {
  if (got < header.paddedLength) throw new QuMailError('open.truncated', { wanted: header.paddedLength, got });
  if (got > header.paddedLength + LIMITS.pgpOverhead + header.paddedLength / 64) throw malformed('body');
}
