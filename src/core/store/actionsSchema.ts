import type { Migration } from '../base/ports.ts';

/**
 * vault.db: what a person did that the server has not heard yet, and what it heard lately, for undo. `seq` is the order of replay. A
 * message is named by its place on the server; `message_id` is its row in mail.db, a hint only, for mail.db may be made anew.
 */
export const ACTION_MIGRATIONS: readonly Migration[] = [
  {
    // target_validity and target_uid_next are noted before a move is first tried: what lies at or above them was put there since.
    // from_folder and flags: where the message was shown and how, before the action.
    name: 'vault/actions-1',
    sql: `
      CREATE TABLE actions (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL,
        account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
        purpose TEXT NOT NULL,
        verb TEXT NOT NULL CHECK (verb IN ('flags', 'move', 'expunge')),
        target TEXT,
        change TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('waiting', 'running', 'failed', 'dropped', 'done', 'cancelled')),
        failure TEXT,
        target_validity INTEGER,
        target_uid_next INTEGER,
        tried INTEGER NOT NULL DEFAULT 0,
        created_at INTEGER NOT NULL,
        settled_at INTEGER,
        undone_by TEXT
      ) STRICT;
      CREATE INDEX actions_by_id ON actions (id);
      CREATE INDEX actions_open ON actions (account_id, seq) WHERE state IN ('waiting', 'running');

      CREATE TABLE action_messages (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        seq INTEGER NOT NULL REFERENCES actions (seq) ON DELETE CASCADE,
        folder TEXT NOT NULL,
        uid_validity INTEGER NOT NULL,
        uid INTEGER NOT NULL,
        rfc_message_id TEXT NOT NULL,
        size INTEGER NOT NULL,
        from_folder TEXT NOT NULL,
        flags INTEGER NOT NULL,
        message_id INTEGER NOT NULL,
        outcome TEXT NOT NULL DEFAULT 'open' CHECK (outcome IN ('open', 'done', 'vanished'))
      ) STRICT;
      CREATE INDEX action_messages_by_seq ON action_messages (seq);
      CREATE INDEX action_messages_by_place ON action_messages (folder, uid);
      CREATE INDEX action_messages_by_row ON action_messages (message_id);

      CREATE TABLE snoozed (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
        folder TEXT NOT NULL,
        uid_validity INTEGER NOT NULL,
        uid INTEGER NOT NULL,
        rfc_message_id TEXT NOT NULL,
        message_id INTEGER NOT NULL,
        until INTEGER NOT NULL
      ) STRICT;
      CREATE INDEX snoozed_until ON snoozed (until);

      CREATE TABLE muted (
        account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
        rfc_message_id TEXT NOT NULL,
        thread TEXT NOT NULL,
        rule TEXT NOT NULL CHECK (rule IN ('read', 'archive')),
        PRIMARY KEY (account_id, rfc_message_id)
      ) STRICT;
    `,
  },
];

/**
 * mail.db. `hidden`: 0 shown, 1 snoozed, 2 being removed, 3 the same message as one on its way into this folder,
 * 4 the chats', as far as its Message-ID tells, 5 taken by them. `rank` is what lists are
 * sorted by: the date, or when a snoozed message came back. A message that is on its way to another folder lies there already, under the
 * negative of its row number until the server gave it a UID.
 *
 * `awaited` is the journal as far as mail.db must know it: what the server tells of these messages is out of date. Triggers correct it as
 * it is written, whoever writes it, in the same transaction: what was moved away or decided here does not come back for a moment.
 */
export const SHOWN_MIGRATIONS: readonly Migration[] = [
  {
    name: 'mail/shown-1',
    sql: `
      ALTER TABLE messages ADD COLUMN hidden INTEGER NOT NULL DEFAULT 0;
      ALTER TABLE messages ADD COLUMN surfaced INTEGER;
      ALTER TABLE messages ADD COLUMN rank INTEGER GENERATED ALWAYS AS (coalesce(surfaced, date)) VIRTUAL;
      CREATE INDEX messages_by_rank ON messages (folder_id, rank DESC, id DESC);

      CREATE TABLE awaited (
        folder_id INTEGER NOT NULL REFERENCES folders (id) ON DELETE CASCADE,
        uid INTEGER NOT NULL,
        uid_validity INTEGER NOT NULL,
        away INTEGER NOT NULL,
        set_bits INTEGER NOT NULL,
        clear_bits INTEGER NOT NULL,
        row_id INTEGER NOT NULL,
        PRIMARY KEY (folder_id, uid)
      ) STRICT;
      CREATE INDEX awaited_by_row ON awaited (row_id);

      CREATE TRIGGER awaited_away BEFORE INSERT ON messages
      WHEN NEW.uid > 0 AND EXISTS (SELECT 1 FROM awaited a JOIN folders f ON f.id = a.folder_id AND f.uid_validity = a.uid_validity
        WHERE a.folder_id = NEW.folder_id AND a.uid = NEW.uid AND a.away = 1)
      BEGIN
        SELECT RAISE(IGNORE);
      END;

      CREATE TRIGGER awaited_flags AFTER UPDATE OF flags ON messages
      WHEN EXISTS (SELECT 1 FROM awaited a WHERE a.folder_id = NEW.folder_id AND a.uid = NEW.uid)
      BEGIN
        UPDATE messages SET flags = (SELECT (NEW.flags | a.set_bits) & ~a.clear_bits FROM awaited a JOIN folders f ON f.id = a.folder_id
            AND f.uid_validity = a.uid_validity WHERE a.folder_id = NEW.folder_id AND a.uid = NEW.uid)
          WHERE id = NEW.id AND EXISTS (SELECT 1 FROM awaited a JOIN folders f ON f.id = a.folder_id AND f.uid_validity = a.uid_validity
            WHERE a.folder_id = NEW.folder_id AND a.uid = NEW.uid);
      END;

      CREATE TRIGGER awaited_new AFTER INSERT ON messages
      WHEN EXISTS (SELECT 1 FROM awaited a JOIN folders f ON f.id = a.folder_id AND f.uid_validity = a.uid_validity
        WHERE a.folder_id = NEW.folder_id AND a.uid = NEW.uid)
      BEGIN
        UPDATE messages SET flags = (SELECT (NEW.flags | a.set_bits) & ~a.clear_bits FROM awaited a
          WHERE a.folder_id = NEW.folder_id AND a.uid = NEW.uid) WHERE id = NEW.id;
      END;

      CREATE TRIGGER arriving_twice AFTER INSERT ON messages
      WHEN NEW.uid > 0 AND EXISTS (SELECT 1 FROM messages p WHERE p.folder_id = NEW.folder_id AND p.uid < 0
        AND p.rfc_message_id = NEW.rfc_message_id AND p.size = NEW.size)
      BEGIN
        UPDATE messages SET hidden = 3 WHERE id = NEW.id;
      END;

      CREATE TRIGGER arrived_otherwise AFTER DELETE ON messages WHEN OLD.uid < 0
      BEGIN
        UPDATE messages SET hidden = 0 WHERE folder_id = OLD.folder_id AND uid > 0 AND hidden = 3 AND rfc_message_id = OLD.rfc_message_id;
      END;

      CREATE TRIGGER arrived AFTER UPDATE OF folder_id, uid ON messages
      WHEN OLD.uid < 0 AND (NEW.uid <> OLD.uid OR NEW.folder_id <> OLD.folder_id)
      BEGIN
        UPDATE messages SET hidden = 0 WHERE folder_id = OLD.folder_id AND uid > 0 AND hidden = 3 AND rfc_message_id = OLD.rfc_message_id;
      END;
    `,
  },
  {
    // The same where the folder's UIDs mean other messages meanwhile: there a message that is not to be listed (moved away, or being removed)
    // is known by its Message-ID and size, and of several that look alike as many are passed over as are awaited. What is awaited is written
    // anew at each start, so the table may be as well.
    name: 'mail/shown-2',
    sql: `
      DROP TABLE awaited;
      CREATE TABLE awaited (
        folder_id INTEGER NOT NULL REFERENCES folders (id) ON DELETE CASCADE,
        uid INTEGER NOT NULL,
        uid_validity INTEGER NOT NULL,
        away INTEGER NOT NULL,
        unlisted INTEGER NOT NULL,
        set_bits INTEGER NOT NULL,
        clear_bits INTEGER NOT NULL,
        row_id INTEGER NOT NULL,
        rfc_message_id TEXT NOT NULL,
        size INTEGER NOT NULL,
        PRIMARY KEY (folder_id, uid, uid_validity)
      ) STRICT;
      CREATE INDEX awaited_by_row ON awaited (row_id);
      CREATE INDEX awaited_by_message_id ON awaited (folder_id, rfc_message_id) WHERE unlisted = 1;
      CREATE INDEX messages_hidden_as_twins ON messages (folder_id, rfc_message_id) WHERE hidden = 3;

      CREATE INDEX messages_on_their_way ON messages (folder_id, rfc_message_id) WHERE uid < 0;

      -- The pluses and named indexes keep SQLite from going through all of a folder by UID: 10,000 messages may be on their way into it.
      DROP TRIGGER arriving_twice;
      CREATE TRIGGER arriving_twice AFTER INSERT ON messages
      WHEN NEW.uid > 0 AND EXISTS (SELECT 1 FROM messages p INDEXED BY messages_on_their_way WHERE p.folder_id = NEW.folder_id
        AND p.uid < 0 AND p.rfc_message_id = NEW.rfc_message_id AND p.size = NEW.size)
      BEGIN
        UPDATE messages SET hidden = 3 WHERE id = NEW.id;
      END;
      DROP TRIGGER arrived_otherwise;
      CREATE TRIGGER arrived_otherwise AFTER DELETE ON messages WHEN OLD.uid < 0
      BEGIN
        UPDATE messages SET hidden = 0 WHERE folder_id = OLD.folder_id AND +uid > 0 AND hidden = 3 AND rfc_message_id = OLD.rfc_message_id;
      END;
      DROP TRIGGER arrived;
      CREATE TRIGGER arrived AFTER UPDATE OF folder_id, uid ON messages
      WHEN OLD.uid < 0 AND (NEW.uid <> OLD.uid OR NEW.folder_id <> OLD.folder_id)
      BEGIN
        UPDATE messages SET hidden = 0 WHERE folder_id = OLD.folder_id AND +uid > 0 AND hidden = 3 AND rfc_message_id = OLD.rfc_message_id;
      END;

      DROP TRIGGER awaited_new;
      CREATE TRIGGER awaited_new AFTER INSERT ON messages
      WHEN EXISTS (SELECT 1 FROM awaited a JOIN folders f ON f.id = a.folder_id AND f.uid_validity = a.uid_validity
        WHERE a.folder_id = NEW.folder_id AND a.uid = NEW.uid)
      BEGIN
        UPDATE messages SET flags = (SELECT (NEW.flags | a.set_bits) & ~a.clear_bits FROM awaited a JOIN folders f ON f.id = a.folder_id
          AND f.uid_validity = a.uid_validity WHERE a.folder_id = NEW.folder_id AND a.uid = NEW.uid) WHERE id = NEW.id;
      END;

      CREATE TRIGGER renumbered AFTER INSERT ON messages
      WHEN NEW.uid > 0 AND NEW.hidden = 0 AND NEW.rfc_message_id <> '' AND (
        SELECT count(*) FROM awaited a JOIN folders f ON f.id = a.folder_id AND f.uid_validity IS NOT a.uid_validity
          WHERE a.folder_id = NEW.folder_id AND a.unlisted = 1 AND a.rfc_message_id = NEW.rfc_message_id AND a.size = NEW.size
      ) > (
        SELECT count(*) FROM messages m
          WHERE m.folder_id = NEW.folder_id AND m.hidden = 3 AND m.rfc_message_id = NEW.rfc_message_id AND m.size = NEW.size
      )
      BEGIN
        UPDATE messages SET hidden = 3 WHERE id = NEW.id;
      END;

      CREATE TRIGGER awaited_renumbered AFTER INSERT ON awaited
      WHEN NEW.unlisted = 1 AND NEW.rfc_message_id <> ''
        AND EXISTS (SELECT 1 FROM folders WHERE id = NEW.folder_id AND uid_validity <> NEW.uid_validity)
      BEGIN
        UPDATE messages SET hidden = 3 WHERE id = (SELECT m.id FROM messages m WHERE m.folder_id = NEW.folder_id AND m.hidden = 0 AND m.uid > 0
          AND m.rfc_message_id = NEW.rfc_message_id AND m.size = NEW.size ORDER BY m.uid LIMIT 1);
      END;

      CREATE TRIGGER awaited_no_more AFTER DELETE ON awaited WHEN OLD.unlisted = 1
      BEGIN
        UPDATE messages SET hidden = 0 WHERE id = (SELECT m.id FROM messages m WHERE m.folder_id = OLD.folder_id AND m.hidden = 3 AND +m.uid > 0
          AND m.rfc_message_id = OLD.rfc_message_id AND m.size = OLD.size AND NOT EXISTS (SELECT 1 FROM messages p INDEXED BY messages_on_their_way
            WHERE p.folder_id = m.folder_id AND p.uid < 0 AND p.rfc_message_id = m.rfc_message_id AND p.size = m.size)
          ORDER BY m.uid LIMIT 1);
      END;
    `,
  },
];
