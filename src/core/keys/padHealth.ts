import { createHash } from 'node:crypto';
import { QuMailError } from '../base/errors.ts';

/** Octets looked at together. */
const WINDOW = 65_536;
/** Equal octets in a row. By chance once in 2^64 octets (the repetition count test of NIST SP 800-90B 4.4.1, H = 8). */
const MAX_RUN = 9;
/** Chi-square over 256 bins has mean 255 and deviation 22.6; this is 15 deviations above it. Text, hexadecimal and counters are far beyond. */
const MAX_CHI_SQUARE = 600;
/** Below this many octets in a window, bins are too empty to say anything. */
const MIN_FOR_CHI_SQUARE = 4096;

/**
 * Cheap tests that tell a broken generator, a file of zeros or text, and one that repeats itself from random octets. They find accidents;
 * no test can tell good randomness from what only looks like it.
 */
export class PadHealth {
  readonly #seen = new Set<string>();
  #last = -1;
  #run = 0;

  /** Looks at the next octets, in the order in which they are in the pad. @throws QuMailError `pad.bad-randomness` (details: test) */
  look(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; at += WINDOW) this.#window(bytes.subarray(at, at + WINDOW));
  }

  #window(bytes: Buffer): void {
    const counts = new Uint32Array(256);
    let last = this.#last;
    let run = this.#run;
    for (const byte of bytes) {
      counts[byte]! += 1;
      run = byte === last ? run + 1 : 1;
      last = byte;
      if (run >= MAX_RUN) throw bad('repetition-count');
    }
    this.#last = last;
    this.#run = run;
    if (bytes.length >= MIN_FOR_CHI_SQUARE && chiSquare(counts, bytes.length) > MAX_CHI_SQUARE) throw bad('chi-square');
    // Windows are compared by 64 bits of a digest: a pad copied onto itself, or a generator that starts again.
    if (bytes.length < 32) return;
    const digest = createHash('sha256').update(bytes).digest('base64').slice(0, 11);
    if (this.#seen.has(digest)) throw bad('repeated-block');
    this.#seen.add(digest);
  }
}

function chiSquare(counts: Uint32Array, total: number): number {
  const expected = total / 256;
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

function bad(test: string): QuMailError {
  return new QuMailError('pad.bad-randomness', { test });
}
