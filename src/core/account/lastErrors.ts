import type { ErrorCode } from '../base/errors.ts';

/** How many errors are remembered. */
const REMEMBERED = 10;

export interface RememberedError {
  readonly at: number;
  readonly code: ErrorCode;
}

/** The last errors of an account, for Account Health. */
export class LastErrors {
  readonly #errors: RememberedError[] = [];

  note(at: number, code: ErrorCode): void {
    this.#errors.push({ at, code });
    if (this.#errors.length > REMEMBERED) this.#errors.shift();
  }

  /** Oldest first, at most ten. */
  list(): readonly RememberedError[] {
    return [...this.#errors];
  }
}
