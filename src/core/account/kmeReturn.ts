import type { ErrorCode } from '../base/errors.ts';
import type { Disposable } from '../base/lifetime.ts';
import type { Clock } from '../base/ports.ts';

/** How often a key manager that stopped answering is asked whether it is back, milliseconds, by how long it has been away. */
const STEPS: readonly { readonly away: number; readonly every: number }[] = [
  { away: 3_600_000, every: 60_000 },
  { away: 300_000, every: 15_000 },
  { away: 0, every: 1500 },
];

/** Failures of a key manager that may be back any moment. */
const SILENT: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['kme.unreachable', 'kme.timeout', 'kme.unavailable']);

/**
 * Notices that a key manager answers again, so that what waited for it goes on at once and not at the next look for mail. The one question a
 * time that this takes costs no key.
 */
export class KmeReturn implements Disposable {
  readonly #clock: Clock;
  readonly #ask: (accountId: string) => Promise<unknown>;
  readonly #away = new Map<string, { readonly since: number; timer: Disposable | undefined }>();
  #disposed = false;

  /** @param ask one exchange with the account's key manager, whose outcome comes back through `noted` */
  constructor(clock: Clock, ask: (accountId: string) => Promise<unknown>) {
    this.#clock = clock;
    this.#ask = ask;
  }

  /** How an exchange went: why it failed, or undefined where it was answered, or there is no key manager any more. */
  noted(accountId: string, failure: ErrorCode | undefined): void {
    if (failure === undefined || !SILENT.has(failure)) {
      this.#away.get(accountId)?.timer?.dispose();
      this.#away.delete(accountId);
    } else if (!this.#disposed) this.#missed(accountId);
  }

  dispose(): void {
    this.#disposed = true;
    for (const accountId of [...this.#away.keys()]) this.noted(accountId, undefined);
  }

  #missed(accountId: string): void {
    const known = this.#away.get(accountId);
    if (known?.timer) return;
    const away = known ?? { since: this.#clock.now(), timer: undefined };
    const gone = this.#clock.now() - away.since;
    const every = STEPS.find((step) => gone >= step.away)?.every ?? STEPS.at(-1)!.every;
    away.timer = this.#clock.after(every, () => {
      away.timer = undefined;
      this.#ask(accountId).catch(() => {
        // Cancelled, or no longer configured: neither is told elsewhere, and it is not asked again.
      });
    });
    this.#away.set(accountId, away);
  }
}
