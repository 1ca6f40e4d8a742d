import type { DatabaseSync } from 'node:sqlite';
import type { Place } from './actionRow.ts';
import { type Row, Statements } from './statements.ts';

export interface SnoozedRecord extends Place {
  readonly id: number;
  readonly accountId: string;
  readonly rfcMessageId: string;
  /** Its row in mail.db when it was snoozed: a hint. Below zero: it came from a backup and was not found yet. */
  readonly messageId: number;
  /** Milliseconds since the epoch. */
  readonly until: number;
}

/** What is snoozed until when (vault.db). */
export class SnoozedStore {
  readonly #sql: Statements;

  constructor(deps: { db: DatabaseSync }) {
    this.#sql = new Statements(deps.db);
  }

  /** Adds, or changes the time of what is snoozed already. */
  put(record: Omit<SnoozedRecord, 'id'>): void {
    this.#sql.run('DELETE FROM snoozed WHERE account_id = ? AND message_id = ?', record.accountId, record.messageId);
    this.#sql.run(
      'INSERT INTO snoozed (account_id, folder, uid_validity, uid, rfc_message_id, message_id, until) VALUES (?, ?, ?, ?, ?, ?, ?)',
      record.accountId,
      record.folder,
      record.uidValidity,
      record.uid,
      record.rfcMessageId,
      record.messageId,
      record.until,
    );
  }

  /** The next to come back first. */
  list(): SnoozedRecord[] {
    return this.#sql.all('SELECT * FROM snoozed ORDER BY until, id').map(recordOf);
  }

  /** Ends one; false where another window was faster. */
  end(id: number): boolean {
    return this.#sql.run('DELETE FROM snoozed WHERE id = ?', id).changes === 1;
  }

  /** Ends that of a row, where it is snoozed. */
  endOf(accountId: string, messageId: number): void {
    const known = this.#sql.get('SELECT id FROM snoozed WHERE account_id = ? AND message_id = ?', accountId, messageId);
    if (known) this.end(known.integer('id'));
  }

  /** A folder goes by another name now. */
  renameFolder(accountId: string, from: string, to: string): void {
    this.#sql.run('UPDATE snoozed SET folder = ? WHERE folder = ? AND account_id = ?', to, from, accountId);
  }

  /** mail.db was made anew: its row is another one now. */
  rehint(id: number, messageId: number): void {
    this.#sql.run('UPDATE snoozed SET message_id = ? WHERE id = ?', messageId, id);
  }
}

function recordOf(row: Row): SnoozedRecord {
  return {
    id: row.integer('id'),
    accountId: row.text('account_id'),
    folder: row.text('folder'),
    uidValidity: row.integer('uid_validity'),
    uid: row.integer('uid'),
    rfcMessageId: row.text('rfc_message_id'),
    messageId: row.integer('message_id'),
    until: row.integer('until'),
  };
}
