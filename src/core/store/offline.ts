import type { DatabaseSync } from 'node:sqlite';
import type { FolderSyncChoice } from '../base/sync.ts';
import type { BodyIndexer, IndexedMessage } from '../base/ports.ts';
import type { MailFlag } from '../base/types.ts';
import { inTransaction } from '../base/transaction.ts';
import { Bodies, PART_OCTETS } from './bodies.ts';
import { foldAutomatically, foldLog } from './database.ts';
import { FillingStore } from './filling.ts';
import type { FolderChoices } from './folderChoices.ts';
import { GmailTwins } from './gmailTwins.ts';
import { MailRoom } from './mailRoom.ts';
import { BODY, flagBits, INDEXED, type GmailIds, type NewMessage } from './messageRow.ts';
import { insertMessages, raiseRevision, renew, ROWS_AT_ONCE } from './messageWriting.ts';
import { Statements, type Row } from './statements.ts';

/** To what extent every message below `uid` of a folder was taken in. */
export interface Filled {
  readonly as: 'all' | 'headers';
  readonly uid: number;
}

export interface SourcedMessage extends NewMessage {
  readonly raw: Buffer;
}

const ACCOUNT_STATES = ['connecting', 'online', 'offline', 'needs-sign-in'] as const;

/** What the window that syncs an account tells the others. */
export interface SharedState {
  readonly state: (typeof ACCOUNT_STATES)[number];
  readonly failureJson?: string;
  readonly lastSync?: number;
  /** Octets on the server. */
  readonly quota?: { readonly used: number; readonly limit: number };
}

/** Octets of sources that come to about the pages after which SQLite folds the log by itself. */
const FOLDED_AT = 640 * 1024;

const FOLDER = '(SELECT id FROM folders WHERE account_id = ? AND path = ?)';

/** What filling the offline copy needs of mail.db: what is missing, batches of sources; beside it how filling goes and the room on the disk. Every call is one transaction. */
export class OfflineStore {
  readonly filling: FillingStore;
  readonly room: MailRoom;
  readonly #db: DatabaseSync;
  readonly #sql: Statements;
  readonly #bodies: Bodies;
  readonly #twins: GmailTwins;
  readonly #indexer: BodyIndexer | undefined;
  readonly #choices: Pick<FolderChoices, 'list'> | undefined;
  /** Octets of sources since the log was folded. */
  #unfolded = 0;

  constructor(deps: { db: DatabaseSync; indexer?: BodyIndexer; choices?: Pick<FolderChoices, 'list'> }) {
    this.#db = deps.db;
    this.filling = new FillingStore(deps.db);
    this.room = new MailRoom(deps);
    this.#sql = new Statements(deps.db);
    this.#bodies = new Bodies(this.#sql);
    this.#twins = new GmailTwins(this.#sql, this.#bodies);
    this.#indexer = deps.indexer;
    this.#choices = deps.choices;
  }

  /** How much of its folders a person wants to be kept; it lies in the vault. */
  choices(accountId: string): ReadonlyMap<string, FolderSyncChoice> {
    return this.#choices?.list(accountId) ?? new Map();
  }

  filled(accountId: string, path: string): Filled | undefined {
    const row = this.#sql.get('SELECT filled, filled_uid FROM folders WHERE account_id = ? AND path = ?', accountId, path);
    if (!row?.has('filled') || !row.has('filled_uid')) return undefined;
    return { as: row.oneOf('filled', ['all', 'headers']), uid: row.integer('filled_uid') };
  }

  /** Only while the folder's UIDs still mean the same. */
  setFilled(accountId: string, path: string, uidValidity: number, filled: Filled): void {
    const sql = 'UPDATE folders SET filled = ?, filled_uid = ? WHERE account_id = ? AND path = ? AND uid_validity = ?';
    this.#sql.run(sql, filled.as, filled.uid, accountId, path, uidValidity);
  }

  /** UIDs that are known and need nothing more at this extent. */
  settledUids(accountId: string, path: string, as: 'all' | 'headers'): Set<number> {
    const sql = `SELECT uid FROM messages WHERE folder_id = ${FOLDER} AND (? = 'headers' OR body_state <> ${BODY.none})`;
    return new Set(this.#sql.all(sql, accountId, path, as).map((row) => row.integer('uid')));
  }

  /** UIDs of known messages whose source is wanted and not here, the newest first. */
  bodilessUids(accountId: string, path: string, limit: number): number[] {
    const sql = `SELECT uid FROM messages WHERE folder_id = ${FOLDER} AND body_state = ${BODY.none} AND uid > 0 ORDER BY uid DESC LIMIT ?`;
    return this.#sql.all(sql, accountId, path, limit).map((row) => row.integer('uid'));
  }

  /**
   * Takes in messages with their sources, and has those indexed that are not sealed. Nothing happens where the folder's UIDs mean other
   * messages meanwhile, or its account is gone: `stale`. A message that is known keeps its row and gets its source.
   */
  storeSources(accountId: string, path: string, uidValidity: number, batch: Iterable<SourcedMessage>): 'stored' | 'stale' {
    return this.#withoutFolding(() => {
      const folder = this.#folder(accountId, path, uidValidity);
      if (folder === undefined) return 'stale';
      const indexed: IndexedMessage[] = [];
      // A new row says from the beginning that it is indexed: its entry comes with this transaction.
      const indexedAs = ({ seal }: SourcedMessage): number => (this.#indexer && seal === 'plain' ? INDEXED.body : INDEXED.not);
      for (const some of inTurn(batch, ROWS_AT_ONCE)) {
        const ids = insertMessages(this.#sql, folder, some, BODY.stored, indexedAs);
        for (const [at, message] of some.entries()) indexed.push(...this.#keepSource(folder, message, ids[at]));
      }
      raiseRevision(this.#sql, folder);
      if (indexed.length > 0) this.#indexer?.index(indexed);
      return 'stored';
    });
  }

  /**
   * Takes in a part of a source that is long, before `storeSources` takes in the message: its `part`th after the beginning. `gone` where the
   * message is not known, or no longer, or its source is here.
   */
  storePart(
    accountId: string,
    path: string,
    uidValidity: number,
    { uid, raw }: { uid: number; raw: Buffer },
    part: number,
  ): 'stored' | 'gone' {
    return this.#withoutFolding(() => {
      const folder = this.#folder(accountId, path, uidValidity);
      const sql = `SELECT id FROM messages WHERE folder_id = ? AND uid = ? AND body_state <> ${BODY.stored}`;
      const id = folder === undefined ? undefined : this.#sql.get(sql, folder, uid)?.integer('id');
      if (id === undefined) return 'gone';
      this.#unfolded += PART_OCTETS;
      this.#bodies.addPart(id, part, raw);
      return 'stored';
    });
  }

  /** Between two batches of a folder that is filled, in which so many messages are to come: what is stored is brought into order, a little at a time. */
  keepUp(toCome: number): void {
    this.#indexer?.keepUp?.(toCome);
    if (this.#unfolded < FOLDED_AT) return;
    this.#unfolded = 0;
    foldLog(this.#db);
  }

  /** A transaction that leaves it to `keepUp` to fold the log: either alone takes as long as a request should wait. */
  #withoutFolding<T>(run: () => T): T {
    foldAutomatically(this.#db, 'seldom');
    try {
      return inTransaction(this.#db, run);
    } finally {
      foldAutomatically(this.#db, 'often');
    }
  }

  /** Keeps the source of a message whose row is new, or of one that was listed before, unless it is here; returns what is to be indexed. */
  #keepSource(folder: number, message: SourcedMessage, inserted: number | undefined): IndexedMessage[] {
    const { raw } = message;
    this.#unfolded += raw.length;
    if (inserted !== undefined) {
      this.#bodies.add(inserted, raw);
      return message.seal === 'plain' ? [{ messageId: inserted, raw, newRowOf: message.date }] : [];
    }
    const known = this.#takeBody(folder, message);
    if (!known) return [];
    const messageId = known.integer('id');
    this.#bodies.finish(messageId, raw);
    return known.text('seal') === 'plain' ? [{ messageId, raw }] : [];
  }

  /** The row of a message that was listed before; undefined where its source is here already. */
  #takeBody(folder: number, { uid, flags, hasAttachments }: SourcedMessage): Row | undefined {
    return this.#sql.get(
      `UPDATE messages SET body_state = ${BODY.stored}, flags = ?, has_attachments = ?
       WHERE folder_id = ? AND uid = ? AND body_state <> ${BODY.stored} RETURNING id, seal`,
      flagBits(flags),
      hasAttachments ? 1 : 0,
      folder,
      uid,
    );
  }

  /** Adds rows without sources, with the reason: too large to be kept, damaged, or left out for want of room. */
  storeHeaders(accountId: string, path: string, uidValidity: number, batch: readonly NewMessage[], bodyState: number): 'stored' | 'stale' {
    return inTransaction(this.#db, () => {
      const folder = this.#folder(accountId, path, uidValidity);
      if (folder === undefined) return 'stale';
      const ids = insertMessages(this.#sql, folder, batch, bodyState);
      for (const [at, message] of batch.entries()) {
        if (ids[at] !== undefined) continue;
        renew(this.#sql, folder, message);
        this.#mark(folder, message.uid, bodyState);
      }
      if (batch.length > 0) raiseRevision(this.#sql, folder);
      return 'stored';
    });
  }

  /** Notes of known messages why their source is not here, where nothing was noted yet. */
  markBodies(accountId: string, path: string, uids: readonly number[], bodyState: number): void {
    if (uids.length === 0) return;
    inTransaction(this.#db, () => {
      const sql = `UPDATE messages SET body_state = ? WHERE folder_id = ${FOLDER} AND uid = ? AND body_state = ${BODY.none}`;
      for (const uid of uids) this.#sql.run(sql, bodyState, accountId, path, uid);
    });
  }

  /** Of these Gmail messages, those whose source is here already from another folder: each gets a row of its own that shares it. Returns their UIDs. */
  storeTwins(
    accountId: string,
    path: string,
    uidValidity: number,
    facts: readonly { uid: number; flags: readonly MailFlag[]; gmail?: GmailIds }[],
  ): number[] {
    return inTransaction(this.#db, () => {
      const folder = this.#folder(accountId, path, uidValidity);
      if (folder === undefined) return [];
      const twins = facts.filter((told) => this.#twins.share(accountId, folder, told)).map(({ uid }) => uid);
      if (twins.length > 0) raiseRevision(this.#sql, folder);
      return twins;
    });
  }

  /** How the window that syncs an account says it is doing; undefined where none ever said. */
  state(accountId: string): SharedState | undefined {
    const row = this.#sql.get('SELECT * FROM sync_state WHERE account_id = ?', accountId);
    if (!row) return undefined;
    return {
      state: row.oneOf('state', ACCOUNT_STATES),
      ...(row.has('failure') && { failureJson: row.text('failure') }),
      ...(row.has('last_sync') && { lastSync: row.integer('last_sync') }),
      ...(row.has('quota_used') &&
        row.has('quota_limit') && { quota: { used: row.integer('quota_used'), limit: row.integer('quota_limit') } }),
    };
  }

  setState(accountId: string, { state, failureJson, lastSync, quota }: SharedState): void {
    this.#sql.run(
      `INSERT INTO sync_state (account_id, state, failure, last_sync, quota_used, quota_limit) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT (account_id) DO UPDATE SET state = excluded.state, failure = excluded.failure,
         last_sync = coalesce(excluded.last_sync, last_sync), quota_used = coalesce(excluded.quota_used, quota_used),
         quota_limit = coalesce(excluded.quota_limit, quota_limit)`,
      accountId,
      state,
      failureJson ?? null,
      lastSync ?? null,
      quota?.used ?? null,
      quota?.limit ?? null,
    );
  }

  /** What tells messages of a folder from one another: the `most` that follow UID `after`. */
  identities(accountId: string, path: string, after: number, most: number): { uid: number; rfcMessageId: string; size: number }[] {
    const sql = `SELECT uid, rfc_message_id, size FROM messages WHERE folder_id = ${FOLDER} AND uid > ? ORDER BY uid LIMIT ?`;
    const rows = this.#sql.all(sql, accountId, path, after, most);
    return rows.map((row) => ({ uid: row.integer('uid'), rfcMessageId: row.text('rfc_message_id'), size: row.integer('size') }));
  }

  /** Messages known of each folder, how many with their source, and how many that came sealed. */
  counts(accountId: string): ReadonlyMap<string, { known: number; stored: number; sealed: number }> {
    const rows = this.#sql.all(
      `SELECT f.path, (SELECT count(*) FROM messages m WHERE m.folder_id = f.id AND m.seal <> 'plain') AS sealed, (SELECT count(*) FROM messages m WHERE m.folder_id = f.id) AS known,
         (SELECT count(*) FROM messages m WHERE m.folder_id = f.id AND m.body_state = ${BODY.stored}) AS stored FROM folders f WHERE f.account_id = ?`,
      accountId,
    );
    const numbers = (row: Row) => ({ known: row.integer('known'), stored: row.integer('stored'), sealed: row.integer('sealed') });
    return new Map(rows.map((row) => [row.text('path'), numbers(row)]));
  }

  #folder(accountId: string, path: string, uidValidity: number): number | undefined {
    const sql = 'SELECT id FROM folders WHERE account_id = ? AND path = ? AND uid_validity = ?';
    return this.#sql.get(sql, accountId, path, uidValidity)?.integer('id');
  }

  #mark(folder: number, uid: number, bodyState: number): void {
    const sql = `UPDATE messages SET body_state = ? WHERE folder_id = ? AND uid = ? AND body_state <> ${BODY.stored}`;
    this.#sql.run(sql, bodyState, folder, uid);
  }
}

/** A few at a time, the next not made before those are done with. */
function* inTurn<T>(all: Iterable<T>, few: number): Generator<T[]> {
  let some: T[] = [];
  for (const each of all) {
    some.push(each);
    if (some.length < few) continue;
    yield some;
    some = [];
  }
  if (some.length > 0) yield some;
}
