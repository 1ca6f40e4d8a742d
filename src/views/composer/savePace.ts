import type { After } from '../after.ts';

/** Longest time that anything typed stays unsaved, in milliseconds. */
const SAVE_MS = 900;
/** What could not be saved is tried again after this long; each try that fails is told. */
export const AGAIN_MS = 30_000;

/** When documents are saved while somebody writes in them: a time after the first key that is not saved, whatever is typed after it. */
export class SavePace {
  readonly #after: After;
  readonly #waiting = new Map<string, { dispose(): void }>();

  constructor(after: After) {
    this.#after = after;
  }

  /** Something in the document `key` is to be saved; `last`: how the save before went. */
  due(key: string, last: 'saved' | 'failed', save: () => void): void {
    if (this.#waiting.has(key)) return;
    const run = (): void => {
      this.#waiting.delete(key);
      save();
    };
    this.#waiting.set(key, this.#after(last === 'saved' ? SAVE_MS : AGAIN_MS, run));
  }

  dispose(): void {
    for (const timer of this.#waiting.values()) timer.dispose();
    this.#waiting.clear();
  }
}
