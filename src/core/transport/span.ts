import { QuMailError, throwIfCancelled } from '../base/errors.ts';
import type { Disposable } from '../base/lifetime.ts';

/** The time between opening and disposing of something: work done during it ends with it. */
export class Span implements Disposable {
  readonly #end = new AbortController();

  get ended(): boolean {
    return this.#end.signal.aborted;
  }

  /** Aborted by `dispose`. */
  get signal(): AbortSignal {
    return this.#end.signal;
  }

  /**
   * Runs `work` with a signal that is aborted by `outer` or by the end of the span. Rejects at that moment with `engine.cancelled` or
   * `engine.stopped`, even where `work` has not noticed yet.
   */
  async during<T>(outer: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    throwIfCancelled(outer);
    if (this.ended) throw new QuMailError('engine.stopped');
    const inner = new AbortController();
    const { promise: ended, reject } = Promise.withResolvers<never>();
    const end = (code: 'engine.cancelled' | 'engine.stopped') => (): void => {
      reject(new QuMailError(code));
      inner.abort();
    };
    const onCancel = end('engine.cancelled');
    const onStop = end('engine.stopped');
    outer?.addEventListener('abort', onCancel, { once: true });
    this.#end.signal.addEventListener('abort', onStop, { once: true });
    try {
      return await Promise.race([ended, work(inner.signal)]);
    } finally {
      outer?.removeEventListener('abort', onCancel);
      this.#end.signal.removeEventListener('abort', onStop);
    }
  }

  dispose(): void {
    this.#end.abort();
  }
}
