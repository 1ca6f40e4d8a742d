import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from 'node:sqlite';
import * as v from 'valibot';
import { QuMailError } from '../base/errors.ts';
import { named } from '../base/sqliteErrors.ts';

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
    });
  }

  get(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return named(() => {
      const row = this.#prepare(sql).get(...values);
      return row && new Row(row);
    });
  }

  all(sql: string, ...values: SQLInputValue[]): Row[] {
    return named(() => this.#prepare(sql).all(...values)).map((row) => new Row(row));
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

/** One row, read column by column with its type checked; anything else than expected is `store.corrupt` (details: column). */
export class Row {
  readonly #values: Record<string, SQLOutputValue>;

  constructor(values: Record<string, SQLOutputValue>) {
    this.#values = values;
  }

  text(column: string): string {
    const value = this.#values[column];
    return typeof value === 'string' ? value : corrupt(column);
  }

  integer(column: string): number {
    const value = this.#values[column];
    return typeof value === 'number' ? value : corrupt(column);
  }

  /** A view of the bytes that SQLite handed out, not a copy. */
  blob(column: string): Buffer {
    const value = this.#values[column];
    return value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : corrupt(column);
  }

  has(column: string): boolean {
    return this.#values[column] !== null && this.#values[column] !== undefined;
  }

  /** A text column as a picklist member. */
  oneOf<const T extends string>(column: string, members: readonly T[]): T {
    const value = this.text(column);
    return members.find((member) => member === value) ?? corrupt(column);
  }

  /** A text column as JSON of a schema. */
  json<S extends v.GenericSchema>(column: string, schema: S): v.InferOutput<S> {
    return parseJson(schema, this.text(column), column);
  }
}

/** JSON out of the database, checked; `store.corrupt` (details: column) where it does not fit. */
export function parseJson<S extends v.GenericSchema>(schema: S, json: string, column: string): v.InferOutput<S> {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    corrupt(column);
  }
  const parsed = v.safeParse(schema, value);
  return parsed.success ? parsed.output : corrupt(column);
}

function corrupt(column: string): never {
  throw new QuMailError('store.corrupt', { column });
}
