import { toBase64url } from '../base/bytes.ts';
import type { ChatLevel } from '../base/chat.ts';
import { QuMailError } from '../base/errors.ts';
import type { Disposable } from '../base/lifetime.ts';
import type { Log } from '../base/log.ts';
import type { QuMailEvent } from '../base/events.ts';
import type { Clock, Random } from '../base/ports.ts';
import { chatMessageId } from '../mail/chatMessageId.ts';
import type { ChatEntryRecord } from '../store/chatEntries.ts';
import type { ChatStore } from '../store/chats.ts';
import type { ChatUnsent, UnsentRecord } from '../store/chatUnsent.ts';
import { announceChange } from './chatAsked.ts';
import type { OpenChat } from './chatBook.ts';
import type { ChatAct } from './chatPart.ts';
import type { ChatFile, ChatPost } from './chatPorts.ts';
import { refuseOversized, type ChatSender } from './chatSender.ts';
import type { GroupBook } from './groupBook.ts';
import { waits } from './waits.ts';

/** Milliseconds until what waits is tried again: doubled with every failure, from the first to the last of these. */
const FIRST_AGAIN = 5000;
const LAST_AGAIN = 300_000;

export type Said = Exclude<ChatAct, { kind: 'receipt' | 'events' | 'need' }>;

export interface ChatQueueDeps {
  readonly store: ChatStore;
  readonly unsent: ChatUnsent;
  readonly groups: GroupBook;
  readonly sender: ChatSender;
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
 * What people say, in the order they say it: durable before anything is asked of anybody, sealed when it can go, to the members of that
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
    const { accountId, groupId } = chat;
    const { messageId } = this.#keep(chat, act, what);
    announceChange(chat, this.#deps.emit);
    const failure = await this.#inLane(chat, () =>
      this.#drain(accountId, groupId, { messageId, ...(what.signal && { signal: what.signal }) }),
    );
    if (failure?.messageId === messageId && !waits(failure.error.code)) {
      this.cancel(accountId, groupId, messageId);
      announceChange(chat, this.#deps.emit);
      throw failure.error;
    }
    const entry = this.#deps.store.entry(accountId, groupId, messageId);
    if (!entry) throw new QuMailError('engine.cancelled');
    return entry;
  }

  /** Tries what failed or waits once more, now. False where the message is not here. @throws QuMailError why it did not go */
  async retry(chat: OpenChat, messageId: string, signal?: AbortSignal): Promise<boolean> {
    const { accountId, groupId } = chat;
    if (!this.#deps.unsent.get(accountId, messageId)) return false;
    const failure = await this.#inLane(chat, () => this.#drain(accountId, groupId, { messageId, ...(signal && { signal }) }));
    if (failure) throw failure.error;
    return true;
  }

  /** Takes a message that was not sealed yet out of the queue, with what was said about it. False where it is not here any more. */
  cancel(accountId: string, groupId: string, messageId: string): boolean {
    const { store, unsent } = this.#deps;
    return store.transaction(() => {
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

  #keep(
    { accountId, groupId, self, state }: OpenChat,
    act: Said,
    what: { text: string; files: readonly ChatFile[]; level?: ChatLevel },
  ): ChatEntryRecord {
    const { store, unsent, clock, random } = this.#deps;
    const at = clock.now();
    const messageId = chatMessageId(groupId, toBase64url(random.bytes(16)), self.slice(self.lastIndexOf('@') + 1));
    const { text, files, level } = what;
    const entry: ChatEntryRecord = {
      accountId,
      groupId,
      messageId,
      at,
      kind: act.kind,
      ...(act.kind !== 'message' && { target: act.target }),
      unread: false,
      state: 'queued',
      timer: state.timer,
      content: {
        author: self,
        text,
        ...(act.kind === 'message' && act.replyTo !== undefined && { replyTo: act.replyTo }),
        ...(act.kind === 'reaction' && { emoji: act.emoji }),
        level: level ?? state.minimumLevel,
        sealed: true,
        files: files.map(({ name, mimeType, content }, index) => ({ index, name, mimeType, size: content.byteLength })),
      },
    };
    store.transaction(() => {
      store.putEntry(entry);
      unsent.add({ accountId, groupId, messageId, act: JSON.stringify(act), text, level, at, files });
    });
    return entry;
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
      if (!record || !entry || (entry.state === 'failed' && !isWanted)) continue;
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
    const { store, unsent, groups, sender, post, clock } = this.#deps;
    const { accountId, groupId, messageId, at, text, files, level } = record;
    try {
      const away = post.outOfReach(accountId);
      if (away) return away;
      const state = groups.require(accountId, groupId);
      if (!state.members.some(({ address }) => address === this.#deps.selfOf(accountId))) throw new QuMailError('chat.not-member');
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
          signal: signal ? AbortSignal.any([signal, this.#stop.signal]) : this.#stop.signal,
          queued: (sent) => {
            // Another window sent it meanwhile, or the person thought better of it.
            if (!unsent.remove(accountId, messageId)) throw new QuMailError('engine.cancelled');
            const content = { ...entry.content, level: sent.level, ...(sent.envelopeId !== '' && { envelopeId: sent.envelopeId }) };
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
