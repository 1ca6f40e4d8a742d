import { scrypt } from 'node:crypto';
import { wipe } from '../base/bytes.ts';
import { QuMailError } from '../base/errors.ts';
import type { Random } from '../base/ports.ts';
import { EPOCH_ID_LENGTH, EPOCH_KEY_LENGTH, openRecord, SALT_LENGTH, sealRecord } from './sealedRecord.ts';

/** PROTOCOL 7: scrypt (RFC 7914) with N = 2^17, r = 8, p = 1: 128 MiB and some tenths of a second for every guess. */
export const LOG2_N = 17;
const R = 8;
const P = 1;
const SALT = 32;
const MIN_PASSPHRASE = 8;
const MAX_PASSPHRASE = 1024;

/** A vault key as it lies in the database: wrapped under a passphrase. */
export interface WrappedKey {
  /** Hex. */
  readonly keyId: string;
  readonly log2N: number;
  readonly salt: Buffer;
  readonly wrapped: Buffer;
}

/** A new vault key; the caller wipes `key`. */
export function newVaultKey(random: Random): { keyId: string; key: Buffer } {
  return { keyId: random.bytes(EPOCH_ID_LENGTH).toString('hex'), key: random.bytes(EPOCH_KEY_LENGTH) };
}

/**
 * @param o.log2N the cost of a guess; at least 14
 * @throws QuMailError `vault.weak-passphrase` (details: minimum), `engine.bad-request` above 1,024 characters
 */
export async function wrapVaultKey(
  passphrase: string,
  vault: { keyId: string; key: Buffer },
  { random, log2N }: { random: Random; log2N: number },
): Promise<WrappedKey> {
  if ([...passphrase].length < MIN_PASSPHRASE) throw new QuMailError('vault.weak-passphrase', { minimum: MIN_PASSPHRASE });
  const salt = random.bytes(SALT);
  const under = await keyOf(passphrase, salt, log2N);
  try {
    // The salt is new for every wrapping, so the key is too, and the sequence says nothing.
    const seed = { epochId: vault.keyId, epochKey: under, sequence: 0, salt: random.bytes(SALT_LENGTH) };
    return { keyId: vault.keyId, log2N, salt, wrapped: sealRecord({ type: 'vault-key', id: vault.keyId }, seed, vault.key) };
  } finally {
    wipe(under);
  }
}

/** The vault key; the caller wipes it. @throws QuMailError `vault.wrong-passphrase` */
export async function unwrapVaultKey(passphrase: string, { keyId, log2N, salt, wrapped }: WrappedKey): Promise<Buffer> {
  // A row that somebody altered must not make us fill the memory.
  if (log2N < 14 || log2N > 20) throw new QuMailError('store.corrupt', { column: 'log2_n' });
  const under = await keyOf(passphrase, salt, log2N);
  try {
    return openRecord({ type: 'vault-key', id: keyId }, under, wrapped);
  } catch (error) {
    // Which of the two it is, only the right passphrase could tell.
    throw QuMailError.is(error, 'store.corrupt') ? new QuMailError('vault.wrong-passphrase') : error;
  } finally {
    wipe(under);
  }
}

/** The same passphrase typed on another keyboard or system is the same here: NFKC. */
function keyOf(passphrase: string, salt: Buffer, log2N: number): Promise<Buffer> {
  if (passphrase.length > MAX_PASSPHRASE) throw new QuMailError('engine.bad-request', { field: 'passphrase' });
  const bytes = Buffer.from(passphrase.normalize('NFKC'), 'utf8');
  const N = 2 ** log2N;
  return new Promise((resolve, reject) => {
    scrypt(bytes, salt, EPOCH_KEY_LENGTH, { N, r: R, p: P, maxmem: 256 * N * R }, (error, key) => {
      wipe(bytes);
      if (error) reject(error);
      else resolve(key);
    });
  });
}
