import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Migration } from '../../../src/core/base/ports.ts';
import { QuMailError } from '../../../src/core/base/errors.ts';
import { inTransaction } from '../../../src/core/base/transaction.ts';
import { MAIL_ROOMS, VAULT_ROOMS } from '../../../src/core/coreStores.ts';
import { openDatabase } from '../../../src/core/store/database.ts';
import { Statements } from '../../../src/core/store/statements.ts';
import { removeTempFolders, tempFolder } from './vaultFixture.ts';

const STEP_1: Migration = { name: 'test/1', sql: 'CREATE TABLE t (a INTEGER PRIMARY KEY, b BLOB) STRICT' };
const STEP_2: Migration = { name: 'test/2', sql: 'ALTER TABLE t ADD COLUMN c TEXT' };
const open = (file: string, migrations: readonly Migration[] = [STEP_1], busyTimeoutMs = 50) =>
  openDatabase(file, { durability: 'full', migrations, busyTimeoutMs });
const mode = (path: string): string => (statSync(path).mode & 0o777).toString(8);

describe('database', () => {
  after(removeTempFolders);

  it('keeps its folder and all its files to their owner', () => {
    const file = join(tempFolder(), 'deep', 'er', 'x.db');
    const db = open(file);
    db.exec('INSERT INTO t (a) VALUES (1)');
    assert.equal(mode(join(file, '..')), '700');
    for (const name of [file, `${file}-wal`, `${file}-shm`]) assert.equal(mode(name), '600', name);
    db.close();
  });

  it('tightens a folder that was made too open', () => {
    const folder = join(tempFolder(), 'open');
    mkdirSync(folder, { mode: 0o755 });
    writeFileSync(join(folder, 'x.db'), '', { mode: 0o644 });
    open(join(folder, 'x.db')).close();
    assert.deepEqual([mode(folder), mode(join(folder, 'x.db'))], ['700', '600']);
  });

  it('syncs every commit where asked for, and only then', () => {
    const folder = tempFolder();
    const synchronous = (durability: 'full' | 'normal'): unknown => {
      const db = openDatabase(join(folder, `${durability}.db`), { durability, migrations: [STEP_1] });
      const pragmas = ['synchronous', 'journal_mode', 'foreign_keys', 'secure_delete'].map(
        (name) => Object.values(db.prepare(`PRAGMA ${name}`).get()!)[0],
      );
      db.close();
      return pragmas;
    };
    assert.deepEqual(synchronous('full'), [2, 'wal', 1, 1]);
    assert.deepEqual(synchronous('normal'), [1, 'wal', 1, 1]);
  });

  it('runs each migration once, however often it is opened, and new ones on the data that is there', () => {
    const file = join(tempFolder(), 'x.db');
    for (let i = 0; i < 3; i++) open(file).close();
    const db = open(file);
    db.exec('INSERT INTO t (a) VALUES (7)');
    db.close();
    const upgraded = open(file, [STEP_1, STEP_2]);
    assert.deepEqual({ ...upgraded.prepare('SELECT a, c FROM t').get() }, { a: 7, c: null });
    assert.deepEqual(
      upgraded
        .prepare('SELECT name FROM migrations ORDER BY name')
        .all()
        .map(({ name }) => name),
      ['test/1', 'test/2'],
    );
    upgraded.close();
  });

  it('refuses a file that a newer version wrote, and leaves it as it is', () => {
    const file = join(tempFolder(), 'x.db');
    open(file, [STEP_1, STEP_2]).close();
    const before = readFileSync(file);
    assert.throws(() => open(file), { code: 'store.newer', details: { migration: 'test/2' } });
    assert.deepEqual(readFileSync(file), before);
    open(file, [STEP_1, STEP_2]).close();
  });

  it('does all new migrations or none', () => {
    const file = join(tempFolder(), 'x.db');
    const broken = { name: 'test/2', sql: 'CREATE TABLE u (a) ; CREATE TABLE nonsense (' };
    assert.throws(() => open(file, [STEP_1, broken]), { code: 'engine.internal' });
    const db = open(file);
    assert.deepEqual(
      db
        .prepare("SELECT name FROM sqlite_schema WHERE name IN ('t', 'u')")
        .all()
        .map(({ name }) => name),
      ['t'],
    );
    db.close();
  });

  it('has STRICT tables throughout', () => {
    for (const rooms of [VAULT_ROOMS, MAIL_ROOMS]) {
      const db = open(join(tempFolder(), 'x.db'), rooms.flat());
      // What lies behind the full-text index is FTS5's own.
      const sql = "SELECT name, strict FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite_%'";
      const tables = db.prepare(sql).all();
      assert.ok(tables.length >= 8);
      for (const { name, strict } of tables) assert.equal(strict, 1, String(name));
      db.close();
    }
  });

  it('names a file that is no database, or a damaged one, corrupt', () => {
    const folder = tempFolder();
    writeFileSync(join(folder, 'garbage.db'), Buffer.alloc(8192, 'not a database'));
    assert.throws(() => open(join(folder, 'garbage.db')), { code: 'store.corrupt' });

    const file = join(folder, 'damaged.db');
    const db = open(file);
    for (let i = 0; i < 200; i++) db.prepare('INSERT INTO t (b) VALUES (?)').run(Buffer.alloc(500, i));
    db.close();
    const bytes = readFileSync(file);
    bytes.fill(0xff, 8192);
    writeFileSync(file, bytes);
    const damaged = open(file);
    assert.throws(() => new Statements(damaged).all('SELECT sum(length(b)) FROM t'), { code: 'store.corrupt' });
    damaged.close();
  });

  it('names a full disk, and keeps what was there', () => {
    const db = open(join(tempFolder(), 'x.db'));
    const sql = new Statements(db);
    sql.run('INSERT INTO t (a) VALUES (1)');
    db.exec('PRAGMA max_page_count = 10');
    const fill = (): unknown =>
      inTransaction(db, () => sql.run('INSERT INTO t (a) VALUES (2)') && sql.run('INSERT INTO t (b) VALUES (?)', Buffer.alloc(100_000)));
    assert.throws(fill, { code: 'store.full' });
    assert.equal(db.isTransaction, false);
    assert.deepEqual(
      sql.all('SELECT a FROM t').map((row) => row.integer('a')),
      [1],
    );
    db.close();
  });

  it('waits for another writer and then names it', () => {
    const file = join(tempFolder(), 'x.db');
    const [one, other] = [open(file), open(file)];
    one.exec('BEGIN IMMEDIATE');
    assert.throws(() => inTransaction(other, () => undefined), { code: 'store.locked' });
    assert.throws(() => new Statements(other).run('INSERT INTO t (a) VALUES (1)'), { code: 'store.locked' });
    assert.throws(() => open(file, [STEP_1]), { code: 'store.locked' });
    one.exec('COMMIT');
    assert.equal(
      inTransaction(other, () => 'in'),
      'in',
    );
    // A transaction has the right to write from its first statement on, not only once it writes.
    inTransaction(one, () => assert.throws(() => inTransaction(other, () => undefined), { code: 'store.locked' }));
    one.close();
    other.close();
  });

  it('joins a transaction that is open, and rolls all of it back when anything in it fails', () => {
    const db = open(join(tempFolder(), 'x.db'));
    const sql = new Statements(db);
    const count = (): number => sql.get('SELECT count(*) AS n FROM t')!.integer('n');
    inTransaction(db, () => inTransaction(db, () => sql.run('INSERT INTO t (a) VALUES (1)')));
    assert.equal(count(), 1);
    const failing = (): void =>
      inTransaction(db, () => {
        inTransaction(db, () => sql.run('INSERT INTO t (a) VALUES (2)'));
        throw new QuMailError('engine.cancelled');
      });
    assert.throws(failing, { code: 'engine.cancelled' });
    assert.equal(count(), 1);
    assert.throws(() => inTransaction(db, async () => undefined), { code: 'engine.internal' });
    assert.equal(db.isTransaction, false);
    db.close();
  });

  it('names a column that holds something else than it should', () => {
    const db = open(join(tempFolder(), 'x.db'), [STEP_1, STEP_2]);
    const sql = new Statements(db);
    sql.run("INSERT INTO t (a, b, c) VALUES (1, x'00', 'not json')");
    const row = sql.get('SELECT * FROM t')!;
    for (const read of [
      () => row.text('a'),
      () => row.integer('c'),
      () => row.blob('c'),
      () => row.text('missing'),
      () => row.oneOf('c', ['x']),
    ]) {
      assert.throws(read, { code: 'store.corrupt' });
    }
    db.close();
  });
});
