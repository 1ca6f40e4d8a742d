import type { DatabaseSync } from 'node:sqlite';
import { QuMailError, throwIfCancelled } from '../base/errors.ts';
import { toDisposable, type Disposable } from '../base/lifetime.ts';
import type { Clock, CrossWindowLock, Lease, Random } from '../base/ports.ts';
import { inTransaction } from '../base/transaction.ts';
import { Statements } from './statements.ts';

/** A holder that asks again this often, milliseconds, plus as much again at random. */
const POLL_MS = 40;
/** Signs of life per time to live. */
const BEATS_PER_TTL = 3;
const MAX_NOTE = 200;

/** What a waiter saw of the present holder, and for how long it has seen no change. */
interface Sighting {
  readonly holder: string;
  readonly beat: number;
  stillMs: number;
}

/** A lock for as long as it is not disposed of. */
export interface HeldLock extends Disposable {
  /** Looks whether it is still this window's: one that hung for longer than the time to live has lost it to another. */
  isHeld(): boolean;
}

/**
 * Locks between windows: one row each in vault.db, taken in an immediate transaction. A lease is judged by its changes, not by the
 * clock: it is over when its process is gone, or when a waiter has watched it for its whole time to live without a new beat. So neither
 * a clock set back nor a night asleep hands one lock to two windows.
 */
export class WindowLock implements CrossWindowLock, Disposable {
  readonly #deps: { readonly db: DatabaseSync; readonly clock: Clock; readonly random: Random };
  readonly #sql: Statements;
  readonly #held = new Set<Disposable>();
  #disposed = false;

  constructor(deps: { db: DatabaseSync; clock: Clock; random: Random }) {
    this.#deps = deps;
    this.#sql = new Statements(deps.db);
  }

  async run<T>(name: string, ttlMs: number, task: (lease: Lease) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const { held, lease } = await this.#acquire(name, ttlMs, signal);
    try {
      if (this.#disposed) throw new QuMailError('engine.cancelled');
      return await task(lease);
    } finally {
      held.dispose();
    }
  }

  /**
   * Takes the lock for as long as the result is not disposed of, waiting for it where another window has it. Looks every `pollMs` without
   * writing, so that a window may wait for days. `lost` is called once where it turns out at a sign of life, or when asked, that another window
   * took it. @throws `store.*`, `engine.cancelled`
   */
  async hold(
    name: string,
    o: { readonly ttlMs: number; readonly pollMs: number; readonly lost: () => void },
    signal: AbortSignal,
  ): Promise<HeldLock> {
    const { held } = await this.#acquire(name, o.ttlMs, signal, o);
    return held;
  }

  /** Gives back whatever is held, while the database is still open. */
  dispose(): void {
    this.#disposed = true;
    for (const held of [...this.#held]) held.dispose();
  }

  async #acquire(
    name: string,
    ttlMs: number,
    signal: AbortSignal | undefined,
    o: { readonly pollMs: number; readonly lost?: () => void } = { pollMs: POLL_MS },
  ): Promise<{ held: HeldLock; lease: Lease }> {
    const holder = this.#deps.random.uuid();
    let seen: Sighting | undefined;
    for (;;) {
      throwIfCancelled(signal);
      if (this.#disposed) throw new QuMailError('engine.cancelled');
      const other = this.#living(name, seen, ttlMs) ?? inTransaction(this.#deps.db, () => this.#tryTake(name, holder, seen, ttlMs));
      if (!other) return { held: this.#hold(name, holder, ttlMs, o.lost), lease: this.#lease(name, holder) };
      seen = seen?.holder === other.holder && seen.beat === other.beat ? seen : { ...other, stillMs: 0 };
      const pause = o.pollMs * (1 + this.#deps.random.fraction());
      await this.#deps.clock.sleep(pause, signal);
      // The pause, not the time that passed: a machine that slept has watched nobody meanwhile.
      seen.stillMs += pause;
    }
  }

  /** Takes the lock, or tells who has it. */
  #tryTake(name: string, holder: string, seen: Sighting | undefined, ttlMs: number): { holder: string; beat: number } | undefined {
    const other = this.#living(name, seen, ttlMs);
    if (other) return other;
    this.#sql.run(
      `INSERT INTO window_locks (name, holder, pid, beat) VALUES (?, ?, ?, 0)
       ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, pid = excluded.pid, beat = 0`,
      name,
      holder,
      process.pid,
    );
    return undefined;
  }

  /** Who has the lock and still lives, as far as `seen` tells. */
  #living(name: string, seen: Sighting | undefined, ttlMs: number): { holder: string; beat: number } | undefined {
    const row = this.#sql.get('SELECT holder, pid, beat FROM window_locks WHERE name = ?', name);
    if (!row?.has('holder')) return undefined;
    const other = { holder: row.text('holder'), beat: row.integer('beat') };
    const silent = seen?.holder === other.holder && seen.beat === other.beat && seen.stillMs >= ttlMs;
    return !silent && isAlive(row.integer('pid')) ? other : undefined;
  }

  /** Gives signs of life until disposed of or lost, then gives the lock back. */
  #hold(name: string, holder: string, ttlMs: number, lost?: () => void): HeldLock {
    const beat = (): void => {
      // A beat that cannot be written is missed, no more: the next one may reach the disk.
      const written = attempt(() => this.#sql.run('UPDATE window_locks SET beat = beat + 1 WHERE name = ? AND holder = ?', name, holder));
      if (written?.changes === 0) return over();
      timer = this.#deps.clock.after(ttlMs / BEATS_PER_TTL, beat);
    };
    const over = (): void => {
      held.dispose();
      lost?.();
    };
    let timer = this.#deps.clock.after(ttlMs / BEATS_PER_TTL, beat);
    const released = toDisposable(() => {
      timer.dispose();
      this.#held.delete(held);
      attempt(() => this.#sql.run('UPDATE window_locks SET holder = NULL WHERE name = ? AND holder = ?', name, holder));
    });
    const held: HeldLock = {
      isHeld: () => {
        if (!this.#held.has(held)) return false;
        const others = attempt(() => this.#sql.get('SELECT 1 AS one FROM window_locks WHERE name = ? AND holder IS NOT ?', name, holder));
        if (others) over();
        return !others;
      },
      dispose: () => released.dispose(),
    };
    this.#held.add(held);
    return held;
  }

  #lease(name: string, holder: string): Lease {
    const row = this.#sql.get('SELECT note FROM window_locks WHERE name = ?', name);
    let note = row?.has('note') ? row.text('note') : undefined;
    return {
      get note() {
        return note;
      },
      leave: (text) => {
        note = text.slice(0, MAX_NOTE);
        this.#sql.run('UPDATE window_locks SET note = ? WHERE name = ? AND holder = ?', note, name, holder);
      },
    };
  }
}

/** Whatever fails here is settled by the lease running out: the database is closed, full, or locked by another window. */
function attempt<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: there is such a process, of somebody else.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
