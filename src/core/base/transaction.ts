import type { DatabaseSync } from 'node:sqlite';
import { QuMailError } from './errors.ts';
import { resultCodeOf, storeError } from './sqliteErrors.ts';

/**
 * BEGIN IMMEDIATE .. COMMIT around `run`; everything is rolled back when it throws. Inside another transaction on the same connection, of
 * whatever room, it becomes a savepoint of that one: a step that throws leaves nothing behind even if the caller goes on, and is durable
 * when the outermost commits. `run` must not be asynchronous: the transaction is over when it returns.
 *
 * @throws QuMailError what `run` threw, `store.*` codes for the database's own failures
 */
export function inTransaction<T>(db: DatabaseSync, run: () => T): T {
  const [begin, commit, rollback] = db.isTransaction
    ? ['SAVEPOINT step', 'RELEASE step', 'ROLLBACK TO step; RELEASE step']
    : ['BEGIN IMMEDIATE', 'COMMIT', 'ROLLBACK'];
  try {
    db.exec(begin);
    try {
      const result = run();
      if (result instanceof Promise) throw new QuMailError('engine.internal', { reason: 'asynchronous transaction' });
      db.exec(commit);
      return result;
    } catch (error) {
      // A full disk or a corrupt page may have ended the transaction already.
      if (db.isTransaction) db.exec(rollback);
      throw error;
    }
  } catch (error) {
    throw resultCodeOf(error) === undefined ? error : storeError(error, db);
  }
}
