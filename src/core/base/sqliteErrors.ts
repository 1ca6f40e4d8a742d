import { DatabaseSync } from 'node:sqlite';
import { QuMailError, type ErrorCode, type ErrorDetails } from './errors.ts';

/** Primary SQLite result codes (sqlite.org/rescode.html) that have a name of their own here. */
const BY_RESULT_CODE: ReadonlyMap<number, ErrorCode> = new Map([
  [5, 'store.locked'], // SQLITE_BUSY
  [6, 'store.locked'], // SQLITE_LOCKED
  [3, 'store.unwritable'], // SQLITE_PERM
  [8, 'store.unwritable'], // SQLITE_READONLY
  [11, 'store.corrupt'], // SQLITE_CORRUPT
  [13, 'store.full'], // SQLITE_FULL
  [14, 'store.unwritable'], // SQLITE_CANTOPEN
  [26, 'store.corrupt'], // SQLITE_NOTADB
]);
/** The file system's own codes, met before SQLite sees the file. */
const BY_ERRNO: ReadonlyMap<unknown, ErrorCode> = new Map([
  ['EACCES', 'store.unwritable'],
  ['EPERM', 'store.unwritable'],
  ['EROFS', 'store.unwritable'],
  ['ENOTDIR', 'store.unwritable'],
  ['EISDIR', 'store.unwritable'],
  ['EEXIST', 'store.unwritable'], // a file where the folder should be
  ['ENOSPC', 'store.full'],
  ['EDQUOT', 'store.full'],
]);
const FOREIGN_KEY = 787; // SQLITE_CONSTRAINT_FOREIGNKEY

/** The SQLite result code that node:sqlite reports as `errcode`, extended where SQLite gives one. */
export function resultCodeOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('code' in error) || error.code !== 'ERR_SQLITE_ERROR') return undefined;
  return 'errcode' in error && typeof error.errcode === 'number' ? error.errcode : undefined;
}

/** A connection to mail.db. Damage of the file is told of once for each time it is met, whoever meets it, and is `store.mail-damaged`. */
export class MailDatabase extends DatabaseSync {
  readonly #damaged: () => void;

  constructor(file: string, options: ConstructorParameters<typeof DatabaseSync>[1], damaged: () => void) {
    super(file, options);
    this.#damaged = damaged;
  }

  /** Tells of damage, and names it. */
  damage(details: ErrorDetails, cause?: unknown): QuMailError {
    this.#damaged();
    return new QuMailError('store.mail-damaged', details, { cause });
  }
}

/** Damage met in `db`: in its file, or in a value that does not fit. */
export function corruption(db: DatabaseSync | undefined, details: ErrorDetails, cause?: unknown): QuMailError {
  return db instanceof MailDatabase ? db.damage(details, cause) : new QuMailError('store.corrupt', details, { cause });
}

/** Any error of the database, or of the file system under it, as a named one. A row for an account that is not there is `account.missing`. */
export function storeError(error: unknown, db?: DatabaseSync): QuMailError {
  const code = resultCodeOf(error);
  if (code === undefined) {
    const errno = error instanceof Error && 'code' in error ? BY_ERRNO.get(error.code) : undefined;
    return QuMailError.from(error, errno);
  }
  const named = code === FOREIGN_KEY ? 'account.missing' : BY_RESULT_CODE.get(code & 0xff);
  if (named === 'store.corrupt') return corruption(db, { sqlite: code }, error);
  return new QuMailError(named ?? 'engine.internal', { sqlite: code }, { cause: error });
}

/** Runs `run` and names what the database throws. */
export function named<T>(run: () => T, db?: DatabaseSync): T {
  try {
    return run();
  } catch (error) {
    throw storeError(error, db);
  }
}
