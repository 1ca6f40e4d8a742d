import type { DatabaseSync } from 'node:sqlite';
import type { MuteRule } from '../base/actions.ts';
import { inTransaction } from '../base/transaction.ts';
import { Statements } from './statements.ts';

export interface MutedThread {
  readonly thread: string;
  readonly rule: MuteRule;
}

/** Most Message-IDs that one muted thread is known by. */
const MAX_IDS = 1000;

/** Muted threads by the Message-IDs in them (vault.db): those outlive mail.db and are what later messages refer to. */
export class MutedStore {
  readonly #db: DatabaseSync;
  readonly #sql: Statements;

  constructor(deps: { db: DatabaseSync }) {
    this.#db = deps.db;
    this.#sql = new Statements(deps.db);
  }

  any(accountId: string): boolean {
    return this.#sql.get('SELECT 1 AS one FROM muted WHERE account_id = ? LIMIT 1', accountId) !== undefined;
  }

  /** The muted thread that one of these Message-IDs belongs to. */
  find(accountId: string, ids: readonly string[]): MutedThread | undefined {
    for (const id of ids) {
      const row = this.#sql.get('SELECT thread, rule FROM muted WHERE account_id = ? AND rfc_message_id = ?', accountId, id);
      if (row) return { thread: row.text('thread'), rule: row.oneOf('rule', ['read', 'archive']) };
    }
    return undefined;
  }

  /** All of them, those of one account together; of each the Message-IDs it is known by. */
  list(): (MutedThread & { readonly accountId: string; readonly ids: readonly string[] })[] {
    const threads = new Map<string, MutedThread & { accountId: string; ids: string[] }>();
    for (const row of this.#sql.all('SELECT * FROM muted ORDER BY account_id, thread')) {
      const [accountId, thread, rule] = [row.text('account_id'), row.text('thread'), row.oneOf('rule', ['read', 'archive'])];
      const key = `${accountId}\0${thread}`;
      const known = threads.get(key) ?? { accountId, thread, rule, ids: [] };
      known.ids.push(row.text('rfc_message_id'));
      threads.set(key, known);
    }
    return [...threads.values()];
  }

  /** These Message-IDs belong to a muted thread from here on. */
  add(accountId: string, { thread, rule }: MutedThread, ids: readonly string[]): void {
    inTransaction(this.#db, () => {
      const known = this.#sql.get('SELECT count(*) AS known FROM muted WHERE account_id = ? AND thread = ?', accountId, thread);
      const room = MAX_IDS - (known?.integer('known') ?? 0);
      for (const id of ids.slice(0, Math.max(0, room)))
        this.#sql.run(
          `INSERT INTO muted (account_id, rfc_message_id, thread, rule) VALUES (?, ?, ?, ?)
           ON CONFLICT (account_id, rfc_message_id) DO UPDATE SET thread = excluded.thread, rule = excluded.rule`,
          accountId,
          id,
          thread,
          rule,
        );
    });
  }

  remove(accountId: string, thread: string): void {
    this.#sql.run('DELETE FROM muted WHERE account_id = ? AND thread = ?', accountId, thread);
  }
}
