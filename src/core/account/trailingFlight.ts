interface Flights<T> {
  readonly current: Promise<T>;
  next: Promise<T> | undefined;
}

/**
 * One flight per key at a time, and one more after it for everybody who asked meanwhile: what they ask about may have changed since the
 * current one looked, so its outcome would not do.
 */
export class TrailingFlight<T> {
  readonly #flights = new Map<string, Flights<T>>();

  /** Resolves with the outcome of a flight that began after this call. */
  run(key: string, start: () => Promise<T>): Promise<T> {
    const flying = this.#flights.get(key);
    if (!flying) return this.#begin(key, start);
    flying.next ??= flying.current.then(
      () => this.#begin(key, start),
      () => this.#begin(key, start),
    );
    return flying.next;
  }

  #begin(key: string, start: () => Promise<T>): Promise<T> {
    const flights: Flights<T> = { current: start(), next: undefined };
    this.#flights.set(key, flights);
    const end = (): void => {
      if (flights.next === undefined) this.#flights.delete(key);
    };
    flights.current.then(end, end);
    return flights.current;
  }
}
