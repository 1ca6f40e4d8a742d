/**
 * `npm test`: every suite in order, then one line with the sum.
 *
 *   node scripts/test.ts [check] [unit] [world] [faults] [views] [e2e] [desktop]
 *
 * Without names all but `desktop`, which needs to download VS Code. Reports, logs and screenshots stay in out/. A suite that ends without a
 * report counts as a failed test. With CI=true a skipped test fails the run.
 */
import { spawn } from 'node:child_process';
import { globSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type SuiteReport, addUp, crashed, summaryLine } from '../test/report/suiteReport.ts';
import { ensureCodeServer } from './vscode/codeServer.ts';

const ROOT = dirname(import.meta.dirname);
const MINUTE = 60_000;

interface Suite {
  readonly title: string;
  readonly limitMs: number;
  readonly needsVSCode?: boolean;
  /** Commands that must succeed first; each is part of the suite. */
  readonly before?: readonly (readonly string[])[];
  /** The command that runs the tests and writes the report. */
  readonly run: readonly string[];
}

const BUILD = ['node', 'esbuild.mjs'];
const PACKAGE = ['npm', 'run', '--silent', 'package'];

const APART = ['test/world/**', 'test/faults/**', 'test/kills/**', 'test/views/*.test.ts', 'test/views/!(unit)/**', 'test/e2e/**'];
const ignored = APART.flatMap((pattern) => ['--ignore', pattern]);

const SUITES: Readonly<Record<string, Suite>> = {
  check: { title: 'Checks', limitMs: 5 * MINUTE, run: ['node', 'scripts/check.ts'] },
  unit: {
    title: 'Unit and property tests',
    limitMs: 15 * MINUTE,
    run: ['mocha', '--parallel', '--jobs', '2', ...ignored, 'test/**/*.test.ts'],
  },
  world: {
    title: 'Worlds: real mail servers, key managers, sign-in servers',
    limitMs: 8 * MINUTE,
    run: ['mocha', '--timeout', '60000', 'test/world/**/*.test.ts'],
  },
  faults: {
    title: 'Faults: the table, cuts, kills and the soak, in their short forms',
    limitMs: 12 * MINUTE,
    run: ['mocha', '--parallel', '--jobs', '2', 'test/faults/**/*.test.ts', 'test/kills/**/*.test.ts'],
  },
  views: {
    title: 'Inside VS Code: the extension host',
    limitMs: 9 * MINUTE,
    needsVSCode: true,
    before: [BUILD],
    run: ['node', 'test/views/runTest.ts'],
  },
  e2e: {
    title: 'End to end: the packaged extension in real VS Code windows',
    limitMs: 15 * MINUTE,
    needsVSCode: true,
    before: [PACKAGE],
    run: ['mocha', '--timeout', '180000', 'test/e2e/**/*.test.ts'],
  },
  desktop: { title: 'Inside desktop VS Code', limitMs: 15 * MINUTE, before: [BUILD], run: ['node', 'test/views/runDesktop.ts'] },
};

const DEFAULT = Object.keys(SUITES).filter((name) => name !== 'desktop');

/** Runs a command in the foreground; resolves to undefined when it went well, else to what happened. */
async function execute(command: readonly string[], limitMs: number, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const [program = '', ...args] = command;
  const executable = program === 'node' ? process.execPath : program;
  // A group of its own: a suite that hangs goes with everything it started.
  const child = spawn(executable, args, { cwd: ROOT, env, stdio: ['ignore', 'inherit', 'inherit'], detached: true });
  const end = (signal: NodeJS.Signals): void => {
    if (child.pid === undefined) return;
    try {
      process.kill(-child.pid, signal);
    } catch {
      // It is gone already.
    }
  };
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    end('SIGTERM');
    setTimeout(end, 5000, 'SIGKILL').unref();
  }, limitMs);
  const stop = (): void => end('SIGINT');
  process.on('SIGINT', stop).on('SIGTERM', stop);
  try {
    const code = await new Promise<number | string | null>((resolve) => {
      child.once('error', (error) => resolve(error.message));
      child.once('exit', (status, signal) => resolve(status ?? signal));
    });
    if (timedOut) return `${command.join(' ')} did not end within ${limitMs / 1000} s (was something left open?)`;
    return code === 0 ? undefined : `${command.join(' ')} ended with ${code}`;
  } finally {
    clearTimeout(timer);
    process.off('SIGINT', stop).off('SIGTERM', stop);
  }
}

async function runSuite(name: string, suite: Suite): Promise<SuiteReport> {
  console.log(`\n=== ${suite.title} ===`);
  const began = Date.now();
  const seconds = (): number => (Date.now() - began) / 1000;
  const path = join(ROOT, 'out/reports', `${name}.json`);
  rmSync(path, { force: true });
  const env = { ...process.env, QUMAIL_TEST_REPORT: path, QUMAIL_VSIX: join(ROOT, 'qumail.vsix') };
  for (const command of suite.before ?? []) {
    const failure = await execute(command, 5 * MINUTE, process.env);
    if (failure !== undefined) return crashed(suite.title, failure, seconds());
  }
  const failure = await execute(suite.run, suite.limitMs, env);
  const report = readReport(path);
  if (report === undefined) return crashed(suite.title, failure ?? 'it wrote no report', seconds());
  if (failure !== undefined && report.failed === 0) return { ...report, failed: 1, failures: crashed(suite.title, failure, 0).failures };
  return report;
}

function readReport(path: string): SuiteReport | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as SuiteReport;
  } catch {
    return undefined;
  }
}

/** A folder without a test yet is no failure; a folder whose tests went missing shows in the counts. */
function hasTests(name: string): boolean {
  return !['world', 'e2e'].includes(name) || globSync(`test/${name}/**/*.test.ts`, { cwd: ROOT }).length > 0;
}

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in SUITES));
if (unknown.length > 0) throw new Error(`unknown suites: ${unknown.join(', ')}; there are ${Object.keys(SUITES).join(', ')}`);
const names = Object.keys(SUITES).filter((name) => (wanted.length > 0 ? wanted : DEFAULT).includes(name));

mkdirSync(join(ROOT, 'out'), { recursive: true });
if (wanted.length === 0) rmSync(join(ROOT, 'out/screenshots'), { recursive: true, force: true });

// Compiling VS Code's native modules takes minutes: it goes on while the suites that need no VS Code run.
const ready = names.some((name) => SUITES[name]?.needsVSCode)
  ? ensureCodeServer((line) => console.log(`[set-up] ${line}`)).then(
      () => undefined,
      (error: unknown) => String(error),
    )
  : Promise.resolve(undefined);

const reports: { readonly name: string; readonly report: SuiteReport }[] = [];
for (const name of names) {
  const suite = SUITES[name];
  if (suite === undefined || !hasTests(name)) continue;
  const problem = suite.needsVSCode === true ? await ready : undefined;
  reports.push({ name, report: problem === undefined ? await runSuite(name, suite) : crashed(suite.title, problem, 0) });
}

console.log('\n=== Summary ===');
for (const { name, report } of reports) {
  console.log(`  ${name.padEnd(8)} ${summaryLine(report)} in ${report.seconds.toFixed(0)} s`);
  for (const failure of report.failures)
    console.log(`    FAIL  ${failure.test}: ${failure.message.split('\n').find((line) => line.trim() !== '') ?? ''}`);
  for (const test of report.skippedTests) console.log(`    skip  ${test}`);
}
const total = addUp(reports.map(({ report }) => report));
const skippedCounts = process.env['CI'] === 'true' && total.skipped > 0;
if (skippedCounts) console.log('  Nothing may be skipped with CI=true.');
process.exitCode = total.failed > 0 || skippedCounts ? 1 : 0;
console.log(`\n${summaryLine(total)}`);
