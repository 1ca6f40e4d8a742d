import { QuMailError, type ErrorCode } from '../base/errors.ts';
import { DisposableStore, type Disposable } from '../base/lifetime.ts';
import type { Etsi014Status } from './etsi014.ts';
import { KmeClient, type DeliveredKey, type KeysRequest, type KmeAccess, type KmeProfile } from './kmeClient.ts';
import type { KmeDependencies } from './kmeCaller.ts';
import { wipeKeys } from './undelivered.ts';

/** Tries at one key manager while there is another one to ask. */
const TRIES_BEFORE_NEXT = 2;

/** Failures that say nothing was consumed, or that another key manager may have what this one has not. */
const ASK_NEXT: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['kme.unavailable', 'kme.exhausted']);
/** Likewise where keys are fetched by ID: a key is at the one key manager that has it, and asking another takes nothing. */
const FETCH_NEXT: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  ...ASK_NEXT,
  'kme.unreachable',
  'kme.timeout',
  'kme.key-not-found',
  'kme.key-may-be-lost',
  'kme.unauthorised',
]);

/**
 * The key managers that serve one SAE, the first of them asked first; the others are asked where it cannot help. Never after bytes of an
 * enc_keys were sent and no answer came: those keys count as gone, and what to do is for the caller. Never after a wrong identity: that is
 * no failure to work around. Each has its own circuit breaker, so that a dead one costs a moment.
 */
export class KmeGroup implements KmeAccess, Disposable {
  readonly #clients: readonly KmeClient[];
  readonly #owned = new DisposableStore();

  /** @throws QuMailError `account.bad-settings` */
  constructor(profiles: readonly [KmeProfile, ...KmeProfile[]], deps: KmeDependencies) {
    this.#clients = profiles.map((profile, i) => {
      const last = i === profiles.length - 1;
      return this.#owned.add(new KmeClient(profile, last ? deps : { ...deps, attempts: TRIES_BEFORE_NEXT }));
    });
  }

  getStatus(peerSaeId: string, signal?: AbortSignal): Promise<Etsi014Status> {
    return this.#first((client) => client.getStatus(peerSaeId, signal), idempotent);
  }

  /** Asks each of them once whether it answers; throws why the first does not, where none does. */
  async probe(peerSaeId: string, signal?: AbortSignal): Promise<void> {
    const outcomes = await Promise.allSettled(this.#clients.map((client) => client.probe(peerSaeId, signal)));
    const [first] = outcomes;
    if (first?.status === 'rejected' && outcomes.every(({ status }) => status === 'rejected')) throw first.reason;
  }

  getKeys(peerSaeId: string, r: KeysRequest, signal?: AbortSignal): Promise<DeliveredKey[]> {
    return this.#first((client) => client.getKeys(peerSaeId, r, signal), askNext);
  }

  takeBits(
    peerSaeId: string,
    r: { bits: number; additionalSlaveSaeIds: readonly string[] },
    onBatch: (keys: readonly DeliveredKey[]) => void,
    signal?: AbortSignal,
  ): Promise<DeliveredKey[]> {
    let handedOver: 'some' | 'none' = 'none';
    const take = (keys: readonly DeliveredKey[]): void => {
      handedOver = 'some';
      onBatch(keys);
    };
    // One message is keyed by one key manager: what it began to give is not completed by another.
    return this.#first(
      (client) => client.takeBits(peerSaeId, r, take, signal),
      (error) => handedOver === 'none' && askNext(error),
    );
  }

  async getKeysWithIds(
    masterSaeId: string,
    keyIds: readonly string[],
    signal?: AbortSignal,
    onBatch?: (keys: readonly DeliveredKey[]) => void,
  ): Promise<DeliveredKey[]> {
    if (this.#clients.length === 1) return this.#clients[0]!.getKeysWithIds(masterSaeId, keyIds, signal, onBatch);
    const came = new Map<string, DeliveredKey>();
    const take = (keys: readonly DeliveredKey[]): void => {
      onBatch?.(keys);
      // Copies, because the client wipes its own after a failure.
      for (const { keyId, bytes } of keys) came.set(keyId, { keyId, bytes: Buffer.from(bytes) });
    };
    const failures: QuMailError[] = [];
    try {
      for (const client of this.#clients) {
        const missing = keyIds.filter((keyId) => !came.has(keyId));
        if (missing.length === 0) break;
        try {
          wipeKeys(await client.getKeysWithIds(masterSaeId, missing, signal, take));
        } catch (error) {
          if (!QuMailError.is(error) || !FETCH_NEXT.has(error.code)) throw error;
          failures.push(error);
        }
      }
      if (keyIds.every((keyId) => came.has(keyId))) return keyIds.map((keyId) => came.get(keyId)!);
      // One that did not answer may be the one that has it: that passes, and not finding it does not.
      throw failures.find(({ code }) => code !== 'kme.key-not-found') ?? failures[0]!;
    } catch (error) {
      wipeKeys([...came.values()]);
      throw error;
    }
  }

  dispose(): void {
    this.#owned.dispose();
  }

  async #first<T>(ask: (client: KmeClient) => Promise<T>, mayGoOn: (error: QuMailError) => boolean): Promise<T> {
    let first: QuMailError | undefined;
    for (const client of this.#clients) {
      try {
        return await ask(client);
      } catch (error) {
        if (!QuMailError.is(error) || !mayGoOn(error)) throw error;
        // The first is the one the person knows; that the others could not help either is no news of its own.
        first ??= error;
      }
    }
    throw first!;
  }
}

function askNext(error: QuMailError): boolean {
  const notSent = error.code === 'kme.unreachable' && error.details['sent'] === 'not-sent';
  return notSent || (error.code === 'kme.timeout' && error.details['phase'] === 'connect') || ASK_NEXT.has(error.code);
}

function idempotent(error: QuMailError): boolean {
  return askNext(error) || error.code === 'kme.unreachable' || error.code === 'kme.timeout';
}
