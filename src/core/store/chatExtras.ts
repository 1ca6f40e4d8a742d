import type { DatabaseSync } from 'node:sqlite';
import type { RecordSealer } from '../base/ports.ts';
import { inTransaction } from '../base/transaction.ts';
import { Statements } from './statements.ts';

const HERE = 'account_id = ? AND group_id = ?';

/** What hangs on chats beside what is said: receipts, and pictures of groups. */
export class ChatExtras {
  readonly #db: DatabaseSync;
  readonly #sql: Statements;
  readonly #sealer: RecordSealer;

  constructor(deps: { db: DatabaseSync; sealer: RecordSealer }) {
    this.#db = deps.db;
    this.#sql = new Statements(deps.db);
    this.#sealer = deps.sealer;
  }

  /** Of messages that are here; what is told of others is told to nobody. */
  putReceipts(accountId: string, groupId: string, member: string, state: 'delivered' | 'read', messageIds: readonly string[]): void {
    inTransaction(this.#db, () => {
      for (const id of messageIds) {
        this.#sql.run(
          `INSERT INTO chat_receipts (account_id, group_id, message_id, member, state)
           SELECT account_id, group_id, message_id, ?, ? FROM chat_entries WHERE ${HERE} AND message_id = ?
           ON CONFLICT DO UPDATE SET state = CASE WHEN state = 'read' THEN 'read' ELSE excluded.state END`,
          member,
          state,
          accountId,
          groupId,
          id,
        );
      }
    });
  }

  receipts(accountId: string, groupId: string, messageId: string): { member: string; state: 'delivered' | 'read' }[] {
    return this.#sql
      .all(`SELECT member, state FROM chat_receipts WHERE ${HERE} AND message_id = ? ORDER BY member`, accountId, groupId, messageId)
      .map((row) => ({ member: row.text('member'), state: row.oneOf('state', ['delivered', 'read']) }));
  }

  /** Joins the caller's transaction; the chat must be there. */
  putPicture(accountId: string, groupId: string, sha256: string, content: Uint8Array): void {
    const sealed = this.#sealer.seal('mail', 'chat-picture', JSON.stringify([accountId, groupId, sha256]), content);
    const sql = 'INSERT INTO chat_pictures (account_id, group_id, sha256, sealed) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING';
    this.#sql.run(sql, accountId, groupId, sha256, sealed);
  }

  picture(accountId: string, groupId: string, sha256: string): Buffer | undefined {
    const row = this.#sql.get(`SELECT sealed FROM chat_pictures WHERE ${HERE} AND sha256 = ?`, accountId, groupId, sha256);
    return row && this.#sealer.open('mail', 'chat-picture', JSON.stringify([accountId, groupId, sha256]), row.blob('sealed'));
  }
}
