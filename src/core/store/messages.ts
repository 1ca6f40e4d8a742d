import type { DatabaseSync } from 'node:sqlite';
import { QuMailError } from '../base/errors.ts';
import type { BodyIndexer } from '../base/ports.ts';
import type { MailFlag, SecurityLevel } from '../base/types.ts';
import { inTransaction } from '../base/transaction.ts';
import { Bodies } from './bodies.ts';
import { truncateLog } from './database.ts';
import { folderId, listFolders, readCursor, upsertFolder, writeCursor, type FolderCursor, type FolderRow } from './folders.ts';
import { GmailTwins } from './gmailTwins.ts';
import { BODY, flagBits, messageRowOf, type GmailIds, type MessageRow, type NewMessage, type StoredSeal } from './messageRow.ts';
import { HIDDEN, HIDDEN_ONCE_TRIED, insertMessages, raiseRevision, renew } from './messageWriting.ts';
import { Statements } from './statements.ts';

export type { FolderCursor, FolderRow } from './folders.ts';
export type { MessageRow, NewMessage } from './messageRow.ts';

const JOINED = 'SELECT m.*, f.account_id, f.path FROM messages m JOIN folders f ON f.id = m.folder_id';
const SEEN = flagBits(['seen']);

/** The offline copy of folders and messages (mail.db). Every call that changes several rows is one transaction. */
export class MessageStore {
  readonly #db: DatabaseSync;
  readonly #sql: Statements;
  readonly #bodies: Bodies;
  readonly #twins: GmailTwins;
  readonly #indexer: BodyIndexer | undefined;

  constructor(deps: { db: DatabaseSync; indexer?: BodyIndexer }) {
    this.#db = deps.db;
    this.#sql = new Statements(deps.db);
    this.#bodies = new Bodies(this.#sql);
    this.#twins = new GmailTwins(this.#sql, this.#bodies);
    this.#indexer = deps.indexer;
  }

  /** Adds a folder or renews what the server says about it; messages and cursor stay. */
  upsertFolder(folder: FolderRow): void {
    upsertFolder(this.#sql, folder);
  }

  /** The same for several, in one transaction. */
  upsertFolders(folders: readonly FolderRow[]): void {
    inTransaction(this.#db, () => folders.forEach((folder) => upsertFolder(this.#sql, folder)));
  }

  /** By path. */
  listFolders(accountId: string): FolderRow[] {
    return listFolders(this.#sql, accountId);
  }

  /**
   * Before a folder goes: some of its Gmail messages leave their sources to the same ones in other folders. Returns what to go on `after`,
   * undefined once all did; what was not asked for is done with the removal.
   */
  leaveToTwins(accountId: string, path: string, after: number): number | undefined {
    return inTransaction(this.#db, () => this.#twins.leaveSome(folderId(this.#sql, accountId, path), after));
  }

  /** Removes folders with everything in them; what Gmail has in others too keeps its source there. */
  removeFolders(accountId: string, paths: readonly string[]): void {
    inTransaction(this.#db, () => {
      for (const path of paths) {
        this.#twins.leaveAll(folderId(this.#sql, accountId, path));
        this.#forget(accountId, path);
        this.#sql.run('DELETE FROM folders WHERE account_id = ? AND path = ?', accountId, path);
      }
    });
  }

  /** A folder goes by another path now; what is in it stays. Nothing happens where `to` is known already. */
  renameFolder(accountId: string, from: string, to: string): void {
    this.#sql.run('UPDATE OR IGNORE folders SET path = ?, revision = revision + 1 WHERE account_id = ? AND path = ?', to, accountId, from);
  }

  /** How far a folder has been read; undefined when it never was. */
  cursor(accountId: string, path: string): FolderCursor | undefined {
    return readCursor(this.#sql, accountId, path);
  }

  setCursor(accountId: string, path: string, cursor: FolderCursor): void {
    inTransaction(this.#db, () => writeCursor(this.#sql, folderId(this.#sql, accountId, path), cursor));
  }

  /** From here on a folder counts as not read to its end: what is missing of it is looked for, and what is here is compared. */
  forgetExtent(accountId: string, path: string): void {
    const set = 'UPDATE folders SET filled = NULL, filled_uid = NULL, highest_modseq = NULL WHERE account_id = ? AND path = ?';
    this.#sql.run(set, accountId, path);
  }

  /** Several calls as one transaction. */
  together<T>(calls: () => T): T {
    return inTransaction(this.#db, calls);
  }

  /** Adds messages; of a UID that is known already only flags and labels are renewed. Returns the ids of those that were new. */
  insertMessages(accountId: string, path: string, messages: readonly NewMessage[], bodyState: number = BODY.none): number[] {
    if (messages.length === 0) return [];
    return inTransaction(this.#db, () => {
      const folder = folderId(this.#sql, accountId, path);
      raiseRevision(this.#sql, folder);
      const ids = insertMessages(this.#sql, folder, messages, bodyState);
      for (const [at, message] of messages.entries()) if (ids[at] === undefined) renew(this.#sql, folder, message);
      return ids.filter((id) => id !== undefined);
    });
  }

  /** Flags, and Gmail's labels where they are told. Returns how many rows are different now. */
  updateFlags(accountId: string, path: string, changes: readonly { uid: number; flags: readonly MailFlag[]; gmail?: GmailIds }[]): number {
    if (changes.length === 0) return 0;
    return inTransaction(this.#db, () => {
      const folder = folderId(this.#sql, accountId, path);
      const changed = changes.reduce((sum, told) => sum + renew(this.#sql, folder, told), 0);
      if (changed > 0) raiseRevision(this.#sql, folder);
      return changed;
    });
  }

  removeUids(accountId: string, path: string, uids: readonly number[]): void {
    if (uids.length === 0) return;
    inTransaction(this.#db, () => {
      const folder = folderId(this.#sql, accountId, path);
      raiseRevision(this.#sql, folder);
      for (const uid of uids) this.#twins.leave(folder, uid);
      const gone = uids.flatMap((uid) => this.#sql.all('DELETE FROM messages WHERE folder_id = ? AND uid = ? RETURNING id', folder, uid));
      this.#indexer?.forget(gone.map((row) => row.integer('id')));
    });
  }

  /** Forgets every message and the cursor of a folder: its UIDs mean other messages now. */
  resetFolder(accountId: string, path: string): void {
    inTransaction(this.#db, () => {
      const folder = folderId(this.#sql, accountId, path);
      this.#twins.leaveAll(folder);
      this.#forget(accountId, path);
      // What is on its way into the folder has no UID yet, and comes whatever the others mean.
      this.#sql.run('DELETE FROM messages WHERE folder_id = ? AND uid > 0', folder);
      this.#sql.run('UPDATE folders SET filled = NULL, filled_uid = NULL, stopped_uid = NULL WHERE id = ?', folder);
      raiseRevision(this.#sql, folder);
      writeCursor(this.#sql, folder, undefined);
    });
  }

  /** UIDs of a folder, the highest first. */
  knownUids(accountId: string, path: string, limit: number): number[] {
    const sql = `SELECT m.uid FROM messages m JOIN folders f ON f.id = m.folder_id WHERE f.account_id = ? AND f.path = ? AND m.uid > 0 ORDER BY m.uid DESC LIMIT ?`;
    return this.#sql.all(sql, accountId, path, limit).map((row) => row.integer('uid'));
  }

  /** UIDs and sizes of the messages with the highest UIDs, to know a folder again by. */
  sample(accountId: string, path: string, limit: number): { uid: number; size: number }[] {
    const sql = `SELECT uid, size FROM messages WHERE folder_id = (SELECT id FROM folders WHERE account_id = ? AND path = ?) AND uid > 0 ORDER BY uid DESC LIMIT ?`;
    return this.#sql.all(sql, accountId, path, limit).map((row) => ({ uid: row.integer('uid'), size: row.integer('size') }));
  }

  /** Messages of a folder that are here. */
  count(accountId: string, path: string): number {
    const sql = 'SELECT count(*) AS known FROM messages WHERE folder_id = (SELECT id FROM folders WHERE account_id = ? AND path = ?)';
    return this.#sql.get(sql, accountId, path)!.integer('known');
  }

  /** The lowest UID of a folder that is here; undefined where there is none. */
  oldestUid(accountId: string, path: string): number | undefined {
    const sql = `SELECT min(m.uid) AS oldest FROM messages m JOIN folders f ON f.id = m.folder_id
       WHERE f.account_id = ? AND f.path = ? AND m.uid > 0`;
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

  /** Where a message lies on the server: not where it is shown, while it is on its way to another folder. */
  placeOf(row: Pick<MessageRow, 'id' | 'accountId' | 'folder' | 'uid'>): { folder: string; uidValidity: number; uid: number } | undefined {
    if (row.uid > 0) {
      const cursor = this.cursor(row.accountId, row.folder);
      return cursor && { folder: row.folder, uidValidity: cursor.uidValidity, uid: row.uid };
    }
    const sql = 'SELECT f.path, a.uid, a.uid_validity FROM awaited a JOIN folders f ON f.id = a.folder_id WHERE a.row_id = ?';
    const place = this.#sql.get(sql, row.id);
    return place && { folder: place.text('path'), uidValidity: place.integer('uid_validity'), uid: place.integer('uid') };
  }

  /**
   * The newest messages by date, or those that follow message `before` in that order.
   * @throws QuMailError `message.missing` when `before` has gone meanwhile: start again from the top
   */
  page(accountId: string, path: string, limit: number, before?: number): MessageRow[] {
    const order = 'ORDER BY m.rank DESC, m.id DESC LIMIT ?';
    const where = 'WHERE m.folder_id = (SELECT id FROM folders WHERE account_id = ? AND path = ?) AND m.hidden = 0';
    if (before === undefined) return this.#sql.all(`${JOINED} ${where} ${order}`, accountId, path, limit).map(messageRowOf);
    const rank = this.#sql.get('SELECT rank FROM messages WHERE id = ?', before)?.integer('rank');
    if (rank === undefined) throw new QuMailError('message.missing');
    return this.#sql.all(`${JOINED} ${where} AND (m.rank, m.id) < (?, ?) ${order}`, accountId, path, rank, before, limit).map(messageRowOf);
  }

  /** Sealed messages that nobody has tried, or whose reason may pass; the newest first. */
  unopened(accountId: string, path: string): MessageRow[] {
    // The plus keeps SQLite from going through the whole folder for its order, where an index holds the few.
    const sql = `${JOINED} WHERE m.folder_id = (SELECT id FROM folders WHERE account_id = ? AND path = ?) AND m.seal = 'unopened' ORDER BY +m.date DESC, +m.id DESC`;
    return this.#sql.all(sql, accountId, path).map(messageRowOf);
  }

  /** Failed messages whose failure has one of `codes` and was met by an older engine are to be tried once more; returns how many. */
  reviveFailed(codes: readonly string[], engine: number): number {
    const sql = `UPDATE messages SET seal = 'unopened', failure = NULL WHERE seal = 'failed' AND json_valid(failure)
      AND json_extract(failure, '$.code') IN (SELECT value FROM json_each(?)) AND coalesce(json_extract(failure, '$.engine'), 1) < ?`;
    return this.#sql.run(sql, JSON.stringify(codes), engine).changes;
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
    const sql = `UPDATE messages SET seal = ?, level = ?, failure = ?, envelope_id = ?, hidden = ${HIDDEN_ONCE_TRIED}
      WHERE id = ? AND seal = coalesce(?, seal) RETURNING folder_id`;
    const row = this.#sql.get(sql, seal, level, failureJson ?? null, envelopeId ?? null, seal, id, was ?? null);
    if (row) raiseRevision(this.#sql, row.integer('folder_id'));
  }

  /** Of ordinary mail only: the text of sealed mail is never in this file. */
  setPreview(id: number, preview: string): void {
    this.#sql.run("UPDATE messages SET preview = ? WHERE id = ? AND seal = 'plain'", preview, id);
  }

  /** Messages of the folder that are here and not \Seen. */
  countUnread(accountId: string, path: string): number {
    const sql = `SELECT count(*) AS unread FROM messages m JOIN folders f ON f.id = m.folder_id WHERE f.account_id = ? AND f.path = ? AND m.hidden = 0 AND m.flags & ? = 0`;
    return this.#sql.get(sql, accountId, path, SEEN)!.integer('unread');
  }

  /** Unread messages below a UID that are the chats' and that nobody lists. */
  countUnreadChatMail(accountId: string, path: string, belowUid: number): number {
    const sql = `SELECT count(*) AS unread FROM messages m WHERE m.folder_id = (SELECT id FROM folders WHERE account_id = ? AND path = ?)
      AND m.hidden >= ${HIDDEN.chatNew} AND m.uid < ? AND m.flags & ? = 0`;
    return this.#sql.get(sql, accountId, path, belowUid, SEEN)!.integer('unread');
  }

  /** What the chats have to be asked about, or have taken, and that lies in this folder; the oldest first. */
  chatMail(accountId: string, path: string, which: 'new' | 'taken'): MessageRow[] {
    const sql = `${JOINED} WHERE m.folder_id = (SELECT id FROM folders WHERE account_id = ? AND path = ?) AND m.hidden >= ${HIDDEN.chatNew} AND m.hidden = ?
      ORDER BY m.date, m.id`;
    return this.#sql.all(sql, accountId, path, which === 'new' ? HIDDEN.chatNew : HIDDEN.chat).map(messageRowOf);
  }

  /** Notes what the chats said of a message: theirs, or mail like any other. */
  settleChatMail(id: number, as: 'chat' | 'mail'): void {
    const sql = `UPDATE messages SET hidden = ? WHERE id = ? AND hidden IN (${HIDDEN.chatNew}, ${HIDDEN.chat}) RETURNING folder_id`;
    const row = this.#sql.get(sql, as === 'chat' ? HIDDEN.chat : HIDDEN.no, id);
    if (row) raiseRevision(this.#sql, row.integer('folder_id'));
  }

  /** Keeps the RFC 5322 source as the server holds it, and has it indexed unless it is sealed. */
  putBody(id: number, raw: Buffer): void {
    inTransaction(this.#db, () => {
      const row = this.#sql.get(`UPDATE messages SET body_state = ${BODY.stored} WHERE id = ? RETURNING seal`, id);
      if (!row) return;
      this.#bodies.put(id, raw);
      if (row.text('seal') === 'plain') this.#indexer?.index([{ messageId: id, raw }]);
    });
  }

  /** The source of a message; of a Gmail message also that of the same one in another folder, for there it is kept once. */
  getBody(id: number): Buffer | undefined {
    return this.#bodies.get(id) ?? this.#bodies.ofTwin(id);
  }

  /** Notes that a person read a message, so that its source is among the last to go when room is short. */
  touch(id: number, now: number): void {
    this.#sql.run('UPDATE messages SET last_used = ? WHERE id = ?', now, id);
  }

  /** Erases all folders and mail of an account, from the file and from its log. */
  eraseAccount(accountId: string): void {
    inTransaction(this.#db, () => {
      for (const { path } of this.listFolders(accountId)) this.#forget(accountId, path);
      for (const table of ['folders', 'sync_state', 'filling']) this.#sql.run(`DELETE FROM ${table} WHERE account_id = ?`, accountId);
    });
    if (!this.#db.isTransaction) truncateLog(this.#db);
  }

  #forget(accountId: string, path: string): void {
    const sql = 'SELECT m.id FROM messages m JOIN folders f ON f.id = m.folder_id WHERE f.account_id = ? AND f.path = ?';
    this.#indexer?.forget(this.#sql.all(sql, accountId, path).map((row) => row.integer('id')));
  }
}
