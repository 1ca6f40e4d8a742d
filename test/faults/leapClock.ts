import { QuMailError } from '../../src/core/base/errors.ts';
import { toDisposable, type Disposable } from '../../src/core/base/lifetime.ts';
import type { Clock } from '../../src/core/base/ports.ts';

interface Timer {
  readonly ms: number;
  due: number;
  readonly run: () => void;
  handle: NodeJS.Timeout;
}

/**
 * The wall clock with leaps: between them time passes as it does for everybody, and `leap` is a lid that was closed that long. What was due
 * meanwhile fires at once on waking, too late, in its order; the rest keeps its hour.
 */
export class LeapClock implements Clock {
  #ahead = 0;
  readonly #timers = new Set<Timer>();

  /** Whether a timer that was set for `ms` waits now. */
  waits(ms: number): boolean {
    return [...this.#timers].some((timer) => timer.ms === ms);
  }

  now(): number {
    return Date.now() + this.#ahead;
  }

  after(ms: number, run: () => void): Disposable {
    const timer: Timer = { ms, due: this.now() + ms, run, handle: setTimeout(() => this.#fire(timer), ms) };
    this.#timers.add(timer);
    return toDisposable(() => this.#disarm(timer));
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        timer.dispose();
        reject(new QuMailError('engine.cancelled'));
      };
      const timer = this.after(ms, () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      });
      if (signal?.aborted) onAbort();
      else signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  leap(ms: number): void {
    this.#ahead += ms;
    const now = this.now();
    const late = [...this.#timers].filter(({ due }) => due <= now).toSorted((a, b) => a.due - b.due);
    for (const timer of this.#timers) {
      clearTimeout(timer.handle);
      if (timer.due > now) timer.handle = setTimeout(() => this.#fire(timer), timer.due - now);
    }
    for (const timer of late) this.#fire(timer);
  }

  #fire(timer: Timer): void {
    if (this.#disarm(timer)) timer.run();
  }

  #disarm(timer: Timer): boolean {
    clearTimeout(timer.handle);
    return this.#timers.delete(timer);
  }
}
