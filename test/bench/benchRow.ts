/** One line of the benchmark table: what it took here, against a reference measured in the same run on the same machine. */
export interface BenchRow {
  readonly name: string;
  /** What `ratio` must not exceed. */
  readonly bar: number;
  /** Of both figures, e.g. `ms`. */
  readonly unit: string;
  readonly reference: { readonly name: string; readonly value: number };
  readonly ours: number;
  /** ours / reference.value */
  readonly ratio: number;
}

/** The rows of one measurement; where it fails, one that says so and misses its bar, so that the others are still made. */
export async function attempt(name: string, measure: () => Promise<readonly BenchRow[]>): Promise<readonly BenchRow[]> {
  try {
    return await measure();
  } catch (error) {
    console.error(`${name}:`, error);
    return [{ name: `${name}: FAILED`, bar: 1, unit: '', reference: { name: 'none', value: NaN }, ours: NaN, ratio: NaN }];
  }
}
