/**
 * `npm run bench`: every measurement of DESIGN 7 beside its reference, in one run on one machine.
 *
 *   npm run bench -- [names of bench files ...]
 *
 * Prints the table; a whole run also writes it to test/bench/RESULTS.md. Fails where a bar is missed.
 */
import { globSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { BenchRow } from './benchRow.ts';

const setUp = pathToFileURL(join(import.meta.dirname, '../../scripts/debian.mjs')).href;
const { ensureDebianPackages } = (await import(setUp)) as { ensureDebianPackages(part: string): string | undefined };
const missing = ensureDebianPackages('bench');
if (missing !== undefined) throw new Error(missing);
const wanted = process.argv.slice(2);
const files = globSync(join(import.meta.dirname, '*.bench.ts'))
  .toSorted()
  .filter((file) => wanted.length === 0 || wanted.some((name) => basename(file).startsWith(name)));
const all: BenchRow[] = [];
for (const file of files) {
  console.log(`${basename(file)} ...`);
  const { rows } = (await import(pathToFileURL(file).href)) as { rows(): Promise<BenchRow[]> };
  all.push(...(await rows()));
}
const table = tableOf(all);
console.log(`\n${table}`);
if (wanted.length === 0) {
  const machine = `${cpus().length} x ${cpus()[0]?.model.trim() ?? 'CPU'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}`;
  const head =
    '# Results\n\nWritten by `npm run bench`. Each line: ours against a reference measured in the same run; the ratio must not exceed the bar.\n';
  writeFileSync(join(import.meta.dirname, 'RESULTS.md'), `${head}\n${machine}, ${new Date().toISOString().slice(0, 10)}\n\n${table}`);
}
if (all.some(({ ratio, bar }) => !(ratio <= bar))) process.exitCode = 1;

function tableOf(rows: readonly BenchRow[]): string {
  const lines = rows.map(({ name, bar, unit, reference, ours, ratio }) => {
    const values = `${number(ours)} ${unit} | ${reference.name}: ${number(reference.value)} ${unit}`;
    return `| ${name} | ${values} | ${number(ratio)} | ${bar} | ${ratio <= bar ? 'reached' : '**missed**'} |`;
  });
  return ['| what | ours | reference | ratio | bar | |', '|---|---|---|---|---|---|', ...lines, ''].join('\n');
}

function number(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
