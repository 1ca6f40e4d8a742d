import type { AccountState } from '../base/model.ts';
import { needsPerson, QuMailError, type ErrorCode } from '../base/errors.ts';
import type { Clock } from '../base/ports.ts';
import type { SharedState } from '../store/offline.ts';
import { retryAfterOf } from '../transport/serverPause.ts';
import { LastErrors } from './lastErrors.ts';
import { readFailure, writeFailure } from './stored.ts';

/** What keeps mail from being kept here although the server is within reach: it stands beside the state until mail is kept again. */
const KEEPS_FROM_STORING: ReadonlySet<ErrorCode> = new Set(['store.full', 'store.unwritable', 'store.mail-damaged']);

export interface StandingDeps {
  readonly clock: Clock;
  /** Tells the other windows. */
  readonly tell: (state: SharedState) => void;
  /** Told where something else is to be shown. */
  readonly changed: () => void;
}

/** How one account is doing, as it is shown: its state and why, when it was last in step with the server, its last errors. */
export class AccountStanding {
  readonly #deps: StandingDeps;
  readonly #errors = new LastErrors();
  #state: AccountState = 'connecting';
  #failure: QuMailError | undefined;
  #trouble: QuMailError | undefined;
  #lastSync: number | undefined;

  constructor(deps: StandingDeps) {
    this.#deps = deps;
  }

  get state(): AccountState {
    return this.#state;
  }

  /** What keeps mail from being stored, which the person can help; else why the account is not online. Signing in comes before both. */
  get failure(): QuMailError | undefined {
    return this.#state === 'needs-sign-in' ? this.#failure : (this.#trouble ?? this.#failure);
  }

  get lastSync(): number | undefined {
    return this.#lastSync;
  }

  get lastErrors(): ReturnType<LastErrors['list']> {
    return this.#errors.list();
  }

  /** Shows what the window that leads told. */
  mirror(shared: SharedState): void {
    const failure = readFailure(shared.failureJson);
    this.#lastSync = Math.max(this.#lastSync ?? 0, shared.lastSync ?? 0) || undefined;
    this.#becomes(shared.state, failure && new QuMailError(failure.code, failure.details), this.#trouble);
  }

  /** In step with the server. */
  succeeds(): void {
    this.#lastSync = this.#deps.clock.now();
    this.#becomes('online', undefined, this.#trouble);
    this.share();
  }

  /** Everything that was to be stored was stored. Damage stays: it ends with the next start. */
  stores(): void {
    if (this.#trouble?.code !== 'store.mail-damaged') this.#becomes(this.#state, this.#failure, undefined);
  }

  /** Notes a failure, and shows it where it says how the account is doing. */
  fails(error: unknown): QuMailError {
    const failure = QuMailError.from(error);
    if (failure.code === 'engine.cancelled') return failure;
    this.#errors.note(this.#deps.clock.now(), failure.code);
    if (needsPerson(failure.code)) this.#becomes('needs-sign-in', failure, this.#trouble);
    else if (failure.code.startsWith('net.') || failure.code.startsWith('auth.') || retryAfterOf(failure) !== undefined)
      this.#becomes('offline', failure, this.#trouble);
    // What could not be stored had come: the server is within reach.
    else if (KEEPS_FROM_STORING.has(failure.code))
      this.#becomes(this.#state === 'connecting' ? 'online' : this.#state, this.#failure, failure);
    return failure;
  }

  /** Tells the other windows how the account is doing, with what is given beside it. */
  share(more: Pick<SharedState, 'quota'> = {}): void {
    const { failure } = this;
    this.#deps.tell({
      state: this.#state,
      ...(failure && { failureJson: writeFailure(failure) }),
      ...(this.#lastSync !== undefined && { lastSync: this.#lastSync }),
      ...more,
    });
  }

  #becomes(state: AccountState, failure: QuMailError | undefined, trouble: QuMailError | undefined): void {
    const was = [this.#state, this.failure?.code];
    [this.#state, this.#failure, this.#trouble] = [state, failure, trouble];
    if (state === was[0] && this.failure?.code === was[1]) return;
    this.share();
    this.#deps.changed();
  }
}
