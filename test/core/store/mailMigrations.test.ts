import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { openDatabase } from '../../../src/core/store/database.ts';
import { markForRebuild, openMailCache } from '../../../src/core/store/mailCache.ts';
import { MAIL_MIGRATIONS } from '../../../src/core/store/mailSchema.ts';
import { MessageStore } from '../../../src/core/store/messages.ts';
import { OfflineStore } from '../../../src/core/store/offline.ts';
import { SEARCH_MIGRATIONS } from '../../../src/core/store/searchSchema.ts';
import { removeTempFolders, tempFolder } from './vaultFixture.ts';

const ALL = [...MAIL_MIGRATIONS, ...SEARCH_MIGRATIONS];

/** A row as the first version wrote it, with its source. */
const OLD_MAIL = `
  INSERT INTO folders (account_id, path, name, delimiter, selectable, unread, total, uid_validity, uid_next) VALUES ('a', 'INBOX', 'INBOX', '/', 1, 0, 1, 7, 2);
  INSERT INTO messages (folder_id, uid, rfc_message_id, from_address, to_addresses, subject, date, size, flags, has_attachments, preview, seal, level,
    in_reply_to, refs) VALUES (1, 1, '<1@x>', '{"name":"","address":"b@x"}', '[]', 'old', 1000, 5, 1, 0, '', 'plain', 'L4', '', '[]');
  INSERT INTO bodies (message_id, raw) VALUES (1, x'68656c6c6f');`;

describe('mail.db', () => {
  after(removeTempFolders);

  const shape = (db: DatabaseSync): unknown =>
    db.prepare("SELECT type, name, tbl_name FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY type, name").all();

  for (let version = 1; version <= ALL.length; version++) {
    it(`of version ${ALL[version - 1]!.name} comes up to date with its mail`, () => {
      const dir = tempFolder();
      const file = join(dir, 'mail.db');
      const earlier = openDatabase(file, { durability: 'normal', migrations: ALL.slice(0, version) });
      earlier.exec(OLD_MAIL);
      earlier.close();
      const db = openMailCache(dir, ALL, () => assert.fail('thrown away'));
      const fresh = openMailCache(tempFolder(), ALL);
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

  it('that is damaged is begun anew, and the vault beside it is not touched', () => {
    for (const damage of ['header', 'page', 'not a database']) {
      const dir = tempFolder();
      writeFileSync(join(dir, 'vault.db'), 'untouched');
      const first = openMailCache(dir, ALL);
      first.exec(OLD_MAIL);
      first.close();
      const file = join(dir, 'mail.db');
      const bytes = readFileSync(file);
      if (damage === 'not a database') writeFileSync(file, 'Dear diary');
      else
        writeFileSync(
          file,
          Buffer.concat([bytes.subarray(0, damage === 'header' ? 0 : 100), Buffer.alloc(4000, 0xaa), bytes.subarray(4096)]),
        );
      let rebuilt = 0;
      const db = openMailCache(dir, ALL, () => rebuilt++);
      assert.equal(rebuilt, 1, damage);
      assert.equal(new MessageStore({ db }).byUid('a', 'INBOX', 1), undefined);
      db.close();
      assert.equal(readFileSync(join(dir, 'vault.db'), 'utf8'), 'untouched');
      openMailCache(dir, ALL, () => assert.fail('once is enough')).close();
    }
  });

  it('that turned out to be damaged while it was in use is begun anew at the next start, not before', () => {
    const dir = tempFolder();
    const first = openMailCache(dir, ALL);
    first.exec(OLD_MAIL);
    markForRebuild(dir);
    assert.equal(new MessageStore({ db: first }).byUid('a', 'INBOX', 1)?.subject, 'old');
    first.close();
    const db = openMailCache(dir, ALL);
    assert.equal(new MessageStore({ db }).byUid('a', 'INBOX', 1), undefined);
    db.close();
    assert.ok(!existsSync(join(dir, 'mail.db.rebuild')));
    assert.ok(readdirSync(dir).every((name) => (statSync(join(dir, name)).mode & 0o077) === 0));
  });

  it('of a newer version is refused by name and kept', () => {
    const dir = tempFolder();
    const newer = openMailCache(dir, [...ALL, { name: 'mail/9999', sql: 'CREATE TABLE later (x TEXT) STRICT' }]);
    newer.close();
    assert.throws(() => openMailCache(dir, ALL), { code: 'store.newer' });
    assert.ok(existsSync(join(dir, 'mail.db')));
  });
});
