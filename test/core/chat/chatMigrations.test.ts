import assert from 'node:assert/strict';
import type { DatabaseSync } from 'node:sqlite';
import { ChatOwed } from '../../../src/core/store/chatOwed.ts';
import { CHAT_MIGRATIONS } from '../../../src/core/store/chatSchema.ts';
import { ChatStore } from '../../../src/core/store/chats.ts';
import { migrate } from '../../../src/core/store/migrate.ts';
import { OwnCopyStore } from '../../../src/core/store/ownCopyStore.ts';
import { VAULT_MIGRATIONS } from '../../../src/core/store/vaultSchema.ts';
import { addAccount, openVault, removeTempFolders, tempFolder } from '../store/vaultFixture.ts';

describe('chats in the vault', () => {
  after(removeTempFolders);

  const shape = (db: DatabaseSync): unknown =>
    db.prepare("SELECT type, name, tbl_name FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY type, name").all();
  const group = 'g'.repeat(22);

  for (let version = 1; version <= CHAT_MIGRATIONS.length; version += 1) {
    it(`of version ${CHAT_MIGRATIONS[version - 1]!.name} come up to date with what was said`, async () => {
      const [vault, fresh] = [await openVault(tempFolder()), await openVault(tempFolder())];
      try {
        const upTo = (count: number) => [...VAULT_MIGRATIONS, ...CHAT_MIGRATIONS.slice(0, count)];
        migrate(vault.db, upTo(version));
        addAccount(vault.db, 'a');
        const store = new ChatStore({ db: vault.db, sealer: vault.storage });
        store.add('a', group, 1);
        const content = { author: 'b@x.test', text: 'said long ago', level: 'L2', sealed: true, files: [] };
        const entry = { accountId: 'a', groupId: group, messageId: '<m@x.test>', at: 5, timer: 0, content };
        store.putEntry({ ...entry, kind: 'message', unread: true, state: 'received' });
        migrate(vault.db, upTo(CHAT_MIGRATIONS.length));
        migrate(fresh.db, upTo(CHAT_MIGRATIONS.length));
        assert.deepEqual(shape(vault.db), shape(fresh.db));
        assert.equal(store.entry('a', group, '<m@x.test>')?.content.text, 'said long ago');
        assert.equal(store.countUnread('a', group), 1);
        // What is new works on what is old.
        const owed = new ChatOwed({ db: vault.db });
        const receipt = { accountId: 'a', groupId: group, author: 'b@x.test', messageId: '<m@x.test>' };
        owed.add({ ...receipt, state: 'delivered' });
        owed.add({ ...receipt, state: 'read' });
        owed.add({ ...receipt, state: 'delivered' });
        assert.deepEqual(owed.list(), [{ ...receipt, state: 'read' }]);
        assert.equal(owed.settle({ ...receipt, state: 'delivered' }), false, 'it was read since');
        assert.equal(owed.settle({ ...receipt, state: 'read' }), true);
        assert.deepEqual(owed.list(), []);
        const copies = new OwnCopyStore({ db: vault.db });
        assert.equal(copies.sharedSince('a'), undefined);
        copies.setShared('a', 7);
        copies.setShared('a', 9);
        assert.equal(copies.sharedSince('a'), 7);
        copies.addDue('a', '<m@x.test>', 'E');
        copies.setTried('a', '<m@x.test>');
        assert.deepEqual(copies.due('a'), [{ messageId: '<m@x.test>', envelopeId: 'E', tried: true }]);
        copies.settle('a', '<m@x.test>');
        copies.addDue('a', '<m@x.test>', 'E');
        assert.deepEqual([copies.due('a'), copies.isKnown('a', '<m@x.test>')], [[], true]);
        vault.db.exec("DELETE FROM accounts WHERE id = 'a'");
        assert.equal(copies.sharedSince('a'), undefined, 'signing out forgets it');
        assert.equal(copies.isKnown('a', '<m@x.test>'), false);
      } finally {
        vault.close();
        fresh.close();
      }
    });
  }
});
