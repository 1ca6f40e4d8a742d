import type { BelievedSharers } from './believedSharers.ts';
import type { DeliveredKey, KmeAccess } from '../keys/kmeClient.ts';
import type { Clock } from '../base/ports.ts';
import type { KeyLedger } from '../keys/keyLedger.ts';
import { wipeKeys } from '../keys/undelivered.ts';
import { POOLED_BITS, type KeyPools, type PooledLink } from './keyPools.ts';
import type { FetchRequest, KeySource, SourceCapacity, TakeRequest } from './keySource.ts';

export interface KmeSourceDeps {
  readonly accountId: string;
  readonly peerSaeId: string;
  readonly ownSaeId: string;
  readonly ledger: KeyLedger;
  readonly pools: KeyPools;
  readonly believed: BelievedSharers;
  readonly clock: Clock;
  readonly prefetch: 'on' | 'off';
  /** Runs one exchange with the account's key manager and remembers how it went. */
  readonly exchange: <T>(run: (client: KmeAccess) => Promise<T>) => Promise<T>;
}

/** Keys shared with one contact over a QKD link, asked for at the account's own key manager. One of these serves one message. */
export class KmeSource implements KeySource {
  readonly kind = 'kme';
  readonly peerId: string;
  readonly ownSaeId: string;
  readonly #deps: KmeSourceDeps;

  constructor(deps: KmeSourceDeps) {
    this.#deps = deps;
    this.peerId = deps.peerSaeId;
    this.ownSaeId = deps.ownSaeId;
  }

  get believedSharers(): number | undefined {
    return this.#deps.believed.get(this.#deps.accountId, this.peerId);
  }

  async capacity(signal?: AbortSignal): Promise<SourceCapacity> {
    const { pools, clock } = this.#deps;
    const pooled = this.#pooled();
    const believed = pooled && pools.believed(pooled);
    if (believed) return believed;
    const { storedKeyCount, keySize, maxSaeIdCount } = await this.#deps.exchange((client) => client.getStatus(this.peerId, signal));
    const stockBits = storedKeyCount !== undefined && keySize !== undefined ? storedKeyCount * keySize : undefined;
    const told = { maxSharers: maxSaeIdCount ?? 0, ...(stockBits !== undefined && { stockBits }) };
    this.#deps.believed.put(this.#deps.accountId, this.peerId, told.maxSharers);
    if (pooled) pooled.capacity = { told, at: clock.now() };
    return told;
  }

  async take({ bits, others, signal }: TakeRequest): Promise<DeliveredKey[]> {
    const { accountId, ledger } = this.#deps;
    if (bits === POOLED_BITS && others.length === 0) {
      const pool = this.#pooled()?.pool;
      const key = pool?.take();
      // While the message is sealed and sent, not before.
      pool?.refill().catch(() => {});
      if (key) return [key];
    }
    const reserved: DeliveredKey[] = [];
    // Reserved before anything is done with them, so that a crash from here on leaves a trace of every key.
    const reserve = (keys: readonly DeliveredKey[]): void => {
      reserved.push(...keys);
      ledger.reserve({ accountId, peerSaeIds: [this.peerId, ...others], keys });
    };
    try {
      return await this.#deps.exchange((client) => client.takeBits(this.peerId, { bits, additionalSlaveSaeIds: others }, reserve, signal));
    } catch (error) {
      wipeKeys(reserved);
      abandonQuietly(ledger, accountId, reserved);
      throw error;
    }
  }

  /** The link's pool, where the key manager's profile allows one. */
  #pooled(): PooledLink | undefined {
    const { pools, accountId, prefetch } = this.#deps;
    return prefetch === 'on' ? pools.of(accountId, this.ownSaeId, this.peerId) : undefined;
  }

  async fetch({ keyIds, envelopeId, signal }: FetchRequest): Promise<void> {
    const { accountId, ledger } = this.#deps;
    // Each batch is durable before the next is asked for: a key manager delivers once.
    const record = (keys: readonly DeliveredKey[]): void => ledger.recordFetched({ accountId, peerSaeId: this.peerId, envelopeId, keys });
    wipeKeys(await this.#deps.exchange((client) => client.getKeysWithIds(this.peerId, keyIds, signal, record)));
  }
}

/** Where the database says nothing any more (the engine was closed meanwhile), the ledger abandons what is stale at the next start. */
function abandonQuietly(ledger: KeyLedger, accountId: string, keys: readonly DeliveredKey[]): void {
  try {
    ledger.abandon({ accountId, keyIds: keys.map(({ keyId }) => keyId) });
  } catch {
    // Why they are given up is what the caller has to tell.
  }
}
