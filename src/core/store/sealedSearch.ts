import type { DatabaseSync } from 'node:sqlite';
import * as v from 'valibot';
import type { Disposable } from '../base/lifetime.ts';
import { named } from '../base/sqliteErrors.ts';
import type { SearchText } from '../mail/searchText.ts';
import { entryOf } from './searchIndex.ts';
import { HIDDEN } from './messageWriting.ts';
import { searchKey } from './searchKey.ts';
import { SEARCH_TABLE } from './searchSchema.ts';
import { Statements } from './statements.ts';

/** An opened message that is not in the index in memory yet. */
export interface UnindexedSealed {
  readonly id: number;
  readonly date: number;
  readonly accountId: string;
  readonly envelopeId: string;
}

export interface SealedContent {
  readonly text: SearchText;
  readonly attachments: boolean;
  /** What the inner headers tie it to. */
  readonly nodes: readonly string[];
}

const nodes = v.array(v.string());
/** Characters of a message kept for snippets. */
const KEPT_TEXT = 16 * 1024;

/**
 * The index of sealed mail: the same table as that of ordinary mail, in a database in memory that is attached to the connection of mail.db, so
 * that one query asks for words in one and flags in the other. Nothing of it is ever in a file: memory databases have none, and
 * temporary tables are kept in memory too (database.ts).
 */
export class SealedSearch implements Disposable {
  readonly #db: DatabaseSync;
  readonly #sql: Statements;
  #revision = 0;

  constructor(deps: { db: DatabaseSync }) {
    this.#db = deps.db;
    named(() =>
      this.#db.exec(`
        ATTACH ':memory:' AS sealed;
        CREATE VIRTUAL TABLE sealed.search USING ${SEARCH_TABLE};
        CREATE TABLE sealed.facts (message_id INTEGER PRIMARY KEY, key INTEGER NOT NULL, attachments INTEGER NOT NULL, refs TEXT NOT NULL, text TEXT NOT NULL) STRICT;
      `),
    );
    this.#sql = new Statements(deps.db);
  }

  /** Opened messages that are not in the index, the newest first. */
  missing(most: number): UnindexedSealed[] {
    const sql = `SELECT m.id, m.date, m.envelope_id, f.account_id FROM messages m JOIN folders f ON f.id = m.folder_id
      WHERE m.seal = 'opened' AND m.envelope_id IS NOT NULL AND m.hidden < ${HIDDEN.chatNew} AND m.id NOT IN (SELECT message_id FROM sealed.facts) ORDER BY m.id DESC LIMIT ?`;
    return this.#sql.all(sql, most).map((row) => ({
      id: row.integer('id'),
      date: row.integer('date'),
      accountId: row.text('account_id'),
      envelopeId: row.text('envelope_id'),
    }));
  }

  /** Adds a message; one without content is only remembered, so that it is not asked for again. Memory alone is written, so mail.db is not locked. */
  put(message: { readonly id: number; readonly date: number }, content: SealedContent | undefined): void {
    const key = searchKey(message);
    const { changes } = this.#sql.run(
      'INSERT OR IGNORE INTO sealed.facts (message_id, key, attachments, refs, text) VALUES (?, ?, ?, ?, ?)',
      message.id,
      key,
      content?.attachments === true ? 1 : 0,
      JSON.stringify(content?.nodes ?? []),
      content?.text.text.slice(0, KEPT_TEXT) ?? '',
    );
    if (changes === 0) return;
    this.#revision++;
    if (!content) return;
    const sql = 'INSERT INTO sealed.search (rowid, subject, sender, recipients, copies, body, files, list) VALUES (?, ?, ?, ?, ?, ?, ?, ?)';
    this.#sql.run(sql, key, ...entryOf(content.text));
  }

  /** Lets go of messages that are no longer there. */
  prune(): void {
    const gone = this.#sql.all(
      "SELECT message_id, key FROM sealed.facts WHERE message_id NOT IN (SELECT id FROM messages WHERE seal = 'opened')",
    );
    for (const row of gone) {
      this.#sql.run('DELETE FROM sealed.search WHERE rowid = ?', row.integer('key'));
      this.#sql.run('DELETE FROM sealed.facts WHERE message_id = ?', row.integer('message_id'));
    }
    if (gone.length > 0) this.#revision++;
  }

  /** Raised whenever a message came or went. */
  get revision(): number {
    return this.#revision;
  }

  /** What each message is tied to inside (mail/thread), with the account and thread of its row. */
  ties(): { readonly accountId: string; readonly threadId: number; readonly nodes: readonly string[] }[] {
    const sql = `SELECT f.account_id, m.thread_id, x.refs FROM sealed.facts x JOIN messages m ON m.id = x.message_id JOIN folders f ON f.id = m.folder_id
      WHERE x.refs <> '[]' AND m.thread_id IS NOT NULL`;
    return this.#sql.all(sql).map((row) => ({
      accountId: row.text('account_id'),
      threadId: row.integer('thread_id'),
      nodes: row.json('refs', nodes),
    }));
  }

  /** The text of a message for its snippet; undefined where it is not in the index. */
  textOf(messageId: number): string | undefined {
    return this.#sql.get('SELECT text FROM sealed.facts WHERE message_id = ?', messageId)?.text('text');
  }

  dispose(): void {
    if (this.#db.isOpen) this.#db.exec('DETACH sealed');
  }
}
