import type { DatabaseSync } from 'node:sqlite';
import * as v from 'valibot';
import type { RecordSealer } from '../base/ports.ts';
import { inTransaction } from '../base/transaction.ts';
import { parseJson, Statements, type Row } from './statements.ts';

export interface SavedSearchRecord {
  readonly id: string;
  readonly name: string;
  readonly query: string;
  /** Absent: in all accounts. */
  readonly accountId?: string;
}

const sealedSchema = v.object({ name: v.string(), query: v.string() });

/** Saved searches (vault.db), in the order they were made. Name and query may say what sealed mail says, so they are sealed. */
export class SavedSearchStore {
  readonly #db: DatabaseSync;
  readonly #sql: Statements;
  readonly #sealer: RecordSealer;

  constructor(deps: { db: DatabaseSync; sealer: RecordSealer }) {
    this.#db = deps.db;
    this.#sql = new Statements(deps.db);
    this.#sealer = deps.sealer;
  }

  list(): SavedSearchRecord[] {
    return this.#sql.all('SELECT * FROM saved_searches ORDER BY position').map((row) => this.#recordOf(row));
  }

  /** Adds, or replaces and keeps its place. */
  put(record: SavedSearchRecord): void {
    const { id, name, query, accountId } = record;
    const sealed = this.#sealer.seal('mail', 'saved-search', id, Buffer.from(JSON.stringify({ name, query }), 'utf8'));
    inTransaction(this.#db, () =>
      this.#sql.run(
        `INSERT INTO saved_searches (id, account_id, position, sealed)
         VALUES (?, ?, (SELECT coalesce(max(position), 0) + 1 FROM saved_searches), ?)
         ON CONFLICT (id) DO UPDATE SET account_id = excluded.account_id, sealed = excluded.sealed`,
        id,
        accountId ?? null,
        sealed,
      ),
    );
  }

  /** Returns whether there was one. */
  delete(id: string): boolean {
    return this.#sql.run('DELETE FROM saved_searches WHERE id = ?', id).changes > 0;
  }

  #recordOf(row: Row): SavedSearchRecord {
    const id = row.text('id');
    const json = this.#sealer.open('mail', 'saved-search', id, row.blob('sealed')).toString('utf8');
    return { id, ...parseJson(sealedSchema, json, 'sealed'), ...(row.has('account_id') && { accountId: row.text('account_id') }) };
  }
}
