import type { DeliveredKey } from '../keys/etsi014.ts';

/** What a source can give for one contact, as far as it says so itself. */
export interface SourceCapacity {
  /** How many further contacts of the same kind one key may be shared with; 0 where every contact needs its own. */
  readonly maxSharers: number;
  /** Bits in stock; absent where the source does not tell. Advisory at a key manager, exact for a pad. */
  readonly stockBits?: number;
}

export interface TakeRequest {
  /** Key bits one entry of an envelope takes. What is taken may be more: a key is the unit, and its rest is destroyed. */
  readonly bits: number;
  /** `peerId` of further contacts who share the key; at most `maxSharers`. */
  readonly others: readonly string[];
  readonly signal?: AbortSignal | undefined;
}

export interface FetchRequest {
  readonly keyIds: readonly string[];
  /** The envelope that names them. */
  readonly envelopeId: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Where the keys shared with one contact come from: a key manager, or a pad exchanged in person. Sealing and opening ask this and nothing
 * else, and the ledger is the same for both: what `take` returns is RESERVED there, what `fetch` got is FETCHED.
 */
export interface KeySource {
  readonly kind: 'kme' | 'pad';
  /** How the ledger and reports name the contact: its SAE ID, or `pad:` and its address. */
  readonly peerId: string;
  /** The SAE this account is at the source; undefined for a pad. It goes into the envelope. */
  readonly ownSaeId: string | undefined;

  /** @throws QuMailError `kme.*`, `pad.*` */
  capacity(signal?: AbortSignal): Promise<SourceCapacity>;

  /** `maxSharers` as the source said it a moment ago; undefined where it has to be asked. */
  readonly believedSharers: number | undefined;

  /**
   * Fresh keys of at least `bits` in all, each RESERVED in the ledger when this resolves; after a failure none is. The caller wipes them.
   *
   * @throws QuMailError `kme.*`, `pad.*`, `key.*`
   */
  take(request: TakeRequest): Promise<DeliveredKey[]>;

  /**
   * Brings the keys with these IDs, as the other side named them, to the ledger as FETCHED; `ledger.heldKeys` then has them.
   *
   * @throws QuMailError `kme.*`, `pad.*`, `key.*`; keys that came before the failure are in the ledger
   */
  fetch(request: FetchRequest): Promise<void>;
}

/** How many further contacts one key may be shared with; asks only where it was not said lately. @throws QuMailError `kme.*`, `pad.*` */
export async function sharersOf(source: KeySource, signal?: AbortSignal): Promise<number> {
  return source.believedSharers ?? (await source.capacity(signal)).maxSharers;
}
