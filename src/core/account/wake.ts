import type { Disposable } from '../base/lifetime.ts';
import type { Clock } from '../base/ports.ts';

/** How often it is looked whether time went by unnoticed, in milliseconds. */
export const WAKE_TICK_MS = 15_000;
/** Lateness that a busy machine may show; more means that it slept (or that somebody set the clock, which does no harm). */
const TOLERATED_MS = 30_000;

/** How long the machine slept, in milliseconds, where a timer due at `due` runs at `now`; undefined when it did not. */
export function wakeGap(due: number, now: number): number | undefined {
  const late = now - due;
  return late > TOLERATED_MS ? late : undefined;
}

/** Calls `onWake` after the machine slept, told by a timer that fires far too late. */
export class WakeWatch implements Disposable {
  readonly #clock: Clock;
  readonly #onWake: (sleptMs: number) => void;
  #tick: Disposable;
  #disposed = false;

  constructor(clock: Clock, onWake: (sleptMs: number) => void) {
    this.#clock = clock;
    this.#onWake = onWake;
    this.#tick = this.#arm();
  }

  #arm(): Disposable {
    const due = this.#clock.now() + WAKE_TICK_MS;
    return this.#clock.after(WAKE_TICK_MS, () => {
      if (this.#disposed) return;
      const slept = wakeGap(due, this.#clock.now());
      this.#tick = this.#arm();
      if (slept !== undefined) this.#onWake(slept);
    });
  }

  dispose(): void {
    this.#disposed = true;
    this.#tick.dispose();
  }
}
