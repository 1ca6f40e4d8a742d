import type { QuMailError } from '../base/errors.ts';
import type { Clock } from '../base/ports.ts';

const MAX_FAILURES = 6;
const OPEN_MS = 15_000;

/**
 * Spares a key manager that does not answer: after six failed exchanges in a row none is started for 15 seconds, then a single one
 * tries whether it is back. What counts as failed: no whole answer, and one that means `kme.unavailable`.
 */
export class CircuitBreaker {
  readonly #clock: Clock;
  #failures = 0;
  #openUntil = 0;
  #probing: 'yes' | 'no' = 'no';
  #last: QuMailError | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The failure to report at once, with the milliseconds still to wait; undefined when an exchange may start. */
  refusal(): { readonly error: QuMailError; readonly retryInMs: number } | undefined {
    if (this.#failures < MAX_FAILURES || this.#last === undefined) return undefined;
    const retryInMs = this.#openUntil - this.#clock.now();
    // Longer than it ever waits: the clock on the wall was set back.
    if ((retryInMs <= 0 || retryInMs > OPEN_MS) && this.#probing === 'no') {
      this.#probing = 'yes';
      return undefined;
    }
    return { error: this.#last, retryInMs: Math.max(0, retryInMs) };
  }

  succeeded(): void {
    this.#failures = 0;
    this.#probing = 'no';
  }

  failed(error: QuMailError): void {
    this.#failures += 1;
    this.#probing = 'no';
    this.#last = error;
    this.#openUntil = this.#clock.now() + OPEN_MS;
  }

  /** An exchange that was let through ended without telling anything, e.g. by cancelling. */
  abandoned(): void {
    this.#probing = 'no';
  }
}
