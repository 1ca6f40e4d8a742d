import type { DatabaseSync } from 'node:sqlite';
import type { SpecialUse } from '../base/types.ts';
import { Statements } from './statements.ts';

const SPECIAL_USES: readonly SpecialUse[] = ['inbox', 'sent', 'drafts', 'trash', 'junk', 'archive', 'all', 'flagged'];

export interface NumberedFolder {
  readonly id: number;
  readonly accountId: string;
  readonly path: string;
  readonly name: string;
  readonly specialUse?: SpecialUse;
}

/** Folders with the numbers that messages know them by. */
export class FolderIds {
  readonly #sql: Statements;

  constructor(deps: { db: DatabaseSync }) {
    this.#sql = new Statements(deps.db);
  }

  list(): NumberedFolder[] {
    return this.#sql.all('SELECT id, account_id, path, name, special_use FROM folders ORDER BY account_id, path').map((row) => ({
      id: row.integer('id'),
      accountId: row.text('account_id'),
      path: row.text('path'),
      name: row.text('name'),
      ...(row.has('special_use') && { specialUse: row.oneOf('special_use', SPECIAL_USES) }),
    }));
  }

  /** Labels that messages carry, at most `most`. */
  labels(most: number): string[] {
    const sql = 'SELECT DISTINCT value AS label FROM messages, json_each(messages.labels) WHERE labels IS NOT NULL LIMIT ?';
    return this.#sql.all(sql, most).map((row) => row.text('label'));
  }
}
