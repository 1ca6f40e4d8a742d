import type { DatabaseSync } from 'node:sqlite';
import { Statements } from './statements.ts';

/** Messages kept per account; beyond that the oldest are given up. */
const MAX_WAITING = 1000;

/** Opened chat mail that waits until its author or its group is known. */
export class ChatWaiting {
  readonly #sql: Statements;

  constructor(deps: { db: DatabaseSync }) {
    this.#sql = new Statements(deps.db);
  }

  add(accountId: string, groupId: string, messageId: string, now: number): void {
    const sql = 'INSERT INTO chat_waiting (account_id, group_id, message_id, since) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING';
    this.#sql.run(sql, accountId, groupId, messageId, now);
    const kept = 'SELECT message_id FROM chat_waiting WHERE account_id = ? ORDER BY since DESC, message_id LIMIT ?';
    this.#sql.run(`DELETE FROM chat_waiting WHERE account_id = ? AND message_id NOT IN (${kept})`, accountId, accountId, MAX_WAITING);
  }

  /** Message-IDs, the longest waiting first. */
  list(accountId: string): string[] {
    return this.#sql
      .all('SELECT message_id FROM chat_waiting WHERE account_id = ? ORDER BY since, message_id', accountId)
      .map((row) => row.text('message_id'));
  }

  remove(accountId: string, messageId: string): void {
    this.#sql.run('DELETE FROM chat_waiting WHERE account_id = ? AND message_id = ?', accountId, messageId);
  }
}
