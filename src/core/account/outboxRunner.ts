import type { SendResult } from '../base/outgoing.ts';
import { QuMailError } from '../base/errors.ts';
import type { Disposable } from '../base/lifetime.ts';
import type { MessageStore } from '../store/messages.ts';
import type { OutboxRow } from '../store/outbox.ts';
import type { AccountService } from './accountService.ts';
import { fileGroup, forget, lookInSent, type SentPlace } from './outboxFiling.ts';
import { concernsAll, dueAt, planOutbox, type OutboxHappening } from './outboxPlan.ts';
import { Exclusive } from './exclusive.ts';
import { handOver, isClosed, plannedOf, type HandedOver, type SendDeps } from './sendOutbox.ts';

/** Timers do not run while a machine sleeps, and another window may have queued something and died: the clock and the outbox are looked at this often. */
const LONGEST_NAP = 60_000;
const SHORTEST_NAP = 1000;
/** How long a send that is under way may take to end when the engine closes. */
const PATIENCE = 2000;

export interface OutboxRunnerDeps extends SendDeps {
  readonly accounts: Pick<AccountService, 'all' | 'get' | 'sentFolderOf'>;
  readonly messages: Pick<MessageStore, 'listFolders'>;
}

type Trigger = Extract<OutboxHappening, { kind: 'look' | 'online' }>;

/** Sends what waits, when it is due, one message after the other per account; the acting half of `planOutbox`. */
export class OutboxRunner {
  readonly #deps: OutboxRunnerDeps;
  readonly #stopping = new AbortController();
  readonly #exclusive = new Exclusive();
  readonly #lanes = new Map<string, Promise<void>>();
  /** Until when an account rests after a failure that every message would meet. */
  readonly #rests = new Map<string, number>();
  readonly #known = new Map<string, { account: object; online: boolean }>();
  #timer: Disposable | undefined;

  constructor(deps: OutboxRunnerDeps) {
    this.#deps = deps;
  }

  /** Names what an earlier engine left, and goes on with it. */
  start(): void {
    this.#deps.outbox.recover('left', this.#deps.clock.now());
    this.wake();
  }

  /** Looks at the outbox now; also after a wake from sleep or a change of network. */
  wake(): void {
    this.#safely(() => this.#look());
  }

  #look(): void {
    const { outbox, clock } = this.#deps;
    outbox.heartbeat(clock.now());
    if (outbox.recover('under-way', clock.now()) > 0) this.#deps.emit({ kind: 'outbox' });
    const rows = outbox.list();
    for (const row of rows)
      if (row.state === 'filed' && rows.every((other) => other === row || other.groupId !== row.groupId)) forget(row.groupId, this.#deps);
    for (const accountId of new Set(rows.map((row) => row.accountId))) this.#run(accountId, { kind: 'look' });
    this.#arm();
  }

  /** Called after any account changed: what waited for one that is online again goes at once. */
  accountsChanged(): void {
    for (const account of this.#deps.accounts.all()) {
      const before = this.#known.get(account.id);
      const online = account.state === 'online';
      // An account that was signed in again is another object; until it is online for the first time the old one counts.
      if (before?.account === account && before.online === online) continue;
      if (online || before?.account === account) this.#known.set(account.id, { account, online });
      if (!online) continue;
      this.#rests.delete(account.id);
      this.#run(account.id, { kind: 'online', how: before?.account === account ? 'again' : 'signed-in' });
    }
  }

  /** Runs `work` as the only send of this message; see Exclusive. */
  exclusively<T>(key: string, tag: string, work: () => Promise<T>): Promise<T> {
    return this.#exclusive.run(key, tag, work);
  }

  /** Resolves once nothing is under way for this message. */
  idle(key: string): Promise<void> {
    return this.#exclusive.idle(key);
  }

  /**
   * Sends these entries of one message now because a person wants it. Resolves once all of it is with a server.
   *
   * @throws QuMailError the first failure; entries stay in a named state
   */
  send(ids: readonly number[], accountId: string, signal: AbortSignal | undefined): Promise<SendResult> {
    return this.#sendAll(ids, accountId, 'person', signal);
  }

  /** Ends what is under way: sends get a moment to hear their server's answer, then they are cut. No timer is left. */
  async stop(): Promise<void> {
    this.#timer?.dispose();
    const patience = new AbortController();
    const running = (): Promise<unknown> => Promise.all([...this.#lanes.values(), this.#exclusive.idle()]);
    await Promise.race([running(), this.#deps.clock.sleep(PATIENCE, patience.signal).catch(() => {})]);
    this.#stopping.abort();
    await Promise.race([running(), this.#deps.clock.sleep(PATIENCE, patience.signal).catch(() => {})]);
    patience.abort();
    this.dispose();
  }

  dispose(): void {
    this.#stopping.abort();
    this.#timer?.dispose();
  }

  async #sendAll(ids: readonly number[], accountId: string, by: 'person' | 'runner', signal: AbortSignal | undefined): Promise<SendResult> {
    const { outbox, accounts } = this.#deps;
    const account = accounts.get(accountId);
    const entries = ids.map((id) => outbox.get(id)).filter((entry) => entry !== undefined);
    const [first] = entries;
    if (!first) throw new QuMailError('message.missing');
    const { failure, accepted, refused, replies } = await this.#handOver(ids, accountId, by, signal);
    // SMTP alone being out of reach says nothing about the account while nobody waits for it; a refused log-in is the person's business.
    if (failure && (by === 'person' || failure.code.startsWith('auth.'))) account.noteFailure(failure);
    if (by === 'runner') this.#noteTry(first, ids.length, accepted, failure);
    const closed = outbox.ofGroup(first.groupId).every(({ state, draftId }) => draftId === undefined || ENDED.has(state));
    if (failure && !(closed && accepted > 0)) throw failure;
    // Another window was faster.
    if (accepted === 0) throw new QuMailError('smtp.acceptance-unknown');
    const notFiled = await this.#file(first, by === 'person' ? 'show-progress' : 'quietly');
    const warning = failure ?? refused ?? notFiled;
    return {
      state: 'sent',
      rfcMessageId: first.rfcMessageId,
      level: first.level,
      replies,
      keyIds: [...new Set(entries.flatMap((entry) => entry.keyIds))],
      ...(warning && { warning: { code: warning.code, details: warning.details } }),
    };
  }

  #noteTry({ id, accountId }: OutboxRow, of: number, accepted: number, failure: QuMailError | undefined): void {
    const { outbox, clock, log } = this.#deps;
    log.info('outbox-tried', { accepted, of, ...(failure && { code: failure.code }) });
    if (failure && concernsAll(failure)) this.#rests.set(accountId, outbox.get(id)?.nextTry ?? clock.now() + LONGEST_NAP);
  }

  async #handOver(
    ids: readonly number[],
    accountId: string,
    by: 'person' | 'runner',
    signal: AbortSignal | undefined,
  ): Promise<HandedOver> {
    const stopping = this.#stopping.signal;
    const both = signal ? AbortSignal.any([signal, stopping]) : stopping;
    try {
      return await handOver(ids, this.#deps.accounts.get(accountId).handler, this.#deps, { by, signal: both, stopping });
    } finally {
      this.#deps.emit({ kind: 'outbox' });
      this.#deps.emit({ kind: 'drafts' });
      this.#arm();
    }
  }

  async #file(row: OutboxRow, how: 'show-progress' | 'quietly'): Promise<QuMailError | undefined> {
    const { accounts, emit } = this.#deps;
    const account = accounts.get(row.accountId);
    const folder = accounts.sentFolderOf(row.accountId);
    if (how === 'show-progress' && row.draftId !== undefined) emit({ kind: 'send-progress', draftId: row.draftId, step: 'filing' });
    const failure = await fileGroup(row.groupId, { handler: account.handler, folder }, this.#deps, this.#stopping.signal);
    emit({ kind: 'outbox' });
    // Sent shows the message as soon as the server has it; a failure here is the next look's business.
    if (folder !== undefined) account.syncFolder(folder).catch((error: unknown) => account.noteFailure(error));
    return failure;
  }

  #run(accountId: string, trigger: Trigger): void {
    if (this.#lanes.has(accountId) || this.#stopping.signal.aborted) return;
    const lane = this.#drain(accountId, trigger)
      .catch((error: unknown) => {
        const { code } = QuMailError.from(error);
        if (code !== 'account.missing' && !this.#stopping.signal.aborted) this.#deps.log.warn('outbox-failed', { code });
      })
      .finally(() => {
        this.#lanes.delete(accountId);
        this.#arm();
      });
    this.#lanes.set(accountId, lane);
  }

  /** Does what is due for one account, oldest first, each message at most once. */
  async #drain(accountId: string, trigger: Trigger): Promise<void> {
    const { outbox, clock } = this.#deps;
    const done = new Set<string>();
    await Promise.resolve(); // so that the lane is known before anything happens in it
    while (!this.#stopping.signal.aborted && (this.#rests.get(accountId) ?? 0) <= clock.now()) {
      const rows = outbox.list().filter((row) => row.accountId === accountId && !done.has(row.groupId));
      const due = rows
        .map((row) => ({ row, act: planOutbox(plannedOf(row), trigger, clock.now()).act }))
        .find(
          ({ row, act }) =>
            act !== 'nothing' && !this.#exclusive.busy(keyOf(row)) && (act !== 'file' || isClosed(outbox.ofGroup(row.groupId))),
        );
      if (!due) return;
      const { row, act } = due;
      done.add(row.groupId);
      const tag = act === 'send' ? sendTag(row.groupId) : `${act} ${row.id}`;
      const work = this.#exclusive.run(keyOf(row), tag, async () => {
        if (act === 'send') return this.#sendAll(this.#dueOf(row.groupId, trigger), accountId, 'runner', undefined);
        return act === 'settle' ? this.#settle(row) : this.#file(row, 'quietly');
      });
      await work.catch((error: unknown) => {
        // The entry says what became of it.
        if (!QuMailError.is(error) || error.code.startsWith('store.')) throw error;
      });
    }
  }

  #dueOf(groupId: string, trigger: Trigger): readonly number[] {
    const now = this.#deps.clock.now();
    const due = this.#deps.outbox.ofGroup(groupId).filter((row) => planOutbox(plannedOf(row), trigger, now).act === 'send');
    return due.map(({ id }) => id);
  }

  async #settle(row: OutboxRow): Promise<void> {
    if ((await lookInSent(row.id, this.#sentPlace(row.accountId), this.#deps, this.#stopping.signal)) === 'sent') {
      this.#deps.emit({ kind: 'drafts' });
      await this.#file(row, 'quietly');
    }
  }

  #sentPlace(accountId: string): SentPlace {
    const folder = this.#deps.messages.listFolders(accountId).find(({ specialUse }) => specialUse === 'sent')?.path;
    return { handler: this.#deps.accounts.get(accountId).handler, folder };
  }

  #arm(): void {
    this.#timer?.dispose();
    this.#safely(() => this.#nap());
  }

  /** Timers and events call this with nobody to catch what it throws: a store that is locked now is looked at again later. */
  #safely(work: () => void): void {
    if (this.#stopping.signal.aborted) return;
    try {
      work();
    } catch (error) {
      this.#deps.log.warn('outbox-failed', { code: QuMailError.from(error).code });
      this.#timer?.dispose();
      this.#timer = this.#deps.clock.after(LONGEST_NAP, () => this.wake());
    }
  }

  #nap(): void {
    const { outbox, clock } = this.#deps;
    const now = clock.now();
    const times = outbox.list().flatMap((row) => {
      const due = row.state === 'accepted' && !isClosed(outbox.ofGroup(row.groupId)) ? undefined : dueAt(plannedOf(row));
      if (due === undefined) return row.state === 'sending' ? [now + LONGEST_NAP] : [];
      return [Math.max(due, this.#rests.get(row.accountId) ?? 0)];
    });
    const nap = Math.min(Math.max(Math.min(...times, Infinity) - now, SHORTEST_NAP), LONGEST_NAP);
    this.#timer = clock.after(nap, () => this.wake());
  }
}

/** States that leave nothing to be done for a draft's message. */
const ENDED: ReadonlySet<string> = new Set(['accepted', 'filed', 'rejected']);

/** One send at a time for a message: all versions of a draft count as one. */
export function keyOf(row: Pick<OutboxRow, 'groupId'>): string {
  return row.groupId.split(':')[0]!;
}

/** Names the sending of this very text, at its time: whoever asks for it while it goes on shares it. */
export function sendTag(groupId: string, sendAt?: number): string {
  return `send ${groupId} ${sendAt ?? 'now'}`;
}
