import type { QuMailEvent } from '../../core/api.ts';

export interface Progress {
  readonly done: number;
  readonly total: number;
}

/** How often rows are drawn anew for a number that grows, milliseconds. */
const DRAW_MS = 500;
/** Less than this many messages are there before anybody has read the number. */
const WORTH_SHOWING = 50;

/** How far the filling of each account's offline copy is, as the engine's events tell. */
export class FillProgress {
  readonly #running = new Map<string, Progress>();
  readonly #drawn = new Map<string, number>();

  /** Accounts that are filled. */
  get accountIds(): readonly string[] {
    return [...this.#running.keys()];
  }

  of(accountId: string): Progress | undefined {
    return this.#running.get(accountId);
  }

  /** Returns the account that is to be drawn anew, if any. `now` in milliseconds. */
  heard(event: QuMailEvent, now: number): string | undefined {
    if (event.kind === 'sync-ended') return this.over(event.accountId) ? event.accountId : undefined;
    if (event.kind !== 'sync-progress' || event.total < WORTH_SHOWING) return undefined;
    const { accountId, done, total } = event;
    this.#running.set(accountId, { done, total });
    if (now - (this.#drawn.get(accountId) ?? -Infinity) < DRAW_MS) return undefined;
    this.#drawn.set(accountId, now);
    return accountId;
  }

  /** Returns whether it was under way. */
  over(accountId: string): boolean {
    this.#drawn.delete(accountId);
    return this.#running.delete(accountId);
  }

  clear(): void {
    this.#running.clear();
    this.#drawn.clear();
  }
}
