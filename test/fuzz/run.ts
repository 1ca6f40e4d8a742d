/**
 * `npm run fuzz`: a million damaged inputs for every parser of foreign bytes, or as many as the time allows.
 *
 *   npm run fuzz -- [--seed N] [--seconds S] [--inputs N] [--parser NAME ...] [--jobs N]
 *
 * --seconds is for each parser. Every parser runs in a thread of its own; one that gives no sign for 20 seconds hangs. What made a parser fail
 * is kept in out/fuzz. Prints its seed; the same seed makes the same damage again.
 */
import { randomInt } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { allParsers } from './allParsers.ts';
import type { Fuzzed } from './fuzz.ts';
import { LARGEST } from './mutate.ts';
import type { Task } from './worker.ts';

const SILENCE = 20_000;
const OUT = 'out/fuzz';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seconds: { type: 'string' },
    inputs: { type: 'string', default: '1000000' },
    parser: { type: 'string', multiple: true },
    jobs: { type: 'string', default: '2' },
  },
});
const seed = Number(values.seed ?? randomInt(1_000_000));
const names = (await allParsers()).map(({ name }) => name).filter((name) => values.parser?.includes(name) ?? true);
if (names.length === 0) throw new Error(`there is no parser ${values.parser?.join(', ')}`);
const forMs = values.seconds === undefined ? undefined : Number(values.seconds) * 1000;
console.log(`Fuzzing ${names.length} parsers. Repeat with: npm run fuzz -- --seed ${seed}`);

let [inputs, failed] = [0, 0];
const waiting = [...names];
await Promise.all(
  Array.from({ length: Number(values.jobs) }, async () => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) await report(name);
  }),
);
console.log(`${inputs} inputs, ${failed} of ${names.length} parsers failed. The seed was ${seed}.`);
process.exitCode = failed > 0 ? 1 : 0;

async function report(name: string): Promise<void> {
  const began = Date.now();
  const fuzzed = await inThread(name);
  inputs += fuzzed.inputs;
  const seconds = ((Date.now() - began) / 1000).toFixed(0);
  const codes = Object.entries(fuzzed.codes)
    .toSorted(([, a], [, b]) => b - a)
    .map(([code, count]) => `${code} ${count}`);
  const line = [`${fuzzed.inputs} inputs`, `${fuzzed.taken} taken`, ...codes, `slowest ${fuzzed.slowestMs.toFixed(0)} ms`];
  console.log(`${fuzzed.failure ? 'FAIL' : 'ok  '}  ${name.padEnd(16)} ${seconds} s: ${line.join(', ')}`);
  if (!fuzzed.failure) return;
  failed += 1;
  mkdirSync(OUT, { recursive: true });
  const file = join(OUT, `${name.replace(/\W/g, '-')}-${seed}-${fuzzed.failure.number}.bin`);
  writeFileSync(file, fuzzed.failure.octets);
  console.log(`      input ${fuzzed.failure.number}, kept in ${file}: ${fuzzed.failure.reason}`);
}

function inThread(parser: string): Promise<Fuzzed> {
  const board = new SharedArrayBuffer(8 + LARGEST);
  const numbers = new Uint32Array(board, 0, 2);
  const task: Task = { parser, seed, inputs: Number(values.inputs), board, ...(forMs !== undefined && { forMs }) };
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData: task });
  return new Promise((resolve, reject) => {
    let [last, since, ready] = [-1, Date.now(), false];
    const failed = (reason: string): void => {
      const octets = Buffer.from(board, 8, numbers[1]);
      void worker.terminate();
      resolve({ inputs: numbers[0]!, taken: 0, codes: {}, slowestMs: 0, failure: { number: numbers[0]!, octets, reason } });
    };
    const watch = setInterval(() => {
      if (!ready || numbers[0] !== last) [last, since] = [numbers[0]!, Date.now()];
      else if (Date.now() - since > SILENCE) failed('it hangs');
    }, 1000);
    worker.on('message', (word: Fuzzed | 'ready') => {
      if (word === 'ready') ready = true;
      else resolve(word);
    });
    worker.once('error', (error) => (!ready ? reject(error) : failed(error.stack ?? String(error))));
    worker.once('exit', () => clearInterval(watch));
  });
}
