import type { Migration } from '../base/ports.ts';

/**
 * Certificates of others, in vault.db. `sealed` holds what is pinned and what contradicts it, authenticated, so that whoever can write to the
 * file without the keyring cannot swap a pin; the certificates themselves are public and are checked against the hashes in it.
 */
export const TRUST_MIGRATIONS: readonly Migration[] = [
  {
    name: 'trust/1',
    sql: `
      CREATE TABLE contact_trust (
        account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
        address TEXT NOT NULL COLLATE NOCASE,
        sealed BLOB NOT NULL,
        certificate BLOB,
        changed_certificate BLOB,
        PRIMARY KEY (account_id, address)
      ) STRICT;

      CREATE TABLE own_cards (
        account_id TEXT PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
        state TEXT NOT NULL,
        issued_at INTEGER NOT NULL,
        card BLOB NOT NULL,
        signature BLOB NOT NULL
      ) STRICT;

      CREATE TABLE cards_sent (
        account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
        address TEXT NOT NULL COLLATE NOCASE,
        state TEXT NOT NULL,
        PRIMARY KEY (account_id, address)
      ) STRICT;
    `,
  },
];
