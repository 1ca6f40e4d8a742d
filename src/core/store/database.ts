import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Migration } from '../base/ports.ts';
import { MailDatabase, named, resultCodeOf, storeError } from '../base/sqliteErrors.ts';
import { migrate } from './migrate.ts';

export interface DatabaseOptions {
  /** `full`: a commit survives power loss (the vault, the ledger). `normal`: it survives a crash of the program. */
  readonly durability: 'full' | 'normal';
  /** All steps of this file in order, of every room that keeps tables in it. */
  readonly migrations: readonly Migration[];
  /** How long another window's write is waited for, milliseconds. */
  readonly busyTimeoutMs?: number;
  /** Of mail.db: called when the file turns out to be damaged while it is in use. */
  readonly damaged?: () => void;
}

const BUSY_TIMEOUT_MS = 5000;
const SQLITE_BUSY = 5;
const PAUSE_MS = 20;

/**
 * Opens a database in WAL mode and brings its schema up to date; creates the file with mode 0600, its folder with 0700.
 * Several processes may do so at once.
 *
 * @throws QuMailError `store.corrupt`, `store.locked`, `store.full`, `store.unwritable`, `store.newer` (details: migration)
 */
export function openDatabase(file: string, options: DatabaseOptions): DatabaseSync {
  named(() => makePrivate(file));
  const timeout = options.busyTimeoutMs ?? BUSY_TIMEOUT_MS;
  const deadline = performance.now() + timeout;
  for (;;) {
    let db: DatabaseSync | undefined;
    try {
      const how = { timeout, enableForeignKeyConstraints: true, allowExtension: false };
      db = options.damaged ? new MailDatabase(file, how, options.damaged) : new DatabaseSync(file, how);
      configure(db, options.durability);
      migrate(db, options.migrations);
      return db;
    } catch (error) {
      db?.close();
      // SQLite does not wait for a lock while it changes to WAL mode, so two first starts at once are settled here.
      const code = resultCodeOf(error) ?? resultCodeOf((error as { cause?: unknown }).cause);
      if (code === undefined || (code & 0xff) !== SQLITE_BUSY || performance.now() >= deadline) throw storeError(error);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
    }
  }
}

/** SQLite gives -wal and -shm the mode of the main file, so the file has its mode before SQLite sees it. */
function makePrivate(file: string): void {
  const folder = dirname(file);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700);
  closeSync(openSync(file, 'a', 0o600));
  chmodSync(file, 0o600);
}

function configure(db: DatabaseSync, durability: 'full' | 'normal'): void {
  // Counts for a file that is begun: what was let go of can be given back to the disk a little at a time.
  if (durability === 'normal') db.exec('PRAGMA auto_vacuum = INCREMENTAL');
  db.exec('PRAGMA journal_mode = WAL');
  db.exec(durability === 'full' ? 'PRAGMA synchronous = FULL' : 'PRAGMA synchronous = NORMAL');
  // A commit that folds the log into the file does no more of it than nobody notices; 1000 pages took twice as long as storing the mail did.
  if (durability === 'normal') foldAutomatically(db, 'often');
  // Deleted content is overwritten, sorting never spills into a file of its own, a schema from outside runs no functions.
  db.exec('PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON');
}

/** How many pages of log a commit leaves before it folds them: whoever has it done seldom does it in between (`foldLog`). */
export function foldAutomatically(db: DatabaseSync, how: 'often' | 'seldom'): void {
  db.exec(`PRAGMA wal_autocheckpoint = ${how === 'often' ? 400 : 4000}`);
}

/** Folds what can be folded of the write-ahead log without waiting for anybody who reads. */
export function foldLog(db: DatabaseSync): void {
  named(() => db.exec('PRAGMA wal_checkpoint(PASSIVE)'), db);
}

/** Folds the write-ahead log into the file, so that what was deleted is in neither; skipped while another window reads. */
export function truncateLog(db: DatabaseSync): void {
  named(() => db.exec('PRAGMA wal_checkpoint(TRUNCATE)'), db);
}
