const TICK_MS = 5;

/**
 * Watches how long this thread computes without letting its timers fire. Where other processes take the processor away, timers are late though
 * nobody held them up: so what counts of each pause is the processor time that this very thread used in it.
 */
export class HostWatch {
  readonly #timer: NodeJS.Timeout;
  #at = performance.now();
  #used = threadMs();
  #worst = 0;
  #samples = 0;

  constructor() {
    this.#timer = setInterval(() => this.#sample(), TICK_MS);
  }

  stop(): { readonly worstMs: number; readonly samples: number } {
    clearInterval(this.#timer);
    this.#sample();
    return { worstMs: this.#worst, samples: this.#samples };
  }

  #sample(): void {
    const now = performance.now();
    const used = threadMs();
    const late = now - this.#at - TICK_MS;
    this.#worst = Math.max(this.#worst, Math.min(late, used - this.#used));
    this.#at = now;
    this.#used = used;
    this.#samples += 1;
  }
}

/** Processor time of this thread, in milliseconds. Node 22 does not tell it; there a pause counts whole. */
function threadMs(): number {
  if (typeof process.threadCpuUsage !== 'function') return performance.now();
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}
