import { QuMailError } from '../base/errors.ts';
import { DisposableStore, type Disposable } from '../base/lifetime.ts';
import type { Clock } from '../base/ports.ts';
import { KeyPool } from '../keys/keyPool.ts';
import type { DeliveredKey, KmeAccess } from '../keys/kmeClient.ts';
import type { KeyLedger } from '../keys/keyLedger.ts';
import { wipeKeys } from '../keys/undelivered.ts';
import type { SourceCapacity } from './keySource.ts';

export interface KeyPoolsDeps {
  readonly ledger: KeyLedger;
  readonly clock: Clock;
  readonly exchange: <T>(accountId: string, run: (client: KmeAccess, saeId: string) => Promise<T>) => Promise<T>;
}

/** What an L2 message takes, and therefore the only length worth keeping. */
export const POOLED_BITS = 256;
/** A status is believed so long where a pool makes asking for it the slow part of sending. */
const BELIEVE_MS = 30_000;

/** The pool of one link, and what its status said last. */
export interface PooledLink {
  readonly pool: KeyPool;
  capacity?: { readonly told: SourceCapacity; readonly at: number };
}

/** The key pools of all links whose key manager's profile allows asking before the need. */
export class KeyPools implements Disposable {
  readonly #deps: KeyPoolsDeps;
  readonly #links = new Map<string, Map<string, PooledLink>>();
  readonly #owned = new DisposableStore();

  constructor(deps: KeyPoolsDeps) {
    this.#deps = deps;
  }

  /** Made when first asked for. */
  of(accountId: string, ownSaeId: string, peerSaeId: string): PooledLink {
    const links = this.#links.get(accountId) ?? new Map<string, PooledLink>();
    this.#links.set(accountId, links);
    const known = links.get(peerSaeId);
    if (known) return known;
    const pool = new KeyPool({
      clock: this.#deps.clock,
      refill: (number) => this.#refill({ accountId, ownSaeId, peerSaeId }, number),
      giveUp: (keys) => this.#giveUp(accountId, keys),
    });
    const link: PooledLink = { pool: this.#owned.add(pool) };
    links.set(peerSaeId, link);
    return link;
  }

  /** What the status said of a link, if that was a moment ago and there are keys for it. */
  believed(link: PooledLink): SourceCapacity | undefined {
    const age = link.capacity === undefined ? Number.NaN : this.#deps.clock.now() - link.capacity.at;
    return link.pool.size > 0 && age >= 0 && age < BELIEVE_MS ? link.capacity?.told : undefined;
  }

  /** Gives up the pools of an account: its key manager, its profile or its SAE is another one. */
  drop(accountId: string): void {
    for (const { pool } of this.#links.get(accountId)?.values() ?? []) this.#owned.release(pool);
    this.#links.delete(accountId);
  }

  dispose(): void {
    this.#owned.dispose();
    this.#links.clear();
  }

  /** RESERVED in the ledger before they are in the pool: from here on only the ledger can let one of them be used, and only once. */
  #refill(link: { accountId: string; ownSaeId: string; peerSaeId: string }, number: number): Promise<DeliveredKey[]> {
    const { accountId, ownSaeId, peerSaeId } = link;
    return this.#deps.exchange(accountId, async (client, saeId) => {
      if (saeId !== ownSaeId) throw new QuMailError('seal.no-link', { what: 'own-sae' });
      const keys = await client.getKeys(peerSaeId, { number, size: POOLED_BITS });
      try {
        this.#deps.ledger.reserve({ accountId, peerSaeIds: [peerSaeId], keys });
        return keys;
      } catch (error) {
        wipeKeys(keys);
        throw error;
      }
    });
  }

  #giveUp(accountId: string, keys: readonly DeliveredKey[]): void {
    wipeKeys(keys);
    try {
      this.#deps.ledger.abandon({ accountId, keyIds: keys.map(({ keyId }) => keyId) });
    } catch {
      // The database is closed already: the ledger abandons what is stale at the next start.
    }
  }
}
