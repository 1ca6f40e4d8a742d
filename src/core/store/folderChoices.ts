import type { DatabaseSync } from 'node:sqlite';
import { FOLDER_SYNCS, type FolderSyncChoice } from '../base/sync.ts';
import { inTransaction } from '../base/transaction.ts';
import { Statements } from './statements.ts';

/**
 * How much of a folder a person wants to keep offline, in vault.db: the server does not know it, so it must outlive mail.db, and a folder that
 * is missing from one list.
 */
export class FolderChoices {
  readonly #db: DatabaseSync;
  readonly #sql: Statements;

  constructor(deps: { db: DatabaseSync }) {
    this.#db = deps.db;
    this.#sql = new Statements(deps.db);
  }

  /** By path; folders of which nothing was chosen are not in it. */
  list(accountId: string): ReadonlyMap<string, FolderSyncChoice> {
    const rows = this.#sql.all('SELECT path, sync FROM folder_choices WHERE account_id = ?', accountId);
    return new Map(rows.map((row) => [row.text('path'), row.oneOf('sync', FOLDER_SYNCS)]));
  }

  /** @throws QuMailError `account.missing` */
  choose(accountId: string, path: string, sync: FolderSyncChoice): void {
    const sql = `INSERT INTO folder_choices (account_id, path, sync) VALUES (?, ?, ?)
      ON CONFLICT (account_id, path) DO UPDATE SET sync = excluded.sync`;
    this.#sql.run(sql, accountId, path, sync);
  }

  /** A folder goes by another path now. */
  renameFolder(accountId: string, from: string, to: string): void {
    this.#sql.run('UPDATE OR REPLACE folder_choices SET path = ? WHERE account_id = ? AND path = ?', to, accountId, from);
  }

  /** Takes over what an earlier version kept in mail.db, once: there nothing is left of it. */
  takeOver(mail: DatabaseSync): void {
    const earlier = new Statements(mail);
    const rows = earlier.all('SELECT account_id, path, sync FROM folders WHERE sync IS NOT NULL');
    if (rows.length === 0) return;
    const sql = `INSERT OR IGNORE INTO folder_choices (account_id, path, sync) SELECT id, ?, ? FROM accounts WHERE id = ?`;
    inTransaction(this.#db, () => {
      for (const row of rows) this.#sql.run(sql, row.text('path'), row.oneOf('sync', FOLDER_SYNCS), row.text('account_id'));
    });
    // After they are safe: a crash in between takes over the same once more.
    earlier.run('UPDATE folders SET sync = NULL WHERE sync IS NOT NULL');
  }
}
