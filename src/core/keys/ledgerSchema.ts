import type { Migration } from '../base/ports.ts';

/**
 * Tables of the key ledger and the key audit, in the database that is synchronous=FULL. Key IDs stay for ever as tombstones; key bytes
 * only ever as a sealed record, and only while a key waits to be used.
 */
export const LEDGER_MIGRATIONS: readonly Migration[] = [
  {
    name: 'ledger/1',
    sql: `
CREATE TABLE ledger_keys (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  account_id TEXT NOT NULL,
  key_id TEXT NOT NULL,
  -- SENDER: RESERVED -> USED | ABANDONED.  RECEIVER: FETCHED -> CONSUMED | EXPIRED.
  role TEXT NOT NULL CHECK (role IN ('SENDER', 'RECEIVER')),
  state TEXT NOT NULL CHECK (state IN ('RESERVED', 'USED', 'ABANDONED', 'FETCHED', 'CONSUMED', 'EXPIRED')),
  peer_sae_ids TEXT NOT NULL,
  bits INTEGER NOT NULL,
  digest BLOB NOT NULL,
  sealed BLOB,
  -- Message-ID of the mail a key was used for, or id of the envelope it was fetched or consumed for.
  message_id TEXT NOT NULL DEFAULT '',
  -- SHA-256 of the whole MIME message at USED, of the payload at CONSUMED.
  sha256 BLOB,
  attempts INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  changed_at INTEGER NOT NULL,
  CHECK ((sealed IS NOT NULL) = (state IN ('RESERVED', 'FETCHED'))),
  UNIQUE (account_id, key_id),
  UNIQUE (account_id, digest)
) STRICT;
CREATE INDEX ledger_keys_waiting ON ledger_keys (state, created_at) WHERE sealed IS NOT NULL;
CREATE TABLE ledger_envelopes (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  account_id TEXT NOT NULL,
  envelope_id TEXT NOT NULL,
  payload_sha256 BLOB NOT NULL,
  consumed_at INTEGER NOT NULL,
  UNIQUE (account_id, envelope_id)
) STRICT;
CREATE TABLE ledger_secret (
  name TEXT PRIMARY KEY,
  sealed BLOB NOT NULL
) STRICT;
CREATE TABLE key_audit (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  own_sae_id TEXT NOT NULL,
  peer_sae_id TEXT NOT NULL,
  method TEXT NOT NULL,
  key_id TEXT NOT NULL,
  bits INTEGER NOT NULL,
  status INTEGER NOT NULL,
  latency_ms INTEGER NOT NULL,
  outcome TEXT NOT NULL,
  hash BLOB NOT NULL
) STRICT;
`,
  },
  {
    // Whose process a reserved key waits for, and the newest link of the audit chain, sealed, so that rows missing at its end show.
    name: 'ledger/2',
    sql: `
ALTER TABLE ledger_keys ADD COLUMN owner_pid INTEGER;
CREATE TABLE key_audit_head (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  sealed BLOB NOT NULL
) STRICT;
`,
  },
];
