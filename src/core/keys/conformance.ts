import { wipe } from '../base/bytes.ts';
import { QuMailError, throwIfCancelled, type ErrorDetails } from '../base/errors.ts';
import type { ConformanceCheck, ConformanceId, KmeProfileName } from '../base/keys.ts';
import type { Clock, Random } from '../base/ports.ts';
import { findBetrayal } from './betrayal.ts';
import {
  decodeContainer,
  decodeProblem,
  decodeStatus,
  keyIdsBody,
  keyRequestBody,
  keyRequestQuery,
  pathOf,
  type DeliveredKey,
  type Etsi014Method,
  type Etsi014Status,
} from './etsi014.ts';
import { answerError } from './kmeAnswers.ts';
import { DEFAULT_TIMEOUTS, KmeHttp, type KmeAnswer } from './kmeHttp.ts';
import { lookAtTls, type KmeProfile } from './kmeTls.ts';
import { wipeKeys } from './undelivered.ts';

export interface ConformanceOptions {
  readonly peerSaeId: string;
  /** A second peer, where multicast is to be tried. */
  readonly otherSaeId?: string | undefined;
  readonly clock: Clock;
  readonly random: Random;
  /** Keys that were got on the way, to be noted; they are wiped when it returns. `seen` where one had been delivered before. */
  readonly spent: (keys: readonly DeliveredKey[]) => 'new' | 'seen';
  readonly signal?: AbortSignal | undefined;
}

export interface Conformance {
  readonly checks: readonly ConformanceCheck[];
  readonly suggested: KmeProfileName;
  readonly spent: { readonly keys: number; readonly bits: number };
}

/** The standard's own words (ETSI GS QKD 014 V1.1.1, 5.2.2 and 5.3). */
const SIZE_TEXT = 'size shall be a multiple of 8';
const NOT_FOUND_TEXT = 'one or more keys specified are not found on KME';
const SLOW_MS = 1_000;

/**
 * Asks one key manager what it honours of the standard, one question after the other and none twice. Costs at most seven keys.
 * @throws QuMailError `kme.*` when it cannot be talked to at all: no table is better than a table of time-outs
 */
export async function checkConformance(profile: KmeProfile, options: ConformanceOptions): Promise<Conformance> {
  const run = new Run(profile, options);
  try {
    return await run.all();
  } finally {
    run.dispose();
  }
}

class Run {
  readonly #profile: KmeProfile;
  readonly #o: ConformanceOptions;
  readonly #http: KmeHttp;
  readonly #checks = new Map<ConformanceId, ConformanceCheck>();
  readonly #times: number[] = [];
  readonly #keyIds = new Set<string>();
  #keys = 0;
  #bits = 0;
  #status: Etsi014Status = {};

  constructor(profile: KmeProfile, options: ConformanceOptions) {
    this.#profile = profile;
    this.#o = options;
    this.#http = new KmeHttp(profile, { clock: options.clock, timeouts: DEFAULT_TIMEOUTS });
  }

  dispose(): void {
    this.#http.dispose();
  }

  async all(): Promise<Conformance> {
    const tls = await lookAtTls(this.#profile, DEFAULT_TIMEOUTS.connectMs);
    this.#note('tls-version', 'ok', { version: tls.version });
    this.#note('tls-identity', tls.idIn === 'alternative-name' ? 'ok' : 'deviates', { idIn: tls.idIn });
    await this.#askStatus();
    const size = this.#status.keySize ?? 256;
    const post = await this.#keysBy('post', { number: 1, size }, (keys) => lengths(keys, size));
    await this.#keysBy('post-empty', 'empty', (keys) => lengths(keys, size));
    await this.#keysBy('get', { number: 1, size }, (keys) => lengths(keys, size));
    await this.#sizes(size);
    await this.#numbers(size);
    await this.#multicast(size);
    await this.#sizeText();
    const withMaster = await this.#notFound();
    for (const id of ['container-member', 'key-ids-random', 'redelivery'] as const)
      if (!this.#checks.has(id)) this.#note(id, 'not-tested', {});
    const median = this.#times.toSorted((a, b) => a - b)[this.#times.length >> 1] ?? 0;
    this.#note('timing', median < SLOW_MS ? 'ok' : 'deviates', { medianMs: median, requests: this.#times.length });
    return {
      checks: [...this.#checks.values()],
      suggested: this.#suggest(post, withMaster),
      spent: { keys: this.#keys, bits: this.#bits },
    };
  }

  async #askStatus(): Promise<void> {
    const answer = await this.#exchange('status', undefined, '');
    try {
      if (answer.status !== 200) throw answerError('status', answer, 0);
      this.#status = decodeStatus(answer.body);
    } finally {
      wipe(answer.body);
    }
    const s = this.#status;
    const wanted = {
      source_KME_ID: s.sourceKmeId,
      target_KME_ID: s.targetKmeId,
      master_SAE_ID: s.masterSaeId,
      slave_SAE_ID: s.slaveSaeId,
      key_size: s.keySize,
      stored_key_count: s.storedKeyCount,
      max_key_count: s.maxKeyCount,
      max_key_per_request: s.maxKeyPerRequest,
      max_key_size: s.maxKeySize,
      min_key_size: s.minKeySize,
      max_SAE_ID_count: s.maxSaeIdCount,
    };
    const missing = Object.entries(wanted).flatMap(([name, value]) => (value === undefined ? [name] : []));
    this.#note('status-fields', missing.length === 0 ? 'ok' : 'deviates', missing.length === 0 ? {} : { missing });
    const { storedKeyCount: stored = 0, maxKeyCount: most } = s;
    this.#note('status-counts', most !== undefined && stored > most ? 'deviates' : 'ok', { stored, ...(most !== undefined && { most }) });
  }

  async #sizes(usual: number): Promise<void> {
    const largest = this.#status.maxKeySize ?? usual;
    if (largest < usual + 8) return this.#note('size', 'not-tested', { largest });
    const size = Math.min(Math.floor(largest / 8) * 8, usual * 2);
    await this.#keysBy('size', { number: 1, size }, (keys) => lengths(keys, size));
  }

  async #numbers(size: number): Promise<void> {
    if ((this.#status.maxKeyPerRequest ?? 2) < 2) return this.#note('number', 'refused', { most: this.#status.maxKeyPerRequest ?? 0 });
    await this.#keysBy('number', { number: 2, size }, (keys) => (keys.length === 2 ? lengths(keys, size) : { got: keys.length }));
  }

  async #multicast(size: number): Promise<void> {
    const most = this.#status.maxSaeIdCount ?? 0;
    if (most < 1) return this.#note('multicast', 'refused', { most });
    const { otherSaeId } = this.#o;
    if (otherSaeId === undefined) return this.#note('multicast', 'not-tested', { most });
    await this.#keysBy('multicast', { number: 1, size, additionalSlaveSaeIds: [otherSaeId] }, (keys) => lengths(keys, size));
  }

  async #sizeText(): Promise<void> {
    const answer = await this.#exchange('enc_keys', keyRequestBody({ number: 1, size: 63 }), '');
    const text = answer.status === 200 ? '' : (decodeProblem(answer.body) ?? '');
    if (answer.status === 200) this.#count(answer.body);
    wipe(answer.body);
    this.#note('size-error-text', answer.status === 400 && text === SIZE_TEXT ? 'ok' : 'deviates', { status: answer.status, text });
  }

  /** Asks for a key that nobody has. `with-master` where it wants the master in each entry to understand the question. */
  async #notFound(): Promise<'plain' | 'with-master'> {
    for (const form of ['plain', 'with-master'] as const) {
      const body = keyIdsBody([this.#o.random.uuid()], this.#o.peerSaeId, form);
      const answer = await this.#exchange('dec_keys', body, '');
      const error = answerError('dec_keys', answer, 0);
      const text = decodeProblem(answer.body) ?? '';
      wipe(answer.body);
      const exact = answer.status === 400 && text === NOT_FOUND_TEXT;
      if (form === 'plain' || error.code === 'kme.key-not-found')
        this.#note('not-found-text', exact && form === 'plain' ? 'ok' : 'deviates', { status: answer.status, text, form });
      if (error.code === 'kme.key-not-found') return form;
    }
    return 'plain';
  }

  /** One enc_keys that should work. What `wrong` tells deviates. */
  async #keysBy(
    id: ConformanceId,
    asked: { number: number; size: number; additionalSlaveSaeIds?: readonly string[] } | 'empty',
    wrong: (keys: readonly DeliveredKey[]) => ErrorDetails | undefined,
  ): Promise<'ok' | 'deviates' | 'refused'> {
    const get = id === 'get' && asked !== 'empty';
    const body = get ? undefined : asked === 'empty' ? Buffer.from('{}') : keyRequestBody(asked);
    const answer = await this.#exchange('enc_keys', body, get ? keyRequestQuery(asked) : '');
    let keys: DeliveredKey[] = [];
    try {
      if (answer.status !== 200) {
        this.#note(id, 'refused', { status: answer.status, text: decodeProblem(answer.body) ?? '' });
        return 'refused';
      }
      const capital = answer.body.includes('"Keys"');
      this.#note('container-member', capital ? 'deviates' : 'ok', { member: capital ? 'Keys' : 'keys' });
      keys = decodeContainer(answer.body);
      this.#look(keys);
      const problem = wrong(keys);
      const outcome = problem === undefined ? 'ok' : 'deviates';
      this.#note(id, outcome, problem ?? {});
      return outcome;
    } catch (error) {
      this.#note(id, 'deviates', { reason: String(QuMailError.from(error).details['reason'] ?? 'shape') });
      return 'deviates';
    } finally {
      wipe(answer.body);
      wipeKeys(keys);
    }
  }

  /** Whether IDs repeat, or tell of their keys. */
  #look(keys: readonly DeliveredKey[]): void {
    this.#keys += keys.length;
    this.#bits += keys.reduce((sum, { bytes }) => sum + bytes.length * 8, 0);
    const seen = this.#o.spent(keys) === 'seen';
    const again = seen || keys.some(({ keyId }) => this.#keyIds.has(keyId));
    for (const { keyId } of keys) this.#keyIds.add(keyId);
    this.#note('redelivery', again || this.#checks.get('redelivery')?.outcome === 'deviates' ? 'deviates' : 'ok', {});
    const how = keys.map(({ keyId, bytes }) => findBetrayal(keyId, bytes)).find((found) => found !== undefined);
    if (this.#checks.get('key-ids-random')?.outcome !== 'deviates')
      this.#note('key-ids-random', how === undefined ? 'ok' : 'deviates', how === undefined ? {} : { how });
  }

  /** Keys in an answer that should have had none. */
  #count(body: Buffer): void {
    try {
      const keys = decodeContainer(body);
      this.#look(keys);
      wipeKeys(keys);
    } catch {
      // That it answered 200 is the finding; what with is not.
    }
  }

  async #exchange(method: Etsi014Method, body: Buffer | undefined, query: string): Promise<KmeAnswer> {
    throwIfCancelled(this.#o.signal);
    const started = performance.now();
    const path = pathOf(method, this.#o.peerSaeId) + query;
    const request = body === undefined ? { method: 'GET' as const, path } : { method: 'POST' as const, path, body };
    const exchange = await this.#http.exchange(request, this.#o.signal ?? new AbortController().signal);
    if (exchange.kind !== 'answer') throw exchange.error;
    this.#times.push(Math.round(performance.now() - started));
    if (exchange.status === 401 && method !== 'dec_keys') {
      wipe(exchange.body);
      throw new QuMailError('kme.unauthorised', { status: 401 });
    }
    return exchange;
  }

  #note(id: ConformanceId, outcome: ConformanceCheck['outcome'], details: ErrorDetails): void {
    this.#checks.set(id, { id, outcome, details });
  }

  #suggest(post: 'ok' | 'deviates' | 'refused', form: 'plain' | 'with-master'): KmeProfileName {
    const is = (id: ConformanceId): string | undefined => this.#checks.get(id)?.outcome;
    if (post === 'refused' && is('get') === 'ok') return 'get-only';
    if (form === 'with-master') return 'master-in-key-ids';
    if (is('redelivery') === 'deviates') return 'cautious';
    if (is('number') !== 'ok') return 'one-key-per-request';
    return 'etsi';
  }
}

function lengths(keys: readonly DeliveredKey[], size: number): ErrorDetails | undefined {
  if (keys.length === 0) return { got: 0 };
  const odd = keys.find(({ bytes }) => bytes.length * 8 !== size);
  return odd && { wantedBits: size, gotBits: odd.bytes.length * 8 };
}
