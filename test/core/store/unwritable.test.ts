import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { named, storeError } from '../../../src/core/base/sqliteErrors.ts';
import { inTransaction } from '../../../src/core/base/transaction.ts';
import { openDatabase } from '../../../src/core/store/database.ts';
import { removeTempFolders, tempFolder } from './vaultFixture.ts';

describe('a store that cannot be written to', () => {
  after(removeTempFolders);
  const open = (file: string): DatabaseSync => openDatabase(file, { durability: 'full', migrations: [] });

  it('is named where the file is a folder, or the folder a file', () => {
    const folder = tempFolder();
    mkdirSync(join(folder, 'vault.db'));
    assert.throws(() => open(join(folder, 'vault.db')), { code: 'store.unwritable' });
    writeFileSync(join(folder, 'a file'), '');
    assert.throws(() => open(join(folder, 'a file', 'vault.db')), { code: 'store.unwritable' });
  });

  it('is named where SQLite cannot open the file (SQLITE_CANTOPEN)', () => {
    assert.throws(() => named(() => new DatabaseSync(join(tempFolder(), 'missing', 'vault.db'))), { code: 'store.unwritable' });
  });

  it('is named where the database is read-only (SQLITE_READONLY), and what was there stays', () => {
    const db = open(join(tempFolder(), 'vault.db'));
    db.exec('CREATE TABLE t (x TEXT) STRICT; PRAGMA query_only = ON');
    const insert = (): void => inTransaction(db, () => db.exec("INSERT INTO t VALUES ('x')"));
    assert.throws(insert, { code: 'store.unwritable' });
    db.exec('PRAGMA query_only = OFF');
    insert();
    db.close();
  });

  it('tells a full disk, whoever meets it first', () => {
    assert.equal(storeError(Object.assign(new Error('no space'), { code: 'ENOSPC' })).code, 'store.full');
  });
});
