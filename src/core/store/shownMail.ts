import type { DatabaseSync } from 'node:sqlite';
import { inTransaction } from '../base/transaction.ts';
import type { MailFlag, SpecialUse } from '../base/types.ts';
import type { Place } from './actionRow.ts';
import { folderId } from './folders.ts';
import { flagBits, messageRowOf, type MessageRow } from './messageRow.ts';
import { HIDDEN, raiseRevision } from './messageWriting.ts';
import { Statements } from './statements.ts';

/** How what the server tells of a message is out of date. */
export interface Awaited {
  readonly away: boolean;
  /** Not to be listed at this place: moved away, or being removed. */
  readonly unlisted: boolean;
  readonly set: readonly MailFlag[];
  readonly clear: readonly MailFlag[];
  readonly rowId: number;
}

/** A message by its place, and by what it is found by where its folder's UIDs mean others meanwhile. */
export interface AwaitedMessage extends Place {
  readonly rfcMessageId: string;
  readonly size: number;
}

const SEEN = flagBits(['seen']);
const JOINED = 'SELECT m.*, f.account_id, f.path FROM messages m JOIN folders f ON f.id = m.folder_id';

const PLACED =
  'UPDATE messages SET folder_id = ?1, uid = ?2, hidden = iif(hidden = 2 OR (hidden = 1 AND folder_id <> ?1), 0, hidden) WHERE id = ?3';

/**
 * Where and how messages are shown while the server does not know it yet (mail.db): a row keeps its number wherever it goes. Every step
 * may be done twice.
 */
export class ShownMail {
  readonly #db: DatabaseSync;
  readonly #sql: Statements;

  constructor(deps: { db: DatabaseSync }) {
    this.#db = deps.db;
    this.#sql = new Statements(deps.db);
  }

  /** Many steps in one commit. */
  transaction<T>(run: () => T): T {
    return inTransaction(this.#db, run);
  }

  /**
   * Shows a row in this folder; `uid` is the server's, or the negative of the row's number as long as there is none. What goes to another folder
   * is listed there, snoozed or not.
   */
  place(rowId: number, accountId: string, folder: string, uid: number): void {
    inTransaction(this.#db, () => {
      const id = folderId(this.#sql, accountId, folder);
      this.#raise(rowId);
      this.#sql.run(PLACED, id, uid, rowId);
      this.#raise(rowId);
    });
  }

  hide(rowId: number, hidden: (typeof HIDDEN)['no' | 'snoozed' | 'removing']): void {
    if (this.#sql.run('UPDATE messages SET hidden = ? WHERE id = ? AND hidden <> ?', hidden, rowId, hidden).changes > 0) this.#raise(rowId);
  }

  /** Shows a snoozed row again, above what came before `at`. Returns whether there was one. */
  surface(rowId: number, at: number): boolean {
    const shown = this.#sql.run('UPDATE messages SET hidden = 0, surfaced = ? WHERE id = ? AND hidden = 1', at, rowId).changes === 1;
    if (shown) this.#raise(rowId);
    return shown;
  }

  /** Whether a row is being removed for good. */
  isRemoving(rowId: number): boolean {
    return (this.#sql.get('SELECT hidden FROM messages WHERE id = ?', rowId)?.integer('hidden') ?? 0) === HIDDEN.removing;
  }

  /** What the server tells of the message at this place is out of date in this way; undefined: no longer. */
  await(accountId: string, message: AwaitedMessage, how: Awaited | undefined): void {
    inTransaction(this.#db, () => {
      const folder = folderId(this.#sql, accountId, message.folder);
      const { uid, uidValidity, rfcMessageId, size } = message;
      this.#sql.run('DELETE FROM awaited WHERE folder_id = ? AND uid = ? AND uid_validity = ?', folder, uid, uidValidity);
      if (!how) return;
      const sql = `INSERT INTO awaited (folder_id, uid, uid_validity, away, unlisted, set_bits, clear_bits, row_id, rfc_message_id, size)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
      const { away, unlisted, set, clear, rowId } = how;
      const bits = [flagBits(set), flagBits(clear)] as const;
      this.#sql.run(sql, folder, uid, uidValidity, away ? 1 : 0, unlisted ? 1 : 0, ...bits, rowId, rfcMessageId, size);
    });
  }

  /** The message has left its folder on the server: under what UID ever it was listed anew, it is there no longer. */
  left(accountId: string, message: AwaitedMessage): void {
    const folder = folderId(this.#sql, accountId, message.folder);
    const renumbered = 'SELECT 1 FROM folders WHERE id = ? AND uid_validity IS NOT ?';
    if (!this.#sql.get(renumbered, folder, message.uidValidity)) return;
    const twin =
      'SELECT id FROM messages WHERE folder_id = ? AND hidden = 3 AND uid > 0 AND rfc_message_id = ? AND size = ? ORDER BY uid LIMIT 1';
    this.#sql.run(`DELETE FROM messages WHERE id = (${twin})`, folder, message.rfcMessageId, message.size);
  }

  /** Forgets what was awaited of an account, before all of it is written anew. */
  awaitNothing(accountId: string): void {
    this.#sql.run('DELETE FROM awaited WHERE folder_id IN (SELECT id FROM folders WHERE account_id = ?)', accountId);
  }

  /** Rows that have no UID yet. */
  placeless(accountId: string): MessageRow[] {
    return this.#sql.all(`${JOINED} WHERE f.account_id = ? AND m.uid < 0 ORDER BY m.id`, accountId).map(messageRowOf);
  }

  /** Changes a folder's counts until the server tells them. */
  count(accountId: string, folder: string, change: { unread: number; total: number }): void {
    const sql = 'UPDATE folders SET unread = max(0, unread + ?), total = max(0, total + ?) WHERE account_id = ? AND path = ?';
    this.#sql.run(sql, change.unread, change.total, accountId, folder);
  }

  /** Has the next look at a folder go through all of it, because something of it is missing here. */
  lookAfresh(accountId: string, folder: string): void {
    // Not without a cursor: it must still show that UIDs mean others meanwhile.
    const sql = `UPDATE folders SET uid_next = iif(uid_next IS NULL, NULL, 1), highest_modseq = NULL, filled = NULL, filled_uid = NULL
       WHERE account_id = ? AND path = ?`;
    this.#sql.run(sql, accountId, folder);
  }

  /** Has the next look at a folder ask for all its flags: what the server told while others were awaited was passed over. */
  lookAtFlags(accountId: string, folder: string): void {
    // RFC 7162: no modification sequence is lower. Where there are none, each look asks for the flags.
    const sql = "UPDATE folders SET highest_modseq = '1' WHERE account_id = ? AND path = ? AND highest_modseq IS NOT NULL";
    this.#sql.run(sql, accountId, folder);
  }

  /** Rows with this Message-ID, wherever they lie. */
  byMessageId(accountId: string, rfcMessageId: string): MessageRow[] {
    const sql = `${JOINED} WHERE f.account_id = ? AND m.rfc_message_id = ? ORDER BY m.id`;
    return this.#sql.all(sql, accountId, rfcMessageId).map(messageRowOf);
  }

  /** Folders of a role in all accounts. */
  foldersOf(role: SpecialUse): { accountId: string; path: string; unread: number; total: number }[] {
    return this.#sql
      .all('SELECT account_id, path, unread, total FROM folders WHERE special_use = ? ORDER BY account_id', role)
      .map((row) => ({
        accountId: row.text('account_id'),
        path: row.text('path'),
        unread: row.integer('unread'),
        total: row.integer('total'),
      }));
  }

  /** What stands at `messageId` in the order of lists; undefined when it has gone. */
  rankOf(messageId: number): number | undefined {
    return this.#sql.get('SELECT rank FROM messages WHERE id = ?', messageId)?.integer('rank');
  }

  /** The highest of a folder below (`rank`, `id`), or from its top. */
  pageBelow(
    accountId: string,
    path: string,
    limit: number,
    below: { rank: number; id: number } | undefined,
  ): (MessageRow & { rank: number })[] {
    const where = 'WHERE m.folder_id = (SELECT id FROM folders WHERE account_id = ? AND path = ?) AND m.hidden = 0';
    const order = 'ORDER BY m.rank DESC, m.id DESC LIMIT ?';
    const rows = below
      ? this.#sql.all(`${JOINED} ${where} AND (m.rank, m.id) < (?, ?) ${order}`, accountId, path, below.rank, below.id, limit)
      : this.#sql.all(`${JOINED} ${where} ${order}`, accountId, path, limit);
    return rows.map((row) => ({ ...messageRowOf(row), rank: row.integer('rank') }));
  }

  /** Those of these rows that are listed. */
  listed(ids: readonly number[]): MessageRow[] {
    const sql = `${JOINED} WHERE m.id IN (SELECT value FROM json_each(?)) AND m.hidden = 0 ORDER BY m.id`;
    return this.#sql.all(sql, JSON.stringify(ids)).map(messageRowOf);
  }

  /** What snoozed rows of these would add to the counts of their folders, if they were listed. */
  snoozedCounts(ids: readonly number[]): { path: string; unread: number; total: number }[] {
    const sql = `SELECT f.path, count(*) AS total, sum(m.flags & ? = 0) AS unread FROM messages m JOIN folders f ON f.id = m.folder_id
      WHERE m.id IN (SELECT value FROM json_each(?)) AND m.hidden = ${HIDDEN.snoozed} GROUP BY f.id`;
    return this.#sql.all(sql, SEEN, JSON.stringify(ids)).map((row) => ({
      path: row.text('path'),
      unread: row.integer('unread'),
      total: row.integer('total'),
    }));
  }

  /** The number of the row that came here last; 0 where there is none. */
  newestRow(): number {
    const row = this.#sql.get('SELECT max(id) AS newest FROM messages');
    return row?.has('newest') ? row.integer('newest') : 0;
  }

  /** Listed rows of a folder that came here after row `after`. */
  rowsAfter(accountId: string, path: string, after: number, limit: number): MessageRow[] {
    // The plus keeps the index out: these are the last few rows of the table.
    const sql = `${JOINED} WHERE +m.folder_id = (SELECT id FROM folders WHERE account_id = ? AND path = ?) AND m.id > ? AND m.hidden = 0
       ORDER BY m.id LIMIT ?`;
    return this.#sql.all(sql, accountId, path, after, limit).map(messageRowOf);
  }

  #raise(rowId: number): void {
    const folder = this.#sql.get('SELECT folder_id FROM messages WHERE id = ?', rowId)?.integer('folder_id');
    if (folder !== undefined) raiseRevision(this.#sql, folder);
  }
}
