import { createHmac, type Hmac } from 'node:crypto';
import * as v from 'valibot';
import { fromBase64url, toBase64url } from '../base/bytes.ts';
import { QuMailError } from '../base/errors.ts';
import { BLOCK, MAX_BLOCKS } from './padKeyId.ts';

/**
 * A pad as it is handed over, on a stick:
 *
 * ```
 * "QuMail pad\n"  u16be(|header|)  header  octets that go forth  octets that go back  HMAC-SHA-256 over all before
 * ```
 *
 * The header is JSON: {v:1, pad:<32 octets, base64url>, from, to, octets}; `octets` is the length of one direction. The MAC is keyed with
 * the secret in the header: it finds cuts and faults of the medium. Who could change the file on purpose could also read it, and against
 * that nothing helps but whoever carries it.
 */
export interface PadHeader {
  /** 32 random octets that name the pad to its two owners; never sent. */
  readonly secret: Buffer;
  /** Address of who made it: writes with the first half. */
  readonly from: string;
  /** Address of who imports it: writes with the second. */
  readonly to: string;
  /** Octets of one direction; a multiple of 32. */
  readonly octets: number;
}

const MAGIC = Buffer.from('QuMail pad\n');
export const PAD_PREFIX_LENGTH = MAGIC.length + 2;
export const PAD_MAC_LENGTH = 32;
const MAX_HEADER = 2048;

const HeaderSchema = v.object({
  v: v.literal(1),
  pad: v.pipe(v.string(), v.length(43)),
  from: v.pipe(v.string(), v.minLength(3), v.maxLength(320)),
  to: v.pipe(v.string(), v.minLength(3), v.maxLength(320)),
  octets: v.pipe(v.number(), v.safeInteger(), v.minValue(BLOCK), v.maxValue(MAX_BLOCKS * BLOCK), v.multipleOf(BLOCK)),
});

/** Everything before the pad itself. */
export function encodePadHeader(header: PadHeader): Buffer {
  const json = Buffer.from(
    JSON.stringify({ v: 1, pad: toBase64url(header.secret), from: header.from, to: header.to, octets: header.octets }),
  );
  const length = Buffer.alloc(2);
  length.writeUInt16BE(json.length);
  return Buffer.concat([MAGIC, length, json]);
}

/** Length of the JSON header, from the first octets of a file. @throws QuMailError `pad.malformed` where it is no pad */
export function padHeaderLength(prefix: Buffer): number {
  if (prefix.length < PAD_PREFIX_LENGTH || !prefix.subarray(0, MAGIC.length).equals(MAGIC)) throw malformed('no-pad');
  const length = prefix.readUInt16BE(MAGIC.length);
  if (length === 0 || length > MAX_HEADER) throw malformed('header');
  return length;
}

/** @throws QuMailError `pad.malformed` (reason) */
export function decodePadHeader(json: Buffer): PadHeader {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(json));
  } catch {
    throw malformed('header');
  }
  if (typeof value === 'object' && value !== null && 'v' in value && typeof value.v === 'number' && value.v > 1) throw malformed('newer');
  const parsed = v.safeParse(HeaderSchema, value);
  const secret = parsed.success ? fromBase64url(parsed.output.pad) : undefined;
  if (!parsed.success || secret?.length !== 32) throw malformed('header');
  return { secret, from: parsed.output.from, to: parsed.output.to, octets: parsed.output.octets };
}

/** The running MAC of a pad file. */
export function padMac(secret: Buffer): Hmac {
  return createHmac('sha256', createHmac('sha256', secret).update('QuMail pad MAC').digest());
}

function malformed(reason: string): QuMailError {
  return new QuMailError('pad.malformed', { reason });
}
