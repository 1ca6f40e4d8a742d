import { QuMailError } from '../base/errors.ts';
import type { Disposable } from '../base/lifetime.ts';
import { decodeStatus, keyIdsBody, keyRequestBody, type DeliveredKey, type Etsi014Status } from './etsi014.ts';
import { acceptNamedKeys, acceptNewKeys } from './keyChecks.ts';
import { KmeCaller, type KmeDependencies } from './kmeCaller.ts';
import type { KmeProfile } from './kmeTls.ts';
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

/**
 * ETSI GS QKD 014 client of one SAE at one key manager, after the rules of KEY-MANAGER. Every method rejects with a `kme.*` or
 * `key.betrayed` QuMailError, `net.too-large`, `engine.cancelled` or, once disposed of, `engine.stopped`. Who gets keys wipes them.
 */
export class KmeClient implements Disposable {
  readonly #dialect: 'etsi' | 'master-in-key-ids';
  readonly #caller: KmeCaller;
  readonly #undelivered: Undelivered;
  readonly #status = new Map<string, Etsi014Status>();

  /** Throws `account.bad-settings` (details: field) for a profile that cannot work. Opens no connection. */
  constructor(profile: KmeProfile, deps: KmeDependencies) {
    this.#dialect = profile.dialect ?? 'etsi';
    this.#caller = new KmeCaller(profile, deps);
    this.#undelivered = new Undelivered(deps.clock);
  }

  /** Get status of the link to `peerSaeId`; counts in it are advisory. */
  async getStatus(peerSaeId: string, signal?: AbortSignal): Promise<Etsi014Status> {
    const status = await this.#caller.call({ method: 'status', peerSaeId, bits: 0, keyIds: [] }, decodeStatus, signal);
    this.#status.set(peerSaeId, status);
    return status;
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
        const asked = { number: r.number - keys.length, size: r.size, additionalSlaveSaeIds: additional };
        const call = { method: 'enc_keys' as const, peerSaeId, body: keyRequestBody(asked), bits: asked.number * asked.size, keyIds: [] };
        const came = await this.#caller.call(call, (answer) => acceptNewKeys(answer, asked, keys), signal);
        if (came.length === 0) throw new QuMailError('kme.exhausted', { status: 200 });
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
      for (let at = 0; at < missing.length; at += batch) {
        const asked = missing.slice(at, at + batch);
        const call = {
          method: 'dec_keys' as const,
          peerSaeId: masterSaeId,
          body: keyIdsBody(asked, masterSaeId, this.#dialect),
          bits: 0,
          keyIds: asked,
        };
        const came = await this.#caller.call(call, (answer) => acceptNamedKeys(answer, asked, keys), signal);
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

  #keep(shelf: string, keys: readonly DeliveredKey[]): void {
    if (this.#caller.disposed) wipeKeys(keys);
    else this.#undelivered.put(shelf, keys);
  }

  /** Some key managers ignore additional SAE IDs with 200, and the others then cannot read the message: never assume, look. */
  async #checkMulticast(peerSaeId: string, wanted: number, signal: AbortSignal | undefined): Promise<void> {
    const limit = (this.#status.get(peerSaeId) ?? (await this.getStatus(peerSaeId, signal))).maxSaeIdCount ?? 0;
    if (wanted > limit) throw new QuMailError('kme.bad-request', { reason: 'max_SAE_ID_count', limit, wanted });
  }

  async #batchSize(peerSaeId: string, signal: AbortSignal | undefined): Promise<number> {
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
