import type { KeyManager } from '../base/model.ts';
import type { Clock } from '../base/ports.ts';

/** A key manager that answers one thing and fails with another changes its state with every request: its return counts this often, milliseconds. */
const PAUSE_MS = 10_000;

/**
 * Tells which key managers answer again, out of what they are like each time something changed with one. What waits for a key manager is tried
 * at its return, which changes its state once more: without a pause between two returns that would go on for ever.
 */
export class LinkReturns {
  readonly #list: () => readonly Pick<KeyManager, 'accountId' | 'state'>[];
  readonly #clock: Clock;
  readonly #states = new Map<string, KeyManager['state']>();
  readonly #returned = new Map<string, number>();

  constructor(list: () => readonly Pick<KeyManager, 'accountId' | 'state'>[], clock: Clock) {
    this.#list = list;
    this.#clock = clock;
  }

  /** Accounts whose key manager answers, and did not when this was called last; `links` says whether any state is another one since then. */
  changed(): { readonly returned: readonly string[]; readonly links: 'changed' | 'same' } {
    const returned: string[] = [];
    let links: 'changed' | 'same' = 'same';
    const now = this.#clock.now();
    for (const { accountId, state } of this.#list()) {
      if (this.#states.get(accountId) === state) continue;
      links = 'changed';
      this.#states.set(accountId, state);
      const last = this.#returned.get(accountId);
      // A clock that was set back must not put it off.
      if (state !== 'connected' || (last !== undefined && now >= last && now < last + PAUSE_MS)) continue;
      this.#returned.set(accountId, now);
      returned.push(accountId);
    }
    return { returned, links };
  }
}
