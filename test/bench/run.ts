/**
 * `npm run bench`: every measurement of DESIGN 7 beside its reference, which is measured in the same run on the same machine.
 *
 *   npm run bench -- [--only] [arrival | chat | crypto | growth | host | package | search | sync] ...
 *
 * `sync100k` and `search20k` mean those of that many thousand messages alone.
 *
 * Prints the table; what was measured in all its sizes is also written to its section of test/bench/RESULTS.md. Fails where a bar is missed.
 */
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { attempt, type BenchRow } from './benchRow.ts';

const HEAD = `# Results

Written by \`npm run bench\`, a section for each measurement. Each line: ours against a reference measured in the same run, taking turns
with it; of repeated measurements the best of each counts, because other work on the machine only ever adds. The ratio must not exceed the bar;
a line without a bar is for information. mbsync and notmuch take as many turns as the engine with 20,000 messages, and one with 100,000, which takes them minutes.

- Full sync: from the account being added to an empty store until every message is stored, indexed and found. Ours and ImapFlow run in fresh
  processes; the time to start Node counts for neither.
- First 50 on screen: both start cold in processes of their own, ours with no mail.db; from the decision to connect until 50 rows are there.
- Re-sync: mbsync is a process; the engine runs all day, so what counts is connecting anew and looking into every folder. The same with a cold
  process, Node and the opening of the store included, stands beside it.
- Growth: what 100,000 messages take against five times what 20,000 do. A full sync is one of 100,000 against five of 20,000 one after another, all
  kept until the last is there, in turns: the quickest alone of either, which stands beside it, also tells how the machine gives out fresh memory.
- DESIGN 7 sets its bars for 20,000 messages; those of 100,000 are measured against the same. The raw sources alone take ImapFlow less than five
  times as long there, because connecting and opening the mailbox weigh less.
- Longest wait: how late a timer of 5 ms fires at worst while everything is synced; of three runs the best. The mail server works on the
  same processors: the time in which the engine was ready and others had them (\`/proc/self/schedstat\`) is left out, and stands beside it included.
- Extension host: the packaged extension in a real VS Code, side bar open, every view at work; a probe beside it in the same process measures the
  same way, waits for disks and locks included, and leaves out timers that fire late into a loop that had nothing to do.
- What the commits of a full sync leave in the search index is joined in quiet times afterwards: not in the time of the sync, but in that of the index alone,
  and done before search is measured. The time notmuch takes for the like is in its own.
`;
const setUp = pathToFileURL(join(import.meta.dirname, '../../scripts/debian.mjs')).href;
const { ensureDebianPackages } = (await import(setUp)) as { ensureDebianPackages(part: string): string | undefined };
const missing = ensureDebianPackages('bench');
if (missing !== undefined) throw new Error(missing);
const named = process.argv.slice(2).filter((name) => name !== '--only');
const wanted = named.map((name) => name.replace(/\d+k$/, ''));
const sizes = named.flatMap((name) => /(\d+)k$/.exec(name)?.[1] ?? []);
if (sizes.length > 0) process.env['QUMAIL_BENCH_MESSAGES'] = sizes.map((size) => `${size}000`).join();
const RESULTS = join(import.meta.dirname, 'RESULTS.md');
const files = globSync(join(import.meta.dirname, '*.bench.ts'))
  .toSorted()
  .filter((file) => wanted.length === 0 || wanted.some((name) => basename(file).startsWith(name)));
const all: BenchRow[] = [];
for (const file of files) {
  console.log(`${basename(file)} ...`);
  const began = performance.now();
  const before = loadavg()[0]!.toFixed(1);
  const measure = async (): Promise<readonly BenchRow[]> =>
    ((await import(pathToFileURL(file).href)) as { rows(): Promise<readonly BenchRow[]> }).rows();
  const name = basename(file, '.bench.ts');
  const rows = await attempt(name, measure);
  all.push(...rows);
  if (process.env['QUMAIL_BENCH_MESSAGES'] === undefined) keep(name, tableOf(rows), before);
  console.log(`${tableOf(rows)}(${Math.round((performance.now() - began) / 1000)} s)`);
}
console.log(`\n${tableOf(all)}`);
if (all.some(({ ratio, bar }) => !(ratio <= bar))) process.exitCode = 1;

/** Writes one section of the results; the others stay as they were measured. */
function keep(name: string, table: string, before: string): void {
  const machine = `${cpus().length} x ${cpus()[0]?.model.trim() ?? 'CPU'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}`;
  const when = `${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC, load ${before} before and ${loadavg()[0]!.toFixed(1)} after`;
  const [, ...sections] = readFileSync(RESULTS, 'utf8').split(/^## /m);
  const kept = new Map(sections.map((section) => [section.slice(0, section.indexOf('\n')), section.trimEnd()]));
  kept.set(name, `${name}\n\n${machine}; ${when}\n\n${table.trimEnd()}`);
  const all = [...kept].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, section]) => `\n## ${section}\n`);
  writeFileSync(RESULTS, `${HEAD}${all.join('')}`);
}

function tableOf(rows: readonly BenchRow[]): string {
  const lines = rows.map(({ name, bar, unit, reference, ours, ratio }) => {
    const values = `${number(ours)} ${unit} | ${reference.name}: ${number(reference.value)} ${unit}`;
    return `| ${name} | ${values} | ${number(ratio)} | ${Number.isFinite(bar) ? bar : ''} | ${verdict(ratio, bar)} |`;
  });
  return ['| what | ours | reference | ratio | bar | |', '|---|---|---|---|---|---|', ...lines, ''].join('\n');
}

function verdict(ratio: number, bar: number): string {
  if (!Number.isFinite(bar)) return '';
  if (Number.isNaN(ratio)) return '**failed**';
  return ratio <= bar ? 'reached' : '**missed**';
}

function number(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
