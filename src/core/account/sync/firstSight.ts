import { QuMailError } from '../../base/errors.ts';
import { SingleFlight } from '../../base/singleFlight.ts';
import type { MessageStore } from '../../store/messages.ts';
import { unlessCancelled } from '../unlessCancelled.ts';

/** Every account has it, under this name (RFC 9051 section 5.1). */
const INBOX = 'INBOX';

export interface FirstSightDeps {
  readonly accountId: string;
  readonly messages: Pick<MessageStore, 'cursor'>;
  readonly look: (path: string) => Promise<unknown>;
}

/** The newest headers of folders that were never looked into; callers share one look. */
export class FirstSight {
  readonly #deps: FirstSightDeps;
  readonly #looks = new SingleFlight<void>();

  constructor(deps: FirstSightDeps) {
    this.#deps = deps;
  }

  async of(path: string, signal?: AbortSignal): Promise<void> {
    if (this.#deps.messages.cursor(this.#deps.accountId, path)) return;
    const look = this.#looks.run(path, async () => void (await this.#deps.look(path)));
    await (signal ? unlessCancelled(look, signal) : look);
  }

  /** What a person wants to see of a new account is its inbox: it comes before the list of folders and their counts. */
  async ofInbox(signal?: AbortSignal): Promise<void> {
    try {
      await this.of(INBOX, signal);
    } catch (error) {
      // A mailbox that cannot be selected is listed as such.
      if (!QuMailError.from(error).code.startsWith('imap.')) throw error;
    }
  }
}
