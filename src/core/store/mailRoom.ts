import type { DatabaseSync } from 'node:sqlite';
import { inTransaction } from '../base/transaction.ts';
import { Bodies } from './bodies.ts';
import { foldLog } from './database.ts';
import { BODY } from './messageRow.ts';
import { Statements } from './statements.ts';

/** About how many free pages stay, for what comes next, and how many are given back in a step of a few milliseconds. */
const KEPT_PAGES = 512;
const PAGES_AT_ONCE = 256;
/** Rows that are gone through in a step. */
const WINDOW = 500;

/** Where the next step goes on. */
export interface EvictedFrom {
  readonly at: number;
  readonly id: number;
}

const TWIN_STORED = `EXISTS (SELECT 1 FROM messages t JOIN folders g ON g.id = t.folder_id
  WHERE t.gm_msgid = m.gm_msgid AND t.body_state = ${BODY.stored} AND g.account_id = f.account_id)`;
const EVICTED = `SELECT m.id, m.size, f.account_id, f.path, coalesce(m.internal_date, m.date) AS at, m.uid > 0 AND NOT ${TWIN_STORED} AS lacks
  FROM messages m INDEXED BY messages_evicted JOIN folders f ON f.id = m.folder_id
  WHERE m.body_state = ${BODY.evicted} AND (coalesce(m.internal_date, m.date), m.id) < (?, ?)
  ORDER BY coalesce(m.internal_date, m.date) DESC, m.id DESC LIMIT ${WINDOW}`;

/** Room on the disk: what mail.db takes, what goes when it is short, what comes again when there is more. Every call is one short transaction. */
export class MailRoom {
  readonly #db: DatabaseSync;
  readonly #sql: Statements;
  readonly #bodies: Bodies;

  constructor(deps: { db: DatabaseSync }) {
    this.#db = deps.db;
    this.#sql = new Statements(deps.db);
    this.#bodies = new Bodies(this.#sql);
  }

  /** Octets that mail.db takes, without pages that are free again. */
  usedOctets(): number {
    return (this.#pragma('page_count') - this.#pragma('freelist_count')) * this.#pragma('page_size');
  }

  /**
   * Lets go of the sources that were received longest ago, at most so many messages and about so many octets of them, except those that a person
   * read since `readSince`; returns how many messages, or parts of them, went: 0 once there are no more. What was indexed stays found.
   */
  evict(most: { readonly messages: number; readonly octets: number }, readSince: number): number {
    return inTransaction(this.#db, () => this.#bodies.evict(most, readSince));
  }

  /** Octets of the sources of these folders that are wanted and not here yet. */
  awaitedOctets(accountId: string, paths: ReadonlySet<string>): number {
    const sql = `SELECT coalesce(sum(m.size), 0) AS octets FROM messages m JOIN folders f ON f.id = m.folder_id
      WHERE f.account_id = ? AND f.path IN (SELECT value FROM json_each(?)) AND m.body_state = ${BODY.none} AND m.uid > 0`;
    return this.#sql.get(sql, accountId, JSON.stringify([...paths]))!.integer('octets');
  }

  /**
   * Has sources that went for want of room fetched again, the newest first, as long as they fit into `octets`: from then on they are wanted. Looks
   * at a few hundred at a time; `next` is where to go on, undefined at the end or once there is no more room.
   */
  wantAgain(
    accountId: string,
    paths: ReadonlySet<string>,
    room: { readonly octets: number; readonly largest: number },
    from: EvictedFrom = { at: Number.MAX_SAFE_INTEGER, id: Number.MAX_SAFE_INTEGER },
  ): { readonly octets: number; readonly next?: EvictedFrom } {
    return inTransaction(this.#db, () => {
      const rows = this.#sql.all(EVICTED, from.at, from.id);
      let octets = 0;
      for (const row of rows) {
        const size = row.integer('size');
        if (row.text('account_id') !== accountId || !paths.has(row.text('path')) || row.integer('lacks') === 0 || size > room.largest)
          continue;
        if (octets + size > room.octets) return { octets };
        octets += size;
        this.#sql.run(`UPDATE messages SET body_state = ${BODY.none} WHERE id = ?`, row.integer('id'));
      }
      const last = rows.length === WINDOW ? rows.at(-1) : undefined;
      return { octets, ...(last && { next: { at: last.integer('at'), id: last.integer('id') } }) };
    });
  }

  /** Gives some pages that are free again back to the disk. Files that were begun without `auto_vacuum` keep theirs, and use them for what comes. */
  giveBack(): 'more' | 'done' {
    const free = this.#pragma('freelist_count') - KEPT_PAGES;
    if (free <= 0 || this.#pragma('auto_vacuum') === 0) return 'done';
    this.#sql.all(`PRAGMA incremental_vacuum(${PAGES_AT_ONCE})`);
    if (free > PAGES_AT_ONCE) return 'more';
    foldLog(this.#db);
    return 'done';
  }

  #pragma(name: 'page_count' | 'freelist_count' | 'page_size' | 'auto_vacuum'): number {
    return this.#sql.get(`PRAGMA ${name}`)?.integer(name) ?? 0;
  }
}
