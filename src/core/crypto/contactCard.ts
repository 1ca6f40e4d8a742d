import { createHash } from 'node:crypto';
import * as v from 'valibot';
import { fromBase64url, toBase64url } from '../base/bytes.ts';
import { QuMailError } from '../base/errors.ts';
import { SECURITY_LEVELS, type SecurityLevel } from '../base/types.ts';
import { normalizeAddress } from '../mail/address.ts';
import { type IJsonObject, type IJsonValue, readIJson } from './ijson.ts';
import type { PgpEngine } from './pgpEngine.ts';

/** What a person states about themselves, signed by the certificate it names. */
export interface ContactCard {
  /** NFC, lower-case domain. */
  readonly addr: string;
  readonly saeId?: string;
  readonly kmeId?: string;
  /** Upper-case hex, of the certificate that signed. */
  readonly fingerprint: string;
  /** Below this the person does not want to be written to. */
  readonly minimumLevel: SecurityLevel;
  /** Suites the person's program opens. */
  readonly suites: readonly string[];
  /** Milliseconds since the epoch; of two cards the later one counts. */
  readonly issuedAt: number;
  /** Milliseconds since the epoch: not to be taken up afterwards. */
  readonly expiresAt?: number;
}

/** A card as it travels: its octets are what was signed, and are never written anew. */
export interface SignedCard {
  readonly card: ContactCard;
  /** UTF-8 JSON. */
  readonly octets: Buffer;
  /** Detached OpenPGP signature. */
  readonly signature: Buffer;
  /** The certificate that signed, where it comes along. */
  readonly certificate?: Buffer;
}

export const CARD_ATTACHMENT = 'qumail_card.json';
export const CARD_MIME_TYPE = 'application/vnd.qumail.card+json';
/** Octets. A certificate has 14 KB, its signature 3.4 KB. */
const MAX_FILE = 256 * 1024;
const MAX_CARD = 4 * 1024;
const MAX_NESTING = 3;
/** A card from further in the future would make every later one look old. */
const MAX_AHEAD_MS = 86_400_000;
const UNDERSTOOD = new Set(['v', 'addr', 'saeId', 'kmeId', 'fingerprint', 'minimumLevel', 'suites', 'issuedAt', 'expiresAt', 'crit']);

const printable = v.pipe(v.string(), v.regex(/^[\x21-\x7e]{1,128}$/));
const time = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const fingerprint = v.pipe(v.string(), v.regex(/^(?:[0-9A-F]{40}|[0-9A-F]{64})$/));
const cardSchema = v.object({
  v: v.literal(1),
  addr: v.pipe(
    v.string(),
    v.check((addr) => normalizeAddress(addr) === addr),
  ),
  saeId: v.exactOptional(printable),
  kmeId: v.exactOptional(printable),
  fingerprint,
  minimumLevel: v.picklist(SECURITY_LEVELS),
  suites: v.pipe(v.array(v.pipe(v.string(), v.regex(/^[\x21-\x7e]{1,40}$/))), v.maxLength(16)),
  issuedAt: time,
  expiresAt: v.exactOptional(time),
});
const fileSchema = v.object({
  qumailCard: v.literal(1),
  card: v.string(),
  signature: v.string(),
  certificate: v.exactOptional(v.string()),
});

/** The octets of a card, as they are signed and sent. */
export function encodeCard(card: ContactCard): Buffer {
  const { addr, saeId, kmeId, fingerprint, minimumLevel, suites, issuedAt, expiresAt } = card;
  return Buffer.from(JSON.stringify({ v: 1, addr, saeId, kmeId, fingerprint, minimumLevel, suites, issuedAt, expiresAt }), 'utf8');
}

/**
 * Reads the octets of a card. Says nothing about who signed it.
 *
 * @throws QuMailError `card.malformed` (details: what), `card.unknown-critical` (details: name)
 */
export function decodeCard(octets: Uint8Array): ContactCard {
  const members = readObject(octets, 'card', MAX_CARD);
  refuseUnknownCritical(members['crit']);
  const { v: _, ...card } = parsed(cardSchema, members, 'card');
  return card as ContactCard;
}

/** The file or attachment: `{"qumailCard":1,"card":…,"signature":…,"certificate":…}`, base64url throughout. */
export function encodeSignedCard(signed: Omit<SignedCard, 'card'>): Buffer {
  const { octets, signature, certificate } = signed;
  return Buffer.from(
    JSON.stringify({
      qumailCard: 1,
      card: toBase64url(octets),
      signature: toBase64url(signature),
      ...(certificate && { certificate: toBase64url(certificate) }),
    }),
  );
}

/** Reads a card file or attachment. @throws QuMailError `card.malformed` (details: what), `card.unknown-critical` (details: name) */
export function decodeSignedCard(file: Uint8Array): SignedCard {
  const { card, signature, certificate } = parsed(fileSchema, readObject(file, 'file', MAX_FILE), 'file');
  const octets = decoded(card, 'card');
  return {
    card: decodeCard(octets),
    octets,
    signature: decoded(signature, 'signature'),
    ...(certificate !== undefined && { certificate: decoded(certificate, 'certificate') }),
  };
}

/** What a card is known by: base64url of SHA-256 over its octets. */
export function cardDigest(octets: Uint8Array): string {
  return createHash('sha256').update(octets).digest('base64url');
}

/** What is signed: ASCII `QuMail-Card-v1` ‖ 0x00 ‖ the card's octets, so that a signature made for anything else is never one of a card. */
export function signedOctets(octets: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from('QuMail-Card-v1\0', 'latin1'), octets]);
}

/**
 * Whether the card is for this address, of this time, and signed by the very certificate it names.
 *
 * @param certificate the one that is to have signed, inspected already
 * @throws QuMailError `card.other-address` (details: address), `card.expired`, `card.malformed` (issued in the future), `card.forged`
 */
export async function verifyCard(
  signed: SignedCard,
  expected: { readonly address: string; readonly fingerprint: string; readonly certificate: Buffer; readonly now: number },
  pgp: Pick<PgpEngine, 'verify'>,
): Promise<void> {
  const { card, octets, signature } = signed;
  // No case of the local part makes another mailbox, as contacts are found whatever the case.
  if (card.addr.toLowerCase() !== expected.address.toLowerCase()) throw new QuMailError('card.other-address', { address: card.addr });
  if (card.issuedAt > expected.now + MAX_AHEAD_MS) throw new QuMailError('card.malformed', { what: 'issuedAt' });
  if (card.expiresAt !== undefined && card.expiresAt <= expected.now) throw new QuMailError('card.expired');
  if (card.fingerprint !== expected.fingerprint) throw new QuMailError('card.forged', { what: 'fingerprint' });
  const result = await pgp
    .verify({ data: signedOctets(octets), signature, verifyWith: [expected.certificate], now: expected.now })
    .catch((cause: unknown) => {
      throw new QuMailError('card.forged', { what: 'signature' }, { cause });
    });
  if (result.state !== 'valid' || result.fingerprint !== expected.fingerprint) throw new QuMailError('card.forged', { what: 'signature' });
}

function refuseUnknownCritical(crit: IJsonValue | undefined): void {
  if (crit === undefined) return;
  if (!Array.isArray(crit)) throw new QuMailError('card.malformed', { what: 'crit' });
  for (const name of crit as readonly IJsonValue[]) {
    if (typeof name !== 'string') throw new QuMailError('card.malformed', { what: 'crit' });
    if (!UNDERSTOOD.has(name)) throw new QuMailError('card.unknown-critical', { name: name.slice(0, 64) });
  }
}

function readObject(bytes: Uint8Array, what: string, maxBytes: number): IJsonObject {
  let value: IJsonValue;
  try {
    value = readIJson(bytes, { what, maxBytes, maxNesting: MAX_NESTING });
  } catch (error) {
    const { code } = QuMailError.from(error);
    throw new QuMailError('card.malformed', { what, reason: code }, { cause: error });
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value)) throw new QuMailError('card.malformed', { what });
  return value as IJsonObject;
}

function parsed<S extends v.GenericSchema>(schema: S, value: unknown, what: string): v.InferOutput<S> {
  const result = v.safeParse(schema, value);
  if (!result.success) throw new QuMailError('card.malformed', { what: v.getDotPath(result.issues[0]) ?? what });
  return result.output;
}

function decoded(text: string, what: string): Buffer {
  const bytes = fromBase64url(text);
  if (bytes === undefined || bytes.length === 0) throw new QuMailError('card.malformed', { what });
  return bytes;
}
