import type { DatabaseSync } from 'node:sqlite';
import { QuMailError } from '../base/errors.ts';
import type { Migration } from '../base/ports.ts';

/**
 * Runs the steps that this file has not seen yet, all in one immediate transaction: the schema is never half new, and of two
 * windows that start at once the second finds nothing left to do.
 *
 * @throws QuMailError `store.newer` (details: migration) when the file has seen a step that is not in `migrations`
 */
export function migrate(db: DatabaseSync, migrations: readonly Migration[]): void {
  db.exec('BEGIN IMMEDIATE');
  try {
    db.exec('CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY) STRICT');
    const done = new Set(
      db
        .prepare('SELECT name FROM migrations')
        .all()
        .map((row) => String(row['name'])),
    );
    const known = new Set(migrations.map(({ name }) => name));
    for (const name of done) if (!known.has(name)) throw new QuMailError('store.newer', { migration: name });
    const record = db.prepare('INSERT INTO migrations (name) VALUES (?)');
    for (const { name, sql } of migrations) {
      if (done.has(name)) continue;
      db.exec(sql);
      record.run(name);
    }
    db.exec('COMMIT');
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}
