import type { DatabaseSync } from 'node:sqlite';
import { inTransaction } from '../base/transaction.ts';
import { Statements } from './statements.ts';

const OUTCOMES = ['going-on', 'waiting', 'complete', 'cut'] as const;

/** What became of filling, as the window that does it tells: it goes on; goes on with the next look; all is here; a failure ended it. */
export interface FillingOutcome {
  readonly outcome: (typeof OUTCOMES)[number];
  /** Where a failure ended it. */
  readonly failureJson?: string;
}

/** How the filling of each account's offline copy stands, for all windows: what a person wants of it, and what became of it. */
export class FillingStore {
  readonly #db: DatabaseSync;
  readonly #sql: Statements;

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#sql = new Statements(db);
  }

  /** Old mail is not wanted until `goOn`. What folders list from now on is not old. */
  stop(accountId: string): void {
    inTransaction(this.#db, () => {
      this.#sql.run(
        'INSERT INTO filling (account_id, stopped) VALUES (?, 1) ON CONFLICT (account_id) DO UPDATE SET stopped = 1',
        accountId,
      );
      this.#sql.run('UPDATE folders SET stopped_uid = coalesce(stopped_uid, uid_next) WHERE account_id = ?', accountId);
    });
  }

  goOn(accountId: string): void {
    if (!this.isStopped(accountId)) return;
    inTransaction(this.#db, () => {
      this.#sql.run('UPDATE filling SET stopped = 0 WHERE account_id = ?', accountId);
      this.#sql.run('UPDATE folders SET stopped_uid = NULL WHERE account_id = ?', accountId);
    });
  }

  isStopped(accountId: string): boolean {
    return this.#sql.get('SELECT stopped FROM filling WHERE account_id = ?', accountId)?.integer('stopped') === 1;
  }

  /** The UID from which on a folder's messages came after its account was stopped. One that was looked into since for the first time begins now. */
  newSince(accountId: string, path: string): number {
    const place = 'WHERE account_id = ? AND path = ?';
    this.#sql.run(`UPDATE folders SET stopped_uid = uid_next ${place} AND stopped_uid IS NULL`, accountId, path);
    const row = this.#sql.get(`SELECT iif(filled = 'all', 0, stopped_uid) AS uid FROM folders ${place}`, accountId, path);
    return row?.has('uid') ? row.integer('uid') : Number.MAX_SAFE_INTEGER;
  }

  note(accountId: string, { outcome, failureJson }: FillingOutcome): void {
    const sql = `INSERT INTO filling (account_id, outcome, failure) VALUES (?, ?, ?)
      ON CONFLICT (account_id) DO UPDATE SET outcome = excluded.outcome, failure = excluded.failure
      WHERE (outcome, failure) IS NOT (excluded.outcome, excluded.failure)`;
    this.#sql.run(sql, accountId, outcome, failureJson ?? null);
  }

  /** `waiting` where no window ever said. */
  outcome(accountId: string): FillingOutcome {
    const row = this.#sql.get('SELECT outcome, failure FROM filling WHERE account_id = ? AND outcome IS NOT NULL', accountId);
    if (!row) return { outcome: 'waiting' };
    return { outcome: row.oneOf('outcome', OUTCOMES), ...(row.has('failure') && { failureJson: row.text('failure') }) };
  }
}
