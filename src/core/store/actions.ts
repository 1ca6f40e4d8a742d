import type { DatabaseSync } from 'node:sqlite';
import { inTransaction } from '../base/transaction.ts';
import {
  actionMessageOf,
  actionOf,
  type ActionMessage,
  type ActionRecord,
  type ActionState,
  type MessageOutcome,
  type NewAction,
  type Place,
} from './actionRow.ts';
import type { MailFlag } from '../base/types.ts';
import { flagBits, flagsOf } from './messageRow.ts';
import { type Row, Statements } from './statements.ts';

/** Actions that were told to the server are kept for undo this long, milliseconds, and this many per account. */
const KEPT_MS = 7 * 86_400_000;
const KEPT_COUNT = 500;
const UNSETTLED = "state IN ('waiting', 'running', 'failed', 'dropped')";

/** What became of one message of an action; `place` where it lies now. */
export interface Settled {
  readonly message: ActionMessage;
  readonly outcome: MessageOutcome;
  readonly place?: Place;
}

/** The journal of actions (vault.db, synchronous=FULL). Steps join the caller's transaction. */
export class ActionStore {
  readonly #db: DatabaseSync;
  readonly #sql: Statements;

  constructor(deps: { db: DatabaseSync }) {
    this.#db = deps.db;
    this.#sql = new Statements(deps.db);
  }

  transaction<T>(run: () => T): T {
    return inTransaction(this.#db, run);
  }

  /** Durable when it returns, unless inside another transaction. @throws QuMailError `store.*` */
  add(actions: readonly NewAction[]): void {
    inTransaction(this.#db, () => {
      for (const action of actions) this.#add(action);
    });
  }

  /** What the server has not heard yet, in the order it is to hear it. */
  open(accountId: string): ActionRecord[] {
    const sql = "SELECT * FROM actions WHERE account_id = ? AND state IN ('waiting', 'running') ORDER BY seq";
    return this.#sql.all(sql, accountId).map((row) => this.#whole(row));
  }

  /** The same as far as it concerns messages at these places: each action with those of its messages alone. */
  openAt(accountId: string, places: readonly Place[]): ActionRecord[] {
    const sql = `SELECT m.* FROM action_messages m JOIN actions a ON a.seq = m.seq WHERE m.folder = ? AND m.uid = ? AND m.uid_validity = ?
       AND a.account_id = ? AND a.state IN ('waiting', 'running') ORDER BY m.id`;
    const messages = new Map<number, ActionMessage[]>();
    for (const { folder, uid, uidValidity } of places)
      for (const row of this.#sql.all(sql, folder, uid, uidValidity, accountId)) {
        const seq = row.integer('seq');
        const known = messages.get(seq);
        if (known) known.push(actionMessageOf(row));
        else messages.set(seq, [actionMessageOf(row)]);
      }
    return [...messages.entries()]
      .toSorted(([a], [b]) => a - b)
      .map(([seq, of]) => actionOf(this.#sql.get('SELECT * FROM actions WHERE seq = ?', seq)!, of));
  }

  /** What waits, without its messages: how many of them were shown in which folder with which flags. */
  openGroups(accountId: string): { action: ActionRecord; fromFolder: string; flags: readonly MailFlag[]; count: number }[] {
    const sql = `SELECT a.*, m.from_folder, m.flags, count(*) AS messages FROM actions a JOIN action_messages m ON m.seq = a.seq
       WHERE a.account_id = ? AND a.state IN ('waiting', 'running') GROUP BY a.seq, m.from_folder, m.flags ORDER BY a.seq`;
    return this.#sql.all(sql, accountId).map((row) => ({
      action: actionOf(row, []),
      fromFolder: row.text('from_folder'),
      flags: flagsOf(row.integer('flags')),
      count: row.integer('messages'),
    }));
  }

  hasOpen(accountId: string): boolean {
    const sql = "SELECT 1 AS one FROM actions WHERE account_id = ? AND state IN ('waiting', 'running') LIMIT 1";
    return this.#sql.get(sql, accountId) !== undefined;
  }

  /** The next to be told to the server. */
  next(accountId: string): ActionRecord | undefined {
    const sql = "SELECT * FROM actions WHERE account_id = ? AND state IN ('waiting', 'running') ORDER BY seq LIMIT 1";
    const row = this.#sql.get(sql, accountId);
    return row && this.#whole(row);
  }

  get(seq: number): ActionRecord | undefined {
    const row = this.#sql.get('SELECT * FROM actions WHERE seq = ?', seq);
    return row && this.#whole(row);
  }

  /** The records of one request. */
  ofId(id: string): ActionRecord[] {
    return this.#sql.all('SELECT * FROM actions WHERE id = ? ORDER BY seq', id).map((row) => this.#whole(row));
  }

  /** What waits, and what the person has not been told of yet; the oldest first, each without its messages. */
  unsettled(): ActionRecord[] {
    return this.#sql.all(`SELECT * FROM actions WHERE ${UNSETTLED} ORDER BY seq`).map((row) => actionOf(row, []));
  }

  /** How many messages these are about, and how many of them were gone, by the id of the request. There may be 10,000 in one. */
  unsettledCounts(): Map<string, { readonly messages: number; readonly vanished: number }> {
    const sql = `SELECT a.id, count(DISTINCT m.message_id) AS messages, sum(m.outcome = 'vanished') AS vanished
       FROM actions a JOIN action_messages m ON m.seq = a.seq WHERE ${UNSETTLED} GROUP BY a.id`;
    return new Map(
      this.#sql.all(sql).map((row) => [row.text('id'), { messages: row.integer('messages'), vanished: row.integer('vanished') }]),
    );
  }

  /** Changes a state if it is one of `from`; false where another window was faster. */
  change(seq: number, from: readonly ActionState[], to: ActionState, o: { now: number; failureJson?: string | undefined }): boolean {
    const settled = to === 'waiting' || to === 'running' ? null : o.now;
    const marks = from.map(() => '?').join(', ');
    const sql = `UPDATE actions SET state = ?, failure = ?, settled_at = ?, tried = iif(?1 = 'running', 1, tried) WHERE seq = ? AND state IN (${marks})`;
    return this.#sql.run(sql, to, o.failureJson ?? null, settled, seq, ...from).changes === 1;
  }

  /** Notes what the target was like before a move is tried for the first time; later tries keep the first note. */
  noteBefore(seq: number, before: { uidValidity: number; uidNext: number }): void {
    const sql = 'UPDATE actions SET target_validity = ?, target_uid_next = ? WHERE seq = ? AND target_uid_next IS NULL';
    this.#sql.run(sql, before.uidValidity, before.uidNext, seq);
  }

  noteUndone(id: string, by: string): void {
    this.#sql.run('UPDATE actions SET undone_by = ? WHERE id = ?', by, id);
  }

  /** Notes where messages of an action lie now, for every action that names them; what vanished is no longer in any that waits. */
  settle(accountId: string, settled: readonly Settled[]): void {
    inTransaction(this.#db, () => {
      for (const { message, outcome, place } of settled) {
        this.#sql.run('UPDATE action_messages SET outcome = ? WHERE id = ?', outcome, message.id);
        if (place) this.rebind(accountId, message, place);
        else if (outcome === 'vanished') this.#vanish(accountId, message);
      }
    });
  }

  /** A message has another place now: a new UID, another folder. */
  rebind(accountId: string, from: Place, to: Place): void {
    const sql = `UPDATE action_messages SET folder = ?, uid_validity = ?, uid = ? WHERE folder = ? AND uid = ? AND uid_validity = ?
       AND +seq IN (SELECT seq FROM actions WHERE account_id = ?)`;
    // The plus keeps SQLite from going through all messages of those actions to find this one.
    this.#sql.run(sql, to.folder, to.uidValidity, to.uid, from.folder, from.uid, from.uidValidity, accountId);
  }

  /** A folder goes by another name now, and what is journaled about its messages with it; also about those on their way into it. */
  renameFolder(accountId: string, from: string, to: string): void {
    const own = 'seq IN (SELECT seq FROM actions WHERE account_id = ?)';
    inTransaction(this.#db, () => {
      this.#sql.run(`UPDATE action_messages SET folder = ? WHERE folder = ? AND +${own}`, to, from, accountId);
      this.#sql.run(`UPDATE action_messages SET from_folder = ? WHERE from_folder = ? AND ${own}`, to, from, accountId);
      this.#sql.run('UPDATE actions SET target = ? WHERE target = ? AND account_id = ?', to, from, accountId);
    });
  }

  /** Messages of a folder that a move or a removal is still to be told of, by descending UIDs. */
  leaving(accountId: string, folder: string, most: number): { uid: number; uidValidity: number; size: number }[] {
    const sql = `SELECT DISTINCT m.uid, m.uid_validity, m.size FROM action_messages m JOIN actions a ON a.seq = m.seq
       WHERE a.account_id = ? AND m.folder = ? AND m.outcome = 'open' AND a.verb <> 'flags' AND a.state IN ('waiting', 'running') ORDER BY m.uid DESC LIMIT ?`;
    return this.#sql.all(sql, accountId, folder, most).map((row) => ({
      uid: row.integer('uid'),
      uidValidity: row.integer('uid_validity'),
      size: row.integer('size'),
    }));
  }

  /** The place of a message that is shown where it is not yet: the newest journaled about its row. */
  placeOfRow(accountId: string, messageId: number): Place | undefined {
    const sql = `SELECT m.* FROM action_messages m JOIN actions a ON a.seq = m.seq WHERE m.message_id = ? AND a.account_id = ?
       AND a.state IN ('waiting', 'running') ORDER BY m.seq DESC LIMIT 1`;
    const row = this.#sql.get(sql, messageId, accountId);
    return row && actionMessageOf(row);
  }

  /** The newest place noted of a row in whatever action, for the message that it still is. */
  lastPlaceOfRow(accountId: string, row: { id: number; rfcMessageId: string; size: number }): Place | undefined {
    const sql = `SELECT m.* FROM action_messages m JOIN actions a ON a.seq = m.seq WHERE m.message_id = ? AND a.account_id = ?
       AND m.rfc_message_id = ? AND m.size = ? AND m.outcome = 'done' ORDER BY m.seq DESC LIMIT 1`;
    const found = this.#sql.get(sql, row.id, accountId, row.rfcMessageId, row.size);
    return found && actionMessageOf(found);
  }

  /** mail.db was made anew: a message's row is another one now. */
  rehint(itemId: number, messageId: number): void {
    this.#sql.run('UPDATE action_messages SET message_id = ? WHERE id = ?', messageId, itemId);
  }

  /** Forgets what was settled long ago. */
  prune(now: number): void {
    inTransaction(this.#db, () => {
      this.#sql.run("DELETE FROM actions WHERE settled_at < ? AND state NOT IN ('waiting', 'running')", now - KEPT_MS);
      const kept = "SELECT seq FROM actions WHERE state IN ('done', 'cancelled') ORDER BY seq DESC LIMIT ?";
      this.#sql.run(`DELETE FROM actions WHERE state IN ('done', 'cancelled') AND seq NOT IN (${kept})`, KEPT_COUNT);
    });
  }

  #add(action: NewAction): void {
    const { id: seq } = this.#sql.run(
      "INSERT INTO actions (id, account_id, purpose, verb, target, change, state, created_at) VALUES (?, ?, ?, ?, ?, ?, 'waiting', ?)",
      action.id,
      action.accountId,
      action.purpose,
      action.verb,
      action.target ?? null,
      JSON.stringify(action.change),
      action.createdAt,
    );
    for (const message of action.messages)
      this.#sql.run(
        `INSERT INTO action_messages (seq, folder, uid_validity, uid, rfc_message_id, size, from_folder, flags, message_id)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        seq,
        message.folder,
        message.uidValidity,
        message.uid,
        message.rfcMessageId,
        message.size,
        message.fromFolder,
        flagBits(message.flags),
        message.messageId,
      );
  }

  #vanish(accountId: string, place: Place): void {
    const sql = `UPDATE action_messages SET outcome = 'vanished' WHERE folder = ? AND uid = ? AND uid_validity = ? AND outcome = 'open'
       AND +seq IN (SELECT seq FROM actions WHERE account_id = ? AND state IN ('waiting', 'running'))`;
    this.#sql.run(sql, place.folder, place.uid, place.uidValidity, accountId);
  }

  #whole(row: Row): ActionRecord {
    const messages = this.#sql.all('SELECT * FROM action_messages WHERE seq = ? ORDER BY id', row.integer('seq')).map(actionMessageOf);
    return actionOf(row, messages);
  }
}
