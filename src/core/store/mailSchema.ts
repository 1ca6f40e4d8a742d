import type { Migration } from '../base/ports.ts';

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
];
