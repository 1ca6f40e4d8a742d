import type { Migration } from '../base/ports.ts';

/**
 * The full-text index lies in mail.db, so that a body and its words commit together and vanish together. Contentless: the words alone, no
 * second copy of the text. Its rowid is a message's minute and id in one number (searchKey.ts), so that "the newest that match" is the order of
 * the index itself. The same table, in memory and never on disk, holds sealed mail.
 */
export const SEARCH_TABLE = tableWith("prefix = '2'");

function tableWith(prefixes: string): string {
  return `fts5(
  subject, sender, recipients, copies, body, files, list,
  content = '', contentless_delete = 1, ${prefixes},
  tokenize = "unicode61 remove_diacritics 2 categories 'L* N* Co M*'"
)`;
}

const KEY_OF_OLD = '(min(max(old.date / 60000, 0), 67108863) * 134217728) + (old.id & 134217727)';

/** Steps of mail.db for searching and for threads; they need the columns of mail/2. `indexed`: 0 not, 1 with its body, 2 header only. */
export const SEARCH_MIGRATIONS: readonly Migration[] = [
  {
    name: 'search/1',
    sql: `
      CREATE VIRTUAL TABLE search USING ${tableWith("prefix = '2 4'")};
      INSERT INTO search (search, rank) VALUES ('automerge', 8);
      CREATE TRIGGER messages_unsearched AFTER DELETE ON messages WHEN old.indexed <> 0 BEGIN
        DELETE FROM search WHERE rowid = ${KEY_OF_OLD};
      END;
      UPDATE messages SET indexed = 0;
      CREATE INDEX messages_by_time ON messages (date DESC, id DESC);
      CREATE INDEX messages_unindexed ON messages (id) WHERE indexed = 0;
      CREATE INDEX bodies_unindexed ON messages (id) WHERE body_state = 1 AND indexed <> 1 AND seal = 'plain';
      CREATE INDEX messages_unfound ON messages (folder_id) WHERE indexed <> 1 AND seal = 'plain';
      CREATE INDEX messages_sealed ON messages (folder_id) WHERE seal <> 'plain';
      CREATE INDEX messages_opened ON messages (id) WHERE seal = 'opened';
    `,
  },
  {
    // FTS5 would merge segments inside the commits that store mail, for as long as a quarter of a second: `tidy` does it in small steps when
    // there is time. The crisis merge stays as the last resort.
    name: 'search/2',
    sql: `
      INSERT INTO search (search, rank) VALUES ('automerge', 0);
      INSERT INTO search (search, rank) VALUES ('crisismerge', 1000);
    `,
  },
  {
    // A node is a Message-ID (or a Gmail thread) that a message has or names, as 48 bits of a hash; it says which thread it belongs to. Threads that
    // turned out to be one are not renumbered there: thread_merges says into which they went. subject_key: the subject without reply prefixes, hashed.
    name: 'threads/1',
    sql: `
      CREATE TABLE thread_nodes (key INTEGER PRIMARY KEY, thread_id INTEGER NOT NULL) STRICT;
      CREATE TABLE thread_merges (thread_id INTEGER PRIMARY KEY, into_id INTEGER NOT NULL) STRICT;
      ALTER TABLE messages ADD COLUMN subject_key INTEGER;
      UPDATE messages SET thread_id = NULL;
      CREATE INDEX messages_by_thread ON messages (thread_id, date) WHERE thread_id IS NOT NULL;
      CREATE INDEX messages_by_subject ON messages (subject_key, date) WHERE subject_key IS NOT NULL;
      CREATE INDEX messages_unthreaded ON messages (id) WHERE thread_id IS NULL;
    `,
  },
  {
    // Every list of prefixes writes all positions once more: a third of the index was that of four letters, by which a search of 100,000 messages
    // gained nine milliseconds. It is made anew from what is stored, when there is time.
    name: 'search/3',
    sql: `
      DROP TABLE search;
      CREATE VIRTUAL TABLE search USING ${SEARCH_TABLE};
      INSERT INTO search (search, rank) VALUES ('automerge', 0);
      INSERT INTO search (search, rank) VALUES ('crisismerge', 1900);
      UPDATE messages SET indexed = 0 WHERE indexed <> 0;
    `,
  },
  {
    // Sixteen segments are as quickly looked through as one, and what is joined seldom is written anew seldom.
    name: 'search/4',
    sql: "INSERT INTO search (search, rank) VALUES ('usermerge', 16);",
  },
  {
    // For what is counted with every search (indexCoverage.ts): each index holds no more than what it counts, for the rows themselves are wide.
    name: 'search/5',
    sql: `
      DROP INDEX messages_unfound;
      DROP INDEX messages_sealed;
      CREATE INDEX messages_unfound ON messages (folder_id) WHERE indexed <> 1 AND seal = 'plain' AND hidden < 2;
      CREATE INDEX messages_apart ON messages (folder_id) WHERE seal <> 'plain' OR hidden >= 2;
      CREATE INDEX messages_found_of_gmail ON messages (gm_msgid, folder_id)
        WHERE gm_msgid IS NOT NULL AND indexed = 1 AND seal = 'plain' AND hidden < 2;
    `,
  },
];

/** In vault.db: what somebody keeps looking for tells as much as the mail, so name and query are sealed. */
export const SAVED_SEARCH_MIGRATIONS: readonly Migration[] = [
  {
    name: 'saved-searches/1',
    sql: `
      CREATE TABLE saved_searches (
        id TEXT PRIMARY KEY,
        account_id TEXT REFERENCES accounts (id) ON DELETE CASCADE,
        position INTEGER NOT NULL,
        sealed BLOB NOT NULL
      ) STRICT;
    `,
  },
];
