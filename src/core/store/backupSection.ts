import type { DatabaseSync } from 'node:sqlite';
import * as v from 'valibot';
import { QuMailError } from '../base/errors.ts';
import type { BackupRecord } from './backupRecords.ts';

/** What became of a record: it is new here; it or something at least as new was here; it contradicts what is here, which stays. */
export type Restored = 'added' | 'kept' | { readonly conflict: string };

/** One kind of record in a backup: how an account's are listed, and how one is merged into what is here. */
export interface BackupSection {
  readonly kind: string;
  /** Of `data` and `blobs`; counted up when they change, and older ones stay readable. */
  readonly version: number;
  records(accountId: string): Iterable<Pick<BackupRecord, 'data' | 'blobs'>>;
  /** One durable step. @throws QuMailError `backup.malformed` where the record does not fit */
  restore(accountId: string, record: Pick<BackupRecord, 'data' | 'blobs'>): Restored;
}

export const BackupText = v.pipe(v.string(), v.maxLength(4096));
export const BackupNumber = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** @throws QuMailError `backup.malformed` */
export function parsedData<S extends v.GenericSchema>(schema: S, data: unknown): v.InferOutput<S> {
  const result = v.safeParse(schema, data);
  if (!result.success) throw new QuMailError('backup.malformed');
  return result.output;
}

/** A blob that holds JSON. @throws QuMailError `backup.malformed` */
export function parsedBlob<S extends v.GenericSchema>(schema: S, blob: Buffer | undefined): v.InferOutput<S> {
  try {
    return parsedData(schema, JSON.parse(blob?.toString('utf8') ?? ''));
  } catch {
    throw new QuMailError('backup.malformed');
  }
}

/** What can be read; undefined for a record whose key is gone from the secret store, which is what backups are for. */
export function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (QuMailError.is(error, 'store.secret-missing')) return undefined;
    throw error;
  }
}

/** Whether the vault has a row; `sql` selects one. */
export function hasRow(db: DatabaseSync, sql: string, ...values: readonly (string | number)[]): boolean {
  return db.prepare(sql).get(...values) !== undefined;
}
