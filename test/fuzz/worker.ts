/** Fuzzes one parser in a thread of its own, so that a hang is seen from outside: it notes every input in shared memory before it is parsed. */
import { parentPort, workerData } from 'node:worker_threads';
import { allParsers } from './allParsers.ts';
import { fuzz } from './fuzz.ts';

export interface Task {
  readonly parser: string;
  readonly seed: number;
  readonly inputs: number;
  readonly forMs?: number;
  /** u32 number, u32 length, octets of the input at work. */
  readonly board: SharedArrayBuffer;
}

const { parser: name, board, ...plan } = workerData as Task;
const numbers = new Uint32Array(board, 0, 2);
const octets = new Uint8Array(board, 8);
const parser = (await allParsers()).find((each) => each.name === name);
if (!parser) throw new Error(`no parser ${name}`);
parentPort?.postMessage('ready');
const fuzzed = await fuzz(parser, {
  ...plan,
  before: (number, input) => {
    numbers[0] = number;
    numbers[1] = input.length;
    octets.set(input);
  },
});
parentPort?.postMessage(fuzzed);
