import { hash } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { inTransaction } from '../base/transaction.ts';
import { joinedBySubject, SUBJECT_WINDOW_MS, threadNodes, threadSubject, type Threaded } from '../mail/thread.ts';
import { messageRowOf, type MessageRow } from './messageRow.ts';
import { HIDDEN } from './messageWriting.ts';
import { Statements } from './statements.ts';

const JOINED = 'SELECT m.*, f.account_id, f.path FROM messages m JOIN folders f ON f.id = m.folder_id';
/** Messages of one subject and fortnight that are compared. */
const MAX_CANDIDATES = 500;

/** A node of a thread in the database: 48 bits of SHA-256 over account and name. */
export function nodeKey(accountId: string, name: string): number {
  return Number.parseInt(hash('sha256', `${accountId}\0${name}`, 'hex').slice(0, 12), 16);
}

/** Which messages form a conversation, kept up to date as they arrive, in any order. A thread's id is that of some message it began with. */
export class ThreadStore {
  readonly #db: DatabaseSync;
  readonly #sql: Statements;
  #revision = 0;

  constructor(deps: { db: DatabaseSync }) {
    this.#db = deps.db;
    this.#sql = new Statements(deps.db);
  }

  /** Another text whenever threads may have changed, here or in another window. */
  get revision(): string {
    const elsewhere = this.#sql.get('PRAGMA main.data_version')?.integer('data_version') ?? 0;
    return `${this.#revision}.${elsewhere}`;
  }

  /** Assigns at most `most` messages that have no thread yet; returns how many there were. */
  assign(most: number): number {
    const rows = this.#sql.all(`${JOINED} WHERE m.thread_id IS NULL ORDER BY m.id LIMIT ?`, most).map(messageRowOf);
    if (rows.length === 0) return 0;
    inTransaction(this.#db, () => {
      for (const row of rows) this.#assign(row);
    });
    this.#revision++;
    return rows.length;
  }

  /** The thread a node belongs to, if any message named it. */
  threadOfNode(key: number): number | undefined {
    const id = this.#sql.get('SELECT thread_id FROM thread_nodes WHERE key = ?', key)?.integer('thread_id');
    if (id === undefined) return undefined;
    return this.#sql.get('SELECT into_id FROM thread_merges WHERE thread_id = ?', id)?.integer('into_id') ?? id;
  }

  /** Messages of threads, oldest first, over all folders. */
  messages(threadIds: readonly number[], limit: number): MessageRow[] {
    const sql = `${JOINED} WHERE m.thread_id IN (SELECT value FROM json_each(?)) AND m.hidden < ${HIDDEN.removing} ORDER BY m.date, m.id LIMIT ?`;
    return this.#sql.all(sql, JSON.stringify(threadIds), limit).map(messageRowOf);
  }

  /** True when the folder holds a message of these threads that lists have above that one: newer, or back from being snoozed since. */
  hasNewer(row: MessageRow, threadIds: readonly number[]): boolean {
    const sql = `SELECT 1 AS newer FROM messages m JOIN messages own ON own.id = ?2 AND m.folder_id = own.folder_id
      WHERE m.thread_id IN (SELECT value FROM json_each(?1)) AND (m.rank, m.id) > (own.rank, own.id) AND m.hidden < ${HIDDEN.removing} LIMIT 1`;
    return this.#sql.get(sql, JSON.stringify(threadIds), row.id) !== undefined;
  }

  /** Forgets what no message belongs to any more, such as the threads of an account that was erased. */
  prune(): void {
    inTransaction(this.#db, () => {
      const alive = 'SELECT thread_id FROM messages WHERE thread_id IS NOT NULL';
      this.#sql
        .run(`DELETE FROM thread_nodes WHERE coalesce((SELECT into_id FROM thread_merges g WHERE g.thread_id = thread_nodes.thread_id), thread_id)
        NOT IN (${alive})`);
      this.#sql.run(`DELETE FROM thread_merges WHERE into_id NOT IN (${alive})`);
    });
  }

  #assign(row: MessageRow): void {
    const message = threadedOf(row);
    const keys = threadNodes(message).map((name) => nodeKey(row.accountId, name));
    const found = new Set(keys.map((key) => this.threadOfNode(key)).filter((id) => id !== undefined));
    // What stands outside a sealed message as its subject is the same for all of them.
    const subject = row.seal === 'plain' ? threadSubject(row.subject) : '';
    const subjectKey = subject === '' ? undefined : nodeKey(row.accountId, `subject:${subject}`);
    if (subjectKey !== undefined) for (const id of this.#joinedBySubject(row, message, subjectKey)) found.add(id);
    const thread = found.size === 0 ? row.id : Math.min(...found);
    for (const other of found) if (other !== thread) this.#merge(other, thread);
    for (const key of keys) this.#sql.run('INSERT INTO thread_nodes (key, thread_id) VALUES (?, ?) ON CONFLICT DO NOTHING', key, thread);
    this.#sql.run('UPDATE messages SET thread_id = ?, subject_key = ? WHERE id = ?', thread, subjectKey ?? null, row.id);
  }

  #joinedBySubject(row: MessageRow, message: Threaded, subjectKey: number): number[] {
    const near = this.#sql.all(
      `${JOINED} WHERE m.subject_key = ? AND m.date BETWEEN ? AND ? AND m.thread_id IS NOT NULL AND m.id <> ? LIMIT ?`,
      subjectKey,
      row.date - SUBJECT_WINDOW_MS,
      row.date + SUBJECT_WINDOW_MS,
      row.id,
      MAX_CANDIDATES,
    );
    const joined = near.map(messageRowOf).filter((other) => joinedBySubject(message, threadedOf(other)));
    return [...new Set(joined.map(({ threadId }) => threadId!))];
  }

  #merge(from: number, into: number): void {
    this.#sql.run('UPDATE messages SET thread_id = ? WHERE thread_id = ?', into, from);
    this.#sql.run('UPDATE thread_merges SET into_id = ? WHERE into_id = ?', into, from);
    this.#sql.run(
      'INSERT INTO thread_merges (thread_id, into_id) VALUES (?, ?) ON CONFLICT DO UPDATE SET into_id = excluded.into_id',
      from,
      into,
    );
  }
}

function threadedOf(row: MessageRow): Threaded {
  return { ...row, gmailThread: row.gmail?.threadId };
}
