import { QuMailError } from '../../base/errors.ts';
import type { Disposable } from '../../base/lifetime.ts';
import type { Log } from '../../base/log.ts';
import type { Clock } from '../../base/ports.ts';
import type { FolderSyncChoice } from '../../base/sync.ts';
import type { MessageStore } from '../../store/messages.ts';
import type { FillingOutcome } from '../../store/filling.ts';
import type { OfflineStore } from '../../store/offline.ts';
import { MAX_MESSAGE_BYTES } from '../../transport/mailAccess.ts';
import type { RemoteFolder, RemoteQuota } from '../../transport/remoteMail.ts';
import { writeFailure } from '../stored.ts';
import { fillArrivals, fillFolder, type FillDeps } from './fillFolder.ts';
import { FolderLooks } from './folderLooks.ts';
import { RoomKeeper } from './roomKeeper.ts';
import { SharedFilling } from './sharedFilling.ts';
import { defaultChoice, inFillingOrder } from './syncPlan.ts';

/** Octets of the messages of one command. */
const BATCH_OCTETS = 8 * 1024 * 1024;
const BATCH_MESSAGES = 2000;
/** A message above this is kept by its header only and fetched when it is opened. */
const LARGEST_KEPT = 25 * 1024 * 1024;
/** Least time between two progress events. */
const PROGRESS_MS = 250;
const QUOTA_EVERY_MS = 3_600_000;
/** How long the background gives way to work that a person waits for, at most. */
const GIVE_WAY_MS = 5000;

export interface BackgroundDeps {
  readonly accountId: string;
  readonly handler: FillDeps['handler'] & { readQuota(signal?: AbortSignal): Promise<RemoteQuota | undefined> };
  readonly messages: MessageStore;
  readonly offline: OfflineStore;
  readonly clock: Clock;
  readonly log: Log;
  /** Octets that all offline mail may take on this machine; 0 for headers alone. */
  readonly budget: () => number;
  /** Brings a folder's list up to date, flags and disappearances included; the same look as a person's. */
  readonly look: (path: string) => Promise<unknown>;
  /** Tries to open what came sealed. */
  readonly openArrivals: (path: string, signal: AbortSignal) => Promise<unknown>;
  /** Told when a run has stored all that it was to store. */
  readonly stored: () => void;
  /** Told of what keeps the copy from being filled and no look would find: a full or damaged disk. */
  readonly failed: (failure: QuMailError) => void;
  /** Resolves when nothing that a person waits for is under way. */
  readonly quiet: () => Promise<void>;
  /** Whether it is this window that fills the copy. */
  readonly leads: () => boolean;
  readonly changed: {
    messages(path: string): void;
    progress(step: { folder?: string; done: number; total: number }): void;
    /** After the last step of a run, however it ended. */
    ended(): void;
    quota(quota: RemoteQuota): void;
  };
}

/** Fills the offline copy of one account, behind everything a person waits for. Resumable at any point: what it has done is in the store. */
export class BackgroundSync implements Disposable {
  readonly #deps: BackgroundDeps;
  readonly #shared: SharedFilling;
  readonly #room: RoomKeeper;
  readonly #looks: FolderLooks;
  #folders: readonly RemoteFolder[] = [];
  /** Read once, for there may be ten thousand folders; whoever chooses calls `start`. */
  #choices: ReadonlyMap<string, FolderSyncChoice> | undefined;
  #stop = new AbortController();
  #running: Promise<void> | undefined;
  #again = false;
  #disposed = false;
  /** Of this run. */
  #outcome: FillingOutcome = { outcome: 'complete' };
  #done = 0;
  #total = 0;
  #told = 0;
  #quotaRead: number;

  constructor(deps: BackgroundDeps) {
    this.#deps = deps;
    this.#shared = new SharedFilling({ ...deps, store: deps.offline.filling });
    this.#room = new RoomKeeper({ ...deps, room: deps.offline.room, largest: LARGEST_KEPT });
    this.#looks = new FolderLooks({
      ...deps,
      fillDeps: (path) => this.#fillDeps(path),
      passedOver: (failure) => this.#passOver(failure),
    });
    // What an earlier run read is in the store, and old enough to be renewed within the hour.
    this.#quotaRead = deps.clock.now();
  }

  get active(): boolean {
    return this.#running !== undefined;
  }

  /**
   * Fills what these folders lack, where this window does that; of stopped ones what is new. Called after each look with the list as it is now;
   * a run under way goes on and takes it into account.
   */
  start(folders: readonly RemoteFolder[]): void {
    this.#folders = folders;
    this.#choices = undefined;
    if (this.#disposed || !this.#deps.leads()) return;
    this.#again = this.#running !== undefined;
    this.#looks.listed();
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
      if (this.#again) this.start(this.#folders);
    });
  }

  /** Takes no old mail in any more until `goOn`, whichever window does that. What was stored stays. Resolves once nothing is under way here. */
  async stop(): Promise<void> {
    this.#shared.stop();
    this.heed();
    await this.idle();
  }

  /** Goes on after `stop`, in whichever window. */
  goOn(): void {
    this.#shared.goOn();
    this.heed();
    this.start(this.#folders);
  }

  /** Uses a larger budget, or gives up what is beyond a smaller one, without waiting for the next look. */
  budgetChanged(): void {
    if (this.#folders.length > 0) this.start(this.#folders);
  }

  /** Does as a person said in any window. */
  heed(): void {
    if (this.#disposed || !this.#shared.renew()) return;
    if (this.#shared.stopped) this.cancel();
    else this.start(this.#folders);
  }

  /** Ends the run under way. */
  cancel(): void {
    this.#again = false;
    this.#stop.abort();
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    while (this.#running) await this.#running;
  }

  dispose(): void {
    this.#disposed = true;
    this.cancel();
  }

  choiceOf(
    folder: Pick<RemoteFolder, 'path' | 'specialUse'>,
    choices = (this.#choices ??= this.#deps.offline.choices(this.#deps.accountId)),
  ): FolderSyncChoice {
    return choices.get(folder.path) ?? defaultChoice(folder.specialUse);
  }

  async #run(): Promise<void> {
    const { log, clock } = this.#deps;
    const began = clock.now();
    this.#done = this.#total = 0;
    this.#stop = new AbortController();
    this.#outcome = { outcome: 'complete' };
    try {
      this.#shared.renew();
      await this.#room.shrink(this.#stop.signal);
      if (!this.#shared.stopped) await this.#room.refill(this.#wholeFolders(), this.#stop.signal);
      this.#looks.begin();
      await this.#lookIntoAll();
      for (const folder of this.#looks.inOrder(this.#wanted())) {
        if (this.#stop.signal.aborted) break;
        await this.#looks.during(folder.path, () => this.#fill(folder));
      }
      if (!this.#stop.signal.aborted) this.#deps.stored();
      await this.#readQuota();
      if (this.#total > 0) log.info('filled', { messages: this.#done, ms: clock.now() - began });
    } catch (error) {
      const failure = QuMailError.from(error);
      const { code } = failure;
      if (code !== 'engine.cancelled' && code !== 'engine.stopped' && !this.#stop.signal.aborted) {
        log.warn('fill-ended', { code, messages: this.#done });
        this.#outcome = { outcome: 'cut', failureJson: writeFailure(failure) };
        if (code.startsWith('store.')) this.#deps.failed(failure);
      }
    } finally {
      // Of what was ended from outside another window tells, or nobody.
      if (!this.#stop.signal.aborted) this.#shared.tell(this.#outcome);
      if (this.#total > 0) this.#tell(undefined, 'last');
    }
  }

  /** Not over a connection of its own after every look that found nothing. */
  async #readQuota(): Promise<void> {
    const now = this.#deps.clock.now();
    if (this.#done === 0 && now - this.#quotaRead < QUOTA_EVERY_MS) return;
    this.#quotaRead = now;
    const quota = await this.#deps.handler.readQuota(this.#stop.signal);
    if (quota) this.#deps.changed.quota(quota);
  }

  /** Folders of which something is kept, in the order in which they are filled. */
  #wanted(): RemoteFolder[] {
    return inFillingOrder(this.#folders).filter((folder) => this.choiceOf(folder) !== 'off');
  }

  /** What is new anywhere comes before what is old, also while the latter takes hours: with each new list, between two commands. */
  #lookIntoAll(): Promise<void> {
    return this.#looks.intoAll(() => this.#wanted(), this.#stop.signal);
  }

  async #fill(folder: RemoteFolder): Promise<void> {
    const { accountId, messages, log } = this.#deps;
    const { path } = folder;
    const signal = this.#stop.signal;
    const choice = this.choiceOf(folder);
    if (choice === 'off') return;
    await this.#looks.atFirst(folder);
    const before = this.#done;
    const outcome = await this.#fillAsWanted(folder, choice, signal);
    if (outcome === 'partly' && this.#outcome.outcome === 'complete') this.#outcome = { outcome: 'waiting' };
    if (this.#done === before) return;
    log.info('folder-filled', { outcome, messages: this.#done - before });
    if (messages.cursor(accountId, path) && choice === 'all') await this.#deps.openArrivals(path, signal);
    this.#deps.changed.messages(path);
  }

  /** One folder that cannot be read does not keep the others from it. */
  #passOver(failure: QuMailError): void {
    this.#deps.log.warn('folder-not-filled', { code: failure.code });
    this.#outcome = { outcome: 'cut', failureJson: writeFailure(failure) };
  }

  async #fillAsWanted(folder: RemoteFolder, choice: 'all' | 'headers', signal: AbortSignal): Promise<'filled' | 'partly'> {
    const { path } = folder;
    if (!this.#shared.stopped) return fillFolder(path, choice, this.#fillDeps(path), signal, folder);
    const since = this.#shared.newSince(path);
    return choice === 'all' ? fillArrivals(path, since, this.#fillDeps(path), signal) : 'filled';
  }

  #fillDeps(path: string): FillDeps {
    const { accountId, handler, messages, offline } = this.#deps;
    return {
      accountId,
      handler,
      messages,
      offline,
      limits: { octets: BATCH_OCTETS, messages: BATCH_MESSAGES, largest: Math.min(LARGEST_KEPT, MAX_MESSAGE_BYTES) },
      quiet: () => this.#giveWay(),
      hasRoom: (forWhat) => this.#room.make(forWhat, this.#stop.signal),
      progress: ({ found = 0, done = 0 }) => {
        this.#total += found;
        this.#done += done;
        if (done > 0) this.#tell(path, 'more');
      },
    };
  }

  /** Paths of the folders that are kept with their sources. */
  #wholeFolders(): ReadonlySet<string> {
    return new Set(this.#folders.filter((folder) => this.choiceOf(folder) === 'all').map(({ path }) => path));
  }

  async #giveWay(): Promise<void> {
    const enough = new AbortController();
    await Promise.race([this.#deps.quiet(), this.#deps.clock.sleep(GIVE_WAY_MS, enough.signal).catch(() => {})]);
    enough.abort();
    await this.#lookIntoAll();
  }

  #tell(folder: string | undefined, which: 'more' | 'last'): void {
    const now = this.#deps.clock.now();
    if (which === 'more' && now - this.#told < PROGRESS_MS) return;
    if (which === 'more') this.#shared.tell({ outcome: 'going-on' });
    this.#told = now;
    const total = Math.max(this.#total, this.#done);
    this.#deps.changed.progress({
      ...(folder !== undefined && { folder }),
      done: which === 'last' ? this.#done : Math.min(this.#done, total),
      total,
    });
    if (which === 'last') this.#deps.changed.ended();
  }
}
