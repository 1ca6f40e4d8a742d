import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { QuMailError } from '../base/errors.ts';
import type { Migration } from '../base/ports.ts';
import { named } from '../base/sqliteErrors.ts';
import { openDatabase } from './database.ts';

const FILES = ['mail.db', 'mail.db-wal', 'mail.db-shm'];
const MARK = 'mail.db.rebuild';

/**
 * Opens mail.db. Where it is damaged, or was found to be so while it was in use, it is thrown away and begun anew: the server has it all, and
 * nothing else is in it. `rebuilt` is told then. vault.db is never touched.
 *
 * @throws QuMailError `store.locked`, `store.full`, `store.unwritable`, `store.newer`
 */
export function openMailCache(dir: string, migrations: readonly Migration[], rebuilt: () => void = () => {}): DatabaseSync {
  const open = (): DatabaseSync => openDatabase(join(dir, 'mail.db'), { durability: 'normal', migrations });
  if (!existsSync(join(dir, MARK))) {
    try {
      return open();
    } catch (error) {
      if (!QuMailError.is(error, 'store.corrupt')) throw error;
    }
  }
  named(() => [...FILES, MARK].forEach((file) => rmSync(join(dir, file), { force: true })));
  rebuilt();
  return open();
}

/** Has mail.db begun anew at the next start: other windows use it as long as they can. */
export function markForRebuild(dir: string): void {
  named(() => writeFileSync(join(dir, MARK), '', { mode: 0o600 }));
}

/** True for damage of the database file itself, not of one value in it. */
export function isDamage(error: unknown): boolean {
  return QuMailError.is(error, 'store.corrupt') && 'sqlite' in error.details;
}
