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
