import type { Migration } from '../base/ports.ts';

/**
 * vault.db: earlier texts of drafts, sealed like the drafts themselves; and how far each draft agrees with its copy in the account's Drafts
 * folder. `name` names a draft on all devices. A row without a draft is one that was sent or discarded here and whose copy is still to go.
 */
export const DRAFT_MIGRATIONS: readonly Migration[] = [
  {
    // revision: the version that the text with this digest is, on the server too; ancestors: those before it, the newest first, as JSON.
    name: 'vault/drafts-2',
    sql: `
      CREATE TABLE draft_versions (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        draft_id TEXT NOT NULL REFERENCES drafts (id) ON DELETE CASCADE,
        at INTEGER NOT NULL,
        sealed BLOB NOT NULL
      ) STRICT;
      CREATE INDEX draft_versions_by_draft ON draft_versions (draft_id, id);

      CREATE TABLE draft_copies (
        draft_id TEXT PRIMARY KEY,
        account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
        name TEXT NOT NULL,
        revision TEXT,
        ancestors TEXT NOT NULL,
        digest TEXT,
        uid_validity INTEGER,
        conflict_of TEXT
      ) STRICT;
    `,
  },
  {
    // Under which UID the copy was seen: only what was seen there can be missed there.
    name: 'vault/drafts-3',
    sql: 'ALTER TABLE draft_copies ADD COLUMN uid INTEGER',
  },
];
