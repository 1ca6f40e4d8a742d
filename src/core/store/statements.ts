import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from 'node:sqlite';
import * as v from 'valibot';
import { QuMailError } from '../base/errors.ts';
import { corruption, named } from '../base/sqliteErrors.ts';

/** Prepared once per text, with errors named. SQL texts are constants; values only ever go in as parameters. */
export class Statements {
  readonly #db: DatabaseSync;
  readonly #prepared = new Map<string, StatementSync>();

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  /** Runs a statement for its effect; returns how many rows changed and the last rowid. */
  run(sql: string, ...values: SQLInputValue[]): { changes: number; id: number } {
    return named(() => {
      const { changes, lastInsertRowid } = this.#prepare(sql).run(...values);
      return { changes: Number(changes), id: Number(lastInsertRowid) };
    }, this.#db);
  }

  get(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return named(() => {
      const row = this.#prepare(sql).get(...values);
      return row && new Row(row, this.#db);
    }, this.#db);
  }

  all(sql: string, ...values: SQLInputValue[]): Row[] {
    return named(() => this.#prepare(sql).all(...values), this.#db).map((row) => new Row(row, this.#db));
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#prepared.get(sql);
    if (!statement) {
      statement = this.#db.prepare(sql);
      this.#prepared.set(sql, statement);
    }
    return statement;
  }
}

/**
 * One row, read column by column with its type checked; anything else than expected is `store.corrupt` (details: column), of mail.db
 * `store.mail-damaged`.
 */
export class Row {
  readonly #values: Record<string, SQLOutputValue>;
  readonly #db: DatabaseSync;

  constructor(values: Record<string, SQLOutputValue>, db: DatabaseSync) {
    this.#values = values;
    this.#db = db;
  }

  text(column: string): string {
    const value = this.#values[column];
    if (typeof value !== 'string') throw this.#corrupt(column);
    return value;
  }

  integer(column: string): number {
    const value = this.#values[column];
    if (typeof value !== 'number') throw this.#corrupt(column);
    return value;
  }

  /** A view of the bytes that SQLite handed out, not a copy. */
  blob(column: string): Buffer {
    const value = this.#values[column];
    if (!(value instanceof Uint8Array)) throw this.#corrupt(column);
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  }

  has(column: string): boolean {
    return this.#values[column] !== null && this.#values[column] !== undefined;
  }

  /** A text column as a picklist member. */
  oneOf<const T extends string>(column: string, members: readonly T[]): T {
    const value = this.text(column);
    const found = members.find((member) => member === value);
    if (found === undefined) throw this.#corrupt(column);
    return found;
  }

  /** A text column as JSON of a schema. */
  json<S extends v.GenericSchema>(column: string, schema: S): v.InferOutput<S> {
    return checkedJson(schema, this.text(column), () => this.#corrupt(column));
  }

  #corrupt(column: string): QuMailError {
    return corruption(this.#db, { column });
  }
}

/** JSON that lay sealed in the database, checked; `store.corrupt` (details: column) where it does not fit. */
export function parseJson<S extends v.GenericSchema>(schema: S, json: string, column: string): v.InferOutput<S> {
  return checkedJson(schema, json, () => new QuMailError('store.corrupt', { column }));
}

function checkedJson<S extends v.GenericSchema>(schema: S, json: string, corrupt: () => QuMailError): v.InferOutput<S> {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw corrupt();
  }
  const parsed = v.safeParse(schema, value);
  if (!parsed.success) throw corrupt();
  return parsed.output;
}
