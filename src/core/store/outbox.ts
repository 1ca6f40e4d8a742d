import type { DatabaseSync } from 'node:sqlite';
import * as v from 'valibot';
import type { RecordSealer } from '../base/ports.ts';
import { SECURITY_LEVELS, type SecurityLevel } from '../base/types.ts';
import { inTransaction } from './database.ts';
import { type Row, Statements } from './statements.ts';

const OUTBOX_STATES = ['queued', 'sending', 'waiting', 'rejected', 'acceptance-unknown'] as const;
export type OutboxState = (typeof OUTBOX_STATES)[number];

/** What the list of the outbox needs: everything but the message. */
export interface OutboxSummary {
  readonly accountId: string;
  readonly rfcMessageId: string;
  readonly envelopeFrom: string;
  readonly envelopeTo: readonly string[];
  readonly subject: string;
  readonly level: SecurityLevel;
  readonly keyIds: readonly string[];
  readonly state: OutboxState;
  readonly failureJson?: string | undefined;
  /** All envelopes of one message share a group. */
  readonly groupId: string;
  readonly draftId?: string | undefined;
  readonly updatedAt: number;
}

export interface OutboxRecord extends OutboxSummary {
  /** The complete message: a retry sends these very bytes. */
  readonly mime: Buffer;
  /** What goes into Sent where it is not the same. */
  readonly sentCopy?: Buffer | undefined;
}

const addresses = v.array(v.string());
const SUMMARY = `id, account_id, rfc_message_id, envelope_from, envelope_to, level, key_ids, state, failure, group_id, draft_id, updated_at, sealed_subject`;

/** What waits for a mail server, durable until it answered 250. Message and subject are sealed at rest at every level. */
export class OutboxStore {
  readonly #db: DatabaseSync;
  readonly #sql: Statements;
  readonly #sealer: RecordSealer;

  constructor(deps: { db: DatabaseSync; sealer: RecordSealer }) {
    this.#db = deps.db;
    this.#sql = new Statements(deps.db);
    this.#sealer = deps.sealer;
  }

  /** Joins the caller's transaction, so that the ledger's USED is in the same commit. @throws QuMailError `account.missing`, `store.full` */
  add(record: OutboxRecord): number {
    return inTransaction(this.#db, () => {
      const { id } = this.#sql.run(
        `INSERT INTO outbox (account_id, rfc_message_id, envelope_from, envelope_to, level, key_ids, state, failure, group_id, draft_id, updated_at,
           sealed_subject, sealed_mime) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, x'', x'')`,
        record.accountId,
        record.rfcMessageId,
        record.envelopeFrom,
        JSON.stringify(record.envelopeTo),
        record.level,
        JSON.stringify(record.keyIds),
        record.state,
        record.failureJson ?? null,
        record.groupId,
        record.draftId ?? null,
        record.updatedAt,
      );
      // A sealed record names its row, and the row has no number before it exists.
      this.#sql.run(
        'UPDATE outbox SET sealed_subject = ?, sealed_mime = ?, sealed_copy = ? WHERE id = ?',
        this.#seal('outbox.subject', id, Buffer.from(record.subject, 'utf8')),
        this.#seal('outbox.mime', id, record.mime),
        record.sentCopy ? this.#seal('outbox.copy', id, record.sentCopy) : null,
        id,
      );
      return id;
    });
  }

  get(id: number): (OutboxRecord & { readonly id: number }) | undefined {
    const row = this.#sql.get('SELECT * FROM outbox WHERE id = ?', id);
    if (!row) return undefined;
    return {
      ...this.#summaryOf(row),
      mime: this.#sealer.open('mail', 'outbox.mime', String(id), row.blob('sealed_mime')),
      ...(row.has('sealed_copy') && { sentCopy: this.#sealer.open('mail', 'outbox.copy', String(id), row.blob('sealed_copy')) }),
    };
  }

  /** The oldest first, without the messages themselves. */
  list(): (OutboxSummary & { readonly id: number })[] {
    return this.#sql.all(`SELECT ${SUMMARY} FROM outbox ORDER BY id`).map((row) => this.#summaryOf(row));
  }

  /** Leaves `failure` empty where none is given. `sending` is remembered as this process's doing. */
  setState(id: number, state: OutboxState, failureJson?: string): void {
    const pid = state === 'sending' ? process.pid : null;
    this.#sql.run('UPDATE outbox SET state = ?, failure = ?, sender_pid = ? WHERE id = ?', state, failureJson ?? null, pid, id);
  }

  /** Takes an entry for sending, out of one of the states `from`: true for one caller only, whichever window it is in. */
  claim(id: number, from: readonly OutboxState[]): boolean {
    const sql =
      "UPDATE outbox SET state = 'sending', failure = NULL, sender_pid = ? WHERE id = ? AND state IN (SELECT value FROM json_each(?))";
    return this.#sql.run(sql, process.pid, id, JSON.stringify(from)).changes === 1;
  }

  /**
   * To be called once at start: what a process that is no longer there left in `sending` becomes `acceptance-unknown`, since
   * nobody knows how far it came. Returns how many. Entries that another living window is sending are left alone.
   */
  recover(): number {
    return inTransaction(this.#db, () => {
      const left = this.#sql.all("SELECT id, sender_pid FROM outbox WHERE state = 'sending'").filter((row) => {
        const pid = row.has('sender_pid') ? row.integer('sender_pid') : 0;
        return pid === process.pid || !isAlive(pid);
      });
      for (const row of left)
        this.setState(row.integer('id'), 'acceptance-unknown', JSON.stringify({ code: 'smtp.acceptance-unknown', details: {} }));
      return left.length;
    });
  }

  delete(id: number): void {
    this.#sql.run('DELETE FROM outbox WHERE id = ?', id);
  }

  #seal(type: string, id: number, bytes: Buffer): Buffer {
    return this.#sealer.seal('mail', type, String(id), bytes);
  }

  #summaryOf(row: Row): OutboxSummary & { readonly id: number } {
    const id = row.integer('id');
    return {
      id,
      accountId: row.text('account_id'),
      rfcMessageId: row.text('rfc_message_id'),
      envelopeFrom: row.text('envelope_from'),
      envelopeTo: row.json('envelope_to', addresses),
      subject: this.#sealer.open('mail', 'outbox.subject', String(id), row.blob('sealed_subject')).toString('utf8'),
      level: row.oneOf('level', SECURITY_LEVELS),
      keyIds: row.json('key_ids', addresses),
      state: row.oneOf('state', OUTBOX_STATES),
      ...(row.has('failure') && { failureJson: row.text('failure') }),
      groupId: row.text('group_id'),
      ...(row.has('draft_id') && { draftId: row.text('draft_id') }),
      updatedAt: row.integer('updated_at'),
    };
  }
}

/** Whether a process of this number runs; signal 0 only asks. One that may not be asked (EPERM) does. */
function isAlive(pid: number): boolean {
  if (pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
