import type { DatabaseSync } from 'node:sqlite';
import { wipe } from '../base/bytes.ts';
import type { RecordSealer } from '../base/ports.ts';
import { inTransaction } from '../base/transaction.ts';
import { type Row, Statements } from './statements.ts';

export interface DraftVersionRecord {
  readonly id: number;
  readonly at: number;
  readonly text: string;
}

/** Versions kept of one draft, and their characters in all. */
const KEPT = 30;
const KEPT_CHARACTERS = 8 * 1024 * 1024;
const TYPE = 'draft.version';

/** Earlier texts of drafts, sealed; they go with their draft. */
export class DraftVersionStore {
  readonly #db: DatabaseSync;
  readonly #sql: Statements;
  readonly #sealer: RecordSealer;

  constructor(deps: { db: DatabaseSync; sealer: RecordSealer }) {
    this.#db = deps.db;
    this.#sql = new Statements(deps.db);
    this.#sealer = deps.sealer;
  }

  /** Keeps a text, and lets go of the oldest where there are too many. Joins the caller's transaction. */
  add(draftId: string, text: string, at: number): void {
    inTransaction(this.#db, () => {
      const bytes = Buffer.from(text, 'utf8');
      try {
        const sealed = this.#sealer.seal('mail', TYPE, draftId, bytes);
        this.#sql.run('INSERT INTO draft_versions (draft_id, at, sealed) VALUES (?, ?, ?)', draftId, at, sealed);
      } finally {
        wipe(bytes);
      }
      const sizes = this.#sql.all('SELECT id, length(sealed) AS size FROM draft_versions WHERE draft_id = ? ORDER BY id DESC', draftId);
      let kept = 0;
      for (const [index, row] of sizes.entries()) {
        kept += row.integer('size');
        if (index >= KEPT || (index > 0 && kept > KEPT_CHARACTERS))
          this.#sql.run('DELETE FROM draft_versions WHERE id = ?', row.integer('id'));
      }
    });
  }

  /** When a text was last kept; undefined where none is. */
  lastAt(draftId: string): number | undefined {
    const row = this.#sql.get('SELECT max(at) AS at FROM draft_versions WHERE draft_id = ?', draftId);
    return row?.has('at') ? row.integer('at') : undefined;
  }

  /** The newest first. */
  list(draftId: string): DraftVersionRecord[] {
    return this.#sql.all('SELECT * FROM draft_versions WHERE draft_id = ? ORDER BY id DESC', draftId).map((row) => this.#versionOf(row));
  }

  get(draftId: string, id: number): DraftVersionRecord | undefined {
    const row = this.#sql.get('SELECT * FROM draft_versions WHERE draft_id = ? AND id = ?', draftId, id);
    return row && this.#versionOf(row);
  }

  #versionOf(row: Row): DraftVersionRecord {
    const bytes = this.#sealer.open('mail', TYPE, row.text('draft_id'), row.blob('sealed'));
    const text = bytes.toString('utf8');
    wipe(bytes);
    return { id: row.integer('id'), at: row.integer('at'), text };
  }
}
