import { wipe } from '../base/bytes.ts';
import type { Disposable } from '../base/lifetime.ts';
import type { Clock } from '../base/ports.ts';
import type { DeliveredKey } from './etsi014.ts';

/** Key managers expire keys that the other side has not fetched; after this nobody may count on them. */
const KEEP_MS = 600_000;

/**
 * Keys that came, and are therefore consumed at the key manager, but could not be handed to the caller, because the rest of what was
 * asked for did not come. The next call for the same thing starts with them. In memory only, ten minutes, then wiped.
 */
export class Undelivered implements Disposable {
  readonly #clock: Clock;
  readonly #shelves = new Map<string, { keys: DeliveredKey[]; timer: Disposable }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  put(shelf: string, keys: readonly DeliveredKey[]): void {
    if (keys.length === 0) return;
    const all = [...this.take(shelf), ...keys];
    this.#shelves.set(shelf, { keys: all, timer: this.#clock.after(KEEP_MS, () => wipeKeys(this.take(shelf))) });
  }

  /** At most `limit` keys off the shelf, oldest first; the caller owns them now. */
  take(shelf: string, limit = Number.POSITIVE_INFINITY): DeliveredKey[] {
    const found = this.#shelves.get(shelf);
    if (found === undefined) return [];
    this.#shelves.delete(shelf);
    found.timer.dispose();
    if (found.keys.length <= limit) return found.keys;
    this.put(shelf, found.keys.slice(limit));
    return found.keys.slice(0, limit);
  }

  dispose(): void {
    for (const shelf of [...this.#shelves.keys()]) wipeKeys(this.take(shelf));
  }
}

export function wipeKeys(keys: readonly DeliveredKey[]): void {
  for (const key of keys) wipe(key.bytes);
}
