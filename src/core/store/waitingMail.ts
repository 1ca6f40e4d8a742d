import type { DatabaseSync } from 'node:sqlite';
import { Statements } from './statements.ts';

/** Folders in which sealed mail waits for a key manager that did not answer. */
export function foldersAwaitingKeys(db: DatabaseSync, accountId: string): string[] {
  const waits = `SELECT 1 FROM messages m WHERE m.folder_id = f.id AND m.seal = 'unopened' AND m.failure IS NOT NULL
    AND json_extract(m.failure, '$.code') LIKE 'kme.%'`;
  const sql = `SELECT f.path FROM folders f WHERE f.account_id = ? AND EXISTS (${waits}) ORDER BY f.id`;
  return new Statements(db).all(sql, accountId).map((row) => row.text('path'));
}
