import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { inTransaction } from '../../../src/core/base/transaction.ts';
import { openDatabase } from '../../../src/core/store/database.ts';
import { MailCache } from '../../../src/core/store/mailCache.ts';
import { MAIL_MIGRATIONS } from '../../../src/core/store/mailSchema.ts';
import { MessageStore } from '../../../src/core/store/messages.ts';
import { OfflineStore } from '../../../src/core/store/offline.ts';
import { SEARCH_MIGRATIONS } from '../../../src/core/store/searchSchema.ts';
import { VAULT_MIGRATIONS } from '../../../src/core/store/vaultSchema.ts';
import { removeTempFolders, tempFolder } from './vaultFixture.ts';

const ALL = [...MAIL_MIGRATIONS, ...SEARCH_MIGRATIONS];

/** A row as the first version wrote it, with its source. */
const OLD_MAIL = `
  INSERT INTO folders (account_id, path, name, delimiter, selectable, unread, total, uid_validity, uid_next) VALUES ('a', 'INBOX', 'INBOX', '/', 1, 0, 1, 7, 2);
  INSERT INTO messages (folder_id, uid, rfc_message_id, from_address, to_addresses, subject, date, size, flags, has_attachments, preview, seal, level,
    in_reply_to, refs) VALUES (1, 1, '<1@x>', '{"name":"","address":"b@x"}', '[]', 'old', 1000, 5, 1, 0, '', 'plain', 'L4', '', '[]');
  INSERT INTO bodies (message_id, raw) VALUES (1, x'68656c6c6f');`;

const vaults: DatabaseSync[] = [];

describe('mail.db', () => {
  after(() => {
    for (const vault of vaults.splice(0)) vault.close();
    removeTempFolders();
  });

  const shape = (db: DatabaseSync): unknown =>
    db.prepare("SELECT type, name, tbl_name FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY type, name").all();

  for (let version = 1; version <= ALL.length; version++) {
    it(`of version ${ALL[version - 1]!.name} comes up to date with its mail`, () => {
      const dir = tempFolder();
      const file = join(dir, 'mail.db');
      const earlier = openDatabase(file, { durability: 'normal', migrations: ALL.slice(0, version) });
      earlier.exec(OLD_MAIL);
      earlier.close();
      const { db } = openCache(dir);
      const { db: fresh } = openCache(tempFolder());
      try {
        assert.deepEqual(shape(db), shape(fresh));
        const messages = new MessageStore({ db });
        assert.equal(messages.byUid('a', 'INBOX', 1)?.subject, 'old');
        assert.equal(messages.getBody(1)?.toString(), 'hello');
        // What had its source before body_state was kept is not fetched again.
        const bodiless = new OfflineStore({ db }).bodilessUids('a', 'INBOX', 10);
        assert.deepEqual(bodiless, version === 1 ? [] : [1]);
        assert.equal(db.prepare('PRAGMA integrity_check').get()?.['integrity_check'], 'ok');
      } finally {
        db.close();
        fresh.close();
      }
    });
  }

  it('that is damaged is begun anew under another name, and the vault beside it keeps what is in it', () => {
    for (const damage of ['header', 'page', 'not a database']) {
      const dir = tempFolder();
      const vault = openVaultFile(dir);
      vault.exec("INSERT INTO secret_names (name) VALUES ('kept')");
      const first = new MailCache({ dir, vault, migrations: ALL });
      first.db.exec(OLD_MAIL);
      first.dispose();
      const file = join(dir, 'mail.db');
      const bytes = readFileSync(file);
      if (damage === 'not a database') writeFileSync(file, 'Dear diary');
      else
        writeFileSync(
          file,
          Buffer.concat([bytes.subarray(0, damage === 'header' ? 0 : 100), Buffer.alloc(4000, 0xaa), bytes.subarray(4096)]),
        );
      let rebuilt = 0;
      const cache = new MailCache({ dir, vault, migrations: ALL, rebuilt: () => rebuilt++ });
      assert.equal(rebuilt, 1, damage);
      assert.equal(new MessageStore({ db: cache.db }).byUid('a', 'INBOX', 1), undefined);
      cache.dispose();
      assert.deepEqual(mailFiles(dir), ['mail-2.db']);
      assert.equal(vault.prepare('SELECT name FROM secret_names').get()?.['name'], 'kept');
      new MailCache({ dir, vault, migrations: ALL, rebuilt: () => assert.fail('once is enough') }).dispose();
      vault.close();
    }
  });

  it('that turns out to be damaged while it is in use is told of once, used as long as it can be, and begun anew at the next start', () => {
    const dir = tempFolder();
    const vault = openVaultFile(dir);
    const first = new MailCache({ dir, vault, migrations: ALL });
    first.db.exec(OLD_MAIL);
    let told = 0;
    first.onDamage(() => told++);
    const messages = new MessageStore({ db: first.db });
    first.db.exec("UPDATE messages SET seal = 'no such seal' WHERE uid = 1");
    for (let tries = 0; tries < 2; tries++) assert.throws(() => messages.byUid('a', 'INBOX', 1), { code: 'store.mail-damaged' });
    assert.equal(told, 1);
    assert.equal(messages.getBody(1)?.toString(), 'hello');
    first.dispose();
    const next = new MailCache({ dir, vault, migrations: ALL });
    assert.equal(new MessageStore({ db: next.db }).byUid('a', 'INBOX', 1), undefined);
    next.dispose();
    assert.deepEqual(mailFiles(dir), ['mail-2.db']);
    assert.ok(readdirSync(dir).every((name) => (statSync(join(dir, name)).mode & 0o077) === 0));
    vault.close();
  });

  it('that is damaged is given up by what was met inside a transaction of the vault, also where that is rolled back', async () => {
    const dir = tempFolder();
    const vault = openVaultFile(dir);
    const cache = new MailCache({ dir, vault, migrations: ALL });
    cache.db.exec(OLD_MAIL);
    cache.db.exec("UPDATE messages SET seal = 'no such seal' WHERE uid = 1");
    const read = (): unknown => inTransaction(vault, () => new MessageStore({ db: cache.db }).byUid('a', 'INBOX', 1));
    assert.throws(read, { code: 'store.mail-damaged' });
    await Promise.resolve();
    assert.equal(vault.prepare('SELECT generation FROM mail_file').get()?.['generation'], 2);
    cache.dispose();
    vault.close();
  });

  it('that another window has open is not taken from under it: that window goes on, and is told', () => {
    const dir = tempFolder();
    const [vault, otherVault] = [openVaultFile(dir), openVaultFile(dir)];
    const old = new MailCache({ dir, vault, migrations: ALL });
    old.db.exec(OLD_MAIL);
    const other = new MailCache({ dir, vault: otherVault, migrations: ALL });
    other.db.exec("UPDATE messages SET seal = 'no such seal' WHERE uid = 1");
    assert.throws(() => new MessageStore({ db: other.db }).byUid('a', 'INBOX', 1), { code: 'store.mail-damaged' });
    other.dispose();
    const fresh = new MailCache({ dir, vault: otherVault, migrations: ALL });
    fresh.db.exec(OLD_MAIL);
    let told = 0;
    old.onDamage(() => told++);
    old.look();
    old.look();
    assert.equal(told, 1);
    old.db.exec("UPDATE messages SET subject = 'of the old'");
    old.dispose();
    assert.equal(new MessageStore({ db: fresh.db }).byUid('a', 'INBOX', 1)?.subject, 'old');
    assert.equal(fresh.db.prepare('PRAGMA integrity_check').get()?.['integrity_check'], 'ok');
    fresh.dispose();
    for (const db of [vault, otherVault]) db.close();
  });

  it('that is damaged becomes one and the same file for all windows that start at once', async () => {
    for (let round = 0; round < 3; round++) {
      const dir = tempFolder();
      openVaultFile(dir).close();
      writeFileSync(join(dir, 'mail.db'), Buffer.alloc(40_960, 0xa5));
      const windows = Array.from({ length: 4 }, () => startWindow(dir));
      const opened = await Promise.all(windows.map(({ opened }) => opened));
      assert.equal(new Set(opened).size, 1, opened.join());
      assert.match(opened[0]!, /^mail-2\.db /);
      assert.deepEqual(
        mailFiles(dir).filter((name) => name.endsWith('.db')),
        ['mail-2.db'],
      );
      await Promise.all(windows.map(({ close }) => close()));
    }
  });

  it('of a newer version is refused by name and kept', () => {
    const dir = tempFolder();
    openDatabase(join(dir, 'mail.db'), {
      durability: 'normal',
      migrations: [...ALL, { name: 'mail/9999', sql: 'CREATE TABLE later (x TEXT) STRICT' }],
    }).close();
    assert.throws(() => openCache(dir), { code: 'store.newer' });
    assert.ok(existsSync(join(dir, 'mail.db')));
  });
});

function openVaultFile(dir: string): DatabaseSync {
  return openDatabase(join(dir, 'vault.db'), { durability: 'full', migrations: VAULT_MIGRATIONS });
}

/** The mail.db of a folder, which must be sound. */
function openCache(dir: string): MailCache {
  const vault = openVaultFile(dir);
  vaults.push(vault);
  return new MailCache({ dir, vault, migrations: ALL, rebuilt: () => assert.fail('thrown away') });
}

function mailFiles(dir: string): string[] {
  return readdirSync(dir).filter((name) => name.startsWith('mail'));
}

/** Another process that opens mail.db, tells which file it got, and keeps it open until it is closed. */
function startWindow(dir: string): { opened: Promise<string>; close: () => Promise<void> } {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.resolve('./mailCacheChild.ts')), dir], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  return {
    opened: once(child.stdout, 'data').then(([line]) => String(line).trim()),
    close: async () => {
      child.stdin.end();
      await exited;
    },
  };
}
