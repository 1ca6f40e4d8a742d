import type { KeyManager } from '../base/model.ts';
import type { Disposable } from '../base/lifetime.ts';
import type { Clock } from '../base/ports.ts';

/** A key manager that answers one thing and fails with another changes its state with every request: its return counts this often, milliseconds. */
const PAUSE_MS = 10_000;

/**
 * Tells which key managers answer again, out of what they are like each time something changed with one. What waits for a key manager is tried
 * at its return, which changes its state once more: without a pause between two returns that would go on for ever.
 */
export class LinkReturns implements Disposable {
  readonly #list: () => readonly Pick<KeyManager, 'accountId' | 'state'>[];
  readonly #clock: Clock;
  readonly #again: () => void;
  #timer: Disposable | undefined;
  readonly #states = new Map<string, KeyManager['state']>();
  readonly #returned = new Map<string, number>();

  /** @param again is called when the pause is over in which one answered again: `changed` tells of it then, if it still does */
  constructor(list: () => readonly Pick<KeyManager, 'accountId' | 'state'>[], clock: Clock, again: () => void) {
    this.#list = list;
    this.#clock = clock;
    this.#again = again;
  }

  /** Accounts whose key manager answers, and did not when this was called last; `links` says whether any state is another one since then. */
  changed(): { readonly returned: readonly string[]; readonly links: 'changed' | 'same' } {
    const returned: string[] = [];
    let links: 'changed' | 'same' = 'same';
    const now = this.#clock.now();
    for (const { accountId, state } of this.#list()) {
      if (this.#states.get(accountId) === state) continue;
      links = 'changed';
      const last = this.#returned.get(accountId);
      // A clock that was set back must not put it off.
      if (state === 'connected' && last !== undefined && now >= last && now < last + PAUSE_MS) {
        this.#lookAgain(last + PAUSE_MS - now);
        continue;
      }
      this.#states.set(accountId, state);
      if (state !== 'connected') continue;
      this.#returned.set(accountId, now);
      returned.push(accountId);
    }
    return { returned, links };
  }

  dispose(): void {
    this.#timer?.dispose();
  }

  #lookAgain(ms: number): void {
    this.#timer ??= this.#clock.after(ms, () => {
      this.#timer = undefined;
      this.#again();
    });
  }
}
