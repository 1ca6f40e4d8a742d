import { networkInterfaces } from 'node:os';
import type { Disposable } from '../base/lifetime.ts';
import type { Clock } from '../base/ports.ts';

/** How often the machine's addresses are compared, in milliseconds; asking for them takes microseconds. */
export const NETWORK_TICK_MS = 10_000;

/** The addresses this machine has on its networks, sorted; loopback left out. '' while it is on none. */
export function networksNow(): string {
  const addresses = Object.entries(networkInterfaces()).flatMap(([name, entries]) =>
    (entries ?? []).filter(({ internal }) => !internal).map(({ address }) => `${name} ${address}`),
  );
  return addresses.sort().join('\n');
}

/** Calls `onChange` when the machine came to another network. Losing the last one is no reason to look for mail. */
export class NetworkWatch implements Disposable {
  readonly #clock: Clock;
  readonly #networks: () => string;
  readonly #onChange: () => void;
  #before: string;
  #tick: Disposable;
  #disposed = false;

  constructor(clock: Clock, networks: () => string, onChange: () => void) {
    this.#clock = clock;
    this.#networks = networks;
    this.#onChange = onChange;
    this.#before = networks();
    this.#tick = this.#arm();
  }

  #arm(): Disposable {
    return this.#clock.after(NETWORK_TICK_MS, () => {
      if (this.#disposed) return;
      const now = this.#networks();
      const changed = now !== this.#before;
      this.#before = now;
      this.#tick = this.#arm();
      if (changed && now !== '') this.#onChange();
    });
  }

  dispose(): void {
    this.#disposed = true;
    this.#tick.dispose();
  }
}
