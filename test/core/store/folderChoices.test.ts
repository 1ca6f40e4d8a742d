import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { openDatabase } from '../../../src/core/store/database.ts';
import { FolderChoices } from '../../../src/core/store/folderChoices.ts';
import { MAIL_MIGRATIONS } from '../../../src/core/store/mailSchema.ts';
import { VAULT_MIGRATIONS } from '../../../src/core/store/vaultSchema.ts';
import { addAccount, removeTempFolders, tempFolder } from './vaultFixture.ts';

describe('how much of a folder is kept', () => {
  let vault: DatabaseSync;
  let mail: DatabaseSync;
  let choices: FolderChoices;

  beforeEach(() => {
    const dir = tempFolder();
    vault = openDatabase(join(dir, 'vault.db'), { durability: 'full', migrations: VAULT_MIGRATIONS });
    mail = openDatabase(join(dir, 'mail.db'), { durability: 'normal', migrations: MAIL_MIGRATIONS });
    choices = new FolderChoices({ db: vault });
    addAccount(vault, 'a');
  });
  afterEach(() => {
    vault.close();
    mail.close();
  });
  after(removeTempFolders);

  it('is remembered by account and path, follows a rename, and goes with the account', () => {
    choices.choose('a', 'Lists', 'all');
    choices.choose('a', 'Lists', 'off');
    choices.choose('a', 'Old', 'headers');
    assert.deepEqual(
      [...choices.list('a')],
      [
        ['Lists', 'off'],
        ['Old', 'headers'],
      ],
    );
    choices.renameFolder('a', 'Lists', 'Old');
    assert.deepEqual([...choices.list('a')], [['Old', 'off']]);
    assert.deepEqual([...choices.list('b')], []);
    assert.throws(() => choices.choose('nobody', 'INBOX', 'off'), { code: 'account.missing' });
    vault.exec("DELETE FROM accounts WHERE id = 'a'");
    assert.deepEqual([...choices.list('a')], []);
  });

  it('is taken over from where earlier versions kept it, once, and nothing newer gives way to it', () => {
    mail.exec(`INSERT INTO folders (account_id, path, name, delimiter, selectable, unread, total, sync) VALUES
      ('a', 'Lists', 'Lists', '/', 1, 0, 0, 'off'), ('a', 'Junk', 'Junk', '/', 1, 0, 0, 'all'), ('a', 'INBOX', 'INBOX', '/', 1, 0, 0, NULL),
      ('gone', 'Lists', 'Lists', '/', 1, 0, 0, 'off')`);
    choices.choose('a', 'Junk', 'headers');
    choices.takeOver(mail);
    assert.deepEqual([...choices.list('a')].toSorted(), [
      ['Junk', 'headers'],
      ['Lists', 'off'],
    ]);
    choices.choose('a', 'Lists', 'all');
    choices.takeOver(mail);
    assert.equal(choices.list('a').get('Lists'), 'all');
  });
});
