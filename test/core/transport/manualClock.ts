import { QuMailError } from '../../../src/core/base/errors.ts';
import type { Clock } from '../../../src/core/base/ports.ts';

export interface ManualClock extends Clock {
  /** Milliseconds until each timer that is running, soonest first. */
  readonly pending: readonly number[];
  /** Lets time pass; timers run in order, each at its own time. */
  advance(ms: number): void;
  /** Time passes unnoticed, as in sleep: timers run afterwards, late. */
  leap(ms: number): void;
  /** Resolves once a timer is running that is due in at least `atLeastMs` and less than `belowMs`. */
  untilArmed(atLeastMs?: number, belowMs?: number): Promise<void>;
  /** Resolves once no timer is running that is due in less than `ms`. */
  untilNoneBelow(ms: number): Promise<void>;
}

/** A clock that stands still until told. */
export function manualClock(): ManualClock {
  let now = 1_000_000;
  const timers = new Set<{ at: number; run: () => void }>();
  const waiting = new Set<{ is: () => boolean; resolve: () => void }>();
  const armed = (from: number, below: number): boolean => [...timers].some(({ at }) => at - now >= from && at - now < below);
  const tell = (): void => {
    for (const waiter of waiting) {
      if (!waiter.is()) continue;
      waiting.delete(waiter);
      waiter.resolve();
    }
  };
  const until = (is: () => boolean): Promise<void> => (is() ? Promise.resolve() : new Promise((resolve) => waiting.add({ is, resolve })));
  const runDue = (until: number): void => {
    for (;;) {
      const due = [...timers].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
      if (!due) break;
      timers.delete(due);
      now = Math.max(now, due.at);
      due.run();
    }
    now = until;
  };
  const after = (ms: number, run: () => void): { dispose(): void } => {
    const timer = { at: now + ms, run };
    timers.add(timer);
    tell();
    return {
      dispose() {
        timers.delete(timer);
        tell();
      },
    };
  };
  return {
    now: () => now,
    after,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        const onAbort = (): void => {
          timer.dispose();
          reject(new QuMailError('engine.cancelled'));
        };
        const timer = after(ms, () => {
          signal?.removeEventListener('abort', onAbort);
          resolve();
        });
        if (signal?.aborted) onAbort();
        else signal?.addEventListener('abort', onAbort, { once: true });
      }),
    get pending() {
      return [...timers].map(({ at }) => at - now).sort((a, b) => a - b);
    },
    advance: (ms) => runDue(now + ms),
    leap(ms) {
      now += ms;
      runDue(now);
    },
    untilArmed: (from = 0, below = Number.POSITIVE_INFINITY) => until(() => armed(from, below)),
    untilNoneBelow: (ms) => until(() => !armed(Number.NEGATIVE_INFINITY, ms)),
  };
}
