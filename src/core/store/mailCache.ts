import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { QuMailError } from '../base/errors.ts';
import { Emitter, type Disposable, type Listener } from '../base/lifetime.ts';
import type { Migration } from '../base/ports.ts';
import { inTransaction } from '../base/transaction.ts';
import { openDatabase } from './database.ts';
import { Statements } from './statements.ts';

/** A new file that is damaged at once lies on a disk that keeps nothing. */
const MOST_TRIES = 3;

export interface MailCacheDeps {
  /** The folder of both databases. */
  readonly dir: string;
  readonly vault: DatabaseSync;
  readonly migrations: readonly Migration[];
  /** Told at a start that begins mail.db anew. */
  readonly rebuilt?: () => void;
}

/**
 * mail.db. Where it turns out to be damaged it is given up: the vault counts its generations, so that a file of which anybody ever met damage
 * is opened by no start after that, and windows that start at once agree on the next one. A window that still has the old file is not harmed:
 * the new one has another name. The server has it all, and nothing else is in it. vault.db is never touched otherwise.
 */
export class MailCache implements Disposable {
  readonly db: DatabaseSync;
  readonly #deps: MailCacheDeps;
  readonly #vault: Statements;
  readonly #generation: number;
  readonly #damage = new Emitter<void>();
  #givenUp = false;
  #damaged = false;

  /** @throws QuMailError `store.locked`, `store.full`, `store.unwritable`, `store.newer`, `store.corrupt` where not even a new file is sound */
  constructor(deps: MailCacheDeps) {
    this.#deps = deps;
    this.#vault = new Statements(deps.vault);
    for (let tries = 1; ; tries++) {
      const generation = this.#current();
      try {
        const db = this.#open(generation);
        if (this.#current() === generation) {
          [this.db, this.#generation] = [db, generation];
          break;
        }
        // Another window gave it up and removed it in between: what was opened is in nobody's folder.
        db.close();
      } catch (error) {
        if (!QuMailError.is(error, 'store.corrupt') || tries >= MOST_TRIES) throw error;
        this.#giveUp(generation);
      }
    }
    if (this.#others(this.#generation).length > 0) this.#removeOthers();
  }

  /** Looks whether another window found this very file to be damaged. */
  look(): void {
    if (this.#current() !== this.#generation) this.#tell();
  }

  /** Told once when the file turns out to be damaged while it is in use, here or in another window; at once where that was before. */
  onDamage(listener: Listener<void>): Disposable {
    if (this.#damaged) listener();
    return this.#damage.event(listener);
  }

  dispose(): void {
    this.#damage.dispose();
    this.db.close();
  }

  #open(generation: number): DatabaseSync {
    const { dir, migrations, rebuilt } = this.#deps;
    const file = join(dir, fileName(generation));
    if (generation > 1 && !existsSync(file)) rebuilt?.();
    return openDatabase(file, { durability: 'normal', migrations, damaged: () => this.#found(generation) });
  }

  #found(generation: number): void {
    if (this.#givenUp) return;
    // What is under way may be rolled back, and the number with it.
    if (this.#deps.vault.isTransaction) return queueMicrotask(() => this.#deps.vault.isOpen && this.#found(generation));
    attempt(() => {
      this.#giveUp(generation);
      this.#givenUp = true;
    });
    this.#tell();
  }

  #tell(): void {
    if (this.#damaged) return;
    this.#damaged = true;
    this.#damage.fire();
  }

  #current(): number {
    return this.#vault.get('SELECT generation FROM mail_file')!.integer('generation');
  }

  /** Of several windows that meet the same damage one counts. */
  #giveUp(generation: number): void {
    this.#vault.run('UPDATE mail_file SET generation = generation + 1 WHERE generation = ?', generation);
  }

  /** What nobody will open again. Another window may have it open still: where files in use cannot be removed, a later start does it. */
  #removeOthers(): void {
    // Nobody gives up a file meanwhile, so what is current stays so.
    inTransaction(this.#deps.vault, () => {
      for (const name of this.#others(this.#current())) attempt(() => rmSync(join(this.#deps.dir, name), { force: true }));
    });
  }

  /** Files of other generations than this one. */
  #others(generation: number): string[] {
    const current = fileName(generation);
    const own = [current, `${current}-wal`, `${current}-shm`];
    return readdirSync(this.#deps.dir).filter((name) => /^mail(?:-\d+)?\.db/.test(name) && !own.includes(name));
  }
}

function fileName(generation: number): string {
  return generation === 1 ? 'mail.db' : `mail-${generation}.db`;
}

function attempt(run: () => void): void {
  try {
    run();
  } catch {
    // The vault is locked or full, or the file is in use elsewhere: the next who meets it does it.
  }
}
