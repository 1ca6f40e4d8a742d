import type { DatabaseSync } from 'node:sqlite';
import { Statements } from './statements.ts';

/** A message of which the own other devices are to get a copy. */
export interface DueCopy {
  readonly messageId: string;
  readonly envelopeId: string;
  /** True where an earlier try may have come through. */
  readonly tried: boolean;
}

/** Which messages the own devices told each other of, and since when an account has been on more than one. */
export class OwnCopyStore {
  readonly #sql: Statements;

  constructor(deps: { db: DatabaseSync }) {
    this.#sql = new Statements(deps.db);
  }

  /** When the own certificate first left this device, or came to it, milliseconds since the epoch; undefined where it never did. */
  sharedSince(accountId: string): number | undefined {
    return this.#sql.get('SELECT since FROM own_devices WHERE account_id = ?', accountId)?.integer('since');
  }

  setShared(accountId: string, since: number): void {
    this.#sql.run('INSERT INTO own_devices (account_id, since) VALUES (?, ?) ON CONFLICT DO NOTHING', accountId, since);
  }

  /** Joins the caller's transaction; what was settled before stays settled. */
  addDue(accountId: string, messageId: string, envelopeId: string): void {
    const sql = "INSERT INTO own_copies (account_id, message_id, envelope_id, state) VALUES (?, ?, ?, 'due') ON CONFLICT DO NOTHING";
    this.#sql.run(sql, accountId, messageId, envelopeId);
  }

  /** In the order in which they became due. */
  due(accountId: string): DueCopy[] {
    const sql = "SELECT * FROM own_copies WHERE account_id = ? AND state IN ('due', 'tried') ORDER BY id";
    return this.#sql.all(sql, accountId).map((row) => ({
      messageId: row.text('message_id'),
      envelopeId: row.text('envelope_id'),
      tried: row.text('state') === 'tried',
    }));
  }

  setTried(accountId: string, messageId: string): void {
    this.#sql.run("UPDATE own_copies SET state = 'tried' WHERE account_id = ? AND message_id = ? AND state = 'due'", accountId, messageId);
  }

  /** Made here, or taken in from another device: not made, and not taken in, again. */
  settle(accountId: string, messageId: string): void {
    const sql = `INSERT INTO own_copies (account_id, message_id, envelope_id, state) VALUES (?, ?, '', 'settled')
      ON CONFLICT DO UPDATE SET state = 'settled'`;
    this.#sql.run(sql, accountId, messageId);
  }

  isKnown(accountId: string, messageId: string): boolean {
    return this.#sql.get('SELECT 1 AS known FROM own_copies WHERE account_id = ? AND message_id = ?', accountId, messageId) !== undefined;
  }
}
