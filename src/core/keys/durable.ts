import type { DatabaseSync } from 'node:sqlite';
import { QuMailError, type ErrorCode } from '../base/errors.ts';

/**
 * Runs `run` as one immediate transaction. Inside another (of whatever room: the connection is asked), it becomes a savepoint of that one,
 * so that a step which throws leaves nothing behind even if the caller goes on, and is durable when the outermost commits.
 */
export function durably<T>(db: DatabaseSync, run: () => T): T {
  const [begin, commit, rollback] = db.isTransaction
    ? ['SAVEPOINT key_step', 'RELEASE key_step', 'ROLLBACK TO key_step; RELEASE key_step']
    : ['BEGIN IMMEDIATE', 'COMMIT', 'ROLLBACK'];
  try {
    db.exec(begin);
    try {
      const value = run();
      db.exec(commit);
      return value;
    } catch (error) {
      // A full disk or a corrupt page may have ended the transaction already.
      if (db.isTransaction) db.exec(rollback);
      throw error;
    }
  } catch (error) {
    throw named(error);
  }
}

/** Primary SQLite result codes that have a name of ours. */
const NAMES: Readonly<Record<number, ErrorCode>> = {
  5: 'store.locked',
  6: 'store.locked',
  11: 'store.corrupt',
  13: 'store.full',
  26: 'store.corrupt',
};

function named(error: unknown): unknown {
  const code = error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? NAMES[error.errcode & 0xff] : undefined;
  return code === undefined ? error : new QuMailError(code, {}, { cause: error });
}
