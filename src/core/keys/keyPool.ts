import type { Disposable } from '../base/lifetime.ts';
import type { Clock } from '../base/ports.ts';
import type { DeliveredKey } from './etsi014.ts';

/** Key managers expire keys that the other side has not fetched: what is kept no longer than this is still good when it is used. */
const KEEP_MS = 300_000;
/** Demand is what was used in this time. */
const DEMAND_MS = 120_000;
const MOST = 16;

export interface KeyPoolDeps {
  readonly clock: Clock;
  /** Fresh keys, each RESERVED in the ledger already: a crash leaves a trace of them, and the next start gives them up. */
  readonly refill: (number: number) => Promise<DeliveredKey[]>;
  /** Gives up keys that nobody used in time. */
  readonly giveUp: (keys: readonly DeliveredKey[]) => void;
}

/**
 * Keys of one length for one peer, asked for before they are needed, so that sending does not wait for the key manager. High water follows
 * demand (what was used in two minutes, at most 16), low water is half of it; without demand it runs dry. Only for key managers whose
 * profile bears it. In memory only, five minutes, then given up: no key outlives the process in a pool.
 */
export class KeyPool implements Disposable {
  readonly #deps: KeyPoolDeps;
  #keys: { readonly key: DeliveredKey; readonly expiry: Disposable }[] = [];
  #uses: number[] = [];
  #refilling: 'yes' | 'no' = 'no';
  readonly #disposal = new AbortController();

  constructor(deps: KeyPoolDeps) {
    this.#deps = deps;
  }

  get size(): number {
    return this.#keys.length;
  }

  /** A key, the caller's from now on; undefined where none is there yet. Either way there will be more next time. */
  take(): DeliveredKey | undefined {
    const now = this.#deps.clock.now();
    this.#uses = [...this.#uses.filter((at) => at > now - DEMAND_MS && at <= now), now];
    const oldest = this.#keys.shift();
    oldest?.expiry.dispose();
    return oldest?.key;
  }

  /** Fills up to the high water once the low water is reached; resolves when that is done or failed. Failures show when a key is asked for. */
  async refill(): Promise<void> {
    const high = Math.min(MOST, 1 + this.#uses.length);
    if (this.#refilling === 'yes' || this.#disposal.signal.aborted || this.#keys.length > high / 2) return;
    this.#refilling = 'yes';
    try {
      const keys = await this.#deps.refill(high - this.#keys.length);
      if (this.#disposal.signal.aborted) this.#deps.giveUp(keys);
      else for (const key of keys) this.#keep(key);
    } catch {
      // Whoever needs a key asks for it directly, and hears why there is none.
    } finally {
      this.#refilling = 'no';
    }
  }

  dispose(): void {
    this.#disposal.abort();
    this.#deps.giveUp(this.#keys.map(({ key }) => key));
    for (const { expiry } of this.#keys) expiry.dispose();
    this.#keys = [];
  }

  #keep(key: DeliveredKey): void {
    const expiry = this.#deps.clock.after(KEEP_MS, () => {
      this.#keys = this.#keys.filter((kept) => kept.key !== key);
      this.#deps.giveUp([key]);
    });
    this.#keys.push({ key, expiry });
  }
}
