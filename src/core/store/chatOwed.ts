import type { DatabaseSync } from 'node:sqlite';
import { Statements } from './statements.ts';

/** A receipt that was not sent yet. */
export interface OwedReceipt {
  readonly accountId: string;
  readonly groupId: string;
  /** Whom it is for: the author of the message. */
  readonly author: string;
  readonly messageId: string;
  readonly state: 'delivered' | 'read';
}

/** Receipts that are owed: they wait here, across restarts too, until they were queued as mail. */
export class ChatOwed {
  readonly #sql: Statements;

  constructor(deps: { db: DatabaseSync }) {
    this.#sql = new Statements(deps.db);
  }

  /** Having read a message says that it came as well. The chat must be there. */
  add({ accountId, groupId, author, messageId, state }: OwedReceipt): void {
    this.#sql.run(
      `INSERT INTO chat_owed (account_id, group_id, author, message_id, state) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET state = CASE WHEN state = 'read' THEN 'read' ELSE excluded.state END`,
      accountId,
      groupId,
      author,
      messageId,
      state,
    );
  }

  /** In the order in which they were first owed. */
  list(): OwedReceipt[] {
    return this.#sql.all('SELECT * FROM chat_owed ORDER BY id').map((row) => ({
      accountId: row.text('account_id'),
      groupId: row.text('group_id'),
      author: row.text('author'),
      messageId: row.text('message_id'),
      state: row.oneOf('state', ['delivered', 'read']),
    }));
  }

  /** True where it was still owed as that: of several windows one tells. Joins the caller's transaction. */
  settle({ accountId, groupId, messageId, state }: OwedReceipt): boolean {
    const sql = 'DELETE FROM chat_owed WHERE account_id = ? AND group_id = ? AND message_id = ? AND state = ?';
    return this.#sql.run(sql, accountId, groupId, messageId, state).changes === 1;
  }
}
