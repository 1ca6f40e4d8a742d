import type { Migration } from '../base/ports.ts';

/**
 * vault.db, synchronous=FULL: what cannot be fetched again. The key ledger keeps its own tables in the same file, so that one
 * transaction covers both. `sealed` columns are records of SecureStorage; ids are never used twice.
 */
export const VAULT_MIGRATIONS: readonly Migration[] = [
  {
    name: 'vault/1',
    sql: `
      CREATE TABLE epochs (
        id TEXT PRIMARY KEY,
        purpose TEXT NOT NULL CHECK (purpose IN ('keys', 'mail')),
        day TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('live', 'lost', 'retiring')),
        sequence INTEGER NOT NULL DEFAULT 0
      ) STRICT;
      CREATE UNIQUE INDEX epochs_live ON epochs (purpose, day) WHERE state = 'live';

      CREATE TABLE secret_names (name TEXT PRIMARY KEY) STRICT;

      CREATE TABLE accounts (
        id TEXT PRIMARY KEY,
        email TEXT NOT NULL COLLATE NOCASE UNIQUE,
        display_name TEXT NOT NULL,
        provider TEXT NOT NULL,
        user_id TEXT NOT NULL,
        servers TEXT NOT NULL,
        issuer TEXT,
        client_id TEXT,
        created_at INTEGER NOT NULL,
        last_login INTEGER NOT NULL
      ) STRICT;

      CREATE TABLE key_managers (
        account_id TEXT PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
        url TEXT NOT NULL,
        kme_id TEXT NOT NULL,
        sae_id TEXT NOT NULL,
        ca_pem TEXT NOT NULL,
        client_kind TEXT NOT NULL
      ) STRICT;

      CREATE TABLE contacts (
        account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
        address TEXT NOT NULL COLLATE NOCASE,
        name TEXT NOT NULL,
        sae_id TEXT,
        minimum_level TEXT NOT NULL,
        PRIMARY KEY (account_id, address)
      ) STRICT;

      CREATE TABLE drafts (
        id TEXT PRIMARY KEY,
        account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
        updated_at INTEGER NOT NULL,
        sealed BLOB NOT NULL
      ) STRICT;

      CREATE TABLE outbox (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
        rfc_message_id TEXT NOT NULL,
        envelope_from TEXT NOT NULL,
        envelope_to TEXT NOT NULL,
        level TEXT NOT NULL,
        key_ids TEXT NOT NULL,
        state TEXT NOT NULL,
        failure TEXT,
        group_id TEXT NOT NULL,
        draft_id TEXT,
        updated_at INTEGER NOT NULL,
        sender_pid INTEGER,
        sealed_subject BLOB NOT NULL,
        sealed_mime BLOB NOT NULL,
        sealed_copy BLOB
      ) STRICT;

      CREATE TABLE sealed_mail (
        account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
        envelope_id TEXT NOT NULL,
        rfc_message_id TEXT NOT NULL,
        own TEXT NOT NULL,
        sealed_report BLOB NOT NULL,
        sealed_plaintext BLOB NOT NULL,
        PRIMARY KEY (account_id, envelope_id)
      ) STRICT;
      CREATE INDEX sealed_mail_by_message ON sealed_mail (account_id, rfc_message_id);
    `,
  },
  {
    // One row per lock between windows (WindowLock). `note` is what the last holder left for the next.
    name: 'vault/locks-1',
    sql: `
      CREATE TABLE window_locks (
        name TEXT PRIMARY KEY,
        holder TEXT,
        pid INTEGER NOT NULL,
        beat INTEGER NOT NULL,
        note TEXT
      ) STRICT;
    `,
  },
  {
    // The argument vector of a token command, as JSON.
    name: 'vault/token-command-1',
    sql: 'ALTER TABLE accounts ADD COLUMN command TEXT',
  },
  {
    // What waits is tried again by itself from here on: times in milliseconds since the epoch, tries counted.
    name: 'vault/outbox-1',
    sql: `
      ALTER TABLE outbox ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0;
      ALTER TABLE outbox ADD COLUMN not_before INTEGER;
      ALTER TABLE outbox ADD COLUMN next_try INTEGER;
      ALTER TABLE outbox ADD COLUMN first_try INTEGER;
      ALTER TABLE outbox ADD COLUMN sender_seen INTEGER;
      UPDATE outbox SET next_try = updated_at WHERE state = 'waiting';
    `,
  },
  {
    // Of OpenPGP mail: what opens the message on the server again, whatever became of the subkeys. A record of SecureStorage.
    name: 'vault/session-keys-1',
    sql: 'ALTER TABLE sealed_mail ADD COLUMN sealed_session_key BLOB',
  },
  {
    // How a key manager wants to be asked, others that serve the same SAE, and how much of a link a contact may have.
    name: 'vault/keys-1',
    sql: `
      ALTER TABLE key_managers ADD COLUMN profile TEXT NOT NULL DEFAULT 'etsi';
      CREATE TABLE key_manager_standbys (
        account_id TEXT NOT NULL REFERENCES key_managers (account_id) ON DELETE CASCADE,
        url TEXT NOT NULL,
        kme_id TEXT NOT NULL,
        ca_pem TEXT NOT NULL,
        PRIMARY KEY (account_id, url)
      ) STRICT;
      CREATE TABLE key_quotas (
        account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
        address TEXT NOT NULL COLLATE NOCASE,
        bits INTEGER NOT NULL,
        seconds INTEGER NOT NULL,
        PRIMARY KEY (account_id, address)
      ) STRICT;
    `,
  },
  {
    // When a draft was found to be sent or discarded on another computer; it is kept for a while.
    name: 'vault/discarded-1',
    sql: 'ALTER TABLE drafts ADD COLUMN discarded_at INTEGER',
  },
  {
    // Which mail.db is in use: one that turned out to be damaged is never opened again, and the next has the next number.
    name: 'vault/mail-file-1',
    sql: `
      CREATE TABLE mail_file (id INTEGER PRIMARY KEY CHECK (id = 1), generation INTEGER NOT NULL) STRICT;
      INSERT INTO mail_file (id, generation) VALUES (1, 1);
    `,
  },
  {
    // How much of a folder is kept offline, where the person chose it. Earlier versions kept it in mail.db (FolderChoices.takeOver).
    name: 'vault/folder-choices-1',
    sql: `
      CREATE TABLE folder_choices (
        account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
        path TEXT NOT NULL,
        sync TEXT NOT NULL CHECK (sync IN ('all', 'headers', 'off')),
        PRIMARY KEY (account_id, path)
      ) STRICT;
    `,
  },
];
