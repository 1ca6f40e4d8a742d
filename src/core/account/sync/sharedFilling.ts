import { QuMailError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { FillingOutcome, FillingStore } from '../../store/filling.ts';

/** What all windows are told of the filling of one account, and what they are to do. */
export class SharedFilling {
  readonly #deps: { readonly accountId: string; readonly store: FillingStore; readonly log: Log };
  #stopped = false;

  constructor(deps: { accountId: string; store: FillingStore; log: Log }) {
    this.#deps = deps;
  }

  /** Whether a person wants no more old mail, as it was when it was last read. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** Reads anew; returns whether it is different. A store that cannot be read leaves it as it was: whoever writes to it finds out why. */
  renew(): boolean {
    const before = this.#stopped;
    try {
      this.#stopped = this.#deps.store.isStopped(this.#deps.accountId);
    } catch (error) {
      this.#warn(error);
    }
    return this.#stopped !== before;
  }

  /** @throws `store.*` */
  stop(): void {
    this.#deps.store.stop(this.#deps.accountId);
  }

  /** @throws `store.*` */
  goOn(): void {
    this.#deps.store.goOn(this.#deps.accountId);
  }

  /** Of a folder of a stopped account: the UID from which on messages are new. @throws `store.*` */
  newSince(path: string): number {
    return this.#deps.store.newSince(this.#deps.accountId, path);
  }

  /** Of what is stopped nothing is told. A store that cannot be written now is told by the next run. */
  tell(outcome: FillingOutcome): void {
    if (this.#stopped) return;
    try {
      this.#deps.store.note(this.#deps.accountId, outcome);
    } catch (error) {
      this.#warn(error);
    }
  }

  #warn(error: unknown): void {
    this.#deps.log.warn('filling-not-shared', { code: QuMailError.from(error).code });
  }
}
