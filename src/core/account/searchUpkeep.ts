import { QuMailError } from '../base/errors.ts';
import { toDisposable, type Disposable } from '../base/lifetime.ts';
import type { Log } from '../base/log.ts';
import type { Clock } from '../base/ports.ts';
import type { MailRoom } from '../store/mailRoom.ts';
import type { SearchIndex } from '../store/searchIndex.ts';
import type { ThreadStore } from '../store/threads.ts';
import type { SealedIndex } from './sealedIndex.ts';

/** After something changed, so that a sync under way brings its bodies before headers are indexed without them. */
const DELAY_MS = 500;
/** Between two slices, for requests to be answered. */
const PAUSE_MS = 5;
/** The same between two steps of joining what is in the index: nothing depends on it, and one takes the longer the more there is. */
const TIDY_PAUSE_MS = 100;
const SLICE_MS = 15;
/** Rows that fit into a slice, bodies included. */
const ROWS = 40;
/** How long after the last word of a folder being filled its threads are seen to: what is under way is to have the processor. */
const FILLING_MS = 1500;
/** After a failure that may pass: a full disk, a locked database. */
const RETRY_MS = 30_000;

export interface SearchUpkeepDeps {
  readonly index: SearchIndex;
  readonly sealed: SealedIndex;
  readonly threads: ThreadStore;
  readonly room: Pick<MailRoom, 'giveBack'>;
  readonly clock: Clock;
  readonly log: Log;
  /** Called when everything is as it should be, after something was not. */
  readonly settled: () => void;
}

/** Keeps index and threads up with what is stored, and then the file short, in slices short enough that nobody waits for them. */
export class SearchUpkeep implements Disposable {
  readonly #deps: SearchUpkeepDeps;
  #next: Disposable | undefined;
  #notBefore = 0;
  /** Something came that `settled` was not called for. */
  #behind = true;
  #disposed = false;

  constructor(deps: SearchUpkeepDeps) {
    this.#deps = deps;
  }

  /** Something may have changed. */
  wake(): void {
    this.#behind = true;
    if (!this.#next) this.#schedule(DELAY_MS);
  }

  /** A folder is being filled: its bodies are indexed as they come, and the rest can wait. */
  filling(): void {
    this.#notBefore = this.#deps.clock.now() + FILLING_MS;
    this.wake();
  }

  /** Brings in what arrived a moment ago, within about `budgetMs`, for a search that is to find it. */
  hurry(budgetMs: number): void {
    const { index, sealed } = this.#deps;
    sealed.catchUp(budgetMs);
    index.catchUp(ROWS);
  }

  dispose(): void {
    this.#disposed = true;
    this.#next?.dispose();
  }

  #schedule(ms: number): void {
    if (this.#disposed) return;
    this.#next?.dispose();
    const timer = this.#deps.clock.after(ms, () => {
      this.#next = undefined;
      const early = this.#notBefore - this.#deps.clock.now();
      // A clock that was set back must not put it off for long.
      if (early > 0 && early <= FILLING_MS) this.#schedule(early);
      else this.#work();
    });
    this.#next = toDisposable(() => timer.dispose());
  }

  #work(): void {
    try {
      if (this.#slice() === 'more') {
        this.#behind = true;
        return this.#schedule(PAUSE_MS);
      }
      if (this.#behind) this.#deps.settled();
      this.#behind = false;
      if (this.#deps.index.tidy() === 'more' || this.#deps.room.giveBack() === 'more') this.#schedule(TIDY_PAUSE_MS);
    } catch (error) {
      const { code } = QuMailError.from(error);
      this.#deps.log.warn('search-upkeep-failed', { code });
      if (code === 'store.full' || code === 'store.locked') this.#schedule(RETRY_MS);
    }
  }

  #slice(): 'more' | 'done' {
    const { index, sealed, threads } = this.#deps;
    if (sealed.catchUp(SLICE_MS) === 'more') return 'more';
    if (threads.assign(ROWS) === ROWS) return 'more';
    return index.catchUp(ROWS) > 0 ? 'more' : 'done';
  }
}
