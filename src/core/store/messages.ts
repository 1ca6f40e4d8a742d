import type { DatabaseSync } from 'node:sqlite';
import { QuMailError } from '../base/errors.ts';
import type { MailFlag, SecurityLevel } from '../base/types.ts';
import { inTransaction } from '../base/transaction.ts';
import { truncateLog } from './database.ts';
import { folderId, listFolders, readCursor, upsertFolder, writeCursor, type FolderCursor, type FolderRow } from './folders.ts';
import { flagBits, messageRowOf, type MessageRow, type NewMessage, type StoredSeal } from './messageRow.ts';
import { Statements } from './statements.ts';

export type { FolderCursor, FolderRow } from './folders.ts';
export type { MessageRow, NewMessage } from './messageRow.ts';

const JOINED = 'SELECT m.*, f.account_id, f.path FROM messages m JOIN folders f ON f.id = m.folder_id';
const SEEN = flagBits(['seen']);

/** The offline copy of folders and messages (mail.db). Every call that changes several rows is one transaction. */
export class MessageStore {
  readonly #db: DatabaseSync;
  readonly #sql: Statements;

  constructor(deps: { db: DatabaseSync }) {
    this.#db = deps.db;
    this.#sql = new Statements(deps.db);
  }

  /** Adds a folder or renews what the server says about it; messages and cursor stay. */
  upsertFolder(folder: FolderRow): void {
    upsertFolder(this.#sql, folder);
  }

  /** By path. */
  listFolders(accountId: string): FolderRow[] {
    return listFolders(this.#sql, accountId);
  }

  /** Removes folders with everything in them. */
  removeFolders(accountId: string, paths: readonly string[]): void {
    inTransaction(this.#db, () => {
      for (const path of paths) this.#sql.run('DELETE FROM folders WHERE account_id = ? AND path = ?', accountId, path);
    });
  }

  /** How far a folder has been read; undefined when it never was. */
  cursor(accountId: string, path: string): FolderCursor | undefined {
    return readCursor(this.#sql, accountId, path);
  }

  setCursor(accountId: string, path: string, cursor: FolderCursor): void {
    inTransaction(this.#db, () => writeCursor(this.#sql, folderId(this.#sql, accountId, path), cursor));
  }

  /** Adds messages; of a UID that is known already only the flags are renewed. Returns the ids of those that were new. */
  insertMessages(accountId: string, path: string, messages: readonly NewMessage[]): number[] {
    if (messages.length === 0) return [];
    return inTransaction(this.#db, () => {
      const folder = folderId(this.#sql, accountId, path);
      return messages.flatMap((message) => {
        const id = this.#insert(folder, message);
        if (id === undefined) this.#setFlags(folder, message.uid, message.flags);
        return id === undefined ? [] : [id];
      });
    });
  }

  /** Returns how many rows are different now. */
  updateFlags(accountId: string, path: string, changes: readonly { uid: number; flags: readonly MailFlag[] }[]): number {
    if (changes.length === 0) return 0;
    return inTransaction(this.#db, () => {
      const folder = folderId(this.#sql, accountId, path);
      return changes.reduce((sum, { uid, flags }) => sum + this.#setFlags(folder, uid, flags), 0);
    });
  }

  removeUids(accountId: string, path: string, uids: readonly number[]): void {
    if (uids.length === 0) return;
    inTransaction(this.#db, () => {
      const folder = folderId(this.#sql, accountId, path);
      for (const uid of uids) this.#sql.run('DELETE FROM messages WHERE folder_id = ? AND uid = ?', folder, uid);
    });
  }

  /** Forgets every message and the cursor of a folder: its UIDs mean other messages now. */
  resetFolder(accountId: string, path: string): void {
    inTransaction(this.#db, () => {
      const folder = folderId(this.#sql, accountId, path);
      this.#sql.run('DELETE FROM messages WHERE folder_id = ?', folder);
      writeCursor(this.#sql, folder, undefined);
    });
  }

  /** UIDs of a folder, the highest first. */
  knownUids(accountId: string, path: string, limit: number): number[] {
    const sql = `SELECT m.uid FROM messages m JOIN folders f ON f.id = m.folder_id WHERE f.account_id = ? AND f.path = ? ORDER BY m.uid DESC LIMIT ?`;
    return this.#sql.all(sql, accountId, path, limit).map((row) => row.integer('uid'));
  }

  /** The lowest UID of a folder that is here; undefined where there is none. */
  oldestUid(accountId: string, path: string): number | undefined {
    const sql = 'SELECT min(m.uid) AS oldest FROM messages m JOIN folders f ON f.id = m.folder_id WHERE f.account_id = ? AND f.path = ?';
    const row = this.#sql.get(sql, accountId, path);
    return row?.has('oldest') ? row.integer('oldest') : undefined;
  }

  get(id: number): MessageRow | undefined {
    const row = this.#sql.get(`${JOINED} WHERE m.id = ?`, id);
    return row && messageRowOf(row);
  }

  byUid(accountId: string, path: string, uid: number): MessageRow | undefined {
    const row = this.#sql.get(`${JOINED} WHERE f.account_id = ? AND f.path = ? AND m.uid = ?`, accountId, path, uid);
    return row && messageRowOf(row);
  }

  /**
   * The newest messages by date, or those that follow message `before` in that order.
   * @throws QuMailError `message.missing` when `before` has gone meanwhile: start again from the top
   */
  page(accountId: string, path: string, limit: number, before?: number): MessageRow[] {
    const order = 'ORDER BY m.date DESC, m.id DESC LIMIT ?';
    const where = 'WHERE m.folder_id = (SELECT id FROM folders WHERE account_id = ? AND path = ?)';
    if (before === undefined) return this.#sql.all(`${JOINED} ${where} ${order}`, accountId, path, limit).map(messageRowOf);
    const date = this.#sql.get('SELECT date FROM messages WHERE id = ?', before)?.integer('date');
    if (date === undefined) throw new QuMailError('message.missing');
    return this.#sql.all(`${JOINED} ${where} AND (m.date, m.id) < (?, ?) ${order}`, accountId, path, date, before, limit).map(messageRowOf);
  }

  /** Sealed messages that nobody has tried, or whose reason may pass; the newest first. */
  unopened(accountId: string, path: string): MessageRow[] {
    const sql = `${JOINED} WHERE m.folder_id = (SELECT id FROM folders WHERE account_id = ? AND path = ?) AND m.seal = 'unopened' ORDER BY m.date DESC, m.id DESC`;
    return this.#sql.all(sql, accountId, path).map(messageRowOf);
  }

  /**
   * Records how opening a message went; what is not given is cleared. With `was`, only while its state still is that one: a failure
   * must not take the place of what another window achieved meanwhile.
   */
  setSeal(
    id: number,
    outcome: { seal: StoredSeal; level: SecurityLevel; failureJson?: string; envelopeId?: string; was?: StoredSeal },
  ): void {
    const { seal, level, failureJson, envelopeId, was } = outcome;
    const sql = 'UPDATE messages SET seal = ?, level = ?, failure = ?, envelope_id = ? WHERE id = ? AND seal = coalesce(?, seal)';
    this.#sql.run(sql, seal, level, failureJson ?? null, envelopeId ?? null, id, was ?? null);
  }

  /** Of ordinary mail only: the text of sealed mail is never in this file. */
  setPreview(id: number, preview: string): void {
    this.#sql.run("UPDATE messages SET preview = ? WHERE id = ? AND seal = 'plain'", preview, id);
  }

  /** Messages of the folder that are here and not \Seen. */
  countUnread(accountId: string, path: string): number {
    const sql = `SELECT count(*) AS unread FROM messages m JOIN folders f ON f.id = m.folder_id WHERE f.account_id = ? AND f.path = ? AND m.flags & ? = 0`;
    return this.#sql.get(sql, accountId, path, SEEN)!.integer('unread');
  }

  /** Keeps the RFC 5322 source as the server holds it. */
  putBody(id: number, raw: Buffer): void {
    this.#sql.run(
      'INSERT INTO bodies (message_id, raw) SELECT id, ? FROM messages WHERE id = ? ON CONFLICT DO UPDATE SET raw = excluded.raw',
      raw,
      id,
    );
  }

  getBody(id: number): Buffer | undefined {
    return this.#sql.get('SELECT raw FROM bodies WHERE message_id = ?', id)?.blob('raw');
  }

  /** Erases all folders and mail of an account, from the file and from its log. */
  eraseAccount(accountId: string): void {
    this.#sql.run('DELETE FROM folders WHERE account_id = ?', accountId);
    if (!this.#db.isTransaction) truncateLog(this.#db);
  }

  #insert(folder: number, message: NewMessage): number | undefined {
    const { changes, id } = this.#sql.run(
      `INSERT INTO messages (folder_id, uid, rfc_message_id, from_address, to_addresses, subject, date, size, flags, has_attachments, preview,
         seal, level, in_reply_to, refs) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
      folder,
      message.uid,
      message.rfcMessageId,
      JSON.stringify(message.from),
      JSON.stringify(message.to),
      message.subject,
      message.date,
      message.size,
      flagBits(message.flags),
      message.hasAttachments ? 1 : 0,
      message.preview,
      message.seal,
      message.level,
      message.inReplyTo,
      JSON.stringify(message.references),
    );
    return changes === 1 ? id : undefined;
  }

  #setFlags(folder: number, uid: number, flags: readonly MailFlag[]): number {
    const bits = flagBits(flags);
    return this.#sql.run('UPDATE messages SET flags = ? WHERE folder_id = ? AND uid = ? AND flags <> ?', bits, folder, uid, bits).changes;
  }
}
