/** A parser of foreign bytes, as it is fuzzed. */
export interface Parser {
  readonly name: string;
  /** Sound inputs, which are damaged. */
  readonly samples: readonly Buffer[];
  /** Words that mean something to it. */
  readonly words: readonly string[];
  /** Codes it may refuse with; whatever else it throws is a defect. Absent: it must never throw. */
  readonly codes?: RegExp;
  readonly parse: (octets: Buffer) => unknown;
}

export function texts(...all: readonly string[]): readonly Buffer[] {
  return all.map((text) => Buffer.from(text));
}
