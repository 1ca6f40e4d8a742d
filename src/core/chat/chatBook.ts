import type { Chat, ChatMessage, ChatMessagePage, ChatSummary } from '../base/chat.ts';
import { QuMailError } from '../base/errors.ts';
import { othersFirst } from '../base/othersFirst.ts';
import type { Clock } from '../base/ports.ts';
import type { ChatRequests } from '../base/requests/chatRequests.ts';
import type { ChatEntryRecord } from '../store/chatEntries.ts';
import type { ChatRecord } from '../store/chats.ts';
import type { Decided } from './changeWriter.ts';
import { chatLevel } from './chatSender.ts';
import type { GroupState } from './group.ts';
import type { GroupBook } from './groupBook.ts';
import { chatIdOf, shownEvent, shownMembers, shownMessages, splitChatId, verifiedOf, type ShownDeps } from './shownChat.ts';

export interface ChatBookDeps extends ShownDeps {
  readonly groups: GroupBook;
  readonly clock: Clock;
  readonly world: 'real' | 'lab';
  /** What a person decided about a group and did not go yet. */
  readonly decided: (accountId: string, messageId: string) => Decided | undefined;
}

/** A chat with everything that is known about it. */
export interface OpenChat {
  readonly accountId: string;
  readonly groupId: string;
  readonly record: ChatRecord;
  readonly state: GroupState;
  readonly self: string;
}

const MAX_PAGE = 500;

/** What the chats look like: reading alone, nothing is sent and nothing changed. */
export class ChatBook implements Pick<ChatRequests, 'listChats' | 'getChat' | 'getChatMessages' | 'searchChats' | 'getChatPicture'> {
  readonly #deps: ChatBookDeps;

  constructor(deps: ChatBookDeps) {
    this.#deps = deps;
  }

  /** @throws QuMailError `chat.missing` */
  open(chatId: string): OpenChat {
    const ids = splitChatId(chatId);
    const account = ids && this.#deps.people.accounts().find(({ id }) => id === ids.accountId);
    const record = ids && account && this.#deps.store.get(ids.accountId, ids.groupId);
    if (!record) throw new QuMailError('chat.missing');
    return { ...ids, record, state: this.#deps.groups.require(ids.accountId, ids.groupId), self: account.address };
  }

  async listChats(request: { accountId?: string }): Promise<readonly ChatSummary[]> {
    const { people, store, groups } = this.#deps;
    const accounts = people.accounts().filter(({ id }) => request.accountId === undefined || id === request.accountId);
    const chats = accounts.flatMap(({ id: accountId, address: self }) =>
      store.list(accountId).flatMap((record): OpenChat[] => {
        const { groupId } = record;
        const state = groups.state(accountId, groupId);
        return state ? [{ accountId, groupId, record, state, self }] : [];
      }),
    );
    return chats.sort((a, b) => b.record.lastAt - a.record.lastAt).map((chat) => this.#summary(chat));
  }

  async getChat(request: { chatId: string }): Promise<Chat> {
    const chat = this.open(request.chatId);
    const { state, record, accountId, self } = chat;
    return {
      ...this.#summary(chat),
      members: shownMembers(accountId, state, self, this.#deps.people),
      timer: state.timer,
      receipts: record.receipts,
      draft: record.draft,
      incomplete: state.missing.length > 0,
      simulated: this.#deps.world === 'lab',
    };
  }

  async getChatMessages(request: { chatId: string; limit: number; before?: string }): Promise<ChatMessagePage> {
    const chat = this.open(request.chatId);
    const limit = Math.min(Math.max(1, Math.trunc(request.limit)), MAX_PAGE);
    const before = request.before === undefined ? undefined : this.#placeOf(chat, request.before);
    const entries = this.#deps.store.messages(chat.accountId, chat.groupId, limit + 1, before);
    const page = entries.slice(0, limit);
    const more = entries.length > limit;
    const from = more ? page.at(-1)!.at : -Infinity;
    const to = before?.at ?? Infinity;
    // What happened to the group stands where it happened, among the messages of this page.
    const events = this.#deps.groups
      .events(chat.accountId, chat.groupId)
      .filter(({ at }) => at >= from && at < to)
      .map((event) => shownEvent(request.chatId, event, chat.state, chat.self, this.#namesIn(chat)));
    const waiting = this.#waiting(chat).filter(({ at }) => at >= from && at < to);
    const begun = waiting.find(({ notice }) => notice?.kind === 'created');
    const noted = begun ? events.filter(({ notice }) => notice?.kind !== 'created') : events;
    const messages = [...this.shown(chat, page), ...noted, ...waiting].sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1));
    return { messages, ...(more && { next: page.at(-1)!.messageId }) };
  }

  async searchChats(request: { chatId?: string; text: string; limit: number }): Promise<readonly ChatMessage[]> {
    const words = request.text.toLocaleLowerCase().split(/\s+/).filter(Boolean).slice(0, 16);
    const limit = Math.min(Math.max(1, Math.trunc(request.limit)), MAX_PAGE);
    if (words.length === 0) return [];
    const chats = request.chatId === undefined ? (await this.listChats({})).map(({ id }) => this.open(id)) : [this.open(request.chatId)];
    const found: ChatMessage[] = [];
    for (const chat of chats) {
      let before: { at: number; messageId: string } | undefined;
      for (let here = 0; here < limit;) {
        const entries = this.#deps.store.messages(chat.accountId, chat.groupId, MAX_PAGE, before);
        const hits = this.shown(chat, entries).filter(({ text, attachments }) => {
          const all = `${text} ${attachments.map(({ name }) => name).join(' ')}`.toLocaleLowerCase();
          return words.every((word) => all.includes(word));
        });
        found.push(...hits.slice(0, limit - here));
        here += hits.length;
        const last = entries.at(-1);
        if (!last || entries.length < MAX_PAGE) break;
        before = { at: last.at, messageId: last.messageId };
        // Ten thousand messages take a while to unseal, and others wait for this thread.
        await othersFirst();
      }
    }
    return found.sort((a, b) => b.at - a.at).slice(0, limit);
  }

  async getChatPicture(request: { chatId: string }): Promise<{ mimeType: string; content: Uint8Array } | undefined> {
    const { state, accountId, groupId } = this.open(request.chatId);
    const { picture } = state;
    const content = picture && this.#deps.extras.picture(accountId, groupId, picture.sha256);
    return content && { mimeType: picture.mimeType, content };
  }

  /** Entries as messages, in the order given. */
  shown(chat: OpenChat, entries: readonly ChatEntryRecord[]): ChatMessage[] {
    return shownMessages(entries, chat.self, this.#namesIn(chat), this.#deps);
  }

  /** A message, or a change of the group that did not go yet. @throws QuMailError `chat.message-missing` */
  entry(chat: OpenChat, messageId: string): ChatEntryRecord {
    const entry = this.#deps.store.entry(chat.accountId, chat.groupId, messageId);
    if (entry?.kind !== 'message' && entry?.kind !== 'change') throw new QuMailError('chat.message-missing');
    return entry;
  }

  /** @throws QuMailError `chat.message-missing` */
  message(chat: OpenChat, messageId: string): ChatEntryRecord {
    const entry = this.#deps.store.entry(chat.accountId, chat.groupId, messageId);
    if (!entry || entry.kind !== 'message') throw new QuMailError('chat.message-missing');
    return entry;
  }

  /** Decisions that did not go yet, as what they will be. */
  #waiting(chat: OpenChat): ChatMessage[] {
    const { accountId, groupId, state, self } = chat;
    return this.#deps.store.changes(accountId, groupId).flatMap((entry): ChatMessage[] => {
      const decided = this.#deps.decided(accountId, entry.messageId);
      const [first] = this.#deps.groups.events(accountId, groupId);
      const change = decided?.kind === 'begin' ? first?.change : decided?.change;
      if (!change) return [];
      const event = { id: entry.messageId, author: self, at: entry.at, change };
      const failure = this.#deps.readFailure(entry.failureJson);
      const shown = shownEvent(chatIdOf(accountId, groupId), event, state, self, this.#namesIn(chat));
      return [{ ...shown, state: entry.state, ...(failure && { failure }) }];
    });
  }

  #summary(chat: OpenChat): ChatSummary {
    const { accountId, groupId, state, self } = chat;
    const nameOf = this.#namesIn(chat);
    const members = shownMembers(accountId, state, self, this.#deps.people);
    const others = members.filter((member) => !member.self);
    const direct = state.name === '' && others.length <= 1;
    const [last] = this.#deps.store.messages(accountId, groupId, 1);
    const shown = last && this.shown(chat, [last])[0];
    return {
      id: chatIdOf(accountId, groupId),
      accountId,
      kind: direct ? 'direct' : 'group',
      name: state.name || others.map(({ name, address }) => name || address).join(', ') || nameOf(self),
      unread: this.#deps.store.countUnread(accountId, groupId),
      ...(shown && { lastMessage: { author: shown.author, text: lineOf(shown), at: shown.at } }),
      minimumLevel: chatLevel(state.minimumLevel),
      verified: verifiedOf(members),
      member: members.some((member) => member.self),
      hasPicture: state.picture !== undefined,
      ...(state.picture && { picture: state.picture.sha256 }),
    };
  }

  /** As this person calls them, else as they were introduced: who has left keeps a name, oneself included. */
  #namesIn({ accountId, groupId }: Pick<OpenChat, 'accountId' | 'groupId'>): (address: string) => string {
    const introduced = new Map<string, string>();
    for (const { change } of this.#deps.groups.events(accountId, groupId)) {
      const members = change.kind === 'create' ? change.members : change.kind === 'add' ? [change.member] : [];
      for (const { address, name } of members) introduced.set(address, name);
    }
    return (address) => this.#deps.people.known(accountId, address)?.name || introduced.get(address) || address;
  }

  #placeOf(chat: OpenChat, messageId: string): { at: number; messageId: string } {
    return { at: this.message(chat, messageId).at, messageId };
  }
}

/** One line for the list of chats: the first words, or the name of the first file. */
function lineOf({ text, attachments }: ChatMessage): string {
  return (text.replace(/\s+/g, ' ').trim() || attachments[0]?.name || '').slice(0, 200);
}
