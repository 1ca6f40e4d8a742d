import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = process.env['QUMAIL_VECTORS'] ?? join(import.meta.dirname, '../../../../shared/vectors');

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
  return (JSON.parse(readPublished(test, `wycheproof/${name}`).toString()) as { testGroups: VectorGroup<T>[] }).testGroups;
}

/** Any file of the vectors' folder, on the same terms. */
export function readPublished(test: Mocha.Context, path: string): Buffer {
  const file = join(FOLDER, path);
  if (!existsSync(file)) {
    if (process.env['CI'] === 'true') throw new Error(`missing test vectors: ${path}`);
    console.log(`      skipped: ${path} is not here (set QUMAIL_VECTORS)`);
    test.skip();
  }
  return readFileSync(file);
}

export const hex = (text: string): Buffer => Buffer.from(text, 'hex');
