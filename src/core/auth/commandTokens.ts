import { QuMailError } from '../base/errors.ts';
import type { Disposable } from '../base/lifetime.ts';
import type { Log } from '../base/log.ts';
import type { Clock } from '../base/ports.ts';
import { SingleFlight } from '../base/singleFlight.ts';
import { runTokenCommand } from './tokenCommand.ts';
import { unlessAborted } from './unlessAborted.ts';

/**
 * Tokens printed by a program of the person's own. They live in memory only and are used until a server refuses one; one run serves all
 * who ask meanwhile.
 */
export class CommandTokens implements Disposable {
  readonly #deps: { readonly clock: Clock; readonly log: Log };
  readonly #flights = new SingleFlight<string>();
  readonly #cached = new Map<string, string>();
  readonly #stopped = new AbortController();

  constructor(deps: { clock: Clock; log: Log }) {
    this.#deps = deps;
  }

  /** @throws what `runTokenCommand` throws */
  async token(accountId: string, command: readonly string[] | undefined, how: 'cached' | 'fresh', signal?: AbortSignal): Promise<string> {
    if (!command) throw new QuMailError('account.bad-settings', { field: 'command' });
    const known = how === 'cached' ? this.#cached.get(accountId) : undefined;
    if (known !== undefined) return known;
    const run = this.#flights.run(accountId, () => this.#run(accountId, command));
    return unlessAborted(run, signal);
  }

  forget(accountId: string): void {
    this.#cached.delete(accountId);
  }

  /** Ends programs that still run. */
  dispose(): void {
    this.#stopped.abort();
    this.#cached.clear();
  }

  async #run(accountId: string, command: readonly string[]): Promise<string> {
    try {
      const token = await runTokenCommand(command, this.#deps, this.#stopped.signal);
      this.#cached.set(accountId, token);
      this.#deps.log.info('command-token');
      return token;
    } catch (error) {
      const { code, details } = QuMailError.from(error);
      // A token that a server refused must not be tried again because no other can be had.
      this.#cached.delete(accountId);
      this.#deps.log.warn('command-failed', { code, reason: String(details.reason ?? '') });
      throw error;
    }
  }
}
