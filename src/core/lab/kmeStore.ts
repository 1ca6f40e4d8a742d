import { createHash } from 'node:crypto';
import { wipe } from '../base/bytes.ts';
import type { Clock, Random } from '../base/ports.ts';
import type { KmeFaults } from './kmeFaults.ts';

/** Which SAE got which key by which method, at which key manager. Never key bytes. */
export interface Delivery {
  readonly at: number;
  readonly kmeId: string;
  readonly saeId: string;
  readonly peerSaeIds: readonly string[];
  readonly keyId: string;
  readonly verb: 'enc_keys' | 'dec_keys';
}

export interface StoredKey {
  readonly keyId: string;
  readonly bytes: Buffer;
}

interface WaitingKey extends StoredKey {
  readonly masterSaeId: string;
  /** Slaves that have not fetched their copy yet. */
  readonly waiting: Set<string>;
}

/** The quantum link between two key managers as a token bucket: it fills at `rate` bits per second up to its capacity. */
export class KeyLink {
  readonly #capacity: number;
  readonly #rate: number;
  readonly #clock: Clock;
  #level: number;
  #at: number;

  constructor(o: { capacityBits: number; rate: number; clock: Clock }) {
    this.#capacity = o.capacityBits;
    this.#rate = o.rate;
    this.#clock = o.clock;
    this.#level = o.capacityBits;
    this.#at = o.clock.now();
  }

  /** Bits that could be taken now. */
  available(): number {
    const now = this.#clock.now();
    this.#level = Math.min(this.#capacity, this.#level + (Math.max(0, now - this.#at) / 1000) * this.#rate);
    this.#at = now;
    return Math.floor(this.#level);
  }

  take(bits: number): void {
    this.#level -= bits;
  }

  /** Leaves exactly `bits` in stock (never more than the capacity). */
  setAvailable(bits: number): void {
    this.#level = Math.min(this.#capacity, bits);
    this.#at = this.#clock.now();
  }
}

/**
 * The one key store behind all key managers of a pair. Every method runs to its end without yielding, so each is atomic:
 * a key is either waiting for a slave or gone, for all listeners at once.
 */
export class KmeStore {
  readonly #keys = new Map<string, WaitingKey>();
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Takes `number` fresh keys of `size` bits out of every link concerned, or none at all. */
  create(r: {
    masterSaeId: string;
    slaveSaeIds: readonly string[];
    links: readonly KeyLink[];
    number: number;
    size: number;
    betrayal: KmeFaults['betrayal'];
  }): StoredKey[] | 'exhausted' {
    const bits = r.number * r.size;
    if (r.links.some((link) => link.available() < bits)) return 'exhausted';
    for (const link of r.links) link.take(bits);
    return Array.from({ length: r.number }, () => {
      const key = this.#newKey(r.size / 8, r.betrayal);
      this.#keys.set(key.keyId, { ...key, masterSaeId: r.masterSaeId, waiting: new Set(r.slaveSaeIds) });
      return key;
    });
  }

  /**
   * The slave's copies of the keys with these IDs: all of them or none. A copy that was delivered is removed; the last one takes the
   * key with it (unless `keep`). `not-named` when the caller is not among the slaves of a key.
   */
  collect(r: {
    masterSaeId: string;
    slaveSaeId: string;
    keyIds: readonly string[];
    copies: 'remove' | 'keep';
  }): StoredKey[] | 'not-found' | 'not-named' {
    const found: WaitingKey[] = [];
    for (const keyId of new Set(r.keyIds)) {
      const key = this.#keys.get(keyId);
      if (key === undefined || key.masterSaeId !== r.masterSaeId) return 'not-found';
      if (!key.waiting.has(r.slaveSaeId)) return 'not-named';
      found.push(key);
    }
    return found.map((key) => {
      const copy = { keyId: key.keyId, bytes: Buffer.from(key.bytes) };
      if (r.copies === 'remove') this.#remove(key, r.slaveSaeId);
      return copy;
    });
  }

  dispose(): void {
    for (const key of this.#keys.values()) wipe(key.bytes);
    this.#keys.clear();
  }

  #remove(key: WaitingKey, slaveSaeId: string): void {
    key.waiting.delete(slaveSaeId);
    if (key.waiting.size > 0) return;
    wipe(key.bytes);
    this.#keys.delete(key.keyId);
  }

  #newKey(length: number, betrayal: KmeFaults['betrayal']): StoredKey {
    if (betrayal === 'key-from-id') {
      const keyId = this.#random.uuid();
      const bytes = Buffer.alloc(length);
      for (let at = 0; at < length; at += 32) createHash('sha256').update(keyId).digest().copy(bytes, at);
      return { keyId, bytes };
    }
    const bytes = this.#random.bytes(length);
    if (betrayal === 'none') return { keyId: this.#random.uuid(), bytes };
    const digest = createHash('sha1').update(bytes).digest('hex');
    return { keyId: [8, 12, 16, 20, 32].map((end, i, ends) => digest.slice(ends[i - 1] ?? 0, end)).join('-'), bytes };
  }
}
