import { throwIfCancelled } from '../base/errors.ts';

/** One piece of work after the other, in the order they were asked for. */
export class WorkQueue {
  #tail: Promise<void> = Promise.resolve();

  /** Resolves once what was queued by now has ended. */
  get idle(): Promise<void> {
    return this.#tail;
  }

  /** Runs `work` once everything queued before has ended, whatever came of it. Not at all when `signal` is aborted by then. */
  async run<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const before = this.#tail;
    const { promise: done, resolve } = Promise.withResolvers<void>();
    this.#tail = done;
    await before;
    try {
      throwIfCancelled(signal);
      return await work();
    } finally {
      resolve();
    }
  }
}
