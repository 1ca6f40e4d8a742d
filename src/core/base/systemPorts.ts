import { randomFillSync, randomUUID } from 'node:crypto';
import { QuMailError } from './errors.ts';
import { toDisposable } from './lifetime.ts';
import type { Clock, Random } from './ports.ts';

/** The wall clock and Node's timers. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return toDisposable(() => clearTimeout(timer));
  },
  sleep(ms, signal) {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        clearTimeout(timer);
        reject(new QuMailError('engine.cancelled'));
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      }, ms);
      if (signal?.aborted) onAbort();
      else signal?.addEventListener('abort', onAbort, { once: true });
    });
  },
};

/** The system's CSPRNG. */
export const systemRandom: Random = {
  bytes: (length) => randomFillSync(Buffer.alloc(length)),
  uuid: () => randomUUID(),
  fraction: () => Math.random(),
};
