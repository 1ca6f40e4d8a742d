import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import * as v from 'valibot';
import { QuMailError } from '../base/errors.ts';
import type { RecordSealer } from '../base/ports.ts';
import { SECURITY_LEVELS, type SecurityLevel } from '../base/types.ts';
import { inTransaction } from '../base/transaction.ts';
import { type Row, Statements } from './statements.ts';

/** `accepted`: the server has it, the copy in Sent is still to be filed. `filed`: kept while another envelope of the message is not settled. */
const OUTBOX_STATES = ['queued', 'held', 'scheduled', 'sending', 'waiting', 'rejected', 'acceptance-unknown', 'accepted', 'filed'] as const;
export type OutboxState = (typeof OUTBOX_STATES)[number];

/** States from which an entry can be taken back: certainly nobody has it and nobody is sending it. */
export const WITHDRAWABLE = ['queued', 'held', 'scheduled', 'waiting'] as const satisfies readonly OutboxState[];

/** A process that has not been heard of for this long is gone, even where another one has its number now. */
const SILENT_MS = 10 * 60_000;

/** What the list of the outbox needs: everything but the message. Times are milliseconds since the epoch. */
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
  /** Held and scheduled entries are not sent before. */
  readonly notBefore?: number | undefined;
  /** When it is tried, looked for or filed next without being asked; undefined: never by itself. */
  readonly nextTry?: number | undefined;
}

export interface OutboxRecord extends OutboxSummary {
  /** The complete message: a retry sends these very bytes. */
  readonly mime: Buffer;
}

/** What the store adds to it. */
export interface OutboxFacts {
  readonly id: number;
  /** How often it was handed to a server. */
  readonly attempts: number;
  readonly firstTry?: number;
  /** Another process that lives is at it. */
  readonly elsewhere: boolean;
}

export type OutboxRow = OutboxSummary & OutboxFacts;

/** A change of state; what is not named is emptied. */
export interface OutboxChange {
  readonly state: OutboxState;
  readonly failureJson?: string | undefined;
  readonly nextTry?: number | undefined;
  readonly notBefore?: number | undefined;
  readonly now: number;
}

const strings = v.array(v.string());
const SUMMARY = `id, account_id, rfc_message_id, envelope_from, envelope_to, level, key_ids, state, failure, group_id, draft_id, updated_at, sealed_subject,
  attempts, not_before, next_try, first_try, sender_pid, sender_seen`;
const AMONG = 'state IN (SELECT value FROM json_each(?))';

/** What waits for a mail server, durable until it answered 250. Message and subject are sealed at rest at every level. */
export class OutboxStore {
  readonly #db: DatabaseSync;
  readonly #sql: Statements;
  readonly #sealer: RecordSealer;
  readonly #now: () => number;

  constructor(deps: { db: DatabaseSync; sealer: RecordSealer; now?: () => number }) {
    this.#db = deps.db;
    this.#sql = new Statements(deps.db);
    this.#sealer = deps.sealer;
    this.#now = deps.now ?? Date.now;
  }

  /** One commit around several changes, shared with every store of the same file. */
  transaction<T>(run: () => T): T {
    return inTransaction(this.#db, run);
  }

  /**
   * Joins the caller's transaction, so that the ledger's USED is in the same commit. What is `queued` belongs to this process until it
   * ends, so that no other window sends it in between. @throws QuMailError `account.missing`, `store.full`
   */
  add(record: OutboxRecord): number {
    return inTransaction(this.#db, () => {
      const { id } = this.#sql.run(
        `INSERT INTO outbox (account_id, rfc_message_id, envelope_from, envelope_to, level, key_ids, state, failure, group_id, draft_id, updated_at,
           not_before, next_try, sender_pid, sender_seen, sealed_subject, sealed_mime)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, x'', x'')`,
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
        record.notBefore ?? null,
        record.nextTry ?? null,
        record.state === 'queued' ? process.pid : null,
        record.updatedAt,
      );
      // A sealed record names its row, and the row has no number before it exists.
      this.#sql.run(
        'UPDATE outbox SET sealed_subject = ?, sealed_mime = ? WHERE id = ?',
        this.#seal('outbox.subject', id, Buffer.from(record.subject, 'utf8')),
        this.#seal('outbox.mime', id, record.mime),
        id,
      );
      return id;
    });
  }

  get(id: number): (OutboxRow & Pick<OutboxRecord, 'mime'>) | undefined {
    const row = this.#sql.get('SELECT * FROM outbox WHERE id = ?', id);
    return row && { ...this.#rowOf(row), mime: this.#sealer.open('mail', 'outbox.mime', String(id), row.blob('sealed_mime')) };
  }

  /** The oldest first, without the messages themselves. What can no longer be read by anyone, its key being lost, is left out here and below. */
  list(): OutboxRow[] {
    return this.#list('ORDER BY id');
  }

  ofGroup(groupId: string): OutboxRow[] {
    return this.#list('WHERE group_id = ? ORDER BY id', groupId);
  }

  ofDraft(draftId: string): OutboxRow[] {
    return this.#list('WHERE draft_id = ? ORDER BY id', draftId);
  }

  /** Puts an entry into another state if it is in one of `from`; nobody is at it afterwards. True when it was. */
  change(id: number, from: readonly OutboxState[], to: OutboxChange): boolean {
    const sql = `UPDATE outbox SET state = ?, failure = ?, next_try = ?, not_before = ?, updated_at = ?, sender_pid = NULL WHERE id = ? AND ${AMONG}`;
    return this.#changed(sql, to.state, to.failureJson ?? null, to.nextTry ?? null, to.notBefore ?? null, to.now, id, JSON.stringify(from));
  }

  /** Takes an entry for sending, out of one of the states `from`: true for one caller only, whichever window it is in. */
  claim(id: number, from: readonly OutboxState[], now: number): boolean {
    const sql = `UPDATE outbox SET state = 'sending', failure = NULL, next_try = NULL, attempts = attempts + 1, first_try = coalesce(first_try, ?),
      updated_at = ?, sender_pid = ?, sender_seen = ? WHERE id = ? AND ${AMONG}`;
    return this.#changed(sql, now, now, process.pid, now, id, JSON.stringify(from));
  }

  /** Takes an accepted message for filing: one caller only, as with `claim`. `again` where another took it before and left it: its copy may be filed. */
  claimFiling(id: number, now: number): 'first' | 'again' | 'no' {
    return inTransaction(this.#db, () => {
      const row = this.#sql.get("SELECT state, sender_pid, sender_seen FROM outbox WHERE id = ? AND state = 'accepted'", id);
      if (!row || isElsewhere(row, now)) return 'no';
      this.#sql.run('UPDATE outbox SET sender_pid = ?, sender_seen = ? WHERE id = ?', process.pid, now, id);
      return row.has('sender_pid') ? 'again' : 'first';
    });
  }

  /** Says that this process still lives and is at what it took. */
  heartbeat(now: number): void {
    this.#sql.run('UPDATE outbox SET sender_seen = ? WHERE sender_pid = ?', now, process.pid);
  }

  /**
   * What a process that is no longer there left in `sending` becomes `acceptance-unknown`, since nobody knows how far it came. Returns how
   * many. Entries that another living window is sending are left alone.
   *
   * @param own what to think of entries this very process took: `left` by an engine before this one, or `under-way` in it
   */
  recover(own: 'left' | 'under-way', now: number): number {
    return inTransaction(this.#db, () => {
      const left = this.#sql.all("SELECT id, state, sender_pid, sender_seen FROM outbox WHERE state = 'sending'").filter((row) => {
        const mine = row.has('sender_pid') && row.integer('sender_pid') === process.pid;
        return mine ? own === 'left' : !isElsewhere(row, now);
      });
      const failureJson = JSON.stringify({ code: 'smtp.acceptance-unknown', details: {} });
      for (const row of left) this.change(row.integer('id'), ['sending'], { state: 'acceptance-unknown', failureJson, nextTry: now, now });
      return left.length;
    });
  }

  /** Erases an entry unless it is in another state than `from`; true when it did. */
  delete(id: number, from: readonly OutboxState[] = OUTBOX_STATES): boolean {
    return this.#changed(`DELETE FROM outbox WHERE id = ? AND ${AMONG}`, id, JSON.stringify(from));
  }

  #changed(sql: string, ...values: SQLInputValue[]): boolean {
    return this.#sql.run(sql, ...values).changes === 1;
  }

  #list(where: string, ...values: SQLInputValue[]): OutboxRow[] {
    return this.#sql.all(`SELECT ${SUMMARY} FROM outbox ${where}`, ...values).flatMap((row) => {
      try {
        return [this.#rowOf(row)];
      } catch (error) {
        if (QuMailError.is(error, 'store.secret-missing')) return [];
        throw error;
      }
    });
  }

  #seal(type: string, id: number, bytes: Buffer): Buffer {
    return this.#sealer.seal('mail', type, String(id), bytes);
  }

  #rowOf(row: Row): OutboxRow {
    const id = row.integer('id');
    return {
      id,
      accountId: row.text('account_id'),
      rfcMessageId: row.text('rfc_message_id'),
      envelopeFrom: row.text('envelope_from'),
      envelopeTo: row.json('envelope_to', strings),
      subject: this.#sealer.open('mail', 'outbox.subject', String(id), row.blob('sealed_subject')).toString('utf8'),
      level: row.oneOf('level', SECURITY_LEVELS),
      keyIds: row.json('key_ids', strings),
      state: row.oneOf('state', OUTBOX_STATES),
      ...(row.has('failure') && { failureJson: row.text('failure') }),
      groupId: row.text('group_id'),
      ...(row.has('draft_id') && { draftId: row.text('draft_id') }),
      updatedAt: row.integer('updated_at'),
      attempts: row.integer('attempts'),
      ...(row.has('not_before') && { notBefore: row.integer('not_before') }),
      ...(row.has('next_try') && { nextTry: row.integer('next_try') }),
      ...(row.has('first_try') && { firstTry: row.integer('first_try') }),
      elsewhere: isElsewhere(row, this.#now()),
    };
  }
}

/** Whether another living process is at the entry. */
function isElsewhere(row: Row, now: number): boolean {
  if (!row.has('sender_pid') || row.integer('sender_pid') === process.pid) return false;
  const silent = row.has('sender_seen') && now - row.integer('sender_seen') > SILENT_MS;
  return !silent && isAlive(row.integer('sender_pid'));
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
