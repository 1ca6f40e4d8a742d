import type { Migration } from '../base/ports.ts';

/**
 * Tables of the passphrase, in the vault. Where a passphrase is set, secrets lie here sealed under the vault key, which lies here wrapped
 * under the passphrase; else they lie in the host's secret store and only their names here.
 */
export const PASSPHRASE_MIGRATIONS: readonly Migration[] = [
  {
    name: 'passphrase/1',
    sql: `
CREATE TABLE passphrase (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  -- Hex; another key has another id.
  key_id TEXT NOT NULL,
  log2_n INTEGER NOT NULL,
  salt BLOB NOT NULL,
  wrapped_key BLOB NOT NULL,
  sequence INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE passphrase_secrets (
  name TEXT PRIMARY KEY,
  -- copied: a copy may still lie in the host's secret store.
  state TEXT NOT NULL CHECK (state IN ('copied', 'own')),
  sealed BLOB NOT NULL
) STRICT;
CREATE TABLE host_secret_names (name TEXT PRIMARY KEY) STRICT;
`,
  },
];
