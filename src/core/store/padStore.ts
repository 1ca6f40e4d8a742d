import type { DatabaseSync } from 'node:sqlite';
import type { RecordSealer } from '../base/ports.ts';
import { inTransaction } from '../base/transaction.ts';
import { type Row, Statements } from './statements.ts';

export interface PadRecord {
  readonly accountId: string;
  readonly name: string;
  readonly address: string;
  readonly role: 'maker' | 'guest';
  /** Octets of one direction. */
  readonly octets: number;
  /** Number of the next block to write with. */
  readonly nextBlock: number;
  readonly readBlocks: number;
  readonly createdAt: number;
  /** Name of the file that holds its octets. */
  readonly file: string;
  readonly state: 'ready' | 'discarded';
}

type PadKey = Pick<PadRecord, 'accountId' | 'name'>;
type Direction = 'forth' | 'back';

/**
 * Pads exchanged in person: what is used, and the sealed state that opens the rest. Everything sealed lies under a daily epoch and is
 * sealed anew each day (`reseal`), so that what yesterday's database could still open is gone with yesterday's epoch key.
 */
export class PadStore {
  readonly #db: DatabaseSync;
  readonly #sql: Statements;
  readonly #sealer: RecordSealer;

  constructor(deps: { db: DatabaseSync; sealer: RecordSealer }) {
    this.#db = deps.db;
    this.#sql = new Statements(deps.db);
    this.#sealer = deps.sealer;
  }

  /** BEGIN IMMEDIATE .. COMMIT, or part of the caller's. */
  transaction<T>(run: () => T): T {
    return inTransaction(this.#db, run);
  }

  /** @throws QuMailError `account.missing` */
  add(pad: Pick<PadRecord, 'accountId' | 'name' | 'address' | 'role' | 'octets' | 'createdAt' | 'file'>, state: Buffer): void {
    this.transaction(() =>
      this.#sql.run(
        'INSERT INTO pads (account_id, name, address, role, octets, created_at, file, sealed_state) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
        pad.accountId,
        pad.name,
        pad.address,
        pad.role,
        pad.octets,
        pad.createdAt,
        pad.file,
        this.#seal('pad-state', stateId(pad), state),
      ),
    );
  }

  get(accountId: string, name: string): PadRecord | undefined {
    const row = this.#sql.get('SELECT * FROM pads WHERE account_id = ? AND name = ?', accountId, name);
    return row && padOf(row);
  }

  /** Of one account or of all, tombstones included, oldest first. */
  list(accountId?: string): PadRecord[] {
    const sql = 'SELECT * FROM pads WHERE ?1 IS NULL OR account_id = ?1 ORDER BY created_at, name';
    return this.#sql.all(sql, accountId ?? null).map(padOf);
  }

  /** Those shared with one address that are not discarded, oldest first. */
  sharedWith(accountId: string, address: string): PadRecord[] {
    const sql = 'SELECT * FROM pads WHERE account_id = ? AND address = ? AND sealed_state IS NOT NULL ORDER BY created_at, name';
    return this.#sql.all(sql, accountId, address).map(padOf);
  }

  /** The state of a pad that is not discarded; the caller wipes it. @throws QuMailError `store.secret-missing`, `store.corrupt` */
  state(pad: PadKey): Buffer | undefined {
    const sql = 'SELECT sealed_state FROM pads WHERE account_id = ? AND name = ? AND sealed_state IS NOT NULL';
    const row = this.#sql.get(sql, pad.accountId, pad.name);
    return row && this.#sealer.open('keys', 'pad-state', stateId(pad), row.blob('sealed_state'));
  }

  setState(pad: PadKey, state: Buffer): void {
    const sealed = this.#seal('pad-state', stateId(pad), state);
    this.#sql.run('UPDATE pads SET sealed_state = ? WHERE account_id = ? AND name = ?', sealed, pad.accountId, pad.name);
  }

  setNext(pad: PadKey, nextBlock: number): void {
    this.#sql.run('UPDATE pads SET next_block = ? WHERE account_id = ? AND name = ?', nextBlock, pad.accountId, pad.name);
  }

  /** Remembers that a range was read; false where any block of it had been. */
  noteRead(pad: PadKey, first: number, blocks: number): 'noted' | 'read-before' {
    const { accountId, name } = pad;
    const sql = 'SELECT 1 AS hit FROM pad_reads WHERE account_id = ? AND name = ? AND first < ? AND first + blocks > ? LIMIT 1';
    if (this.#sql.get(sql, accountId, name, first + blocks, first)) return 'read-before';
    this.#sql.run('INSERT INTO pad_reads (account_id, name, first, blocks) VALUES (?, ?, ?, ?)', accountId, name, first, blocks);
    this.#sql.run('UPDATE pads SET read_blocks = read_blocks + ? WHERE account_id = ? AND name = ?', blocks, accountId, name);
    return 'noted';
  }

  /** What is left of a chunk that was begun; the caller wipes it. */
  rest(pad: PadKey, direction: Direction, chunk: number): Buffer | undefined {
    const sql = 'SELECT sealed FROM pad_rests WHERE account_id = ? AND name = ? AND direction = ? AND chunk = ?';
    const row = this.#sql.get(sql, pad.accountId, pad.name, direction, chunk);
    return row && this.#sealer.open('keys', 'pad-rest', restId(pad, direction, chunk), row.blob('sealed'));
  }

  /** Replaces what is left of a chunk; undefined where nothing is. */
  setRest(pad: PadKey, direction: Direction, chunk: number, rest: Buffer | undefined): void {
    const { accountId, name } = pad;
    this.#sql.run(
      'DELETE FROM pad_rests WHERE account_id = ? AND name = ? AND direction = ? AND chunk = ?',
      accountId,
      name,
      direction,
      chunk,
    );
    if (rest === undefined) return;
    const sealed = this.#seal('pad-rest', restId(pad, direction, chunk), rest);
    const sql = 'INSERT INTO pad_rests (account_id, name, direction, chunk, sealed) VALUES (?, ?, ?, ?, ?)';
    this.#sql.run(sql, accountId, name, direction, chunk, sealed);
  }

  /** Leaves a tombstone. */
  discard(pad: PadKey): void {
    this.transaction(() => {
      this.#sql.run('UPDATE pads SET sealed_state = NULL WHERE account_id = ? AND name = ?', pad.accountId, pad.name);
      this.#sql.run('DELETE FROM pad_rests WHERE account_id = ? AND name = ?', pad.accountId, pad.name);
      this.#sql.run('DELETE FROM pad_reads WHERE account_id = ? AND name = ?', pad.accountId, pad.name);
    });
  }

  /** The start of every sealed record there is, so that SecureStorage can tell which epoch keys are still needed. */
  sealedRecords(): Uint8Array[] {
    return [
      ...this.#sql.all('SELECT substr(sealed_state, 1, 17) AS sealed FROM pads WHERE sealed_state IS NOT NULL'),
      ...this.#sql.all('SELECT substr(sealed, 1, 17) AS sealed FROM pad_rests'),
    ].map((row) => row.blob('sealed'));
  }

  /** Seals everything under today's epoch, one short transaction a record. Call it daily, before old epochs are retired. */
  reseal(): void {
    for (const pad of this.list().filter(({ state }) => state === 'ready')) {
      this.transaction(() => {
        const state = this.state(pad);
        if (state) this.setState(pad, state);
        state?.fill(0);
      });
      const rests = this.#sql.all('SELECT direction, chunk FROM pad_rests WHERE account_id = ? AND name = ?', pad.accountId, pad.name);
      for (const row of rests) {
        const [direction, chunk] = [row.oneOf('direction', ['forth', 'back']), row.integer('chunk')];
        this.transaction(() => {
          const rest = this.rest(pad, direction, chunk);
          if (rest) this.setRest(pad, direction, chunk, rest);
          rest?.fill(0);
        });
      }
    }
  }

  #seal(type: string, id: string, plaintext: Buffer): Buffer {
    return this.#sealer.seal('keys', type, id, plaintext);
  }
}

function stateId({ accountId, name }: PadKey): string {
  return JSON.stringify([accountId, name]);
}

function restId({ accountId, name }: PadKey, direction: Direction, chunk: number): string {
  return JSON.stringify([accountId, name, direction, chunk]);
}

function padOf(row: Row): PadRecord {
  return {
    accountId: row.text('account_id'),
    name: row.text('name'),
    address: row.text('address'),
    role: row.oneOf('role', ['maker', 'guest']),
    octets: row.integer('octets'),
    nextBlock: row.integer('next_block'),
    readBlocks: row.integer('read_blocks'),
    createdAt: row.integer('created_at'),
    file: row.text('file'),
    state: row.has('sealed_state') ? 'ready' : 'discarded',
  };
}
