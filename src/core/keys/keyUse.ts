import type { DatabaseSync } from 'node:sqlite';

/** Key bits that an account has had in some time, of the links and pads that its ledger names. */
export interface KeyUseRow {
  readonly at: number;
  readonly bits: number;
}

/** What was spent, read out of the ledger: it survives a restart and counts every window. */
export class KeyUse {
  readonly #db: DatabaseSync;

  /** `db` has the tables of LEDGER_MIGRATIONS. */
  constructor(deps: { db: DatabaseSync }) {
    this.#db = deps.db;
  }

  /** Keys shared with `peerId` that came after `since`, oldest first; `sent` leaves out what was fetched to read. */
  since(accountId: string, peerId: string, since: number, which: 'all' | 'sent'): KeyUseRow[] {
    return this.#db
      .prepare(
        `SELECT created_at AS at, bits FROM ledger_keys WHERE account_id = ? AND created_at > ?
           AND (? = 'all' OR role = 'SENDER') AND EXISTS (SELECT 1 FROM json_each(peer_sae_ids) WHERE value = ?)
         ORDER BY created_at`,
      )
      .all(accountId, since, which, peerId)
      .map((row) => ({ at: Number(row['at']), bits: Number(row['bits']) }));
  }
}
