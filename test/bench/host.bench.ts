import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BenchRow } from './benchRow.ts';

const ROOT = join(import.meta.dirname, '../..');
const MESSAGES = 20_000;
/** DESIGN 7, the row of `activate()`. */
const BAR_MS = 20;

/** How long the extension host computes at a time while mail is taken in: the test of test/views/busyHost.test.ts, inside a real VS Code. */
export async function rows(): Promise<BenchRow[]> {
  const dir = mkdtempSync(join(tmpdir(), 'qumail-bench-'));
  const result = join(dir, 'host.json');
  try {
    const env = { ...process.env, QUMAIL_HOST_MESSAGES: String(MESSAGES), QUMAIL_HOST_RESULT: result, QUMAIL_VIEW_TESTS: 'busyHost' };
    for (const script of ['esbuild.mjs', 'test/views/runTest.ts']) {
      const { status } = spawnSync(process.execPath, [join(ROOT, script)], { cwd: ROOT, env, stdio: 'inherit' });
      if (status !== 0) throw new Error(`${script} ended with ${status}`);
    }
    const { worstMs } = JSON.parse(readFileSync(result, 'utf8')) as { worstMs: number };
    return [
      {
        name: 'extension host busy at a time while 20,000 messages are taken in, at worst',
        bar: 1,
        unit: 'ms',
        reference: { name: 'allowed', value: BAR_MS },
        ours: worstMs,
        ratio: worstMs / BAR_MS,
      },
    ];
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
