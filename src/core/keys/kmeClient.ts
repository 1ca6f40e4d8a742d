import { QuMailError } from '../base/errors.ts';
import type { Disposable } from '../base/lifetime.ts';
import { decodeStatus, keyIdQuery, keyIdsBody, keyRequestBody, keyRequestQuery, type DeliveredKey, type Etsi014Status } from './etsi014.ts';
import { planKeys } from './keyBudget.ts';
import { acceptNamedKeys, acceptNewKeys } from './keyChecks.ts';
import { KmeCaller, type KmeCall, type KmeDependencies } from './kmeCaller.ts';
import { KME_PROFILES, type KmeQuirks } from './kmeQuirks.ts';
import type { KmeProfile } from './kmeTls.ts';
import { LearnedLimits } from './learnedLimits.ts';
import { Undelivered, wipeKeys } from './undelivered.ts';

export type { DeliveredKey, Etsi014Status } from './etsi014.ts';
export type { KmeProfile } from './kmeTls.ts';

/** Key IDs per dec_keys where the key manager does not tell its own limit. */
const DEFAULT_BATCH = 128;

export interface KeysRequest {
  readonly number: number;
  /** Bits, a multiple of 8. */
  readonly size: number;
  readonly additionalSlaveSaeIds?: readonly string[];
}

/** What keys are asked for through: one key manager, or several that serve the same SAE (KmeGroup). */
export interface KmeAccess {
  getStatus(peerSaeId: string, signal?: AbortSignal): Promise<Etsi014Status>;
  getKeys(peerSaeId: string, r: KeysRequest, signal?: AbortSignal): Promise<DeliveredKey[]>;
  takeBits(
    peerSaeId: string,
    r: { bits: number; additionalSlaveSaeIds: readonly string[] },
    onBatch: (keys: readonly DeliveredKey[]) => void,
    signal?: AbortSignal,
  ): Promise<DeliveredKey[]>;
  getKeysWithIds(
    masterSaeId: string,
    keyIds: readonly string[],
    signal?: AbortSignal,
    onBatch?: (keys: readonly DeliveredKey[]) => void,
  ): Promise<DeliveredKey[]>;
}

/**
 * ETSI GS QKD 014 client of one SAE at one key manager, after the rules of KEY-MANAGER. Every method rejects with a `kme.*` or
 * `key.betrayed` QuMailError, `net.too-large`, `engine.cancelled` or, once disposed of, `engine.stopped`. Who gets keys wipes them.
 */
export class KmeClient implements KmeAccess, Disposable {
  readonly #quirks: KmeQuirks;
  readonly #limits = new LearnedLimits();
  readonly #caller: KmeCaller;
  readonly #undelivered: Undelivered;
  readonly #status = new Map<string, Etsi014Status>();

  /** Throws `account.bad-settings` (details: field) for a profile that cannot work. Opens no connection. */
  constructor(profile: KmeProfile, deps: KmeDependencies) {
    this.#quirks = KME_PROFILES[profile.quirks ?? 'etsi'];
    this.#caller = new KmeCaller(profile, deps);
    this.#undelivered = new Undelivered(deps.clock);
  }

  /** Get status of the link to `peerSaeId`; counts in it are advisory. */
  async getStatus(peerSaeId: string, signal?: AbortSignal): Promise<Etsi014Status> {
    const status = await this.#caller.call({ method: 'status', peerSaeId, bits: 0, keyIds: [] }, decodeStatus, signal);
    this.#status.set(peerSaeId, status);
    return status;
  }

  /** Asks once whether it answers, also while its circuit breaker spares it; an answer closes that. */
  async probe(peerSaeId: string, signal?: AbortSignal): Promise<void> {
    await this.#caller.call({ method: 'status', peerSaeId, bits: 0, keyIds: [], probe: true }, decodeStatus, signal);
  }

  /**
   * At least `bits` of key, in as few keys and requests as the key manager allows: by its status, and by what it refused before. Each batch
   * is handed to `onBatch`, to be stored durably, before the next is asked for. Throws what `getKeys` and `planKeys` do.
   */
  async takeBits(
    peerSaeId: string,
    r: { bits: number; additionalSlaveSaeIds: readonly string[] },
    onBatch: (keys: readonly DeliveredKey[]) => void,
    signal?: AbortSignal,
  ): Promise<DeliveredKey[]> {
    const taken: DeliveredKey[] = [];
    const { additionalSlaveSaeIds } = r;
    for (;;) {
      const status = this.#status.get(peerSaeId) ?? (await this.getStatus(peerSaeId, signal));
      try {
        for (const { number, size } of planKeys(r.bits, this.#limits.applied(peerSaeId, status))) {
          const keys = await this.getKeys(peerSaeId, { number, size, additionalSlaveSaeIds }, signal);
          taken.push(...keys);
          onBatch(keys);
        }
        return taken;
      } catch (error) {
        // A status may promise longer keys than there are. Nothing was consumed by what was refused.
        const size = QuMailError.is(error, 'kme.bad-request') && taken.length === 0 ? Number(error.details['askedSize'] ?? 0) : 0;
        if (this.#limits.sizeRefused(peerSaeId, size, status.keySize) === 'learned') continue;
        wipeKeys(taken);
        throw error;
      }
    }
  }

  /**
   * Get key: exactly `number` keys of `size` bits, shared with `peerSaeId` and the additional SAEs. A short batch is kept and the rest
   * asked for; where that fails, `kme.exhausted` tells how many bits came, and the next call for the same thing within ten minutes starts
   * with them. A request whose answer was lost is not repeated: its keys are gone, and the caller decides whether to ask for others.
   */
  async getKeys(peerSaeId: string, r: KeysRequest, signal?: AbortSignal): Promise<DeliveredKey[]> {
    if (!isCount(r.number) || !isCount(r.size) || r.size % 8 !== 0) throw new RangeError('number and size of a key request');
    const additional = r.additionalSlaveSaeIds ?? [];
    if (additional.length > 0) await this.#checkMulticast(peerSaeId, additional.length, signal);
    const shelf = JSON.stringify(['enc_keys', peerSaeId, r.size, additional]);
    const keys = this.#undelivered.take(shelf, r.number);
    try {
      while (keys.length < r.number) {
        const number = Math.min(this.#limits.number(peerSaeId, r.number - keys.length), this.#quirks.maxNumber ?? r.number);
        const asked = { number, size: r.size, additionalSlaveSaeIds: additional };
        const came = await this.#ask(peerSaeId, asked, keys, signal);
        if (came === 'refused') continue;
        if (came.length === 0) throw new QuMailError('kme.exhausted', { status: 200 });
        if (came.length < number) this.#limits.cameShort(peerSaeId, came.length);
        keys.push(...came);
      }
      return keys;
    } catch (error) {
      this.#keep(shelf, keys);
      if (!QuMailError.is(error, 'kme.exhausted')) throw error;
      throw new QuMailError(
        'kme.exhausted',
        { ...error.details, wantedBits: r.number * r.size, gotBits: keys.length * r.size },
        { cause: error },
      );
    }
  }

  /**
   * Get key with IDs: all of them, in the order asked for, in as many requests as the key manager's max_key_per_request wants.
   *
   * A key manager delivers once, so what came before a failure must not be lost. With `onBatch`, each batch is handed over before the next
   * is asked for, to be stored durably. What was not handed over, or not taken because `onBatch` threw, is kept in memory for the next call
   * within ten minutes; the client's copies of what was taken are wiped after a failure.
   *
   * `kme.key-may-be-lost` instead of `kme.key-not-found` when an earlier answer for one of these IDs never came.
   */
  async getKeysWithIds(
    masterSaeId: string,
    keyIds: readonly string[],
    signal?: AbortSignal,
    onBatch?: (keys: readonly DeliveredKey[]) => void,
  ): Promise<DeliveredKey[]> {
    if (keyIds.length === 0 || new Set(keyIds).size !== keyIds.length) throw new RangeError('key IDs');
    const shelfOf = (keyId: string): string => JSON.stringify(['dec_keys', masterSaeId, keyId]);
    const keys = keyIds.flatMap((keyId) => this.#undelivered.take(shelfOf(keyId)));
    let taken = 0;
    const handOver = (): void => {
      if (onBatch === undefined || keys.length === taken) return;
      onBatch(keys.slice(taken));
      taken = keys.length;
    };
    try {
      handOver();
      const missing = without(keyIds, keys);
      const batch = missing.length > 1 ? await this.#batchSize(masterSaeId, signal) : 1;
      for (let at = 0; at < missing.length;) {
        const asked = missing.slice(at, at + this.#limits.number(masterSaeId, batch));
        const came = await this.#fetch(masterSaeId, asked, keys, signal);
        if (came === 'refused') continue;
        at += asked.length;
        keys.push(...came);
        handOver();
        if (came.length < asked.length)
          throw new QuMailError('kme.key-not-found', { status: 200, keyIds: without(asked, came).slice(0, 16) });
      }
      const order = new Map(keyIds.map((keyId, i) => [keyId, i]));
      return keys.sort((a, b) => order.get(a.keyId)! - order.get(b.keyId)!);
    } catch (error) {
      wipeKeys(keys.slice(0, taken));
      for (const key of keys.slice(taken)) this.#keep(shelfOf(key.keyId), [key]);
      throw error;
    }
  }

  /** Closes every socket, ends every call with `engine.stopped`, wipes what is held. */
  dispose(): void {
    this.#caller.dispose();
    this.#undelivered.dispose();
  }

  /** One enc_keys. `refused`: the batch was too large, and a smaller one is worth a try. */
  async #ask(
    peerSaeId: string,
    asked: { number: number; size: number; additionalSlaveSaeIds: readonly string[] },
    known: readonly DeliveredKey[],
    signal: AbortSignal | undefined,
  ): Promise<DeliveredKey[] | 'refused'> {
    const request = this.#quirks.verbs === 'get' ? { query: keyRequestQuery(asked) } : { body: keyRequestBody(asked) };
    const call: KmeCall = { method: 'enc_keys', peerSaeId, ...request, bits: asked.number * asked.size, keyIds: [] };
    try {
      return await this.#caller.call(call, (answer) => acceptNewKeys(answer, asked, known), signal);
    } catch (error) {
      if (!QuMailError.is(error, 'kme.bad-request')) throw error;
      if (this.#limits.batchRefused(peerSaeId, asked.number) === 'learned') return 'refused';
      throw new QuMailError('kme.bad-request', { ...error.details, askedSize: asked.size }, { cause: error });
    }
  }

  /** One dec_keys, likewise: what was refused as a whole was not delivered. */
  async #fetch(
    masterSaeId: string,
    asked: readonly string[],
    known: readonly DeliveredKey[],
    signal: AbortSignal | undefined,
  ): Promise<DeliveredKey[] | 'refused'> {
    const { verbs, keyIds } = this.#quirks;
    const request = verbs === 'get' ? { query: keyIdQuery(asked[0]!) } : { body: keyIdsBody(asked, masterSaeId, keyIds) };
    const call: KmeCall = { method: 'dec_keys', peerSaeId: masterSaeId, ...request, bits: 0, keyIds: asked };
    try {
      return await this.#caller.call(call, (answer) => acceptNamedKeys(answer, asked, known), signal);
    } catch (error) {
      const learned = QuMailError.is(error, 'kme.bad-request') && this.#limits.batchRefused(masterSaeId, asked.length) === 'learned';
      if (learned) return 'refused';
      throw error;
    }
  }

  #keep(shelf: string, keys: readonly DeliveredKey[]): void {
    if (this.#caller.disposed) wipeKeys(keys);
    else this.#undelivered.put(shelf, keys);
  }

  /** Some key managers ignore additional SAE IDs with 200, and the others then cannot read the message: never assume, look. */
  async #checkMulticast(peerSaeId: string, wanted: number, signal: AbortSignal | undefined): Promise<void> {
    if (this.#quirks.verbs === 'get') throw new QuMailError('kme.bad-request', { reason: 'max_SAE_ID_count', limit: 0, wanted });
    const limit = (this.#status.get(peerSaeId) ?? (await this.getStatus(peerSaeId, signal))).maxSaeIdCount ?? 0;
    if (wanted > limit) throw new QuMailError('kme.bad-request', { reason: 'max_SAE_ID_count', limit, wanted });
  }

  async #batchSize(peerSaeId: string, signal: AbortSignal | undefined): Promise<number> {
    if (this.#quirks.maxNumber !== undefined) return this.#quirks.maxNumber;
    try {
      return (this.#status.get(peerSaeId) ?? (await this.getStatus(peerSaeId, signal))).maxKeyPerRequest || DEFAULT_BATCH;
    } catch (error) {
      // Not every key manager tells a slave its status; one that is down will not give the keys either.
      if (QuMailError.is(error, 'kme.unauthorised') || QuMailError.is(error, 'kme.bad-request') || QuMailError.is(error, 'kme.bad-answer'))
        return DEFAULT_BATCH;
      throw error;
    }
  }
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value > 0;
}

function without(keyIds: readonly string[], keys: readonly DeliveredKey[]): string[] {
  const have = new Set(keys.map((key) => key.keyId));
  return keyIds.filter((keyId) => !have.has(keyId));
}
