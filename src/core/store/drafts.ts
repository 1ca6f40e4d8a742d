import type { DatabaseSync } from 'node:sqlite';
import * as v from 'valibot';
import { wipe } from '../base/bytes.ts';
import { QuMailError } from '../base/errors.ts';
import type { RecordSealer } from '../base/ports.ts';
import { SECURITY_LEVELS, type SecurityLevel } from '../base/types.ts';
import { inTransaction } from '../base/transaction.ts';
import { parseJson, type Row, Statements } from './statements.ts';

export interface DraftRecord {
  readonly id: string;
  readonly accountId: string;
  /** The whole document. */
  readonly text: string;
  /** Message-ID of what is answered, '' where nothing is. */
  readonly inReplyTo: string;
  readonly references: readonly string[];
  /** Row of the message that is answered or forwarded. */
  readonly sourceMessageId?: number;
  /** The level of a sealed original, below which its quote must not go out. */
  readonly minimumLevel?: SecurityLevel;
  /** What an open `Security:` line resolved to when the draft was first sent: from then on a promise like any other level. */
  readonly promisedLevel?: SecurityLevel;
  /** What of that original the draft started with. */
  readonly quoted?: { readonly subject: string; readonly text: string; readonly protection?: 'openpgp' };
  readonly updatedAt: number;
}

/** What of a draft is sealed. */
export const DraftContentSchema = v.object({
  text: v.string(),
  inReplyTo: v.string(),
  references: v.array(v.string()),
  sourceMessageId: v.optional(v.number()),
  minimumLevel: v.optional(v.picklist(SECURITY_LEVELS)),
  promisedLevel: v.optional(v.picklist(SECURITY_LEVELS)),
  quoted: v.optional(v.object({ subject: v.string(), text: v.string(), protection: v.exactOptional(v.literal('openpgp')) })),
});
type Content = v.InferOutput<typeof DraftContentSchema>;
const TYPE = 'draft';

/** Drafts, sealed at rest whatever level they will be sent at. */
export class DraftStore {
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

  /** @throws QuMailError `account.missing` */
  create(record: DraftRecord): void {
    const { id, accountId, updatedAt, ...content } = record;
    inTransaction(this.#db, () => {
      const sealed = this.#seal(id, { ...content, references: [...content.references] });
      this.#sql.run('INSERT INTO drafts (id, account_id, updated_at, sealed) VALUES (?, ?, ?, ?)', id, accountId, updatedAt, sealed);
    });
  }

  get(id: string): DraftRecord | undefined {
    const row = this.#sql.get('SELECT * FROM drafts WHERE id = ? AND discarded_at IS NULL', id);
    return row && this.#draftOf(row);
  }

  /** Whether there is one of this id, also one that was discarded or can no longer be read. */
  has(id: string): boolean {
    return this.#sql.get('SELECT 1 FROM drafts WHERE id = ?', id) !== undefined;
  }

  /** The latest first. A draft whose key is gone from the secret store is left out: it can no longer be read by anyone. */
  list(): DraftRecord[] {
    return this.#sql
      .all('SELECT * FROM drafts WHERE discarded_at IS NULL ORDER BY updated_at DESC, id')
      .flatMap((row) => this.#readable(row));
  }

  /** Those that were discarded elsewhere, the latest first. */
  discarded(): DraftRecord[] {
    return this.#sql
      .all('SELECT * FROM drafts WHERE discarded_at IS NOT NULL ORDER BY discarded_at DESC, id')
      .flatMap((row) => this.#readable(row));
  }

  /** It was discarded elsewhere: from here on it is no draft any more, unless it is brought back. */
  discard(id: string, now: number): void {
    this.#sql.run('UPDATE drafts SET discarded_at = ? WHERE id = ?', now, id);
  }

  /** Does nothing where it was not discarded. */
  bringBack(id: string): void {
    this.#sql.run('UPDATE drafts SET discarded_at = NULL WHERE id = ? AND discarded_at IS NOT NULL', id);
  }

  eraseDiscarded(before: number): void {
    this.#sql.run('DELETE FROM drafts WHERE discarded_at < ?', before);
  }

  /** @throws QuMailError `draft.missing` */
  saveText(id: string, text: string, now: number): void {
    this.#change(id, { text }, now);
  }

  /** Remembers the level that the draft is being sent at although it names none. @throws QuMailError `draft.missing` */
  promise(id: string, level: SecurityLevel, now: number): void {
    this.#change(id, { promisedLevel: level }, now);
  }

  delete(id: string): void {
    this.#sql.run('DELETE FROM drafts WHERE id = ?', id);
  }

  #change(id: string, change: Partial<Content>, now: number): void {
    inTransaction(this.#db, () => {
      const draft = this.get(id);
      if (!draft) throw new QuMailError('draft.missing');
      const { id: _, accountId: __, updatedAt: ___, ...content } = draft;
      const sealed = this.#seal(id, { ...content, references: [...content.references], ...change });
      this.#sql.run('UPDATE drafts SET sealed = ?, updated_at = ? WHERE id = ?', sealed, now, id);
    });
  }

  #seal(id: string, content: Content): Buffer {
    const bytes = Buffer.from(JSON.stringify(content), 'utf8');
    try {
      return this.#sealer.seal('mail', TYPE, id, bytes);
    } finally {
      wipe(bytes);
    }
  }

  #readable(row: Row): DraftRecord[] {
    try {
      return [this.#draftOf(row)];
    } catch (error) {
      if (QuMailError.is(error, 'store.secret-missing')) return [];
      throw error;
    }
  }

  #draftOf(row: Row): DraftRecord {
    const id = row.text('id');
    const bytes = this.#sealer.open('mail', TYPE, id, row.blob('sealed'));
    const content = parseJson(DraftContentSchema, bytes.toString('utf8'), 'sealed');
    const { text, inReplyTo, references, sourceMessageId, minimumLevel, promisedLevel, quoted } = content;
    wipe(bytes);
    return {
      id,
      accountId: row.text('account_id'),
      text,
      inReplyTo,
      references,
      ...(sourceMessageId !== undefined && { sourceMessageId }),
      ...(minimumLevel !== undefined && { minimumLevel }),
      ...(promisedLevel !== undefined && { promisedLevel }),
      ...(quoted !== undefined && { quoted }),
      updatedAt: row.integer('updated_at'),
    };
  }
}
