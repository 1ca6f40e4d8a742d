/** A model of an IMAP server as far as journaled actions see it, with faults on demand: the connection dies before or after a command. */
import { QuMailError } from '../../../src/core/base/errors.ts';
import type { MailFlag } from '../../../src/core/base/types.ts';
import type { ReplayTools } from '../../../src/core/account/actions/replayTools.ts';
import type { Identified, MessageIdentity } from '../../../src/core/transport/imapIdentity.ts';

export interface ModelMessage {
  /** Its name for the test: no copy of a message ever gets another. */
  readonly tag: number;
  readonly rfcMessageId: string;
  readonly size: number;
  flags: ReadonlySet<MailFlag>;
}

interface ModelFolder {
  uidValidity: number;
  uidNext: number;
  readonly messages: Map<number, ModelMessage>;
}

export interface ModelOptions {
  /** Whether it has MOVE, or copies and removes. */
  readonly move: boolean;
  /** Whether it tells new UIDs. */
  readonly uidplus: boolean;
}

export class ModelImap implements ReplayTools {
  readonly folders = new Map<string, ModelFolder>();
  readonly #options: ModelOptions;
  /** What happens to the next commands: `before` and `after` they had their effect the line dies. */
  readonly faults: ('none' | 'before' | 'after')[] = [];
  /** So many moves are answered OK and not carried out, as Dovecot does where another program expunges one of the messages meanwhile. */
  unmoved = 0;
  #validity = 1;

  constructor(options: ModelOptions) {
    this.#options = options;
  }

  create(name: string): void {
    if (!this.folders.has(name)) this.folders.set(name, { uidValidity: this.#validity++, uidNext: 1, messages: new Map() });
  }

  deliver(name: string, message: ModelMessage): void {
    const folder = this.#folder(name);
    folder.messages.set(folder.uidNext++, message);
  }

  /** Every UID of a folder means another message from here on. */
  renumber(name: string): void {
    const folder = this.folders.get(name);
    if (!folder) return;
    const messages = [...folder.messages.values()];
    folder.messages.clear();
    folder.uidValidity = this.#validity++;
    folder.uidNext = 1 + (folder.uidValidity % 3);
    for (const message of messages) folder.messages.set(folder.uidNext++, message);
  }

  async marks(name: string) {
    return this.#faulty(() => {
      const { uidValidity, uidNext } = this.#folder(name);
      return { uidValidity, uidNext };
    });
  }

  async identify(name: string, uidValidity: number, of: Identified): Promise<MessageIdentity[]> {
    return this.#faulty(() => {
      const found = [...this.#valid(name, uidValidity).messages].filter(([uid]) => ('uids' in of ? of.uids.includes(uid) : uid >= of.from));
      return found.map(([uid, { rfcMessageId, size }]) => ({ uid, rfcMessageId, size }));
    });
  }

  async find(name: string, rfcMessageId: string): Promise<number[]> {
    return this.#faulty(() =>
      [...this.#folder(name).messages].filter(([, each]) => each.rfcMessageId === rfcMessageId).map(([uid]) => uid),
    );
  }

  async setFlags(
    name: string,
    uidValidity: number,
    uids: readonly number[],
    wanted: { add: readonly MailFlag[]; remove: readonly MailFlag[] },
  ): Promise<void> {
    return this.#faulty(() => {
      const { messages } = this.#valid(name, uidValidity);
      for (const uid of uids) {
        const message = messages.get(uid);
        if (message) message.flags = new Set([...[...message.flags].filter((flag) => !wanted.remove.includes(flag)), ...wanted.add]);
      }
    });
  }

  async move(name: string, uidValidity: number, uids: readonly number[], target: string): Promise<Map<number, number>> {
    const moved = new Map<number, number>();
    if (this.unmoved > 0) {
      this.unmoved -= 1;
      return moved;
    }
    await this.#faulty(() => {
      const from = this.#valid(name, uidValidity);
      const to = this.#folder(target);
      for (const uid of uids) {
        const message = from.messages.get(uid);
        if (!message) continue;
        to.messages.set(to.uidNext, this.#options.move ? message : { ...message });
        if (this.#options.uidplus) moved.set(uid, to.uidNext);
        to.uidNext++;
        if (this.#options.move) from.messages.delete(uid);
      }
    });
    if (!this.#options.move) await this.remove(name, uidValidity, uids);
    return moved;
  }

  async remove(name: string, uidValidity: number, uids: readonly number[]): Promise<void> {
    return this.#faulty(() => {
      const { messages } = this.#valid(name, uidValidity);
      for (const uid of uids) messages.delete(uid);
    });
  }

  async #faulty<T>(run: () => T): Promise<T> {
    // An answer takes its time, in which others have their turn.
    await new Promise((resolve) => setImmediate(resolve));
    const fault = this.faults.shift() ?? 'none';
    if (fault === 'before') throw new QuMailError('net.cut');
    const result = run();
    if (fault === 'after') throw new QuMailError('net.cut');
    return result;
  }

  #valid(name: string, uidValidity: number): ModelFolder {
    const folder = this.#folder(name);
    if (folder.uidValidity !== uidValidity) throw new QuMailError('imap.message-missing', { folder: name, reason: 'uid-validity' });
    return folder;
  }

  #folder(name: string): ModelFolder {
    const folder = this.folders.get(name);
    if (!folder) throw new QuMailError('imap.mailbox-missing', {});
    return folder;
  }
}
