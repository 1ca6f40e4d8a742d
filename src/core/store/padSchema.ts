import type { Migration } from '../base/ports.ts';

/**
 * Pads exchanged in person, in the vault after the ledger. The octets of a pad lie in a file of
 * their own (keys/padChunks); here is what opens them, always sealed. A row without `sealed_state` is a tombstone: the pad was discarded,
 * and its file is refused for ever.
 */
export const PAD_MIGRATIONS: readonly Migration[] = [
  {
    name: 'pad/1',
    sql: `
      CREATE TABLE pads (
        account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
        name TEXT NOT NULL,
        address TEXT NOT NULL COLLATE NOCASE,
        role TEXT NOT NULL CHECK (role IN ('maker', 'guest')),
        -- Of one direction.
        octets INTEGER NOT NULL,
        -- Blocks of 32 octets: the next to write with, and how many have been read.
        next_block INTEGER NOT NULL DEFAULT 0,
        read_blocks INTEGER NOT NULL DEFAULT 0,
        created_at INTEGER NOT NULL,
        -- Name of the file that holds its octets.
        file TEXT NOT NULL,
        -- The pad's secret and the tree of its chunk keys.
        sealed_state BLOB,
        PRIMARY KEY (account_id, name)
      ) STRICT;
      CREATE INDEX pads_by_address ON pads (account_id, address) WHERE sealed_state IS NOT NULL;

      -- What is left of chunks that were begun; used octets are zero.
      CREATE TABLE pad_rests (
        account_id TEXT NOT NULL,
        name TEXT NOT NULL,
        direction TEXT NOT NULL CHECK (direction IN ('forth', 'back')),
        chunk INTEGER NOT NULL,
        sealed BLOB NOT NULL,
        PRIMARY KEY (account_id, name, direction, chunk),
        FOREIGN KEY (account_id, name) REFERENCES pads (account_id, name) ON DELETE CASCADE
      ) STRICT;

      -- Ranges that were read, so that none is read again under another name.
      CREATE TABLE pad_reads (
        account_id TEXT NOT NULL,
        name TEXT NOT NULL,
        first INTEGER NOT NULL,
        blocks INTEGER NOT NULL,
        PRIMARY KEY (account_id, name, first),
        FOREIGN KEY (account_id, name) REFERENCES pads (account_id, name) ON DELETE CASCADE
      ) STRICT;
    `,
  },
  {
    name: 'pad/ledger-by-time',
    sql: 'CREATE INDEX ledger_keys_by_time ON ledger_keys (account_id, created_at)',
  },
];
