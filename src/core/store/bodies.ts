import { BODY } from './messageRow.ts';
import type { Statements } from './statements.ts';

/**
 * Octets of a source in one row. What is longer lies in several, so that it can be written a part at a time: a commit of 25 MiB holds up whatever
 * else waits for this thread five times as long as a request should.
 */
export const PART_OCTETS = 1_048_576;

const TWIN = `SELECT b.message_id AS id FROM messages own JOIN folders f ON f.id = own.folder_id
  JOIN messages twin ON twin.gm_msgid = own.gm_msgid AND twin.id <> own.id JOIN folders g ON g.id = twin.folder_id AND g.account_id = f.account_id
  JOIN bodies b ON b.message_id = twin.id WHERE own.id = ? LIMIT 1`;

/** Sealed mail that was not opened yet keeps its source: its key may come any moment. */
const OLDEST = `SELECT id, size FROM messages WHERE body_state = ${BODY.stored} AND seal <> 'unopened' AND coalesce(last_used, 0) < ?
  ORDER BY coalesce(internal_date, date) LIMIT ?`;

/** Parts that a message left behind which is not here any more: they go a few at a time, after its beginning. */
const LEFT_BEHIND = `SELECT p.rowid AS part FROM body_parts p CROSS JOIN messages m ON m.id = p.message_id
  WHERE m.body_state = ${BODY.evicted} LIMIT ?`;

/** Rows that a source takes. */
export function partsOf(raw: Buffer): number {
  return Math.max(1, Math.ceil(raw.length / PART_OCTETS));
}

/** Sources as they lie on the server, of mail.db: their beginning in `bodies`, the rest of long ones in `body_parts`. Joins the caller's transactions. */
export class Bodies {
  readonly #sql: Statements;
  /** A process that died may have left parts behind. */
  #leavesBehind = true;

  constructor(sql: Statements) {
    this.#sql = sql;
  }

  /** Keeps the source of a new message. */
  add(id: number, raw: Buffer): void {
    for (let part = 1; part < partsOf(raw); part++) this.addPart(id, part, raw);
    this.#addBeginning(id, raw);
  }

  /** Keeps a source, in place of another. */
  put(id: number, raw: Buffer): void {
    this.#clear(id);
    this.add(id, raw);
  }

  /** Keeps a source where none is; where all its parts lie here already, only its beginning is missing. */
  finish(id: number, raw: Buffer): void {
    if (this.#sql.get('SELECT 1 AS one FROM bodies WHERE message_id = ?', id)) return;
    const here = this.#sql.get('SELECT count(*) AS n FROM body_parts WHERE message_id = ?', id)!.integer('n');
    if (here > 0 && here === partsOf(raw) - 1) this.#addBeginning(id, raw);
    else this.put(id, raw);
  }

  /** One part of a source whose beginning is not here yet, counted from it. The first takes away what is left of an earlier try. */
  addPart(id: number, part: number, raw: Buffer): void {
    if (part === 1) this.#clear(id);
    const octets = raw.subarray(part * PART_OCTETS, (part + 1) * PART_OCTETS);
    this.#sql.run('INSERT INTO body_parts (message_id, part, raw) VALUES (?, ?, ?)', id, part, octets);
  }

  /** Gives the source of one message to another, which has none. The parts after the first are not written anew. */
  move(from: number, to: number): void {
    this.#clear(to);
    this.#sql.run('UPDATE bodies SET message_id = ? WHERE message_id = ?', to, from);
    this.#sql.run('UPDATE body_parts SET message_id = ? WHERE message_id = ?', to, from);
    this.#sql.run(`UPDATE messages SET body_state = ${BODY.stored} WHERE id = ?`, to);
    this.#sql.run(`UPDATE messages SET body_state = ${BODY.evicted} WHERE id = ?`, from);
  }

  get(id: number): Buffer | undefined {
    const beginning = this.#sql.get('SELECT raw FROM bodies WHERE message_id = ?', id)?.blob('raw');
    if (!beginning) return undefined;
    const parts = this.#sql.all('SELECT raw FROM body_parts WHERE message_id = ? ORDER BY part', id).map((row) => row.blob('raw'));
    return parts.length === 0 ? beginning : Buffer.concat([beginning, ...parts]);
  }

  /** The same of a Gmail message that is in several folders: its source is kept with one of them. */
  ofTwin(id: number): Buffer | undefined {
    const twin = this.#sql.get(TWIN, id)?.integer('id');
    return twin === undefined ? undefined : this.get(twin);
  }

  /** At most `octets` of a source, from its beginning. */
  beginningOf(id: number, octets: number): Buffer | undefined {
    if (octets > PART_OCTETS) return this.get(id)?.subarray(0, octets);
    return this.#sql.get('SELECT substr(raw, 1, ?) AS beginning FROM bodies WHERE message_id = ?', octets, id)?.blob('beginning');
  }

  /**
   * Lets go of the sources that were received longest ago, at most so many of them and about so many octets, except those that a person read since
   * `readSince`. Of long ones the beginning goes, without which there is none, and in later calls the parts. Returns how many of either went.
   */
  evict(most: { readonly messages: number; readonly octets: number }, readSince: number): number {
    const parts = this.#leavesBehind ? this.#sql.all(LEFT_BEHIND, Math.max(1, Math.ceil(most.octets / PART_OCTETS))) : [];
    for (const row of parts) this.#sql.run('DELETE FROM body_parts WHERE rowid = ?', row.integer('part'));
    if (parts.length > 0) return parts.length;
    this.#leavesBehind = false;
    let [gone, octets] = [0, 0];
    for (const row of this.#sql.all(OLDEST, readSince, most.messages)) {
      if (gone > 0 && octets >= most.octets) break;
      this.#sql.run('DELETE FROM bodies WHERE message_id = ?', row.integer('id'));
      this.#sql.run(`UPDATE messages SET body_state = ${BODY.evicted} WHERE id = ?`, row.integer('id'));
      this.#leavesBehind ||= row.integer('size') > PART_OCTETS;
      gone++;
      octets += Math.min(row.integer('size'), PART_OCTETS);
    }
    return gone;
  }

  #clear(id: number): void {
    this.#sql.run('DELETE FROM bodies WHERE message_id = ?', id);
    this.#sql.run('DELETE FROM body_parts WHERE message_id = ?', id);
  }

  #addBeginning(id: number, raw: Buffer): void {
    this.#sql.run('INSERT INTO bodies (message_id, raw) VALUES (?, ?)', id, raw.subarray(0, PART_OCTETS));
  }
}
