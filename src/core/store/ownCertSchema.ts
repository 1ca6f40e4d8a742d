import type { Migration } from '../base/ports.ts';

/**
 * The own OpenPGP certificate of each account. `sealed_secret` is a record of SecureStorage. `version` counts changes, so that of two
 * windows that rotate at once one wins.
 */
export const OWN_CERT_MIGRATIONS: readonly Migration[] = [
  {
    name: 'own-cert/1',
    sql: `
      CREATE TABLE own_certificates (
        account_id TEXT PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
        fingerprint TEXT NOT NULL,
        certificate BLOB NOT NULL,
        created_at INTEGER NOT NULL,
        rotated_at INTEGER NOT NULL,
        version INTEGER NOT NULL,
        sealed_secret BLOB NOT NULL
      ) STRICT;
    `,
  },
  {
    // Under which kind of epoch `sealed_secret` lies: daily ones since this migration, the long-lived one before.
    name: 'own-cert/2',
    sql: "ALTER TABLE own_certificates ADD COLUMN epoch TEXT NOT NULL DEFAULT 'mail' CHECK (epoch IN ('keys', 'mail'))",
  },
];
