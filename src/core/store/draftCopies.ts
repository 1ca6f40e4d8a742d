import type { DatabaseSync } from 'node:sqlite';
import * as v from 'valibot';
import { type Row, Statements } from './statements.ts';

/** How far a draft agrees with its copy on the server. */
export interface DraftCopy {
  readonly draftId: string;
  readonly accountId: string;
  /** Names the draft on all devices. */
  readonly name: string;
  /** The last version that here and there agreed on; undefined where none was ever there. */
  readonly revision?: string;
  /** Versions before that, the newest first. */
  readonly ancestors: readonly string[];
  /** Of the text that `revision` is. */
  readonly digest?: string;
  /** UIDVALIDITY of the folder the copy lies in. */
  readonly uidValidity?: number;
  /** UID under which it was seen there; undefined where it never was. */
  readonly uid?: number;
  /** The draft of which this one is what another device made of it. */
  readonly conflictOf?: string;
}

const ancestors = v.array(v.pipe(v.string(), v.maxLength(64)));

export class DraftCopyStore {
  readonly #sql: Statements;

  constructor(deps: { db: DatabaseSync }) {
    this.#sql = new Statements(deps.db);
  }

  put(copy: DraftCopy): void {
    this.#sql.run(
      `INSERT INTO draft_copies (draft_id, account_id, name, revision, ancestors, digest, uid_validity, uid, conflict_of)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (draft_id) DO UPDATE SET name = excluded.name, revision = excluded.revision, ancestors = excluded.ancestors,
         digest = excluded.digest, uid_validity = excluded.uid_validity, uid = excluded.uid, conflict_of = excluded.conflict_of`,
      copy.draftId,
      copy.accountId,
      copy.name,
      copy.revision ?? null,
      JSON.stringify(copy.ancestors),
      copy.digest ?? null,
      copy.uidValidity ?? null,
      copy.uid ?? null,
      copy.conflictOf ?? null,
    );
  }

  get(draftId: string): DraftCopy | undefined {
    const row = this.#sql.get('SELECT * FROM draft_copies WHERE draft_id = ?', draftId);
    return row && copyOf(row);
  }

  list(accountId: string): DraftCopy[] {
    return this.#sql.all('SELECT * FROM draft_copies WHERE account_id = ?', accountId).map(copyOf);
  }

  delete(draftId: string): void {
    this.#sql.run('DELETE FROM draft_copies WHERE draft_id = ?', draftId);
  }
}

function copyOf(row: Row): DraftCopy {
  return {
    draftId: row.text('draft_id'),
    accountId: row.text('account_id'),
    name: row.text('name'),
    ...(row.has('revision') && { revision: row.text('revision') }),
    ancestors: row.json('ancestors', ancestors),
    ...(row.has('digest') && { digest: row.text('digest') }),
    ...(row.has('uid_validity') && { uidValidity: row.integer('uid_validity') }),
    ...(row.has('uid') && { uid: row.integer('uid') }),
    ...(row.has('conflict_of') && { conflictOf: row.text('conflict_of') }),
  };
}
