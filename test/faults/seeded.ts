import { systemRandom } from '../../src/core/base/systemPorts.ts';
import type { Random } from '../../src/core/base/ports.ts';

/** `short` is in `npm test`, `long` is `npm run faults`. */
export const FORM: 'short' | 'long' = process.env['QUMAIL_FAULTS'] === 'long' ? 'long' : 'short';

/** The seed of this run: the same seed chooses the same faults in the same order. */
export const SEED = Number(process.env['QUMAIL_SEED'] ?? '1');

/** Numbers in [0, 1) that depend on the seed alone (mulberry32). */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** A whole number from 0 to `below` - 1. */
  below(below: number): number {
    return Math.floor(this.next() * below);
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)]!;
  }

  /** `count` of the values, in their order. */
  sample<T>(from: readonly T[], count: number): readonly T[] {
    const places = from.map((_, index) => ({ index, at: this.next() })).toSorted((a, b) => a.at - b.at);
    return places
      .slice(0, count)
      .map(({ index }) => index)
      .toSorted((a, b) => a - b)
      .map((index) => from[index]!);
  }
}

/** Keys and ids from the system, jitter from the dice and short: whoever waits here is a test. */
export function hastyRandom(dice: Dice): Random {
  return { ...systemRandom, fraction: () => dice.next() * 0.05 };
}

/** The nth, counted over and over; undefined where there is none. */
export function pick<T>(from: readonly T[], at: number): T | undefined {
  return from.length === 0 ? undefined : from[at % from.length];
}
