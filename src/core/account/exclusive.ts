import { QuMailError } from '../base/errors.ts';

/** One flight per key. Who asks for the very same work shares its outcome; who asks for other work under the key is refused. */
export class Exclusive {
  readonly #flights = new Map<string, { readonly tag: string; readonly work: Promise<unknown> }>();

  busy(key: string): boolean {
    return this.#flights.has(key);
  }

  /** @param tag names the work: equal tags of one key are the same work @throws QuMailError `smtp.acceptance-unknown` for other work */
  run<T>(key: string, tag: string, start: () => Promise<T>): Promise<T> {
    const current = this.#flights.get(key);
    if (current) return current.tag === tag ? (current.work as Promise<T>) : Promise.reject(new QuMailError('smtp.acceptance-unknown'));
    const work = start().finally(() => this.#flights.delete(key));
    this.#flights.set(key, { tag, work });
    return work;
  }

  /** Resolves once the work under way for `key`, or all of it, has ended, however it ended. */
  async idle(key?: string): Promise<void> {
    const flights = key === undefined ? [...this.#flights.values()] : [this.#flights.get(key)].filter((flight) => flight !== undefined);
    await Promise.allSettled(flights.map(({ work }) => work));
  }
}
