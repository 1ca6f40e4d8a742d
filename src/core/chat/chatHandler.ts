import type { ToldOf } from '../account/ownCopies.ts';
import { QuMailError } from '../base/errors.ts';
import { DisposableStore, type Disposable } from '../base/lifetime.ts';
import type { Log } from '../base/log.ts';
import type { QuMailEvent } from '../base/events.ts';
import type { Clock } from '../base/ports.ts';
import type { ChatOwed } from '../store/chatOwed.ts';
import type { ChatStore } from '../store/chats.ts';
import type { ChatWaiting } from '../store/chatWaiting.ts';
import { MAX_EVENTS_CARRIED } from './chatPart.ts';
import type { ArrivedMail, ChatPeople, ChatPost } from './chatPorts.ts';
import { ChatReceipts } from './chatReceipts.ts';
import type { ChatReceiver, Reception } from './chatReceiver.ts';
import type { ChatSender } from './chatSender.ts';
import { enterToldOf } from './foreignLines.ts';
import type { GroupBook } from './groupBook.ts';
import { chatIdOf } from './shownChat.ts';
import { waits } from './waits.ts';

/** Least time between two questions to one member, and between two answers to one, milliseconds. */
const SPARE = 60_000;
const MAX_ASKED = 20_000;
/** The same missing events are asked for again after this long, milliseconds. */
const ASK_AGAIN = 3_600_000;

export interface ChatHandlerDeps {
  readonly store: ChatStore;
  readonly waiting: ChatWaiting;
  readonly owed: ChatOwed;
  readonly post: Pick<ChatPost, 'outOfReach'>;
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

/** Chats at work: what arrives is taken in, receipts go out, what is missing is asked for, what has expired disappears. */
export class ChatHandler implements Disposable {
  readonly #deps: ChatHandlerDeps;
  readonly #owned = new DisposableStore();
  readonly #stop = new AbortController();
  readonly #receipts: ChatReceipts;
  readonly #asked = new Map<string, number>();
  #expiryTimer: Disposable | undefined;
  /** One message at a time: each may change what the next one is checked against. */
  #queue: Promise<unknown> = Promise.resolve();

  constructor(deps: ChatHandlerDeps) {
    this.#deps = deps;
    this.#receipts = this.#owned.add(
      new ChatReceipts({
        ...deps,
        tell: ({ accountId, groupId, author }, act, queued) => this.#tell(accountId, groupId, author, act, [], queued),
      }),
    );
  }

  /** Starts what runs by itself. */
  start(): void {
    this.#expire();
    this.#receipts.wake();
  }

  /** Something may be within reach again. */
  wake(): void {
    this.#receipts.wake();
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

  /** A line that another device of this person wrote or opened, and that can be read there alone. `later`: its chat is not known yet. */
  toldOf(accountId: string, line: ToldOf): 'noted' | 'later' {
    const groupId = enterToldOf(accountId, line, this.#deps);
    if (groupId === undefined) return 'later';
    this.#deps.emit({ kind: 'chats', accountId });
    this.#deps.emit({ kind: 'chat-messages', chatId: chatIdOf(accountId, groupId) });
    return 'noted';
  }

  /** Tells the authors that their messages were read, where receipts are on. */
  noteRead(accountId: string, groupId: string, messageIds: readonly string[]): void {
    for (const messageId of messageIds) {
      const author = this.#deps.store.entry(accountId, groupId, messageId)?.content.author;
      if (author !== undefined) this.#receipts.owe({ accountId, groupId, author, messageId, state: 'read' });
    }
    this.#expire();
  }

  /** Something was sent or read that may disappear. */
  timersChanged(): void {
    this.#expire();
  }

  dispose(): void {
    this.#stop.abort();
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
    const answers = !own && !mail.handedOn;
    if (part.act.kind === 'message' && answers) {
      this.#receipts.owe({ accountId, groupId, author: part.author, messageId, state: 'delivered' });
    }
    if (part.act.kind === 'need' && answers) void this.#answerNeed(accountId, groupId, part.author, part.act.events);
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
    queued: () => void = () => {},
  ): Promise<boolean> {
    const state = this.#deps.groups.state(accountId, groupId);
    if (!state?.members.some(({ address }) => address === to) || this.#stop.signal.aborted) return true;
    const introduce = act.kind === 'events' ? state.members : [];
    const out = { accountId, groupId, act, text: '', files: [], events: [], passedOn, introduce, to: [to], queued };
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
