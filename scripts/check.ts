/**
 * `npm run check`: everything that can be said about the project without running it. Each check counts as one test.
 *
 *   node scripts/check.ts [names of checks ...]
 */
import { spawnSync } from 'node:child_process';
import { globSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import type { SuiteReport } from '../test/report/suiteReport.ts';
import { ROOT, importProblems, readSources } from './check/imports.ts';
import { manifestProblems, readManifestInputs } from './check/manifest.ts';
import { checkVsix, openPgpProblems } from './check/vsix.ts';

/** Resolves to what is wrong, undefined or empty when nothing is. */
type Check = () => Promise<string | undefined> | string | undefined;

const CHECKS: Readonly<Record<string, Check>> = {
  types: () => tool('tsc', '-p', '.'),
  'types-core': () => tool('tsc', '-p', 'src/core'),
  'types-webview': () =>
    globSync('src/views/*/webview/tsconfig.json', { cwd: ROOT })
      .map((project) => tool('tsc', '-p', project) ?? '')
      .join(''),
  lint: () => tool('oxlint'),
  format: () => tool('oxfmt', '--check', '.'),
  unused: () => tool('knip'),
  imports: () => importProblems(readSources(ROOT)).join('\n'),
  manifest: async () => manifestProblems(await readManifestInputs(ROOT)).join('\n'),
  vsix: () => tool('npm', 'run', '--silent', 'package') ?? [...checkVsix(join(ROOT, 'qumail.vsix')), ...openPgpProblems(ROOT)].join('\n'),
};

/** Runs a program of node_modules/.bin; gives back its output when it failed. */
function tool(name: string, ...args: readonly string[]): string | undefined {
  const { status, stdout, stderr, error } = spawnSync(name, args, { cwd: ROOT, encoding: 'utf8', maxBuffer: 64 << 20 });
  if (status === 0) return undefined;
  // Some colour their output in CI, whatever it goes to.
  return stripVTControlCharacters(`${error === undefined ? '' : String(error)}${stdout}${stderr}`).trim() || `${name} ended with ${status}`;
}

async function outcome(check: Check): Promise<string | undefined> {
  try {
    return (await check()) || undefined;
  } catch (error) {
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
}

const began = Date.now();
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in CHECKS));
if (unknown.length > 0) throw new Error(`unknown checks: ${unknown.join(', ')}; there are ${Object.keys(CHECKS).join(', ')}`);

const failures: { test: string; file: string; message: string }[] = [];
let passed = 0;
for (const [name, check] of Object.entries(CHECKS)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const message = await outcome(check);
  if (message === undefined) passed += 1;
  else failures.push({ test: `check ${name}`, file: '', message });
  console.log(message === undefined ? `  ok    check ${name}` : `  FAIL  check ${name}\n${message.replaceAll(/^/gm, '          ')}`);
}

const report: SuiteReport = {
  passed,
  failed: failures.length,
  skipped: 0,
  seconds: (Date.now() - began) / 1000,
  failures,
  skippedTests: [],
};
const path = process.env['QUMAIL_TEST_REPORT'];
if (path !== undefined) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, JSON.stringify(report, null, 2));
}
process.exitCode = failures.length > 0 ? 1 : 0;
