import { QuMailError } from '../base/errors.ts';
import { DisposableStore, type Disposable } from '../base/lifetime.ts';
import type { Log } from '../base/log.ts';
import type { QuMailEvent } from '../base/events.ts';
import type { Clock } from '../base/ports.ts';
import type { ChatStore } from '../store/chats.ts';
import type { ChatWaiting } from '../store/chatWaiting.ts';
import { MAX_EVENTS_CARRIED } from './chatPart.ts';
import type { ArrivedMail, ChatPeople } from './chatPorts.ts';
import type { ChatReceiver, Reception } from './chatReceiver.ts';
import type { ChatSender } from './chatSender.ts';
import type { GroupBook } from './groupBook.ts';
import { chatIdOf } from './shownChat.ts';
import { waits } from './waits.ts';

/** Receipts are collected this long, so that a burst of messages costs one answer, milliseconds. */
const RECEIPT_DELAY = 2000;
/** Least time between two questions to one member, and between two answers to one, milliseconds. */
const SPARE = 60_000;
const MAX_ASKED = 20_000;
/** Receipts that could not be sent are tried again after this long, milliseconds. */
const RECEIPT_AGAIN = 60_000;
/** The same missing events are asked for again after this long, milliseconds. */
const ASK_AGAIN = 3_600_000;

export interface ChatHandlerDeps {
  readonly store: ChatStore;
  readonly waiting: ChatWaiting;
  readonly groups: GroupBook;
  readonly people: ChatPeople;
  readonly receiver: ChatReceiver;
  readonly sender: ChatSender;
  readonly clock: Clock;
  readonly log: Log;
  readonly emit: (event: QuMailEvent) => void;
  /** An opened message out of the sealed store; undefined where it is gone. */
  readonly reread: (accountId: string, messageId: string) => Promise<ArrivedMail | undefined>;
  /** Erases a message from the sealed store and the server. */
  readonly erase: (accountId: string, envelopeId: string) => Promise<void>;
}

interface Due {
  readonly accountId: string;
  readonly groupId: string;
  readonly author: string;
  readonly delivered: Set<string>;
  readonly read: Set<string>;
}

/** Chats at work: what arrives is taken in, receipts go out, what is missing is asked for, what has expired disappears. */
export class ChatHandler implements Disposable {
  readonly #deps: ChatHandlerDeps;
  readonly #owned = new DisposableStore();
  readonly #stop = new AbortController();
  readonly #due = new Map<string, Due>();
  readonly #asked = new Map<string, number>();
  #receiptTimer: Disposable | undefined;
  #expiryTimer: Disposable | undefined;
  /** One message at a time: each may change what the next one is checked against. */
  #queue: Promise<unknown> = Promise.resolve();

  constructor(deps: ChatHandlerDeps) {
    this.#deps = deps;
  }

  /** Starts what runs by itself. */
  start(): void {
    this.#expire();
  }

  /**
   * Offers a message that came and was opened.
   * @returns whether it belongs to the chats and is no ordinary mail
   */
  arrived(mail: ArrivedMail): Promise<'chat' | 'mail'> {
    const run = this.#queue.then(() => this.#take(mail));
    this.#queue = run.catch(() => {});
    return run;
  }

  /** Tells the authors that their messages were read, where receipts are on. */
  noteRead(accountId: string, groupId: string, messageIds: readonly string[]): void {
    for (const messageId of messageIds) {
      const author = this.#deps.store.entry(accountId, groupId, messageId)?.content.author;
      if (author !== undefined) this.#owe(accountId, groupId, author, messageId, 'read');
    }
    this.#expire();
  }

  /** Something was sent or read that may disappear. */
  timersChanged(): void {
    this.#expire();
  }

  dispose(): void {
    this.#stop.abort();
    this.#receiptTimer?.dispose();
    this.#expiryTimer?.dispose();
    this.#owned.dispose();
  }

  async #take(mail: ArrivedMail): Promise<'chat' | 'mail'> {
    if (this.#stop.signal.aborted) return 'mail';
    let reception: Reception;
    try {
      reception = await this.#deps.receiver.receive(mail);
    } catch (error) {
      const failure = QuMailError.from(error);
      if (!failure.code.startsWith('chat.')) throw failure;
      // What only pretends to be part of a chat is shown where it lies, as the mail it is.
      this.#deps.log.warn('chat-refused', { code: failure.code });
      return 'mail';
    }
    if (reception.outcome === 'none') return 'mail';
    const { accountId, messageId } = mail;
    if (reception.outcome === 'waiting') {
      this.#deps.waiting.add(accountId, reception.groupId, messageId, this.#deps.clock.now());
      return 'chat';
    }
    this.#deps.waiting.remove(accountId, messageId);
    this.#followUp(mail, reception);
    if (reception.introduced > 0 || (reception.part && reception.part.events.length > 0)) await this.#offerAgain(accountId, messageId);
    return 'chat';
  }

  #followUp(mail: ArrivedMail, reception: Extract<Reception, { outcome: 'taken' }>): void {
    const { accountId, messageId } = mail;
    const { groupId, part, isNew } = reception;
    this.#deps.emit({ kind: 'chats', accountId });
    this.#deps.emit({ kind: 'chat-messages', chatId: chatIdOf(accountId, groupId) });
    if (reception.erase !== undefined) this.#erase(accountId, reception.erase);
    if (!part || !isNew) return;
    const own = this.#deps.people.accounts().some(({ id, address }) => id === accountId && address === part.author);
    if (part.act.kind === 'message' && !own) this.#owe(accountId, groupId, part.author, messageId, 'delivered');
    if (part.act.kind === 'need' && !own) void this.#answerNeed(accountId, groupId, part.author, part.act.events);
    this.#askForMissing(accountId, groupId, part.author, part.heads);
    this.#expire();
  }

  /** Mail that waited for what has just become known. */
  async #offerAgain(accountId: string, except: string): Promise<void> {
    for (const messageId of this.#deps.waiting.list(accountId)) {
      if (messageId === except) continue;
      const mail = await this.#deps.reread(accountId, messageId).catch(() => undefined);
      if (!mail) {
        this.#deps.waiting.remove(accountId, messageId);
        continue;
      }
      await this.#take(mail);
    }
  }

  // ---- receipts ----

  #owe(accountId: string, groupId: string, author: string, messageId: string, what: 'delivered' | 'read', after = RECEIPT_DELAY): void {
    if (this.#deps.store.get(accountId, groupId)?.receipts !== 'on') return;
    const state = this.#deps.groups.state(accountId, groupId);
    // A pad spends as many bits on a receipt as on a line; where only pads are good enough, nobody is told.
    if (!state || state.minimumLevel === 'L1' || !state.members.some(({ address }) => address === author)) return;
    const key = JSON.stringify([accountId, groupId, author]);
    const due = this.#due.get(key) ?? { accountId, groupId, author, delivered: new Set(), read: new Set() };
    due[what].add(messageId);
    this.#due.set(key, due);
    this.#receiptTimer ??= this.#deps.clock.after(after, () => {
      this.#receiptTimer = undefined;
      void this.#sendReceipts();
    });
  }

  async #sendReceipts(): Promise<void> {
    const due = [...this.#due.values()];
    this.#due.clear();
    for (const { accountId, groupId, author, delivered, read } of due) {
      const told = [...delivered].filter((id) => !read.has(id));
      const act = { kind: 'receipt' as const, delivered: told.slice(0, 500), read: [...read].slice(0, 500) };
      if (await this.#tell(accountId, groupId, author, act, [])) continue;
      for (const id of delivered) this.#owe(accountId, groupId, author, id, 'delivered', RECEIPT_AGAIN);
      for (const id of read) this.#owe(accountId, groupId, author, id, 'read', RECEIPT_AGAIN);
    }
  }

  // ---- what is missing ----

  #askForMissing(accountId: string, groupId: string, author: string, heads: readonly string[]): void {
    const state = this.#deps.groups.state(accountId, groupId);
    if (!state) return;
    const unknown = heads.filter((id) => !this.#deps.groups.event(accountId, groupId, id));
    const now = this.#deps.clock.now();
    const due = (what: string, after: number): boolean => (this.#asked.get(what) ?? -Infinity) < now - after;
    const place = JSON.stringify([accountId, groupId]);
    const wanted = [...new Set([...state.missing, ...unknown])].filter((id) => due(place + id, ASK_AGAIN));
    // Whoever names what does not exist makes this account spend a key, and not more than one a minute.
    if (wanted.length === 0 || !due(place + author, SPARE)) return;
    if (this.#asked.size > MAX_ASKED) this.#asked.clear();
    for (const what of [...wanted, author]) this.#asked.set(place + what, now);
    void this.#tell(accountId, groupId, author, { kind: 'need', events: wanted.slice(0, MAX_EVENTS_CARRIED) }, []);
  }

  /** Everything known goes back, not the named events alone: whoever lacks one may lack what it builds on. */
  async #answerNeed(accountId: string, groupId: string, author: string, wanted: readonly string[]): Promise<void> {
    if (!wanted.some((id) => this.#deps.groups.event(accountId, groupId, id))) return;
    const asker = JSON.stringify([accountId, groupId, 'answered', author]);
    const now = this.#deps.clock.now();
    if ((this.#asked.get(asker) ?? -Infinity) > now - SPARE) return;
    this.#asked.set(asker, now);
    const all = this.#deps.groups.signed(accountId, groupId).slice(-MAX_EVENTS_CARRIED);
    await this.#tell(accountId, groupId, author, { kind: 'events' }, all);
  }

  /** A message to one member that nobody sees. False where it may go later; a failure is not worth more than that. */
  async #tell(
    accountId: string,
    groupId: string,
    to: string,
    act: Parameters<ChatSender['send']>[0]['act'],
    passedOn: Parameters<ChatSender['send']>[0]['passedOn'],
  ): Promise<boolean> {
    const state = this.#deps.groups.state(accountId, groupId);
    if (!state?.members.some(({ address }) => address === to) || this.#stop.signal.aborted) return true;
    const introduce = act.kind === 'events' ? state.members : [];
    const out = { accountId, groupId, act, text: '', files: [], events: [], passedOn, introduce, to: [to], queued: () => {} };
    try {
      await this.#deps.sender.send({ ...out, signal: this.#stop.signal }, state);
      return true;
    } catch (error) {
      const { code } = QuMailError.from(error);
      this.#deps.log.info('chat-not-told', { act: act.kind, code });
      return !waits(code);
    }
  }

  // ---- what disappears ----

  #erase(accountId: string, envelopeId: string): void {
    this.#deps.erase(accountId, envelopeId).catch((error: unknown) => {
      this.#deps.log.warn('chat-not-erased', { code: QuMailError.from(error).code });
    });
  }

  #expire(): void {
    if (this.#stop.signal.aborted) return;
    this.#expiryTimer?.dispose();
    const gone = this.#deps.store.expire(this.#deps.clock.now());
    for (const { accountId, groupId, envelopeId } of gone) {
      if (envelopeId !== undefined) this.#erase(accountId, envelopeId);
      this.#deps.emit({ kind: 'chats', accountId });
      this.#deps.emit({ kind: 'chat-messages', chatId: chatIdOf(accountId, groupId) });
    }
    const next = this.#deps.store.nextExpiry();
    if (next === undefined) return;
    const nap = Math.min(Math.max(next - this.#deps.clock.now(), 1000), 3_600_000);
    this.#expiryTimer = this.#deps.clock.after(nap, () => this.#expire());
  }
}
