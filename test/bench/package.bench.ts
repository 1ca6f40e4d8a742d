import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchRow } from './benchRow.ts';

const ROOT = join(import.meta.dirname, '../..');
const LIMIT_MIB = 1.5;

/** What people download. */
export async function rows(): Promise<BenchRow[]> {
  const { status } = spawnSync('npm', ['run', 'package'], { cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new Error(`npm run package ended with ${status}`);
  const ours = statSync(join(ROOT, 'qumail.vsix')).size / 2 ** 20;
  return [{ name: 'VSIX', bar: 1, unit: 'MiB', reference: { name: 'limit', value: LIMIT_MIB }, ours, ratio: ours / LIMIT_MIB }];
}
