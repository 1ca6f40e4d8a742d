import { QuMailError } from '../base/errors.ts';
import type { Clock } from '../base/ports.ts';

/** What a server that is asked too much says it wants: no new connection for a while. One per account, shared by its IMAP connections. */
export class ServerPause {
  readonly #clock: Clock;
  #until = 0;
  #failure: QuMailError | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Takes note where a failure carries `retryAfterMs`. */
  note(failure: QuMailError): void {
    const wait = retryAfterOf(failure);
    if (wait === undefined) return;
    const until = this.#clock.now() + wait;
    if (until <= this.#until) return;
    this.#until = until;
    this.#failure = failure;
  }

  /** Throws the server's own refusal, with the time that is left, while the pause lasts. */
  refuse(): void {
    const left = this.#until - this.#clock.now();
    if (left <= 0 || !this.#failure) return;
    throw new QuMailError(this.#failure.code, { ...this.#failure.details, retryAfterMs: left }, { cause: this.#failure.cause });
  }
}

/** Milliseconds a failure says to wait; undefined where it says nothing. */
export function retryAfterOf(failure: QuMailError): number | undefined {
  const wait = failure.details['retryAfterMs'];
  return typeof wait === 'number' ? wait : undefined;
}
