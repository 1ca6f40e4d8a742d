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

/** How what was measured of the largest mailbox grew: against as many of the smallest as hold the same. Nothing where there is one size only. */
export function growth(what: string, values: ReadonlyMap<number, number>, bar = 1): BenchRow[] {
  if (values.size < 2) return [];
  const [small, large] = [Math.min(...values.keys()), Math.max(...values.keys())];
  const times = large / small;
  const reference = { name: `${times} times that of ${small.toLocaleString('en')}`, value: values.get(small)! * times };
  const ours = values.get(large)!;
  const name = `growth of ${what}, ${large.toLocaleString('en')} messages`;
  return [{ name, bar, unit: 'ms', reference, ours, ratio: ours / reference.value }];
}
