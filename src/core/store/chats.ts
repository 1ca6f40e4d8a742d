import type { DatabaseSync } from 'node:sqlite';
import * as v from 'valibot';
import { QuMailError } from '../base/errors.ts';
import type { RecordSealer } from '../base/ports.ts';
import { inTransaction } from '../base/transaction.ts';
import { entryOf, sealEntry, type ChatEntryRecord, type ChatEntryState } from './chatEntries.ts';
import { parseJson, type Row, Statements } from './statements.ts';

export interface ChatRecord {
  readonly accountId: string;
  readonly groupId: string;
  /** When anything was last said or happened; the order of the list. */
  readonly lastAt: number;
  readonly receipts: 'on' | 'off';
  readonly draft: string;
}

/** An event of a group with the signature it came under. */
export interface ChatEventRecord {
  readonly eventId: string;
  readonly at: number;
  readonly encoded: string;
  readonly signature: string;
}

const eventSchema = v.object({ encoded: v.string(), signature: v.string() });
const HERE = 'account_id = ? AND group_id = ?';
/** Takes the time of reading, from which what disappears is counted. */
const READ = 'unread = 0, expires_at = CASE WHEN timer > 0 THEN coalesce(expires_at, ? + timer * 1000) END';

/** Chats, their events and what was said in them, sealed at rest. Every call is one transaction or joins the caller's. */
export class ChatStore {
  readonly #db: DatabaseSync;
  readonly #sql: Statements;
  readonly #sealer: RecordSealer;

  constructor(deps: { db: DatabaseSync; sealer: RecordSealer }) {
    this.#db = deps.db;
    this.#sql = new Statements(deps.db);
    this.#sealer = deps.sealer;
  }

  transaction<T>(run: () => T): T {
    return inTransaction(this.#db, run);
  }

  /** Adds the chat where it is not there yet. @throws QuMailError `account.missing` */
  add(accountId: string, groupId: string, at: number): void {
    const sql = "INSERT INTO chats (account_id, group_id, last_at, receipts) VALUES (?, ?, ?, 'on') ON CONFLICT DO NOTHING";
    this.#sql.run(sql, accountId, groupId, at);
  }

  get(accountId: string, groupId: string): ChatRecord | undefined {
    const row = this.#sql.get(`SELECT * FROM chats WHERE ${HERE}`, accountId, groupId);
    return row && this.#chatOf(row);
  }

  /** The latest first. */
  list(accountId: string): ChatRecord[] {
    return this.#sql
      .all('SELECT * FROM chats WHERE account_id = ? ORDER BY last_at DESC, group_id', accountId)
      .map((row) => this.#chatOf(row));
  }

  setReceipts(accountId: string, groupId: string, receipts: 'on' | 'off'): void {
    this.#sql.run(`UPDATE chats SET receipts = ? WHERE ${HERE}`, receipts, accountId, groupId);
  }

  setDraft(accountId: string, groupId: string, text: string): void {
    const sealed = text === '' ? null : this.#sealer.seal('mail', 'chat-draft', place(accountId, groupId), Buffer.from(text));
    this.#sql.run(`UPDATE chats SET sealed_draft = ? WHERE ${HERE}`, sealed, accountId, groupId);
  }

  /** Forgets the conversation with everything in it. */
  delete(accountId: string, groupId: string): void {
    this.#sql.run(`DELETE FROM chats WHERE ${HERE}`, accountId, groupId);
  }

  // ---- events of the group ----

  /** True where the event is new. */
  putEvent(accountId: string, groupId: string, event: ChatEventRecord): boolean {
    const { eventId, at, encoded, signature } = event;
    const sealed = this.#sealer.seal(
      'mail',
      'chat-event',
      place(accountId, groupId, eventId),
      Buffer.from(JSON.stringify({ encoded, signature })),
    );
    const sql = 'INSERT INTO chat_events (account_id, group_id, event_id, at, sealed) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING';
    const isNew = this.#sql.run(sql, accountId, groupId, eventId, at, sealed).changes === 1;
    if (isNew) this.#touch(accountId, groupId, at);
    return isNew;
  }

  events(accountId: string, groupId: string): ChatEventRecord[] {
    return this.#sql.all(`SELECT * FROM chat_events WHERE ${HERE} ORDER BY at, event_id`, accountId, groupId).map((row) => {
      const eventId = row.text('event_id');
      const json = this.#sealer.open('mail', 'chat-event', place(accountId, groupId, eventId), row.blob('sealed')).toString('utf8');
      return { eventId, at: row.integer('at'), ...parseJson(eventSchema, json, 'sealed') };
    });
  }

  // ---- what was said ----

  /** True where the entry is new: a message delivered twice is stored once. */
  putEntry(record: ChatEntryRecord): boolean {
    return this.transaction(() => {
      const { accountId, groupId, messageId, at, kind, target, unread, state, failureJson, timer, expiresAt } = record;
      const { changes } = this.#sql.run(
        `INSERT INTO chat_entries (account_id, group_id, message_id, at, kind, target, unread, state, failure, timer, expires_at, sealed)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
        accountId,
        groupId,
        messageId,
        at,
        kind,
        target ?? null,
        unread ? 1 : 0,
        state,
        failureJson ?? null,
        timer,
        expiresAt ?? null,
        sealEntry(this.#sealer, record),
      );
      if (changes === 1 && kind === 'message') this.#touch(accountId, groupId, at);
      return changes === 1;
    });
  }

  entry(accountId: string, groupId: string, messageId: string): ChatEntryRecord | undefined {
    const row = this.#sql.get(`SELECT * FROM chat_entries WHERE ${HERE} AND message_id = ?`, accountId, groupId, messageId);
    return row && entryOf(this.#sealer, row);
  }

  /** Messages, the newest first: the newest of all, or those before `before`. */
  messages(accountId: string, groupId: string, limit: number, before?: { at: number; messageId: string }): ChatEntryRecord[] {
    const order = "kind = 'message' ORDER BY at DESC, message_id DESC LIMIT ?";
    const rows = before
      ? this.#sql.all(
          `SELECT * FROM chat_entries WHERE ${HERE} AND (at, message_id) < (?, ?) AND ${order}`,
          accountId,
          groupId,
          before.at,
          before.messageId,
          limit,
        )
      : this.#sql.all(`SELECT * FROM chat_entries WHERE ${HERE} AND ${order}`, accountId, groupId, limit);
    return rows.map((row) => entryOf(this.#sealer, row));
  }

  /** Edits, deletions and reactions of one message. */
  actsOn(accountId: string, groupId: string, messageId: string): ChatEntryRecord[] {
    return this.#sql
      .all(`SELECT * FROM chat_entries WHERE ${HERE} AND target = ?`, accountId, groupId, messageId)
      .map((row) => entryOf(this.#sealer, row));
  }

  setState(accountId: string, messageId: string, state: ChatEntryState, failureJson?: string): readonly string[] {
    const sql = 'UPDATE chat_entries SET state = ?, failure = ? WHERE account_id = ? AND message_id = ?';
    if (this.#sql.run(sql, state, failureJson ?? null, accountId, messageId).changes === 0) return [];
    const where = 'SELECT DISTINCT group_id FROM chat_entries WHERE account_id = ? AND message_id = ?';
    return this.#sql.all(where, accountId, messageId).map((row) => row.text('group_id'));
  }

  /** Own entries that were sealed and have not left yet, the oldest first; what they say is not needed. */
  unsent(accountId: string): { messageId: string; failureJson: string | undefined }[] {
    const sql = `SELECT message_id, failure FROM chat_entries WHERE account_id = ? AND state IN ('queued', 'failed')
      AND message_id NOT IN (SELECT message_id FROM chat_unsent WHERE account_id = ?) ORDER BY id`;
    return this.#sql.all(sql, accountId, accountId).map((row) => ({
      messageId: row.text('message_id'),
      failureJson: row.has('failure') ? row.text('failure') : undefined,
    }));
  }

  /** An own entry that was queued is sealed now. Joins the caller's transaction. */
  replaceEntry(record: ChatEntryRecord): void {
    const { accountId, groupId, messageId, state, timer, expiresAt } = record;
    this.#sql.run(
      `UPDATE chat_entries SET state = ?, failure = NULL, timer = ?, expires_at = ?, sealed = ? WHERE ${HERE} AND message_id = ?`,
      state,
      timer,
      expiresAt ?? null,
      sealEntry(this.#sealer, record),
      accountId,
      groupId,
      messageId,
    );
  }

  /** Removes a message and whatever was said about it. */
  remove(accountId: string, groupId: string, messageId: string): void {
    this.#sql.run(`DELETE FROM chat_entries WHERE ${HERE} AND (message_id = ? OR target = ?)`, accountId, groupId, messageId, messageId);
  }

  /** Empties a message that its author took back, files included. */
  empty(record: ChatEntryRecord): void {
    const { accountId, groupId, messageId, content } = record;
    const emptied = { ...record, content: { ...content, text: '', files: [], envelopeId: undefined } };
    this.#sql.run(
      `UPDATE chat_entries SET sealed = ?, unread = 0 WHERE ${HERE} AND message_id = ?`,
      sealEntry(this.#sealer, emptied),
      accountId,
      groupId,
      messageId,
    );
  }

  countUnread(accountId: string, groupId: string): number {
    return this.#sql.get(`SELECT count(*) AS n FROM chat_entries WHERE ${HERE} AND unread = 1`, accountId, groupId)!.integer('n');
  }

  /** Marks these as read, and starts the timers of those that disappear. */
  markReadEach(accountId: string, groupId: string, messageIds: readonly string[], now: number): void {
    const sql = `UPDATE chat_entries SET ${READ} WHERE ${HERE} AND unread = 1 AND message_id = ?`;
    this.transaction(() => messageIds.forEach((id) => this.#sql.run(sql, now, accountId, groupId, id)));
  }

  /** Changes of the group that were decided on and not sealed yet, in their order. */
  changes(accountId: string, groupId: string): ChatEntryRecord[] {
    const sql = `SELECT * FROM chat_entries WHERE ${HERE} AND kind = 'change' ORDER BY id`;
    return this.#sql.all(sql, accountId, groupId).map((row) => entryOf(this.#sealer, row));
  }

  /** Marks what came up to `at` as read, starts the timers of what disappears, and returns the Message-IDs that were unread. */
  markRead(accountId: string, groupId: string, at: number, now: number): string[] {
    return this.transaction(() => {
      const where = `${HERE} AND unread = 1 AND at <= ?`;
      const ids = this.#sql
        .all(`SELECT message_id FROM chat_entries WHERE ${where}`, accountId, groupId, at)
        .map((row) => row.text('message_id'));
      this.#sql.run(`UPDATE chat_entries SET ${READ} WHERE ${where}`, now, accountId, groupId, at);
      return ids;
    });
  }

  // ---- what disappears ----

  /** Removes what has expired; returns the chats that lost something and the envelopes that held it. */
  expire(now: number): { accountId: string; groupId: string; envelopeId: string | undefined }[] {
    return this.transaction(() => {
      const rows = this.#sql.all('SELECT * FROM chat_entries WHERE expires_at <= ?', now);
      const gone = rows.map((row) => {
        const { accountId, groupId, messageId } = {
          accountId: row.text('account_id'),
          groupId: row.text('group_id'),
          messageId: row.text('message_id'),
        };
        const envelopeId = this.#envelopeOf(row);
        this.#sql.run(
          `DELETE FROM chat_entries WHERE ${HERE} AND (message_id = ? OR target = ?)`,
          accountId,
          groupId,
          messageId,
          messageId,
        );
        return { accountId, groupId, envelopeId };
      });
      return gone;
    });
  }

  /** When the next entry expires; undefined where none does. */
  nextExpiry(): number | undefined {
    const row = this.#sql.get('SELECT min(expires_at) AS at FROM chat_entries WHERE expires_at IS NOT NULL');
    return row?.has('at') ? row.integer('at') : undefined;
  }

  /** Where the key is gone from the keyring the entry goes all the same. */
  #envelopeOf(row: Row): string | undefined {
    try {
      return entryOf(this.#sealer, row).content.envelopeId;
    } catch (error) {
      if (QuMailError.is(error, 'store.secret-missing') || QuMailError.is(error, 'store.corrupt')) return undefined;
      throw error;
    }
  }

  #touch(accountId: string, groupId: string, at: number): void {
    this.#sql.run(`UPDATE chats SET last_at = max(last_at, ?) WHERE ${HERE}`, at, accountId, groupId);
  }

  #chatOf(row: Row): ChatRecord {
    const accountId = row.text('account_id');
    const groupId = row.text('group_id');
    return {
      accountId,
      groupId,
      lastAt: row.integer('last_at'),
      receipts: row.oneOf('receipts', ['on', 'off']),
      draft: row.has('sealed_draft')
        ? this.#sealer.open('mail', 'chat-draft', place(accountId, groupId), row.blob('sealed_draft')).toString('utf8')
        : '',
    };
  }
}

function place(...parts: readonly string[]): string {
  return JSON.stringify(parts);
}
