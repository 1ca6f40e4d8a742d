import type { AccountState } from '../base/model.ts';
import { QuMailError } from '../base/errors.ts';
import { DisposableStore, type Disposable } from '../base/lifetime.ts';
import type { Log } from '../base/log.ts';
import type { Clock } from '../base/ports.ts';
import { SingleFlight } from '../base/singleFlight.ts';
import type { MessageStore } from '../store/messages.ts';
import type { EmailHandler } from '../transport/emailHandler.ts';
import { newRow, syncFolder, type FolderSync, type SyncDeps, type SyncedAccount } from './syncFolder.ts';

export interface MailAccountDeps extends SyncDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly messages: MessageStore;
  /** Milliseconds between looks where the server does not push. */
  readonly interval: () => number;
  readonly changed: {
    state(): void;
    folders(): void;
    messages(folder: string): void;
    activity(busy: 'busy' | 'idle'): void;
  };
}

/**
 * One account at work: its connections, its state, and the look for new mail that repeats until it is disposed of.
 * States: connecting -> online <-> offline; needs-sign-in only the person leaves.
 */
export class MailAccount implements Disposable {
  readonly id: string;
  /** The account's address, normalised. */
  readonly email: string;
  readonly handler: EmailHandler;
  readonly #deps: MailAccountDeps;
  readonly #owned = new DisposableStore();
  readonly #stop = new AbortController();
  readonly #flights = new SingleFlight<FolderSync>();
  readonly #counts = new SingleFlight<void>();
  #state: AccountState = 'connecting';
  #failure: QuMailError | undefined;
  #nextLook: Disposable | undefined;
  #watching = false;

  constructor(record: { id: string; email: string }, handler: EmailHandler, deps: MailAccountDeps) {
    this.id = record.id;
    this.email = record.email;
    this.handler = this.#owned.add(handler);
    this.#deps = deps;
  }

  get state(): AccountState {
    return this.#state;
  }

  get failure(): QuMailError | undefined {
    return this.#failure;
  }

  get synced(): SyncedAccount {
    return { accountId: this.id, self: this.email, handler: this.handler };
  }

  /** Starts looking for mail in the background; failures show in `state` and are tried again. */
  start(): void {
    void this.#look();
  }

  /** Folders and the inbox, brought up to date now. Throws what keeps them from it. */
  async fetch(signal?: AbortSignal): Promise<{ added: number }> {
    this.#deps.changed.activity('busy');
    try {
      await this.syncFolders(signal);
      const inbox = this.#deps.messages.listFolders(this.id).find((folder) => folder.specialUse === 'inbox');
      const { added } = inbox ? await this.syncFolder(inbox.path, signal) : { added: 0 };
      this.#becomes('online');
      this.#watchInbox(inbox?.path);
      return { added };
    } catch (error) {
      throw this.#fails(error);
    } finally {
      this.#deps.changed.activity('idle');
    }
  }

  /** The folder list with its counts. */
  async syncFolders(signal?: AbortSignal): Promise<void> {
    const remote = await this.handler.listFolders(this.#either(signal));
    const before = this.#deps.messages.listFolders(this.id);
    for (const folder of remote) {
      this.#deps.messages.upsertFolder({
        accountId: this.id,
        path: folder.path,
        name: folder.name,
        delimiter: folder.delimiter,
        ...(folder.specialUse !== undefined && { specialUse: folder.specialUse }),
        selectable: folder.selectable,
        unread: folder.unread,
        total: folder.total,
      });
    }
    const gone = before.filter(({ path }) => !remote.some((folder) => folder.path === path)).map(({ path }) => path);
    if (gone.length > 0) this.#deps.messages.removeFolders(this.id, gone);
    this.#deps.changed.folders();
  }

  /** One folder brought up to date; callers that ask for the same folder meanwhile share the look. */
  syncFolder(path: string, signal?: AbortSignal): Promise<FolderSync> {
    return this.#flights.run(path, async () => {
      const result = await syncFolder(this.synced, path, this.#deps, this.#either(signal));
      if (result.changed) {
        this.#deps.changed.messages(path);
        // The counts follow; nobody waits for them to see the message.
        this.#refreshCounts();
      }
      return result;
    });
  }

  /** Headers of messages older than the store holds; resolves to how many came. */
  async fetchOlder(path: string, limit: number, signal?: AbortSignal): Promise<number> {
    const known = this.#deps.messages.oldestUid(this.id, path);
    const cursor = this.#deps.messages.cursor(this.id, path);
    if (known === undefined || cursor === undefined) return 0;
    const older = await this.handler.getOlderEmails(path, cursor.uidValidity, known, limit, this.#either(signal));
    this.#deps.messages.insertMessages(this.id, path, older.map(newRow));
    return older.length;
  }

  /** Notes an outcome that reached this account some other way, such as a send or a refresh. */
  noteFailure(error: unknown): void {
    this.#fails(error);
  }

  dispose(): void {
    this.#stop.abort();
    this.#nextLook?.dispose();
    this.#owned.dispose();
  }

  async #look(): Promise<void> {
    try {
      const { added } = await this.fetch();
      this.#deps.log.info('looked', { added });
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      this.#deps.log.warn('look-failed', { code: QuMailError.from(error).code });
    }
    if (!this.#stop.signal.aborted) this.#nextLook = this.#deps.clock.after(this.#deps.interval(), () => void this.#look());
  }

  #refreshCounts(): void {
    this.#counts
      .run('counts', () => this.syncFolders())
      .catch((error: unknown) => {
        if (!this.#stop.signal.aborted) this.#fails(error);
      });
  }

  #watchInbox(path: string | undefined): void {
    if (this.#watching || path === undefined || this.#stop.signal.aborted) return;
    this.#watching = true;
    this.#owned.add(
      this.handler.watch(path, () => {
        this.syncFolder(path).catch((error: unknown) => {
          if (!this.#stop.signal.aborted) this.#fails(error);
        });
      }),
    );
  }

  #either(signal: AbortSignal | undefined): AbortSignal {
    return signal ? AbortSignal.any([signal, this.#stop.signal]) : this.#stop.signal;
  }

  #fails(error: unknown): QuMailError {
    const failure = QuMailError.from(error);
    if (failure.code === 'engine.cancelled') return failure;
    if (failure.code.startsWith('auth.') && failure.code !== 'auth.refresh-failed') this.#becomes('needs-sign-in', failure);
    else if (failure.code.startsWith('net.') || failure.code === 'auth.refresh-failed') this.#becomes('offline', failure);
    return failure;
  }

  #becomes(state: AccountState, failure?: QuMailError): void {
    const changed = state !== this.#state || failure?.code !== this.#failure?.code;
    this.#state = state;
    this.#failure = failure;
    if (changed) this.#deps.changed.state();
  }
}
