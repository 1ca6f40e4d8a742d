import type { Clock } from '../base/ports.ts';

/** What a key manager said of a link this lately is believed, milliseconds: it changes when somebody rebuilds a network, and a key request tells where it did. */
const BELIEVE_MS = 30_000;

/** How many further SAEs each link shares a key with, as key managers said it a moment ago. */
export class BelievedSharers {
  readonly #clock: Clock;
  readonly #told = new Map<string, Map<string, { readonly sharers: number; readonly at: number }>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get(accountId: string, peerSaeId: string): number | undefined {
    const told = this.#told.get(accountId)?.get(peerSaeId);
    const age = told === undefined ? Number.NaN : this.#clock.now() - told.at;
    return age >= 0 && age < BELIEVE_MS ? told?.sharers : undefined;
  }

  put(accountId: string, peerSaeId: string, sharers: number): void {
    const links = this.#told.get(accountId) ?? new Map<string, { sharers: number; at: number }>();
    links.set(peerSaeId, { sharers, at: this.#clock.now() });
    this.#told.set(accountId, links);
  }

  /** Another key manager, another SAE, another profile. */
  drop(accountId: string): void {
    this.#told.delete(accountId);
  }
}
