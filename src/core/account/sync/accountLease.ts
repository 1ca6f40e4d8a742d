import { QuMailError } from '../../base/errors.ts';
import { DisposableStore, type Disposable } from '../../base/lifetime.ts';
import type { Log } from '../../base/log.ts';
import type { Clock } from '../../base/ports.ts';
import type { OfflineStore, SharedState } from '../../store/offline.ts';
import type { HeldLock, WindowLock } from '../../store/windowLock.ts';

/** A window that hangs this long loses an account to another one, which looks this often for that; milliseconds. One that dies is noticed at once. */
const LEASE = { ttlMs: 30_000, pollMs: 1000 };

export interface LeaseDeps {
  readonly accountId: string;
  readonly lock: Pick<WindowLock, 'hold'>;
  readonly offline: OfflineStore;
  readonly clock: Clock;
  readonly log: Log;
  /** This window looks for the account's mail from now on. */
  readonly leads: () => void;
  /** It does so no longer: it hung, and another window took over. */
  readonly follows: () => void;
}

/**
 * Which of several windows looks for an account's mail, holds IDLE and fills the offline copy; and what it tells the others through the store.
 */
export class AccountLease implements Disposable {
  readonly #deps: LeaseDeps;
  readonly #owned = new DisposableStore();
  readonly #stop = new AbortController();
  #held: HeldLock | undefined;

  constructor(deps: LeaseDeps) {
    this.#deps = deps;
  }

  get leads(): boolean {
    return this.#held !== undefined;
  }

  /** Takes the lease, now or whenever the window that has it goes; and again, where it is lost. */
  async seek(): Promise<void> {
    const { accountId, lock, clock, log } = this.#deps;
    try {
      const held = this.#owned.add(await lock.hold(`sync/${accountId}`, { ...LEASE, lost: () => this.#lost() }, this.#stop.signal));
      if (this.#stop.signal.aborted) return;
      this.#held = held;
      this.#deps.leads();
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      log.warn('lease-failed', { code: QuMailError.from(error).code });
      this.#owned.add(clock.after(LEASE.pollMs, () => void this.seek()));
    }
  }

  /** What the window that leads last told; undefined where this window leads, or none ever did. */
  told(): SharedState | undefined {
    return this.leads || this.#stop.signal.aborted ? undefined : this.#deps.offline.state(this.#deps.accountId);
  }

  /** Tells the other windows, where this one still leads. A store that cannot be written now is told next time. */
  tell(state: SharedState): void {
    if (this.#stop.signal.aborted || !this.#held?.isHeld()) return;
    try {
      this.#deps.offline.setState(this.#deps.accountId, state);
    } catch (error) {
      this.#deps.log.warn('state-not-told', { code: QuMailError.from(error).code });
    }
  }

  #lost(): void {
    if (this.#held) this.#owned.release(this.#held);
    this.#held = undefined;
    if (this.#stop.signal.aborted) return;
    this.#deps.log.warn('lease-lost');
    this.#deps.follows();
    void this.seek();
  }

  dispose(): void {
    this.#stop.abort();
    this.#owned.dispose();
  }
}
