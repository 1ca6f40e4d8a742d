/** A row nobody has measured yet, in CSS pixels. */
const ESTIMATE = 58;

/** Which rows to draw, and how much room the others take. */
export interface Window {
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
  /** Height of everything before `start`. */
  readonly offset: number;
}

/** Where rows of measured and of guessed heights lie in a long list. Ten thousand rows cost one pass per change. */
export class Heights {
  readonly #measured = new Map<string, number>();
  #ids: readonly string[] = [];
  /** `#offsets[i]` is where row i begins; one more than there are rows. */
  #offsets: Float64Array | undefined;

  setRows(ids: readonly string[]): void {
    this.#ids = ids;
    this.#offsets = undefined;
  }

  /** Returns whether anything moved. */
  measure(id: string, height: number): 'moved' | 'same' {
    if (this.#measured.get(id) === height) return 'same';
    this.#measured.set(id, height);
    this.#offsets = undefined;
    return 'moved';
  }

  /** Another width: nothing measured so far holds. */
  forget(): void {
    this.#measured.clear();
    this.#offsets = undefined;
  }

  get total(): number {
    return this.offsetOf(this.#ids.length);
  }

  offsetOf(index: number): number {
    return this.#table()[Math.max(0, Math.min(index, this.#ids.length))] ?? 0;
  }

  /** The row at a height; the last one below everything, -1 where there are none. */
  indexAt(y: number): number {
    const offsets = this.#table();
    let low = 0;
    let high = this.#ids.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((offsets[middle] ?? 0) <= y) low = middle;
      else high = middle - 1;
    }
    return high < 0 ? -1 : low;
  }

  /** The rows that touch `from`..`to`. */
  windowOf(from: number, to: number): Window {
    if (this.#ids.length === 0) return { start: 0, end: 0, offset: 0 };
    const start = this.indexAt(Math.max(0, from));
    return { start, end: this.indexAt(Math.max(0, to)) + 1, offset: this.offsetOf(start) };
  }

  #table(): Float64Array {
    if (this.#offsets) return this.#offsets;
    const offsets = new Float64Array(this.#ids.length + 1);
    for (const [index, id] of this.#ids.entries()) offsets[index + 1] = (offsets[index] ?? 0) + (this.#measured.get(id) ?? ESTIMATE);
    this.#offsets = offsets;
    return offsets;
  }
}
