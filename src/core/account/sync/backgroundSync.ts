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
import { ifThereIsRoom } from '../syncFolder.ts';
import { fillArrivals, fillFolder, type FillDeps } from './fillFolder.ts';
import { FolderLooks } from './folderLooks.ts';
import { defaultChoice, inFillingOrder } from './syncPlan.ts';

/** Octets of the messages of one command. */
const BATCH_OCTETS = 8 * 1024 * 1024;
const BATCH_MESSAGES = 2000;
/** A message above this is kept by its header only and fetched when it is opened. */
const LARGEST_KEPT = 25 * 1024 * 1024;
/** Messages that are evicted in one transaction, and what a person read this lately stays. */
const EVICTED_AT_ONCE = 200;
const READ_LATELY_MS = 30 * 86_400_000;
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
  readonly #looks: FolderLooks;
  #folders: readonly RemoteFolder[] = [];
  /** Read once, for there may be ten thousand folders; whoever chooses calls `start`. */
  #choices: ReadonlyMap<string, FolderSyncChoice> | undefined;
  #stop = new AbortController();
  #running: Promise<void> | undefined;
  #again = false;
  #stopped = false;
  #disposed = false;
  /** Of this run. */
  #outcome: FillingOutcome = { outcome: 'complete' };
  #done = 0;
  #total = 0;
  #told = 0;
  #quotaRead: number;

  constructor(deps: BackgroundDeps) {
    this.#deps = deps;
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
    this.#deps.offline.filling.stop(this.#deps.accountId);
    this.heed();
    await this.idle();
  }

  /** Goes on after `stop`, in whichever window. */
  goOn(): void {
    this.#deps.offline.filling.goOn(this.#deps.accountId);
    this.heed();
    this.start(this.#folders);
  }

  /** Does as a person said in any window. */
  heed(): void {
    if (this.#disposed) return;
    const stopped = this.#deps.offline.filling.isStopped(this.#deps.accountId);
    if (stopped === this.#stopped) return;
    this.#stopped = stopped;
    if (stopped) this.cancel();
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
      this.#stopped = this.#deps.offline.filling.isStopped(this.#deps.accountId);
      await this.#shrink();
      this.#looks.begin();
      await this.#lookIntoAll();
      for (const folder of this.#looks.inOrder(this.#wanted())) {
        if (this.#stop.signal.aborted) break;
        await this.#looks.during(folder.path, () => this.#fill(folder));
      }
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
      if (!this.#stop.signal.aborted) ifThereIsRoom(() => this.#note(this.#outcome));
      if (this.#total > 0) this.#tell(undefined, 'last');
    }
  }

  #note(outcome: FillingOutcome): void {
    if (!this.#stopped) this.#deps.offline.filling.note(this.#deps.accountId, outcome);
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
    const { accountId, offline } = this.#deps;
    const { path } = folder;
    if (!this.#stopped) return fillFolder(path, choice, this.#fillDeps(path), signal, folder);
    const since = offline.filling.newSince(accountId, path);
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
      hasRoom: (forWhat) => this.#makeRoom(forWhat),
      progress: ({ found = 0, done = 0 }) => {
        this.#total += found;
        this.#done += done;
        if (done > 0) this.#tell(path, 'more');
      },
    };
  }

  async #giveWay(): Promise<void> {
    const enough = new AbortController();
    await Promise.race([this.#deps.quiet(), this.#deps.clock.sleep(GIVE_WAY_MS, enough.signal).catch(() => {})]);
    enough.abort();
    await this.#lookIntoAll();
  }

  /** Mail that arrives pushes out the oldest; mail that was there before pushes out nothing: an offline copy that is full stays as it is. */
  #makeRoom(forWhat: 'arrivals' | 'backlog'): boolean {
    const { offline, clock, budget } = this.#deps;
    const most = budget();
    if (forWhat === 'arrivals')
      for (let rounds = 0; rounds < 5 && offline.usedOctets() >= most; rounds++)
        if (offline.evict(EVICTED_AT_ONCE, clock.now() - READ_LATELY_MS) === 0) break;
    return offline.usedOctets() < most;
  }

  /** After the budget was lowered. */
  async #shrink(): Promise<void> {
    const { offline, clock, budget } = this.#deps;
    while (
      !this.#stop.signal.aborted &&
      offline.usedOctets() > budget() &&
      offline.evict(EVICTED_AT_ONCE, clock.now() - READ_LATELY_MS) > 0
    )
      await new Promise((resolve) => setImmediate(resolve));
  }

  #tell(folder: string | undefined, which: 'more' | 'last'): void {
    const now = this.#deps.clock.now();
    if (which === 'more' && now - this.#told < PROGRESS_MS) return;
    if (which === 'more') ifThereIsRoom(() => this.#note({ outcome: 'going-on' }));
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
