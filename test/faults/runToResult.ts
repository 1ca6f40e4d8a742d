import { spawn } from 'node:child_process';

/** The reporter's last line (test/report/reporter.ts). */
const RESULT = /^\d+ passed, (\d+) failed, \d+ skipped$/m;
/** How long a run may take to end by itself once its result is known, milliseconds. */
const GRACE_MS = 10_000;
/** The end of what was printed, in which the last line is looked for. */
const TAIL = 200;

/**
 * Runs mocha and passes on what it prints; resolves to its exit code. After a thousand child processes Node 24 may spin for ever at exit, in
 * `Environment::CleanupHandles`, with everything done and the result printed: then the process is ended, and the result decides.
 */
export async function runToResult(
  command: string,
  args: readonly string[],
  { env = process.env, graceMs = GRACE_MS }: { readonly env?: NodeJS.ProcessEnv; readonly graceMs?: number } = {},
): Promise<number> {
  const child = spawn(command, args, { stdio: ['inherit', 'pipe', 'inherit'], env });
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  let tail = '';
  let failed: number | undefined;
  let timer: NodeJS.Timeout | undefined;
  child.stdout.on('data', (chunk: Buffer) => {
    process.stdout.write(chunk);
    tail = (tail + chunk.toString('latin1')).slice(-TAIL);
    const result = RESULT.exec(tail);
    if (!result) return;
    failed = Number(result[1]);
    timer ??= setTimeout(() => child.kill('SIGKILL'), graceMs);
  });
  child.on('error', reject);
  child.on('close', resolve);
  const code = await promise.finally(() => clearTimeout(timer));
  return code ?? Math.min(failed ?? 1, 255);
}
