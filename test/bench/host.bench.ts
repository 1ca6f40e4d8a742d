import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Late } from '../world/lateness.ts';
import type { BenchRow } from './benchRow.ts';

const ROOT = join(import.meta.dirname, '../..');
const MESSAGES = '20000';
/** DESIGN 7, the row of `activate()`. */
const BAR_MS = 20;

/** How late the extension host's event loop is while mail is taken in: test/e2e/busyHost.test.ts, the packaged extension in a real VS Code. */
export async function rows(): Promise<BenchRow[]> {
  const dir = mkdtempSync(join(tmpdir(), 'qumail-bench-'));
  const result = join(dir, 'host.json');
  try {
    const { QUMAIL_BENCH_MESSAGES: messages = MESSAGES, ...rest } = process.env;
    const count = Number(messages.split(',')[0]);
    const env = { ...rest, QUMAIL_HOST_MESSAGES: String(count), QUMAIL_HOST_RESULT: result };
    spawnSync('mocha', [join(ROOT, 'test/e2e/busyHost.test.ts')], { cwd: ROOT, env, stdio: 'inherit' });
    // A figure beyond the bar fails the test, and is a figure all the same.
    const measured = JSON.parse(readFileSync(result, 'utf8')) as Late[];
    if (measured.length !== 2) throw new Error('the extension host was not measured');
    const row = (name: string, bar: number, ours: number): BenchRow => ({
      name: `${name}, ${count.toLocaleString('en')} messages taken in twice`,
      bar,
      unit: 'ms',
      reference: { name: 'allowed', value: BAR_MS },
      ours,
      ratio: ours / BAR_MS,
    });
    return [
      row('extension host busy at a time at worst, all views at work', 1, Math.max(...measured.map(({ busy }) => busy))),
      row('the same, with what the machine made it wait', Number.POSITIVE_INFINITY, Math.max(...measured.map(({ late }) => late))),
    ];
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
