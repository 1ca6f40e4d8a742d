import type { AccountState } from '../base/model.ts';
import { QuMailError, throwIfCancelled } from '../base/errors.ts';
import { DisposableStore, type Disposable } from '../base/lifetime.ts';
import { SingleFlight } from '../base/singleFlight.ts';
import type { EmailHandler } from '../transport/emailHandler.ts';
import type { RemoteFolder } from '../transport/remoteMail.ts';
import { AccountStanding } from './accountStanding.ts';
import { AccountLease } from './sync/accountLease.ts';
import { BackgroundSync } from './sync/backgroundSync.ts';
import { FirstSight } from './sync/firstSight.ts';
import { chatsToLookAt, takeFolderList } from './sync/folderList.ts';
import { InboxWatch } from './sync/inboxWatch.ts';
import { newRow } from './sync/newRow.ts';
import { nextLookAfter } from './sync/nextLook.ts';
import type { MailAccountDeps } from './mailAccountDeps.ts';
import { unlessCancelled } from './unlessCancelled.ts';
import { openArrivals, syncFolder, type FolderSync, type SyncedAccount } from './syncFolder.ts';
import { TrailingFlight } from './trailingFlight.ts';

/**
 * One account at work: its connections, its state, and the look for new mail that repeats until it is disposed of. Of several windows one looks,
 * listens and fills the offline copy; the others show what it stores and how it says it is doing, and do what their person asks for.
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
  readonly #flights = new TrailingFlight<FolderSync>();
  readonly #counts = new TrailingFlight<unknown>();
  readonly #looks = new SingleFlight<void>();
  readonly #standing: AccountStanding;
  #failures = 0;
  #nextLook: Disposable | undefined;
  readonly #lease: AccountLease;
  readonly #inbox: InboxWatch;
  #listed: readonly RemoteFolder[] = [];
  readonly background: BackgroundSync;
  readonly firstSight: FirstSight;

  constructor({ id: accountId, email }: { id: string; email: string }, handler: EmailHandler, deps: MailAccountDeps) {
    this.id = accountId;
    this.email = email;
    this.handler = this.#owned.add(handler);
    this.#deps = deps;
    this.firstSight = new FirstSight({ ...deps, accountId, look: (path) => this.syncFolder(path) });
    this.#standing = new AccountStanding({
      clock: deps.clock,
      tell: (state) => this.#lease.tell(state),
      changed: () => deps.changed.state(),
    });
    this.#lease = this.#owned.add(new AccountLease({ ...deps, accountId, leads: () => void this.#look(), follows: () => this.#follow() }));
    const waitsForPerson = (): boolean => this.state === 'needs-sign-in';
    this.#inbox = this.#owned.add(new InboxWatch({ handler, waitsForPerson, pushed: (path) => this.#inboxChanged(path) }));
    this.background = this.#owned.add(
      new BackgroundSync({
        ...deps,
        accountId,
        handler,
        log: deps.log.scoped('fill'),
        look: (path) => this.syncFolder(path),
        openArrivals: (path, signal) => openArrivals(this.synced, path, deps, signal),
        quiet: () => handler.quiet(),
        leads: () => this.leads,
        stored: () => this.#standing.stores(),
        failed: (failure) => void this.#standing.fails(failure),
        changed: { ...deps.changed, quota: (quota) => this.#standing.share({ quota }) },
      }),
    );
  }

  /** Whether it is this window that looks for this account's mail by itself. */
  get leads(): boolean {
    return this.#lease.leads;
  }

  get state(): AccountState {
    return this.#standing.state;
  }

  /** Why it is not online, or why its mail cannot be stored although it is. */
  get failure(): QuMailError | undefined {
    return this.#standing.failure;
  }

  /** When the folders or the inbox were last brought up to date. */
  get lastSync(): number | undefined {
    return this.#standing.lastSync;
  }

  /** The last errors, oldest first, at most ten. */
  get lastErrors(): AccountStanding['lastErrors'] {
    return this.#standing.lastErrors;
  }

  get synced(): SyncedAccount {
    return { accountId: this.id, self: this.email, handler: this.handler };
  }

  /** Looks for mail in the background as soon as no other window does; failures show in `state` and are tried again. */
  start(): void {
    void this.#lease.seek();
    setImmediate(() => {
      try {
        this.mirror();
      } catch (error) {
        this.#standing.fails(error);
      }
    });
  }

  /** Does as was said in another window, and shows how the one that looks for this account's mail says it is doing. */
  mirror(): void {
    this.background.heed();
    const shared = this.#lease.told();
    if (shared) this.#standing.mirror(shared);
  }

  /** Folders and the inbox, brought up to date now. Throws what keeps them from it. */
  async fetch(signal?: AbortSignal): Promise<{ added: number }> {
    this.#deps.changed.activity('busy');
    try {
      await this.firstSight.ofInbox(signal);
      const counts = await this.syncFolders(signal);
      const inbox = this.#deps.messages.listFolders(this.id).find((folder) => folder.specialUse === 'inbox');
      const { added } = inbox ? await this.syncFolder(inbox.path, signal) : { added: 0 };
      if (counts === 'held-back') await this.syncFolders(signal);
      this.#succeeds();
      if (this.leads && inbox && !this.#stop.signal.aborted) this.#inbox.start(inbox.path);
      this.background.start(this.#listed);
      return { added };
    } catch (error) {
      throw this.#standing.fails(error);
    } finally {
      this.#deps.changed.activity('idle');
    }
  }

  /** The folder list with its counts. */
  async syncFolders(signal?: AbortSignal): Promise<'all' | 'held-back'> {
    const either = this.#either(signal);
    this.#listed = await this.handler.listFolders(either);
    const counts = await takeFolderList(this.id, this.#listed, this.#deps.messages, this.handler, either, this.#deps.journal);
    this.#deps.changed.folders();
    const chats = chatsToLookAt(this.id, this.#listed, this.#deps.messages);
    if (chats !== undefined) this.syncFolder(chats).catch((error: unknown) => this.#failsInBackground(error));
    return counts;
  }

  /**
   * One folder brought up to date. Callers that ask for the same folder meanwhile share one more look; `signal` ends the waiting, not a
   * look that others may wait for.
   */
  async syncFolder(path: string, signal?: AbortSignal): Promise<FolderSync> {
    throwIfCancelled(signal);
    const flight = this.#flights.run(path, () => this.#sync(path));
    return signal ? unlessCancelled(flight, signal) : flight;
  }

  /** Headers of messages older than the store holds; resolves to how many came. */
  async fetchOlder(path: string, limit: number, signal?: AbortSignal): Promise<number> {
    const known = this.#deps.messages.oldestUid(this.id, path);
    const cursor = this.#deps.messages.cursor(this.id, path);
    // Where everything is here there is nothing to ask for.
    if (known === undefined || cursor === undefined || this.#deps.offline.filled(this.id, path)) return 0;
    const older = await this.handler.getOlderEmails(path, cursor.uidValidity, known, limit, this.#either(signal));
    this.#deps.messages.insertMessages(this.id, path, older.map(newRow));
    return older.length;
  }

  /** Checks the connections now and looks for mail, after sleep or a change of network; resolves once they are checked. */
  async nudge(): Promise<void> {
    const checked = this.handler.check();
    if (this.leads) {
      this.#nextLook?.dispose();
      void this.#look();
    }
    await checked;
  }

  /** Notes an outcome that reached this account some other way, such as a send or a refresh. */
  noteFailure(error: unknown): void {
    this.#standing.fails(error);
  }

  dispose(): void {
    this.#stop.abort();
    this.#nextLook?.dispose();
    this.#owned.dispose();
  }

  #look(): Promise<void> {
    return this.#looks.run('look', async () => {
      try {
        const { added } = await this.fetch();
        this.#deps.log.info('looked', { added });
        this.#lookAgain(this.#deps.interval());
      } catch (error) {
        if (!this.#stop.signal.aborted) this.#lookAfter(QuMailError.from(error));
      }
    });
  }

  /** After a failure the next look comes sooner than usual, unless the server or the person wants it later. */
  #lookAfter(failure: QuMailError): void {
    const { failures, delayMs } = nextLookAfter(failure, {
      failures: this.#failures,
      fraction: this.#deps.random.fraction(),
      interval: this.#deps.interval(),
    });
    this.#failures = failures;
    this.#deps.log.warn('look-failed', { code: failure.code, delayMs });
    this.#lookAgain(delayMs);
  }

  #lookAgain(delayMs: number): void {
    if (this.#stop.signal.aborted || !this.leads) return;
    this.#nextLook?.dispose();
    this.#nextLook = this.#deps.clock.after(delayMs, () => void this.#look());
  }

  async #sync(path: string): Promise<FolderSync> {
    const arrived = (): void => this.#deps.changed.messages(path);
    const isNew = this.#deps.messages.cursor(this.id, path) === undefined;
    const result = await syncFolder(this.synced, path, { ...this.#deps, arrived }, this.#stop.signal);
    if (!result.changed) return result;
    this.#deps.changed.messages(path);
    // The counts follow; nobody waits for them to see the message. Those of a folder seen for the first time came with the list.
    if (!isNew) this.#refreshCounts();
    return result;
  }

  #refreshCounts(): void {
    this.#counts.run('counts', () => this.syncFolders()).catch((error: unknown) => this.#failsInBackground(error));
  }

  #inboxChanged(path: string): void {
    this.syncFolder(path).then(
      ({ changed }) => {
        this.#succeeds();
        if (!changed) this.#refreshCounts(); // another device was faster, and may have put it elsewhere
      },
      (error: unknown) => this.#failsInBackground(error),
    );
  }

  /** Another window looks for the mail now. */
  #follow(): void {
    this.#nextLook?.dispose();
    this.#inbox.dispose();
    this.background.cancel();
    this.mirror();
    this.#deps.changed.state();
  }

  #either(signal: AbortSignal | undefined): AbortSignal {
    return signal ? AbortSignal.any([signal, this.#stop.signal]) : this.#stop.signal;
  }

  #succeeds(): void {
    this.#failures = 0;
    this.#standing.succeeds();
  }

  /** What was to be done is done by the next look, which comes soon. */
  #failsInBackground(error: unknown): void {
    if (!this.#stop.signal.aborted) this.#lookAfter(this.#standing.fails(error));
  }
}
