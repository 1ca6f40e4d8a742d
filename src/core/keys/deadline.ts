import { toDisposable, type Disposable } from '../base/lifetime.ts';

/** A timer that fires so much too late ran while the machine slept, or while the process was stopped. */
const LATE_MS = 1_000;
/** What has come meanwhile lies in the socket; this is the time to read it. */
const GRACE_MS = 2_000;

/**
 * Runs `run` once after `ms` of real time, whatever becomes of the clock on the wall. Keys are delivered once: an answer that is there must
 * not be thrown away because the machine slept, so a timer that comes too late waits for what is in the socket, and none fires before the
 * sockets have been read.
 */
export function deadline(ms: number, run: () => void): Disposable {
  const started = performance.now();
  let timer = setTimeout(fire, ms);
  let turn: NodeJS.Immediate | undefined;
  function fire(): void {
    const late = performance.now() - started - ms > LATE_MS;
    if (late) timer = setTimeout(afterReading, GRACE_MS);
    else afterReading();
  }
  function afterReading(): void {
    turn = setImmediate(run);
  }
  return toDisposable(() => {
    clearTimeout(timer);
    clearImmediate(turn);
  });
}
