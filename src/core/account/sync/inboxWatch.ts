import type { Disposable } from '../../base/lifetime.ts';
import type { EmailHandler } from '../../transport/emailHandler.ts';

export interface InboxWatchDeps {
  readonly handler: Pick<EmailHandler, 'watch' | 'connections'>;
  /** Only the person can help this account on. */
  readonly waitsForPerson: () => boolean;
  /** Something in the inbox is different. */
  readonly pushed: (path: string) => void;
}

/** Listens to an account's inbox, while this window is the one to do so. */
export class InboxWatch implements Disposable {
  readonly #deps: InboxWatchDeps;
  #watch: Disposable | undefined;

  constructor(deps: InboxWatchDeps) {
    this.#deps = deps;
  }

  start(path: string): void {
    const { handler, waitsForPerson, pushed } = this.#deps;
    this.#watch ??= handler.watch(path, () => {
      // While only the person can help, asking again and again would lock the account; a watch that is connected proves the contrary.
      if (!waitsForPerson() || handler.connections().some(({ kind }) => kind === 'imap-watch')) pushed(path);
    });
  }

  /** Ends it, until the next `start`. */
  dispose(): void {
    this.#watch?.dispose();
    this.#watch = undefined;
  }
}
