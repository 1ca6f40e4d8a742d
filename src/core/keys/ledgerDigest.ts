import { createHmac, randomBytes } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { QuMailError } from '../base/errors.ts';
import type { RecordSealer } from '../base/ports.ts';

/**
 * The secret under which digests of keys are kept. A bare hash of a pad, kept for ever, would tell who steals the file whether a guessed
 * pad is right. The caller wipes it. Where the keyring lost the epoch it was sealed under, a new one takes its place: bytes seen before
 * are no longer recognised then, key IDs still are.
 */
export function openDigestKey(db: DatabaseSync, sealer: RecordSealer): Buffer {
  const row = db.prepare("SELECT sealed FROM ledger_secret WHERE name = 'digest'").get();
  try {
    if (row !== undefined) return sealer.open('mail', 'ledger-secret', 'digest', row['sealed'] as Uint8Array);
  } catch (error) {
    if (!QuMailError.is(error, 'store.secret-missing')) throw error;
  }
  const fresh = randomBytes(32);
  db.prepare("INSERT INTO ledger_secret (name, sealed) VALUES ('digest', ?) ON CONFLICT (name) DO UPDATE SET sealed = excluded.sealed").run(
    sealer.seal('mail', 'ledger-secret', 'digest', fresh),
  );
  return fresh;
}

/** HMAC-SHA-256 cut to 128 bits: enough to find a repeated key, as little as possible about it. */
export function digestOf(key: Buffer, bytes: Buffer): Buffer {
  return createHmac('sha256', key).update(bytes).digest().subarray(0, 16);
}
