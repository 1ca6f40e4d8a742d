import { readFileSync } from 'node:fs';

const TICK_MS = 5;

/** How late one look at the clock came, in milliseconds. */
export interface Late {
  /** When it came, milliseconds since the epoch. */
  readonly at: number;
  /** What this thread's own work, or what it waited for in it, made others wait. */
  readonly busy: number;
  /** What of that was computing, where a disk that others use as well is not the point. */
  readonly computed: number;
  /** All of it. */
  readonly late: number;
}

/**
 * How late a timer of 5 ms fires in the main thread of this process: what anybody who waits for that thread had to wait. Computing counts, and
 * so does waiting for a disk or a lock. Left out of `busy` is what a machine does that has much else to do: the wait for a processor while the
 * thread was ready to run, and timers that come late into a loop that had nothing to do.
 */
export class LatenessWatch implements Disposable {
  readonly #timer: NodeJS.Timeout;
  readonly #seen: (late: Late) => void;
  #due = performance.now() + TICK_MS;
  #queued = queuedMs();
  #active = performance.eventLoopUtilization().active;
  #used = usedMs();
  #worst: Late = { at: 0, busy: 0, computed: 0, late: 0 };

  /** @param seen called at every look */
  constructor(seen: (late: Late) => void = () => {}) {
    this.#seen = seen;
    this.#timer = setInterval(() => this.#look(), TICK_MS);
  }

  /** The most so far of each, a stall that is just over included. */
  worst(): Late {
    this.#look();
    return this.#worst;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const late = Math.max(0, performance.now() - this.#due);
    const queued = queuedMs();
    const { active } = performance.eventLoopUtilization();
    const used = usedMs();
    const busy = Math.max(0, Math.min(late - (queued - this.#queued), active - this.#active));
    const computed = Math.min(late, used - this.#used);
    this.#due = performance.now() + TICK_MS;
    this.#queued = queued;
    this.#active = active;
    this.#used = used;
    const at = Date.now();
    const { busy: mostBusy, computed: mostComputed, late: mostLate } = this.#worst;
    this.#worst = { at, busy: Math.max(busy, mostBusy), computed: Math.max(computed, mostComputed), late: Math.max(late, mostLate) };
    this.#seen({ at, busy, computed, late });
  }
}

/** How long this thread was ready to run while others had the processors, milliseconds. 0 where Linux does not tell: then that counts as well. */
function queuedMs(): number {
  try {
    return Number(readFileSync('/proc/self/schedstat', 'latin1').split(' ')[1]) / 1e6;
  } catch {
    return 0;
  }
}

/** Processor time of this thread, milliseconds. Node 22 does not tell it; there a pause counts whole. */
function usedMs(): number {
  if (typeof process.threadCpuUsage !== 'function') return performance.now();
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}
