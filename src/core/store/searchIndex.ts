import type { DatabaseSync } from 'node:sqlite';
import * as v from 'valibot';
import type { BodyIndexer, IndexedMessage } from '../base/ports.ts';
import { inTransaction } from '../base/transaction.ts';
import { searchTextOf, type SearchText } from '../mail/searchText.ts';
import { segmentText } from '../mail/segment.ts';
import { Bodies } from './bodies.ts';
import { INDEXED } from './messageRow.ts';
import { searchKey } from './searchKey.ts';
import { Statements, type Row } from './statements.ts';

/**
 * Every commit leaves a segment, and FTS5 takes no more than 2000; a step of joining them takes the longer the more there are. Where no more are
 * expected than this, mail is stored first and they are joined in quiet times; else they are joined along, a few at a time.
 */
const JOINED_LATER = 1400;
const FEW = 64;
/** Pages that are joined in a step: as many as take so long. But 1000 segments cost a step 80 ms by being there, which many small steps would pay. */
const PAGES = { least: 64, most: 1024 };
const STEP_MS = { least: 12, most: 25 };
const COMMITS_PER_PAGE = 4;

const address = v.object({ name: v.string(), address: v.string() });
const addresses = v.array(address);

/** Sources that are read into memory at once to be indexed afterwards, in octets; and of one. */
const MAX_BATCH_OCTETS = 4 * 1024 * 1024;
const MAX_SOURCE = 64 * 1024 * 1024;

/** The columns of an index entry, in the order of SEARCH_TABLE. */
export function entryOf(text: SearchText): string[] {
  const { subject, from, to, cc, text: body, fileNames, list } = text;
  return [subject, from, to, cc, body, fileNames, list].map(segmentText);
}

/**
 * The full-text index of ordinary mail, in mail.db. Bodies come with the transaction that stores them; of messages without a body, and of sealed ones,
 * what stands in the row is indexed when there is time (`catchUp`). Entries of deleted messages go with their rows, by a trigger.
 */
export class SearchIndex implements BodyIndexer {
  readonly #db: DatabaseSync;
  readonly #sql: Statements;
  readonly #bodies: Bodies;
  /** Since the index was tidy, and the messages that came after the first FEW, which are small. */
  #commits = 0;
  #messages = 0;
  /** Messages since the last step of tidying. */
  #untidied = 0;
  #pages = PAGES.least;

  constructor(deps: { db: DatabaseSync }) {
    this.#db = deps.db;
    this.#sql = new Statements(deps.db);
    this.#bodies = new Bodies(this.#sql);
  }

  /** Indexes bodies; joins the caller's transaction. Messages that are gone, sealed or indexed already are passed over. */
  index(batch: readonly IndexedMessage[]): void {
    inTransaction(this.#db, () => {
      const entries = batch.flatMap((message) => {
        const { messageId: id, newRowOf } = message;
        if (newRowOf !== undefined) return [{ ...message, id, key: searchKey({ id, date: newRowOf }), state: INDEXED.body }];
        const row = this.#sql.get("SELECT date, indexed FROM messages WHERE id = ? AND seal = 'plain'", id);
        const state = row?.integer('indexed');
        if (!row || state === INDEXED.body) return [];
        return [{ ...message, id, key: searchKey({ id, date: row.integer('date') }), state }];
      });
      // In order of their keys: a lower one than the last makes FTS5 write what it gathered.
      for (const { id, key, raw, state } of entries.sort((a, b) => a.key - b.key)) {
        if (state === INDEXED.header) this.#remove(key);
        this.#insert(key, entryOf(textOf(raw)));
        if (state !== INDEXED.body) this.#mark(id, INDEXED.body);
      }
      this.#commits++;
      if (this.#commits > FEW) this.#messages += entries.length;
      this.#untidied += entries.length;
    });
  }

  /** Between two commits of a mailbox that is filled, in which so many messages are to come. One page for each message keeps pace. */
  keepUp(toCome: number): void {
    if (this.#commits <= 2 * FEW || this.#untidied < PAGES.least) return;
    // Large messages come a few at a time, small ones by the hundred.
    const ofACommit = Math.max(1, this.#messages) / (this.#commits - FEW);
    if (this.#commits + toCome / ofACommit <= JOINED_LATER) return;
    this.#join(Math.min(this.#untidied, 2 * PAGES.least));
    this.#untidied = 0;
  }

  /** Joins some of what many small commits left in the index. */
  tidy(): 'more' | 'done' {
    const began = performance.now();
    const left = this.#join(this.#pages);
    const took = performance.now() - began;
    if (took < STEP_MS.least) this.#pages = Math.min(this.#pages * 2, PAGES.most);
    if (took > STEP_MS.most) this.#pages >>= 1;
    this.#pages = Math.max(this.#pages, PAGES.least, Math.ceil(this.#commits / COMMITS_PER_PAGE));
    if (left === 'done') [this.#commits, this.#messages] = [0, 0];
    return left;
  }

  #join(pages: number): 'more' | 'done' {
    const changes = (): number => this.#sql.get('SELECT total_changes() AS n')!.integer('n');
    const before = changes();
    this.#sql.run("INSERT INTO main.search (search, rank) VALUES ('merge', ?)", pages);
    // What FTS5 documents as the sign that nothing was left to do.
    return changes() - before < 2 ? 'done' : 'more';
  }

  forget(messageIds: readonly number[]): void {
    inTransaction(this.#db, () => {
      for (const id of messageIds) {
        const row = this.#sql.get('SELECT date FROM messages WHERE id = ? AND indexed <> 0', id);
        if (!row) continue;
        this.#remove(searchKey({ id, date: row.integer('date') }));
        this.#mark(id, INDEXED.not);
      }
    });
  }

  /** Indexes at most `most` messages that are not as they could be, newest first: bodies that lie here, else headers. Returns how many it did. */
  catchUp(most: number): number {
    const waiting = this.#sql.all(
      `SELECT m.id, length(b.raw) + coalesce((SELECT sum(length(raw)) FROM body_parts WHERE message_id = m.id), 0) AS octets FROM messages m JOIN bodies b ON b.message_id = m.id
       WHERE m.body_state = 1 AND m.indexed <> 1 AND m.seal = 'plain' ORDER BY m.id DESC LIMIT ?`,
      most,
    );
    const batch: { messageId: number; raw: Buffer }[] = [];
    for (let octets = 0; batch.length < waiting.length && (octets < MAX_BATCH_OCTETS || batch.length === 0);) {
      const row = waiting[batch.length]!;
      octets += row.integer('octets');
      batch.push({ messageId: row.integer('id'), raw: this.beginningOf(row.integer('id'), MAX_SOURCE)! });
    }
    if (batch.length > 0) this.index(batch);
    return batch.length > 0 ? batch.length : this.#indexHeaders(most);
  }

  /** The beginning of a stored source, at most `octets` of it. */
  beginningOf(messageId: number, octets: number): Buffer | undefined {
    return this.#bodies.beginningOf(messageId, octets);
  }

  #indexHeaders(most: number): number {
    if (!this.#sql.get('SELECT 1 AS one FROM messages WHERE indexed = 0 LIMIT 1')) return 0;
    return inTransaction(this.#db, () => {
      const sql = `SELECT m.id, m.date, m.from_address, m.to_addresses, m.subject, m.seal, m.gm_msgid, f.account_id FROM messages m
        JOIN folders f ON f.id = m.folder_id WHERE m.indexed = 0 ORDER BY m.id DESC LIMIT ?`;
      const rows = this.#sql.all(sql, most).map((row) => ({ row, id: row.integer('id'), date: row.integer('date') }));
      for (const { row, id, date } of rows.sort((a, b) => searchKey(a) - searchKey(b))) {
        const twin = this.#twinBody(row);
        if (twin) {
          this.#insert(searchKey({ id, date }), entryOf(textOf(twin)));
          this.#mark(id, INDEXED.body);
          continue;
        }
        const from = [row.json('from_address', address)];
        const to = row.json('to_addresses', addresses);
        // What stands outside a sealed message as its subject is the same for all of them, or somebody's invention.
        const subject = row.text('seal') === 'plain' ? row.text('subject') : '';
        this.#insert(searchKey({ id, date }), entryOf({ ...NOTHING, subject, from: written(from), to: written(to) }));
        this.#mark(id, INDEXED.header);
      }
      return rows.length;
    });
  }

  /** Of a Gmail message in several folders the source is kept once; each of its rows is found by it. */
  #twinBody(row: Row): Buffer | undefined {
    if (!row.has('gm_msgid') || row.text('seal') !== 'plain') return undefined;
    const sql = `SELECT t.id FROM messages t JOIN folders g ON g.id = t.folder_id
      WHERE t.gm_msgid = ? AND g.account_id = ? AND t.body_state = 1 AND t.seal = 'plain' LIMIT 1`;
    const twin = this.#sql.get(sql, row.text('gm_msgid'), row.text('account_id'));
    return twin && this.beginningOf(twin.integer('id'), MAX_SOURCE);
  }

  #insert(key: number, entry: readonly string[]): void {
    const sql = 'INSERT INTO main.search (rowid, subject, sender, recipients, copies, body, files, list) VALUES (?, ?, ?, ?, ?, ?, ?, ?)';
    this.#sql.run(sql, key, ...entry);
  }

  #remove(key: number): void {
    this.#sql.run('DELETE FROM main.search WHERE rowid = ?', key);
  }

  #mark(id: number, indexed: number): void {
    this.#sql.run('UPDATE messages SET indexed = ? WHERE id = ?', indexed, id);
  }
}

const NOTHING: SearchText = { subject: '', from: '', to: '', cc: '', fileNames: '', list: '', text: '' };

function written(people: v.InferOutput<typeof addresses>): string {
  return people.map((person) => `${person.name} ${person.address}`).join('\n');
}

/** One message that cannot be read must not keep the others out of the index: it is found by nothing. */
function textOf(raw: Buffer): SearchText {
  try {
    return searchTextOf(raw);
  } catch {
    return searchTextOf(Buffer.alloc(0));
  }
}
