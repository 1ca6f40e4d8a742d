import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = join(process.env['QUMAIL_VECTORS'] ?? join(import.meta.dirname, '../../../../shared/vectors'), 'wycheproof');

export interface VectorGroup<T> {
  readonly ivSize?: number;
  readonly keySize?: number;
  readonly tests: readonly T[];
}

export interface AeadVector {
  readonly tcId: number;
  readonly comment: string;
  readonly key: string;
  readonly iv: string;
  readonly aad: string;
  readonly msg: string;
  readonly ct: string;
  readonly tag: string;
  readonly result: 'valid' | 'invalid' | 'acceptable';
}

/** The groups of a published vector file. Missing: a failure under CI, otherwise the test is skipped with the reason. */
export function readVectors<T>(test: Mocha.Context, name: string): readonly VectorGroup<T>[] {
  const file = join(FOLDER, name);
  if (!existsSync(file)) {
    if (process.env['CI'] === 'true') throw new Error(`missing test vectors: ${name}`);
    console.log(`      skipped: ${name} is not here (set QUMAIL_VECTORS)`);
    test.skip();
  }
  return (JSON.parse(readFileSync(file, 'utf8')) as { testGroups: VectorGroup<T>[] }).testGroups;
}

export const hex = (text: string): Buffer => Buffer.from(text, 'hex');
