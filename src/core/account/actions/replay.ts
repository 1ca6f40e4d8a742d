import type { QuMailEvent } from '../../base/events.ts';
import { QuMailError } from '../../base/errors.ts';
import type { Disposable } from '../../base/lifetime.ts';
import type { Log } from '../../base/log.ts';
import type { Clock, CrossWindowLock } from '../../base/ports.ts';
import type { ActionRecord } from '../../store/actionRow.ts';
import type { ActionStore, Settled } from '../../store/actions.ts';
import type { ShownMail } from '../../store/shownMail.ts';
import { retryAfterOf } from '../../transport/serverPause.ts';
import { writeFailure } from '../stored.ts';
import { TrailingFlight } from '../trailingFlight.ts';
import type { LocalView } from './localView.ts';
import { countChanges, inverseChange } from './pendingView.ts';
import { replayAction } from './replayAction.ts';
import type { ReplayTools } from './replayTools.ts';

/** What the replay needs of a running account. */
export interface ReplayAccount {
  readonly state: 'connecting' | 'online' | 'offline' | 'needs-sign-in';
  readonly handler: { readonly actions: ReplayTools };
  syncFolder(path: string): Promise<unknown>;
  syncFolders(signal?: AbortSignal): Promise<unknown>;
  noteFailure(error: unknown): void;
}

export interface ReplayDeps {
  readonly journal: ActionStore;
  readonly view: LocalView;
  readonly shown: ShownMail;
  readonly lock: CrossWindowLock;
  readonly clock: Clock;
  readonly log: Log;
  readonly emit: (event: QuMailEvent) => void;
  readonly accountOf: (accountId: string) => ReplayAccount | undefined;
}

/** A window that hangs while it tells a server is given up after this long without a sign of life. */
const LEASE_MS = 30_000;
/** After a server that asked for peace without saying for how long. */
const RETRY_MS = 60_000;

/** Tells servers what was done, in order, one window at a time, whenever an account is online. */
export class Replay implements Disposable {
  readonly #deps: ReplayDeps;
  readonly #flights = new TrailingFlight<void>();
  readonly #stop = new AbortController();
  readonly #timers = new Map<string, Disposable>();

  constructor(deps: ReplayDeps) {
    this.#deps = deps;
  }

  /** Resolves when nothing is left to tell, or what is left has to wait; never rejects. */
  async run(accountId: string): Promise<void> {
    const account = this.#deps.accountOf(accountId);
    if (account?.state !== 'online' || this.#stop.signal.aborted || !this.#deps.journal.hasOpen(accountId)) return;
    await this.#flights.run(accountId, () => this.#run(accountId)).catch(() => {});
  }

  dispose(): void {
    this.#stop.abort();
    for (const timer of this.#timers.values()) timer.dispose();
  }

  async #run(accountId: string): Promise<void> {
    const touched = new Set<string>();
    try {
      await this.#deps.lock.run(`actions/${accountId}`, LEASE_MS, () => this.#drain(accountId, touched), this.#stop.signal);
    } catch (error) {
      this.#wait(accountId, QuMailError.from(error));
    }
    const { journal, view } = this.#deps;
    if (touched.size > 0 && !journal.hasOpen(accountId)) view.placeRest(accountId);
    const account = this.#deps.accountOf(accountId);
    if (touched.size === 0 || account?.state !== 'online' || this.#stop.signal.aborted) return;
    await account.syncFolders().catch(() => {});
    for (const folder of touched) await account.syncFolder(folder).catch(() => {});
  }

  async #drain(accountId: string, touched: Set<string>): Promise<void> {
    const { journal, clock } = this.#deps;
    const looked = new Set<number>();
    for (let action = journal.next(accountId); action; action = journal.next(accountId)) {
      const account = this.#deps.accountOf(accountId);
      if (account?.state !== 'online') return;
      const { seq } = action;
      // One that is running already was cut off, here or in a window that died.
      journal.change(seq, ['waiting'], 'running', { now: clock.now() });
      try {
        await replayAction(action, {
          tools: account.handler.actions,
          noteBefore: (before) => journal.noteBefore(seq, before),
          settle: (settled) => this.#settle(accountId, settled),
          missing: looked.has(seq) ? 'gone' : 'unsure',
          signal: this.#stop.signal,
        });
        this.#done(seq, accountId);
      } catch (error) {
        const failure = QuMailError.from(error, 'net.cut');
        if (failure.code === 'imap.mailbox-missing' && !looked.has(seq)) {
          // It may go by another name only; then the journal does so as well, and the action is told anew.
          looked.add(seq);
          await account.syncFolders();
          continue;
        }
        if (!isFinal(failure)) {
          journal.change(seq, ['running'], 'waiting', { now: clock.now() });
          throw failure;
        }
        this.#refused(action, failure);
      }
      for (const folder of foldersOf(action)) touched.add(folder);
      this.#tell(action);
    }
  }

  #settle(accountId: string, settled: readonly Settled[]): void {
    const { journal, view, shown } = this.#deps;
    if (settled.length > 0) journal.settle(accountId, settled);
    shown.transaction(() => {
      for (const { message, outcome, place } of settled) {
        const left = outcome === 'done' && place?.folder !== message.folder;
        if (left && place) view.uproot(accountId, message);
        if (left) shown.left(accountId, message);
        shown.await(accountId, message, undefined);
        if (outcome === 'vanished') view.drop(accountId, message);
      }
    });
  }

  #done(seq: number, accountId: string): void {
    const { journal, view, clock } = this.#deps;
    const action = journal.get(seq);
    if (!action) return;
    const lost = action.messages.some(({ outcome }) => outcome === 'vanished');
    // Flags of what is gone interest nobody, nor its removal; a move that did not happen does.
    journal.change(seq, ['running', 'waiting'], lost && action.verb === 'move' ? 'dropped' : 'done', { now: clock.now() });
    const here = action.messages.filter(({ outcome }) => outcome === 'done');
    if (action.verb === 'expunge') for (const message of here) view.drop(accountId, message);
    else view.show(accountId, here);
    // Counts stay as they were shown until the server tells its own.
    for (const { folder, unread, total } of countChanges(action)) this.#deps.shown.count(accountId, folder, { unread, total });
  }

  /** The server's last word: what was shown is taken back, and the person is told. */
  #refused(action: ActionRecord, failure: QuMailError): void {
    const { journal, view, clock, log } = this.#deps;
    log.warn('action-refused', { verb: action.verb, code: failure.code });
    journal.change(action.seq, ['running', 'waiting'], 'failed', { now: clock.now(), failureJson: writeFailure(failure) });
    takeBack(action, view);
  }

  #wait(accountId: string, failure: QuMailError): void {
    if (this.#stop.signal.aborted || failure.code === 'engine.cancelled') return;
    this.#deps.log.info('actions-wait', { code: failure.code });
    this.#deps.emit({ kind: 'actions' });
    this.#deps.accountOf(accountId)?.noteFailure(failure);
    const timer = this.#deps.clock.after(retryAfterOf(failure) ?? RETRY_MS, () => void this.run(accountId));
    this.#timers.get(accountId)?.dispose();
    this.#timers.set(accountId, timer);
  }

  #tell({ accountId, ...action }: ActionRecord): void {
    const { emit } = this.#deps;
    emit({ kind: 'actions' });
    emit({ kind: 'folders', accountId });
    for (const folder of foldersOf({ accountId, ...action })) emit({ kind: 'messages', accountId, folder });
  }
}

/** Shows messages as they are without an action that the server will not hear of. */
export function takeBack(action: ActionRecord, view: LocalView): void {
  const messages = action.messages.filter(({ outcome }) => outcome === 'open');
  if (action.verb === 'flags') view.unflag(action.accountId, messages, ({ flags }) => inverseChange(flags, action.change));
  else view.show(action.accountId, messages);
  view.lookForMissing(action.accountId, messages);
}

/** Folders in which an action shows. */
export function foldersOf(action: ActionRecord): string[] {
  const sources = action.messages.flatMap(({ folder, fromFolder }) => [folder, fromFolder]);
  return [...new Set([...sources, ...(action.target === undefined ? [] : [action.target])])];
}

/** Whether trying again would earn the same answer. */
function isFinal(failure: QuMailError): boolean {
  if (retryAfterOf(failure) !== undefined) return false;
  return failure.code === 'imap.rejected' || failure.code === 'imap.mailbox-missing' || failure.code === 'engine.internal';
}
