import type { Migration } from '../base/ports.ts';

/**
 * Chats in vault.db: events and entries cannot be fetched again in the clear, so they live where nothing is lost. What a message says, what
 * a group is called and who is in it lies in `sealed` columns; what is left open tells when and how much, as the mailbox does.
 */
export const CHAT_MIGRATIONS: readonly Migration[] = [
  {
    name: 'chat/1',
    sql: `
      CREATE TABLE chats (
        account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
        group_id TEXT NOT NULL,
        last_at INTEGER NOT NULL,
        receipts TEXT NOT NULL CHECK (receipts IN ('on', 'off')),
        sealed_draft BLOB,
        PRIMARY KEY (account_id, group_id)
      ) STRICT;

      CREATE TABLE chat_events (
        account_id TEXT NOT NULL,
        group_id TEXT NOT NULL,
        event_id TEXT NOT NULL,
        at INTEGER NOT NULL,
        sealed BLOB NOT NULL,
        PRIMARY KEY (account_id, group_id, event_id),
        FOREIGN KEY (account_id, group_id) REFERENCES chats (account_id, group_id) ON DELETE CASCADE
      ) STRICT;

      CREATE TABLE chat_entries (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        account_id TEXT NOT NULL,
        group_id TEXT NOT NULL,
        message_id TEXT NOT NULL,
        at INTEGER NOT NULL,
        kind TEXT NOT NULL,
        -- The message that an edit, a deletion or a reaction is about.
        target TEXT,
        unread INTEGER NOT NULL,
        -- Own messages: queued until the server took them.
        state TEXT NOT NULL CHECK (state IN ('queued', 'sent', 'failed', 'received')),
        failure TEXT,
        timer INTEGER NOT NULL,
        expires_at INTEGER,
        sealed BLOB NOT NULL,
        UNIQUE (account_id, group_id, message_id),
        FOREIGN KEY (account_id, group_id) REFERENCES chats (account_id, group_id) ON DELETE CASCADE
      ) STRICT;
      CREATE INDEX chat_entries_by_time ON chat_entries (account_id, group_id, kind, at DESC, message_id DESC);
      CREATE INDEX chat_entries_by_target ON chat_entries (account_id, group_id, target) WHERE target IS NOT NULL;
      CREATE INDEX chat_entries_unread ON chat_entries (account_id, group_id) WHERE unread = 1;
      CREATE INDEX chat_entries_expiring ON chat_entries (expires_at) WHERE expires_at IS NOT NULL;

      CREATE TABLE chat_pictures (
        account_id TEXT NOT NULL,
        group_id TEXT NOT NULL,
        sha256 TEXT NOT NULL,
        sealed BLOB NOT NULL,
        PRIMARY KEY (account_id, group_id, sha256),
        FOREIGN KEY (account_id, group_id) REFERENCES chats (account_id, group_id) ON DELETE CASCADE
      ) STRICT;

      -- Opened chat mail whose author or group is not known yet; it lies in the sealed store and is offered again.
      CREATE TABLE chat_waiting (
        account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
        group_id TEXT NOT NULL,
        message_id TEXT NOT NULL,
        since INTEGER NOT NULL,
        PRIMARY KEY (account_id, message_id)
      ) STRICT;

      -- Receipts by the message they are about: one row per member and message, however many mails told it.
      CREATE TABLE chat_receipts (
        account_id TEXT NOT NULL,
        group_id TEXT NOT NULL,
        message_id TEXT NOT NULL,
        member TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('delivered', 'read')),
        PRIMARY KEY (account_id, group_id, message_id, member),
        FOREIGN KEY (account_id, group_id) REFERENCES chats (account_id, group_id) ON DELETE CASCADE
      ) STRICT;
    `,
  },
  {
    name: 'chat/2',
    sql: `
      -- Said and not sealed yet, in the order it was said: an own entry of state queued or failed that has a row here is in no outbox.
      CREATE TABLE chat_unsent (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        account_id TEXT NOT NULL,
        group_id TEXT NOT NULL,
        message_id TEXT NOT NULL,
        sealed BLOB NOT NULL,
        UNIQUE (account_id, message_id),
        FOREIGN KEY (account_id, group_id) REFERENCES chats (account_id, group_id) ON DELETE CASCADE
      ) STRICT;

      -- Erased here; the server's copy goes as soon as it is within reach.
      CREATE TABLE chat_erasures (
        account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
        message_id TEXT NOT NULL,
        PRIMARY KEY (account_id, message_id)
      ) STRICT;
    `,
  },
  {
    name: 'chat/3',
    sql: `
      -- Accounts whose own certificate is on more than this device: in a backup that was made, or out of one.
      CREATE TABLE own_devices (
        account_id TEXT PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
        since INTEGER NOT NULL
      ) STRICT;

      -- Chat messages that the own devices tell each other of. What is settled stays, so that no copy is made or taken in twice.
      CREATE TABLE own_copies (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
        message_id TEXT NOT NULL,
        envelope_id TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('due', 'tried', 'settled')),
        UNIQUE (account_id, message_id)
      ) STRICT;
      CREATE INDEX own_copies_due ON own_copies (account_id, id) WHERE state IN ('due', 'tried');

      -- Receipts that were not sent yet.
      CREATE TABLE chat_owed (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        account_id TEXT NOT NULL,
        group_id TEXT NOT NULL,
        author TEXT NOT NULL,
        message_id TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('delivered', 'read')),
        UNIQUE (account_id, group_id, message_id),
        FOREIGN KEY (account_id, group_id) REFERENCES chats (account_id, group_id) ON DELETE CASCADE
      ) STRICT;
    `,
  },
];
