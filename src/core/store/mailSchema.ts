import type { Migration } from '../base/ports.ts';
import { SHOWN_MIGRATIONS } from './actionsSchema.ts';

/**
 * mail.db, synchronous=NORMAL: the offline copy of what lies on the servers, as it lies there (sealed mail as sealed bytes). It
 * can be fetched again, so a commit lost to a power cut costs a look at the server and nothing else.
 */
export const MAIL_MIGRATIONS: readonly Migration[] = [
  {
    name: 'mail/1',
    sql: `
      CREATE TABLE folders (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        account_id TEXT NOT NULL,
        path TEXT NOT NULL,
        name TEXT NOT NULL,
        delimiter TEXT NOT NULL,
        special_use TEXT,
        selectable INTEGER NOT NULL,
        unread INTEGER NOT NULL,
        total INTEGER NOT NULL,
        uid_validity INTEGER,
        uid_next INTEGER,
        highest_modseq TEXT,
        UNIQUE (account_id, path)
      ) STRICT;

      CREATE TABLE messages (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        folder_id INTEGER NOT NULL REFERENCES folders (id) ON DELETE CASCADE,
        uid INTEGER NOT NULL,
        rfc_message_id TEXT NOT NULL,
        from_address TEXT NOT NULL,
        to_addresses TEXT NOT NULL,
        subject TEXT NOT NULL,
        date INTEGER NOT NULL,
        size INTEGER NOT NULL,
        flags INTEGER NOT NULL,
        has_attachments INTEGER NOT NULL,
        preview TEXT NOT NULL,
        seal TEXT NOT NULL,
        level TEXT NOT NULL,
        in_reply_to TEXT NOT NULL,
        refs TEXT NOT NULL,
        failure TEXT,
        envelope_id TEXT,
        UNIQUE (folder_id, uid)
      ) STRICT;
      CREATE INDEX messages_by_date ON messages (folder_id, date DESC, id DESC);
      CREATE INDEX messages_unopened ON messages (folder_id) WHERE seal = 'unopened';

      CREATE TABLE bodies (
        message_id INTEGER PRIMARY KEY REFERENCES messages (id) ON DELETE CASCADE,
        raw BLOB NOT NULL
      ) STRICT;
    `,
  },
  {
    name: 'mail/2',
    // body_state: 0 no body here, 1 stored, 2 evicted, 3 damaged, 4 too large to be kept. indexed: 1 once the body is in the search index.
    // internal_date: when the server received it, milliseconds. last_used: when its body was last asked for by a person, milliseconds.
    // Gmail's ids (X-GM-EXT-1) are 64-bit unsigned decimals, kept as text; labels is a JSON array of texts, NULL where never read.
    sql: `
      ALTER TABLE messages ADD COLUMN gm_msgid TEXT;
      ALTER TABLE messages ADD COLUMN gm_thrid TEXT;
      ALTER TABLE messages ADD COLUMN labels TEXT;
      ALTER TABLE messages ADD COLUMN thread_id INTEGER;
      ALTER TABLE messages ADD COLUMN body_state INTEGER NOT NULL DEFAULT 0;
      ALTER TABLE messages ADD COLUMN indexed INTEGER NOT NULL DEFAULT 0;
      ALTER TABLE messages ADD COLUMN internal_date INTEGER;
      ALTER TABLE messages ADD COLUMN last_used INTEGER;
      UPDATE messages SET body_state = 1 WHERE id IN (SELECT message_id FROM bodies);
    `,
  },
  {
    name: 'mail/3',
    // folders.sync: the person's choice, NULL for the folder's default. filled: 'all' or 'headers' once every message below filled_uid was taken in
    // to that extent. revision: raised with every change of the folder's messages, so that other windows know what to show anew.
    // sync_state: how the window that syncs an account says it is doing; the others show that.
    sql: `
      ALTER TABLE folders ADD COLUMN sync TEXT;
      ALTER TABLE folders ADD COLUMN subscribed INTEGER;
      ALTER TABLE folders ADD COLUMN filled TEXT;
      ALTER TABLE folders ADD COLUMN filled_uid INTEGER;
      ALTER TABLE folders ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;
      CREATE INDEX messages_bodiless ON messages (folder_id, uid DESC) WHERE body_state = 0;
      CREATE INDEX messages_stored ON messages (coalesce(internal_date, date)) WHERE body_state = 1;
      CREATE INDEX messages_gmail ON messages (gm_msgid) WHERE gm_msgid IS NOT NULL;
      CREATE TABLE sync_state (
        account_id TEXT PRIMARY KEY,
        state TEXT NOT NULL,
        failure TEXT,
        last_sync INTEGER,
        quota_used INTEGER,
        quota_limit INTEGER
      ) STRICT;
    `,
  },
  ...SHOWN_MIGRATIONS,
  { name: 'mail/chat-1', sql: 'CREATE INDEX messages_of_chats ON messages (folder_id, hidden) WHERE hidden >= 4;' },
  // How much is here of each folder is asked while it is filled, and the rows themselves are wide.
  { name: 'mail/counts-1', sql: 'CREATE INDEX messages_counted ON messages (folder_id, body_state);' },
  // MAILBOXID (RFC 8474), by which a renamed folder is known again.
  { name: 'mail/mailbox-id-1', sql: 'ALTER TABLE folders ADD COLUMN mailbox_id TEXT;' },
  {
    // What follows the first MiB of a source that is longer, in parts 1, 2, ... of that size. Those stored before are whole in bodies.
    name: 'mail/body-parts-1',
    sql: `
      CREATE TABLE body_parts (
        message_id INTEGER NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
        part INTEGER NOT NULL,
        raw BLOB NOT NULL,
        PRIMARY KEY (message_id, part)
      ) STRICT;
    `,
  },
  {
    // Whether a person stopped the filling of an account's offline copy, and what became of it. folders.stopped_uid: what was listed from there on came later.
    name: 'mail/filling-1',
    sql: `
      CREATE TABLE filling (account_id TEXT PRIMARY KEY, stopped INTEGER NOT NULL DEFAULT 0, outcome TEXT, failure TEXT) STRICT;
      ALTER TABLE folders ADD COLUMN stopped_uid INTEGER;
    `,
  },
  // What went for want of room, by the order in which it comes again.
  { name: 'mail/evicted-1', sql: 'CREATE INDEX messages_evicted ON messages (coalesce(internal_date, date), id) WHERE body_state = 2;' },
];
