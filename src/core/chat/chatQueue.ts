import type { ChatLevel } from '../base/chat.ts';
import { QuMailError } from '../base/errors.ts';
import type { Disposable } from '../base/lifetime.ts';
import type { Log } from '../base/log.ts';
import type { QuMailEvent } from '../base/events.ts';
import type { Clock, Random } from '../base/ports.ts';
import type { ChatEntryRecord } from '../store/chatEntries.ts';
import type { ChatStore } from '../store/chats.ts';
import type { ChatUnsent, UnsentRecord } from '../store/chatUnsent.ts';
import { announceChange } from './chatAsked.ts';
import type { OpenChat } from './chatBook.ts';
import type { ChangeWriter, Decided } from './changeWriter.ts';
import type { SignedEvent } from './chatPart.ts';
import { decidedIn, keepUnsent, type Said, type Speaking, type Spoken } from './unsentEntry.ts';
import type { ChatFile, ChatPost } from './chatPorts.ts';
import { refuseOversized, type ChatSender } from './chatSender.ts';
import type { GroupBook } from './groupBook.ts';
import type { GroupChange, GroupEvent } from './groupEvent.ts';
import { waits } from './waits.ts';

/** Milliseconds until what waits is tried again: doubled with every failure, from the first to the last of these. */
const FIRST_AGAIN = 5000;
const LAST_AGAIN = 300_000;

interface Options {
  readonly signal?: AbortSignal;
}

export interface ChatQueueDeps {
  readonly store: ChatStore;
  readonly unsent: ChatUnsent;
  readonly groups: GroupBook;
  readonly sender: ChatSender;
  readonly writer: ChangeWriter;
  readonly post: Pick<ChatPost, 'outOfReach'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly emit: (event: QuMailEvent) => void;
  readonly writeFailure: (failure: QuMailError) => string;
  /** Something was sent that may disappear. */
  readonly timersChanged: () => void;
  readonly selfOf: (accountId: string) => string | undefined;
}

/**
 * What people say and decide, in the order they do: durable before anything is asked of anybody, sealed when it can go, to the members of that
 * moment. Where a key manager or the mail server is out of reach it waits here, across restarts too, and what is said later waits behind it.
 */
export class ChatQueue implements Disposable {
  readonly #deps: ChatQueueDeps;
  readonly #stop = new AbortController();
  readonly #lanes = new Map<string, Promise<unknown>>();
  #timer: Disposable | undefined;
  #failures = 0;

  constructor(deps: ChatQueueDeps) {
    this.#deps = deps;
  }

  /**
   * @returns the entry: sealed and on its way, or queued with the reason
   * @throws QuMailError what waiting does not help against; nothing is kept then
   */
  async say(
    chat: OpenChat,
    act: Said,
    what: { text: string; files: readonly ChatFile[]; level?: ChatLevel; signal?: AbortSignal },
  ): Promise<ChatEntryRecord> {
    refuseOversized(what);
    const { messageId } = this.#keep(chat, act, what);
    await this.#sendNow(chat, messageId, what);
    const entry = this.#deps.store.entry(chat.accountId, chat.groupId, messageId);
    if (!entry) throw new QuMailError('engine.cancelled');
    return entry;
  }

  /** A change of the group: sent, or waiting for its turn. @throws QuMailError like `say`; also `chat.not-admin`, `chat.refused` */
  async decide(chat: OpenChat, change: GroupChange, what: Options & { files: readonly ChatFile[] }): Promise<void> {
    const { messageId } = this.#keep(chat, { kind: 'change', change }, { text: '', files: what.files });
    await this.#sendNow(chat, messageId, what);
  }

  /** Begins a group, which is here at once and with the others as soon as it can be. @throws QuMailError like `say`; nothing is here then */
  async begin(accountId: string, groupId: string, event: SignedEvent & { event: GroupEvent }, options: Options): Promise<void> {
    const { store, groups, selfOf } = this.#deps;
    const chat = { accountId, groupId, self: selfOf(accountId) ?? event.event.author };
    const { messageId } = store.transaction(() => {
      groups.keep(accountId, groupId, [event]);
      return this.#keep({ ...chat, state: groups.require(accountId, groupId) }, { kind: 'begin' }, { text: '', files: [] });
    });
    await this.#sendNow(chat, messageId, options);
  }

  /** True where something was said or decided in a chat that did not go yet. */
  isWaiting({ accountId, groupId }: Pick<OpenChat, 'accountId' | 'groupId'>): boolean {
    return this.#deps.unsent.list(accountId, groupId).length > 0;
  }

  /** What a waiting entry decides; undefined for what is said, and for what is not here any more. */
  decided(accountId: string, messageId: string): Decided | undefined {
    const act = this.#deps.unsent.get(accountId, messageId)?.act;
    return act === undefined ? undefined : decidedIn(act);
  }

  /** Tries what failed or waits once more, now. False where the message is not here. @throws QuMailError why it did not go */
  async retry(chat: OpenChat, messageId: string, signal?: AbortSignal): Promise<boolean> {
    const { accountId, groupId } = chat;
    if (!this.#deps.unsent.get(accountId, messageId)) return false;
    const failure = await this.#inLane(chat, () => this.#drain(accountId, groupId, { messageId, ...(signal && { signal }) }));
    if (failure) throw failure.error;
    return true;
  }

  /**
   * Takes what was not sealed yet out of the queue, with what was said about it; a group that did not begin goes as a whole. False where it is
   * not here any more.
   */
  cancel(accountId: string, groupId: string, messageId: string): boolean {
    const { store, unsent, groups } = this.#deps;
    return store.transaction(() => {
      if (this.decided(accountId, messageId)?.kind === 'begin') {
        store.delete(accountId, groupId);
        groups.forget(accountId, groupId);
        return true;
      }
      if (!unsent.remove(accountId, messageId)) return false;
      for (const { messageId: about } of store.actsOn(accountId, groupId, messageId)) unsent.remove(accountId, about);
      store.remove(accountId, groupId, messageId);
      return true;
    });
  }

  file(accountId: string, messageId: string, index: number): ChatFile | undefined {
    return this.#deps.unsent.get(accountId, messageId)?.files[index];
  }

  /** Tries everything that waits; at the start, and when something came within reach again. */
  wake(): void {
    if (this.#stop.signal.aborted) return;
    this.#timer?.dispose();
    this.#timer = undefined;
    for (const { accountId, groupId } of this.#deps.unsent.chats()) {
      this.#inLane({ accountId, groupId }, () => this.#drain(accountId, groupId)).catch((error: unknown) => {
        this.#deps.log.warn('chat-queue', { code: QuMailError.from(error).code });
      });
    }
  }

  dispose(): void {
    this.#stop.abort();
    this.#timer?.dispose();
  }

  /** Sends it unless something has to wait; what waiting does not help against is thrown, and kept no longer. */
  async #sendNow(chat: Pick<OpenChat, 'accountId' | 'groupId'>, messageId: string, { signal }: Options): Promise<void> {
    const { accountId, groupId } = chat;
    announceChange(chat, this.#deps.emit);
    const failure = await this.#inLane(chat, () => this.#drain(accountId, groupId, { messageId, ...(signal && { signal }) }));
    if (failure?.messageId !== messageId || waits(failure.error.code)) return;
    this.cancel(accountId, groupId, messageId);
    announceChange(chat, this.#deps.emit);
    throw failure.error;
  }

  #keep(chat: Speaking, act: Said | Decided, what: Spoken): ChatEntryRecord {
    return keepUnsent(chat, act, what, this.#deps);
  }

  /** Sends what waits in one chat, the oldest first, until something has to wait or `wanted` failed. */
  async #drain(
    accountId: string,
    groupId: string,
    wanted?: { messageId: string; signal?: AbortSignal },
  ): Promise<{ messageId: string; error: QuMailError } | undefined> {
    const { store, unsent } = this.#deps;
    for (const messageId of unsent.list(accountId, groupId)) {
      const entry = store.entry(accountId, groupId, messageId);
      const record = unsent.get(accountId, messageId);
      const isWanted = messageId === wanted?.messageId;
      if (!record || !entry) continue;
      if (entry.state === 'failed' && !isWanted) {
        // Nobody knows of a group that did not begin, so what is said in it has to wait.
        if (decidedIn(record.act)?.kind === 'begin') return undefined;
        continue;
      }
      const error = await this.#send(record, entry, isWanted ? wanted.signal : undefined);
      if (this.#stop.signal.aborted) return undefined;
      // The first look for mail is under way, and whoever ends it wakes the queue.
      if (error === 'not-yet') return { messageId, error: new QuMailError('engine.stopped') };
      if (!error) {
        this.#failures = 0;
        announceChange({ accountId, groupId }, this.#deps.emit);
        continue;
      }
      const state = waits(error.code) ? 'queued' : 'failed';
      const { retryInMs, ...details } = error.details;
      const failureJson = this.#deps.writeFailure(new QuMailError(error.code, details));
      if (entry.state !== state || entry.failureJson !== failureJson) {
        store.setState(accountId, messageId, state, failureJson);
        announceChange({ accountId, groupId }, this.#deps.emit);
      }
      if (state === 'queued') this.#again(typeof retryInMs === 'number' ? retryInMs : 0);
      if (state === 'queued' || isWanted) return { messageId, error };
    }
    return undefined;
  }

  async #send(record: UnsentRecord, entry: ChatEntryRecord, signal: AbortSignal | undefined): Promise<QuMailError | 'not-yet' | undefined> {
    const { store, unsent, groups, sender, writer, post, clock } = this.#deps;
    const { accountId, groupId, messageId, at, text, files, level } = record;
    try {
      const away = post.outOfReach(accountId);
      if (away) return away;
      const state = groups.require(accountId, groupId);
      if (!state.members.some(({ address }) => address === this.#deps.selfOf(accountId))) throw new QuMailError('chat.not-member');
      const either = signal ? AbortSignal.any([signal, this.#stop.signal]) : this.#stop.signal;
      const decided = decidedIn(record.act);
      if (decided) {
        const queued = (): void => {
          if (!unsent.remove(accountId, messageId)) throw new QuMailError('engine.cancelled');
          store.remove(accountId, groupId, messageId);
        };
        await writer.send({ accountId, groupId, messageId, decided, files, signal: either, queued });
        return undefined;
      }
      await sender.send(
        {
          accountId,
          groupId,
          messageId,
          at,
          act: JSON.parse(record.act) as Said,
          text,
          files,
          events: [],
          passedOn: [],
          introduce: [],
          ...(level !== undefined && { level: level as ChatLevel }),
          signal: either,
          queued: (sent) => {
            // Another window sent it meanwhile, or the person thought better of it.
            if (!unsent.remove(accountId, messageId)) throw new QuMailError('engine.cancelled');
            const { level: sealedAt, suite, envelopeId } = sent;
            const content = {
              ...entry.content,
              level: sealedAt,
              ...(suite !== undefined && { suite }),
              ...(envelopeId !== '' && { envelopeId }),
            };
            const expiresAt = state.timer > 0 ? { expiresAt: clock.now() + state.timer * 1000 } : {};
            store.replaceEntry({ ...entry, state: 'queued', timer: state.timer, ...expiresAt, content });
          },
        },
        state,
      );
      this.#deps.timersChanged();
      return undefined;
    } catch (error) {
      return unsent.get(accountId, messageId) ? QuMailError.from(error) : undefined;
    }
  }

  #again(atLeast: number): void {
    if (this.#timer || this.#stop.signal.aborted) return;
    const usual = Math.min(FIRST_AGAIN * 2 ** this.#failures, LAST_AGAIN) * (0.5 + this.#deps.random.fraction() / 2);
    this.#failures = Math.min(this.#failures + 1, 16);
    this.#timer = this.#deps.clock.after(Math.max(usual, atLeast), () => this.wake());
  }

  async #inLane<T>({ accountId, groupId }: { accountId: string; groupId: string }, work: () => Promise<T>): Promise<T> {
    const key = `${accountId} ${groupId}`;
    const run = (this.#lanes.get(key) ?? Promise.resolve()).catch(() => {}).then(work);
    this.#lanes.set(key, run);
    try {
      return await run;
    } finally {
      if (this.#lanes.get(key) === run) this.#lanes.delete(key);
    }
  }
}
