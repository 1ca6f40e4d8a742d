import * as v from 'valibot';
import { fromBase64url, toBase64url } from '../base/bytes.ts';
import { QuMailError } from '../base/errors.ts';
import { SECURITY_LEVELS, type SecurityLevel } from '../base/types.ts';
import { type IJsonObject, readIJson } from './ijson.ts';
import { encodeKeyIds, unpackKeyIds } from './keyIdList.ts';
import { LIMITS } from './limits.ts';
import { PAD_AUTHENTICATOR_LENGTH } from './oneTimePad.ts';
import { isPaddedLength } from './padding.ts';
import { MAX_QUANTUM_SECRET_LENGTH, QUANTUM_SECRET_LENGTH } from './quantumAes.ts';
import { WRAP_KEY_LENGTH, WRAP_LENGTH } from './wrap.ts';

export type Suite = 'QM1-OTP-P1305' | 'QM1-CB256' | 'QM1-CB256+PQ' | 'QM1-PGP9980';

export interface EnvelopeParty {
  /** NFC, lower-case domain. */
  readonly addr: string;
  readonly sae?: string;
  readonly fpr?: string;
}

/** One entry of `keys`: which keys, how many bits of them in all, and for whom. */
export interface EnvelopeKey {
  readonly keyIds: readonly string[];
  /** Bits of all the listed keys together. */
  readonly bits: number;
  /** Indexes into the header's `to`; absent = every recipient. */
  readonly to?: readonly number[];
  /** The wrapped content encryption key, 48 octets; absent = the keys are used directly. */
  readonly wrap?: Buffer;
}

export interface EnvelopeHeader {
  /** 16 random octets, base64url. */
  readonly id: string;
  readonly level: SecurityLevel;
  readonly suite: Suite;
  /** RFC 3339, UTC, whole seconds. */
  readonly ts: string;
  readonly from: EnvelopeParty;
  readonly to: readonly EnvelopeParty[];
  /** Empty at L3, and there alone. */
  readonly keys: readonly EnvelopeKey[];
  /** With `+PQ`, and there alone: the OpenPGP message that carries the post-quantum share. */
  readonly pq?: Buffer;
  /** Octets of the padded plaintext. */
  readonly paddedLength: number;
  readonly plaintext: 'mime' | 'pgp';
}

const SUITES: Readonly<Record<Suite, SecurityLevel>> = {
  'QM1-OTP-P1305': 'L1',
  'QM1-CB256': 'L2',
  'QM1-CB256+PQ': 'L2',
  'QM1-PGP9980': 'L3',
};
/** Members of the header that this version knows by meaning; anything else in `crit` is refused. */
const UNDERSTOOD = new Set(['v', 'id', 'lvl', 'suite', 'ts', 'from', 'to', 'keys', 'pq', 'len', 'pt', 'crit']);

const CONTROL = /\p{Cc}/u;
const text = (max: number) =>
  v.pipe(
    v.string(),
    v.minLength(1),
    v.maxLength(max),
    v.check((s) => !CONTROL.test(s)),
  );
const base64url = (octets: number) =>
  v.pipe(
    v.string(),
    v.check((s) => fromBase64url(s)?.byteLength === octets),
  );
const count = v.pipe(v.number(), v.integer(), v.minValue(1));
const party = v.object({
  addr: v.pipe(text(254), v.check(isHeaderAddress)),
  sae: v.optional(text(255)),
  fpr: v.optional(text(128)),
});
const keyEntry = v.object({
  k: v.optional(v.pipe(v.array(text(256)), v.minLength(1), v.maxLength(LIMITS.keyIds))),
  kp: v.optional(v.string()),
  bits: count,
  to: v.optional(v.pipe(v.array(v.pipe(v.number(), v.integer(), v.minValue(0))), v.minLength(1), v.maxLength(LIMITS.recipients))),
  w: v.optional(base64url(WRAP_LENGTH)),
});
const headerSchema = v.object({
  id: base64url(16),
  lvl: v.picklist(SECURITY_LEVELS),
  ts: v.pipe(v.string(), v.check(isTimestamp)),
  from: party,
  to: v.pipe(v.array(party), v.minLength(1)),
  keys: v.optional(v.pipe(v.array(keyEntry), v.minLength(1), v.maxLength(LIMITS.recipients))),
  pq: v.optional(v.pipe(v.string(), v.minLength(1))),
  len: v.pipe(count, v.check(isPaddedLength)),
  pt: v.picklist(['mime', 'pgp']),
});

function isHeaderAddress(addr: string): boolean {
  const at = addr.lastIndexOf('@');
  if (at < 1 || at === addr.length - 1 || Buffer.byteLength(addr) > 254 || addr.normalize('NFC') !== addr) return false;
  const domain = addr.slice(at + 1);
  return domain.toLowerCase() === domain && !/\s/.test(domain);
}

function isTimestamp(ts: string): boolean {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(ts)) return false;
  const time = Date.parse(ts);
  return !Number.isNaN(time) && new Date(time).toISOString() === ts.replace('Z', '.000Z');
}

/**
 * The `protected` string of a header: base64url of its JSON. What it returns, `decodeHeader` reads; a header that no reader
 * would accept is refused here.
 *
 * @throws QuMailError the `open.*` code a reader would give
 */
export function encodeHeader(header: EnvelopeHeader): string {
  const json = JSON.stringify({
    v: 1,
    id: header.id,
    lvl: header.level,
    suite: header.suite,
    ts: header.ts,
    from: wireParty(header.from),
    to: header.to.map(wireParty),
    keys: header.level === 'L3' && header.keys.length === 0 ? undefined : header.keys.map(wireKey),
    pq: header.pq && toBase64url(header.pq),
    len: header.paddedLength,
    pt: header.plaintext,
  });
  const bytes = Buffer.from(json, 'utf8');
  decodeHeader(bytes);
  return toBase64url(bytes);
}

function wireParty(p: EnvelopeParty): EnvelopeParty {
  return { addr: p.addr, ...(p.sae === undefined ? {} : { sae: p.sae }), ...(p.fpr === undefined ? {} : { fpr: p.fpr }) };
}

function wireKey(key: EnvelopeKey): object {
  return { ...encodeKeyIds(key.keyIds), bits: key.bits, to: key.to, w: key.wrap && toBase64url(key.wrap) };
}

/**
 * Reads the JSON of a header (PROTOCOL 2) and checks everything that needs no key: limits, version, `crit`, suite, members, and
 * that the entries of `keys` can carry the level.
 *
 * @throws QuMailError `open.limit`, `open.malformed` (details: what), `open.duplicate-member`, `open.unknown-version`,
 *   `open.unknown-critical` (details: name), `open.unknown-suite` (details: suite), `open.level-unsupported` (details: suite)
 */
export function decodeHeader(bytes: Uint8Array): EnvelopeHeader {
  const raw = readIJson(bytes, { what: 'header', maxBytes: LIMITS.header, maxNesting: LIMITS.nesting });
  if (raw === null || typeof raw !== 'object' || Array.isArray(raw)) throw new QuMailError('open.malformed', { what: 'header' });
  const members = raw as IJsonObject;
  if (members['v'] !== 1)
    throw new QuMailError(typeof members['v'] === 'number' ? 'open.unknown-version' : 'open.malformed', { what: 'v' });
  requireUnderstood(members['crit']);
  const suite = readSuite(members);
  requireCounts(members);
  const parsed = v.safeParse(headerSchema, members);
  if (!parsed.success) throw new QuMailError('open.malformed', { what: v.getDotPath(parsed.issues[0]) ?? 'header' });
  const { id, lvl, ts, from, to, keys, pq, len, pt } = parsed.output;
  if (pt === 'pgp') throw new QuMailError('open.level-unsupported', { suite, plaintext: pt });
  const header: EnvelopeHeader = {
    id,
    level: lvl,
    suite,
    ts,
    from: wireParty(from as EnvelopeParty),
    to: to.map((p) => wireParty(p as EnvelopeParty)),
    keys: readKeys(lvl, keys),
    ...readShare(suite, pq),
    paddedLength: len,
    plaintext: pt,
  };
  requireSoundKeys(header);
  return header;
}

function requireUnderstood(crit: unknown): void {
  if (crit === undefined) return;
  if (!Array.isArray(crit)) throw new QuMailError('open.malformed', { what: 'crit' });
  for (const name of crit as unknown[]) {
    if (typeof name !== 'string') throw new QuMailError('open.malformed', { what: 'crit' });
    if (!UNDERSTOOD.has(name)) throw new QuMailError('open.unknown-critical', { name: name.slice(0, 64) });
  }
}

function readSuite(members: IJsonObject): Suite {
  const { suite, lvl } = members;
  if (typeof suite !== 'string') throw new QuMailError('open.malformed', { what: 'suite' });
  if (!Object.hasOwn(SUITES, suite)) throw new QuMailError('open.unknown-suite', { suite: suite.slice(0, 64) });
  if (SUITES[suite as Suite] !== lvl) throw new QuMailError('open.malformed', { what: 'suite' });
  return suite as Suite;
}

/** Counts that have a name of their own when exceeded, looked at before the members are. */
function requireCounts(members: IJsonObject): void {
  const { to, keys } = members;
  if (Array.isArray(to) && to.length > LIMITS.recipients)
    throw new QuMailError('open.limit', { what: 'recipients', limit: LIMITS.recipients });
  if (!Array.isArray(keys)) return;
  let ids = 0;
  for (const entry of keys as (IJsonObject | null)[]) {
    const { k, kp } = entry ?? {};
    if (Array.isArray(k)) ids += k.length;
    if (typeof kp === 'string') ids += Math.floor((kp.length * 3) / 4 / 16);
  }
  if (ids > LIMITS.keyIds) throw new QuMailError('open.limit', { what: 'key IDs', limit: LIMITS.keyIds });
}

/** L3 has no keys, and every other level has some. */
function readKeys(level: SecurityLevel, keys: readonly v.InferOutput<typeof keyEntry>[] | undefined): EnvelopeKey[] {
  if ((keys === undefined) !== (level === 'L3')) throw new QuMailError('open.malformed', { what: 'keys' });
  return (keys ?? []).map(readKeyEntry);
}

function readShare(suite: Suite, pq: string | undefined): { pq?: Buffer } {
  const share = pq === undefined ? undefined : fromBase64url(pq);
  if ((share !== undefined) !== (suite === 'QM1-CB256+PQ') || (pq !== undefined && !share))
    throw new QuMailError('open.malformed', { what: 'pq' });
  return share ? { pq: share } : {};
}

function readKeyEntry(entry: v.InferOutput<typeof keyEntry>): EnvelopeKey {
  const keyIds = entry.kp === undefined ? entry.k : unpackKeyIds(entry.kp);
  if (!keyIds || (entry.k && entry.kp !== undefined)) throw new QuMailError('open.malformed', { what: 'keys' });
  const wrap = entry.w === undefined ? undefined : fromBase64url(entry.w);
  return { keyIds, bits: entry.bits, ...(entry.to ? { to: entry.to } : {}), ...(wrap ? { wrap } : {}) };
}

/** Rules across members: no key named twice, no recipient served twice, `to` beside `w`, no direct key beside others, enough bits. */
function requireSoundKeys(header: EnvelopeHeader): void {
  const ids = header.keys.flatMap((key) => key.keyIds);
  const served = header.keys.flatMap((key) => key.to ?? header.to.map((_, index) => index));
  const sound =
    new Set(ids).size === ids.length &&
    new Set(served).size === served.length &&
    served.every((index) => index < header.to.length) &&
    header.keys.every((key) => key.bits % 8 === 0 && key.bits >= bitsNeeded(header, key) && key.bits <= bitsAllowed(header, key)) &&
    header.keys.every((key) => (key.wrap ? header.level === 'L2' && key.to : header.keys.length === 1));
  if (!sound) throw new QuMailError('open.malformed', { what: 'keys' });
}

function bitsNeeded(header: EnvelopeHeader, key: EnvelopeKey): number {
  if (key.wrap) return 8 * WRAP_KEY_LENGTH;
  return 8 * (header.level === 'L1' ? PAD_AUTHENTICATOR_LENGTH + header.paddedLength : QUANTUM_SECRET_LENGTH);
}

/** An L2 secret carries its length as a u16; a pad only ends with the last whole key, which may be long. */
function bitsAllowed(header: EnvelopeHeader, key: EnvelopeKey): number {
  return header.level === 'L2' && !key.wrap ? 8 * MAX_QUANTUM_SECRET_LENGTH : Number.MAX_SAFE_INTEGER;
}
