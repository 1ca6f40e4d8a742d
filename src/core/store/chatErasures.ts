import type { DatabaseSync } from 'node:sqlite';
import { Statements } from './statements.ts';

/** Messages whose copies on the server are to be erased as soon as it is within reach. */
export class ChatErasures {
  readonly #sql: Statements;

  constructor(deps: { db: DatabaseSync }) {
    this.#sql = new Statements(deps.db);
  }

  add(accountId: string, messageId: string): void {
    this.#sql.run('INSERT INTO chat_erasures (account_id, message_id) VALUES (?, ?) ON CONFLICT DO NOTHING', accountId, messageId);
  }

  list(): { accountId: string; messageId: string }[] {
    return this.#sql
      .all('SELECT account_id, message_id FROM chat_erasures ORDER BY account_id, message_id')
      .map((row) => ({ accountId: row.text('account_id'), messageId: row.text('message_id') }));
  }

  remove(accountId: string, messageId: string): void {
    this.#sql.run('DELETE FROM chat_erasures WHERE account_id = ? AND message_id = ?', accountId, messageId);
  }
}
