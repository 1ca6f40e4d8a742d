import * as v from 'valibot';
import { wipe } from '../base/bytes.ts';
import { QuMailError } from '../base/errors.ts';
import { cutKeys } from './keyCutter.ts';

/**
 * The wire format of ETSI GS QKD 014 V1.1.1 and nothing else, so that a second edition needs a second codec only. Lenient in what real
 * key managers do differently (KEY-MANAGER), strict in what the secrecy of a key depends on.
 */
export type Etsi014Method = 'status' | 'enc_keys' | 'dec_keys';

/** Sizes in bits; counts are advisory. Absent or nonsensical members are undefined. */
export interface Etsi014Status {
  readonly sourceKmeId?: string;
  readonly targetKmeId?: string;
  readonly masterSaeId?: string;
  readonly slaveSaeId?: string;
  readonly keySize?: number;
  readonly storedKeyCount?: number;
  readonly maxKeyCount?: number;
  readonly maxKeyPerRequest?: number;
  readonly maxKeySize?: number;
  readonly minKeySize?: number;
  /** 0 or absent: no multicast. */
  readonly maxSaeIdCount?: number;
}

/** A key as it was delivered. Who holds it wipes `bytes`. */
export interface DeliveredKey {
  readonly keyId: string;
  readonly bytes: Buffer;
}

const MAX_KEY_ID_LENGTH = 128;
const MAX_KEYS = 4096;

/** `/api/v1/keys/{SAE ID}/{method}`; IDs are opaque strings, so they are percent-encoded whole. */
export function pathOf(method: Etsi014Method, peerSaeId: string): string {
  return `/api/v1/keys/${encodeURIComponent(peerSaeId)}/${method}`;
}

/** Body of enc_keys; `size` in bits. */
export function keyRequestBody(r: { number: number; size: number; additionalSlaveSaeIds?: readonly string[] }): Buffer {
  const additional = r.additionalSlaveSaeIds ?? [];
  return json({ number: r.number, size: r.size, ...(additional.length > 0 ? { additional_slave_SAE_IDs: additional } : {}) });
}

/** The same request as the query of a GET, which is all that some key managers understand. */
export function keyRequestQuery(r: { number: number; size: number }): string {
  return `?number=${r.number}&size=${r.size}`;
}

/** GET asks for exactly one key ID. */
export function keyIdQuery(keyId: string): string {
  return `?key_ID=${encodeURIComponent(keyId)}`;
}

/** Body of dec_keys. */
export function keyIdsBody(keyIds: readonly string[], masterSaeId: string, form: 'plain' | 'with-master'): Buffer {
  return json({ key_IDs: keyIds.map((id) => (form === 'plain' ? { key_ID: id } : { key_ID: id, master_SAE_ID: masterSaeId })) });
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

/** Numbers, or their decimal spelling; anything else counts as absent. */
const count = v.fallback(
  v.optional(
    v.pipe(
      v.union([v.number(), v.pipe(v.string(), v.regex(/^\d{1,15}$/), v.transform(Number))]),
      v.integer(),
      v.minValue(0),
      v.maxValue(Number.MAX_SAFE_INTEGER),
    ),
  ),
  undefined,
);
const name = v.fallback(v.optional(v.pipe(v.union([v.string(), v.number()]), v.transform(String), v.maxLength(256))), undefined);

const StatusSchema = v.object({
  source_KME_ID: name,
  target_KME_ID: name,
  master_SAE_ID: name,
  slave_SAE_ID: name,
  key_size: count,
  stored_key_count: count,
  max_key_count: count,
  max_key_per_request: count,
  max_key_size: count,
  min_key_size: count,
  max_SAE_ID_count: count,
});

/** Decodes a Status answer. Throws `kme.bad-answer`. */
export function decodeStatus(answer: Buffer): Etsi014Status {
  const json = parseWithoutKeys(answer);
  const parsed = v.safeParse(StatusSchema, json);
  if (!parsed.success || Array.isArray(json)) throw new QuMailError('kme.bad-answer', { reason: 'status-shape' });
  const s = parsed.output;
  return defined({
    sourceKmeId: s.source_KME_ID,
    targetKmeId: s.target_KME_ID,
    masterSaeId: s.master_SAE_ID,
    slaveSaeId: s.slave_SAE_ID,
    keySize: s.key_size,
    storedKeyCount: s.stored_key_count,
    maxKeyCount: s.max_key_count,
    maxKeyPerRequest: s.max_key_per_request,
    maxKeySize: s.max_key_size,
    minKeySize: s.min_key_size,
    maxSaeIdCount: s.max_SAE_ID_count,
  });
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** Leaves out what is undefined, so that absence has one form. */
function defined<T extends Record<string, unknown>>(record: T): Defined<T> {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as Defined<T>;
}

const keyIdSchema = v.pipe(
  v.union([v.string(), v.pipe(v.number(), v.safeInteger(), v.transform(String))]),
  v.minLength(1),
  v.maxLength(MAX_KEY_ID_LENGTH),
  v.regex(/^[\x21-\x7e]+$/), // opaque, but printable: IDs appear in the interface and in the audit log
);
/** `key` is the number that keyCutter left in place of the value. */
const keyList = v.pipe(
  v.array(v.object({ key_ID: keyIdSchema, key: v.pipe(v.number(), v.integer(), v.minValue(0)) })),
  v.maxLength(MAX_KEYS),
);
const ContainerSchema = v.union([v.object({ keys: keyList }), v.object({ Keys: keyList })]);

/**
 * Decodes a key container. Throws `kme.bad-answer` (everything decoded is wiped then). The caller wipes `answer`, and checks lengths and
 * IDs against what it asked for.
 */
export function decodeContainer(answer: Buffer): DeliveredKey[] {
  const cut = cutKeys(answer);
  try {
    const parsed = v.safeParse(ContainerSchema, cut.json);
    if (!parsed.success) throw new QuMailError('kme.bad-answer', { reason: 'container-shape' });
    const list = 'keys' in parsed.output ? parsed.output.keys : parsed.output.Keys;
    // A number that the key manager itself wrote, or a key outside the list, must not pass for a placeholder: each is used exactly once.
    if (list.length !== cut.keys.length || list.some((entry, i) => entry.key !== i))
      throw new QuMailError('kme.bad-answer', { reason: 'container-shape' });
    return list.map((entry, i) => ({ keyId: entry.key_ID, bytes: cut.keys[i]! }));
  } catch (error) {
    wipe(...cut.keys);
    throw error;
  }
}

const text = v.fallback(v.optional(v.string()), undefined);
const ProblemSchema = v.object({ message: text, title: text, detail: text, error: text });

/** What an error answer says, or undefined where it is not JSON. For classification and for the person; cleaned and cut to 200 characters. */
export function decodeProblem(answer: Buffer): string | undefined {
  if (answer.length === 0) return '';
  try {
    const parsed = v.safeParse(ProblemSchema, parseWithoutKeys(answer));
    if (!parsed.success) return '';
    const said = parsed.output.message ?? parsed.output.detail ?? parsed.output.title ?? parsed.output.error ?? '';
    // No answer of a key manager is shown with anything in it that could be key material.
    return said
      .replace(/[A-Za-z0-9+/_=-]{24,}/g, '…')
      .replace(/[\p{Cc}\p{Cf}]+/gu, ' ')
      .slice(0, 200);
  } catch {
    return undefined;
  }
}

/** Parses an answer that should hold no keys; if it does, they are wiped. */
function parseWithoutKeys(answer: Buffer): unknown {
  const cut = cutKeys(answer);
  wipe(...cut.keys);
  return cut.json;
}
