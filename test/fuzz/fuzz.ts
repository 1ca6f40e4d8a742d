import { createHash } from 'node:crypto';
import { QuMailError } from '../../src/core/base/errors.ts';
import { Dice } from '../faults/seeded.ts';
import { mutated } from './mutate.ts';
import type { Parser } from './parser.ts';

/** One input may take so long, in milliseconds: on a machine that does much else at once. */
const PATIENCE = 2000;
/** So many are tried however late it is: a machine that pauses between two inputs says nothing of the parser. */
const LEAST = 20;

export interface FuzzPlan {
  readonly seed: number;
  readonly inputs: number;
  /** Stops after so long, in milliseconds, though not before a score of inputs. */
  readonly forMs?: number;
  /** Hears of every input before it is parsed. */
  readonly before?: (number: number, octets: Buffer) => void;
}

export interface Fuzzed {
  readonly inputs: number;
  /** Of these, so many were taken, the rest refused by name. */
  readonly taken: number;
  readonly codes: Readonly<Record<string, number>>;
  readonly slowestMs: number;
  readonly failure?: { readonly number: number; readonly octets: Buffer; readonly reason: string };
}

/** Gives a parser damaged inputs until one of them makes it throw what it may not throw, or takes too long. */
export async function fuzz(parser: Parser, plan: FuzzPlan): Promise<Fuzzed> {
  const began = performance.now();
  const codes: Record<string, number> = {};
  let [inputs, taken, slowestMs] = [0, 0, 0];
  const done = (failure?: Fuzzed['failure']): Fuzzed => ({ inputs, taken, codes, slowestMs, ...(failure && { failure }) });
  for (let number = 0; number < plan.inputs; number += 1) {
    const octets = inputOf(parser, plan.seed, number);
    if (octets.equals(parser.samples[0]!)) continue;
    plan.before?.(number, octets);
    const at = performance.now();
    if (plan.forMs !== undefined && inputs >= LEAST && at - began > plan.forMs) break;
    inputs += 1;
    const reason = await tried(parser, Buffer.from(octets), codes);
    if (reason === 'taken') taken += 1;
    else if (reason !== 'refused') return done({ number, octets, reason });
    const took = performance.now() - at;
    slowestMs = Math.max(slowestMs, took);
    if (took > PATIENCE) return done({ number, octets, reason: `it took ${Math.round(took)} ms` });
  }
  return done();
}

/** The input of this number; the same for the same seed, as far as the parser's samples are. */
function inputOf({ name, samples, words }: Parser, seed: number, number: number): Buffer {
  const start = createHash('sha256').update(`${name} ${seed} ${number}`).digest().readUInt32BE(0);
  return mutated(new Dice(start), samples, words);
}

async function tried(parser: Parser, octets: Buffer, codes: Record<string, number>): Promise<string> {
  try {
    const result = parser.parse(octets);
    if (result instanceof Promise) await result;
    return 'taken';
  } catch (error) {
    if (QuMailError.is(error) && parser.codes?.test(error.code)) {
      codes[error.code] = (codes[error.code] ?? 0) + 1;
      return 'refused';
    }
    return error instanceof Error ? (error.stack ?? String(error)) : String(error);
  }
}
