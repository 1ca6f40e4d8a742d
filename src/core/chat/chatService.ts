import type { ChatLevel, ChatMessage, ChatReach, ChatUpload } from '../base/chat.ts';
import { QuMailError } from '../base/errors.ts';
import type { QuMailEvent } from '../base/events.ts';
import type { Attachment } from '../base/model.ts';
import type { Clock } from '../base/ports.ts';
import type { ChatRequests } from '../base/requests/chatRequests.ts';
import type { CallOptions } from '../base/requests/requestNames.ts';
import type { ChatEntryRecord } from '../store/chatEntries.ts';
import type { ChatStore } from '../store/chats.ts';
import { announceChange, addressesOf, fileOf, othersIn, signalOf, startOf, writable } from './chatAsked.ts';
import type { ChatBook, OpenChat } from './chatBook.ts';
import type { ChatHandler } from './chatHandler.ts';
import type { ChatPost } from './chatPorts.ts';
import type { ChatQueue } from './chatQueue.ts';
import { chatLevel } from './chatSender.ts';
import type { GroupBook } from './groupBook.ts';
import type { Said } from './unsentEntry.ts';

export interface ChatServiceDeps {
  readonly book: ChatBook;
  readonly store: ChatStore;
  readonly groups: GroupBook;
  readonly post: ChatPost;
  readonly queue: ChatQueue;
  readonly handler: ChatHandler;
  readonly clock: Clock;
  readonly emit: (event: QuMailEvent) => void;
}

type Requests = Pick<
  ChatRequests,
  | 'checkChat'
  | 'sendChatMessage'
  | 'editChatMessage'
  | 'deleteChatMessage'
  | 'reactToChatMessage'
  | 'retryChatMessage'
  | 'markChatRead'
  | 'setChatReceipts'
  | 'forgetChat'
  | 'saveChatDraft'
  | 'getChatAttachment'
>;

/** What is said in chats. */
export class ChatService implements Requests {
  readonly #deps: ChatServiceDeps;

  constructor(deps: ChatServiceDeps) {
    this.#deps = deps;
  }

  async checkChat(request: Parameters<ChatRequests['checkChat']>[0], options: CallOptions = {}): Promise<readonly ChatReach[]> {
    if ('chatId' in request) {
      const chat = this.#deps.book.open(request.chatId);
      const floor = chatLevel(chat.state.minimumLevel);
      return this.#deps.post.reach(chat.accountId, othersIn(chat), request.level ?? startOf(floor), floor, options.signal);
    }
    const members = addressesOf(request.members);
    return this.#deps.post.reach(request.accountId, members, request.level, request.level, options.signal);
  }

  async sendChatMessage(request: Parameters<ChatRequests['sendChatMessage']>[0], options: CallOptions = {}): Promise<ChatMessage> {
    const { chatId, text, files = [], replyTo, level } = request;
    const chat = writable(this.#deps.book.open(chatId));
    if (text.trim() === '' && files.length === 0) throw new QuMailError('engine.bad-request', { field: 'text' });
    const act = { kind: 'message' as const, ...(replyTo !== undefined && { replyTo: this.#deps.book.message(chat, replyTo).messageId }) };
    const entry = await this.#say(chat, act, { text, files, ...(level && { level }), ...signalOf(options) });
    this.#deps.store.setDraft(chat.accountId, chat.groupId, '');
    return this.#deps.book.shown(chat, [entry])[0]!;
  }

  async editChatMessage(request: { chatId: string; messageId: string; text: string }): Promise<void> {
    const chat = writable(this.#deps.book.open(request.chatId));
    await this.#say(chat, { kind: 'edit', target: this.#ownMessage(chat, request.messageId) }, { text: request.text });
  }

  async deleteChatMessage(request: { chatId: string; messageId: string }): Promise<void> {
    const chat = this.#deps.book.open(request.chatId);
    const isChange = this.#deps.book.entry(chat, request.messageId).kind === 'change';
    const target = isChange ? request.messageId : this.#ownMessage(chat, request.messageId);
    // What nobody has heard of is taken back by whoever is no member any more, too.
    if (this.#deps.queue.cancel(chat.accountId, chat.groupId, target)) return announceChange(chat, this.#deps.emit);
    await this.#say(writable(chat), { kind: 'delete', target }, {});
    const entry = this.#deps.book.message(chat, target);
    this.#deps.store.empty(entry);
    if (entry.content.envelopeId !== undefined) await this.#deps.post.erase(chat.accountId, entry.content.envelopeId).catch(() => {});
    announceChange(chat, this.#deps.emit);
  }

  async reactToChatMessage(request: { chatId: string; messageId: string; emoji: string }): Promise<void> {
    const chat = writable(this.#deps.book.open(request.chatId));
    const { messageId } = this.#deps.book.message(chat, request.messageId);
    if (request.emoji.length > 32 || /[\p{L}\p{Cc}]/u.test(request.emoji)) throw new QuMailError('engine.bad-request', { field: 'emoji' });
    await this.#say(chat, { kind: 'reaction', target: messageId, emoji: request.emoji }, {});
  }

  async retryChatMessage(request: { chatId: string; messageId: string }, options: CallOptions = {}): Promise<void> {
    const chat = writable(this.#deps.book.open(request.chatId));
    const entry = this.#deps.book.entry(chat, request.messageId);
    if (await this.#deps.queue.retry(chat, entry.messageId, options.signal)) return;
    if (await this.#deps.post.resend(chat.accountId, entry.messageId, options.signal)) return;
    throw new QuMailError('chat.message-missing');
  }

  async markChatRead(request: { chatId: string; upTo: string }): Promise<void> {
    const chat = this.#deps.book.open(request.chatId);
    const { at } = this.#deps.book.message(chat, request.upTo);
    const read = this.#deps.store.markRead(chat.accountId, chat.groupId, at, this.#deps.clock.now());
    if (read.length === 0) return;
    this.#deps.handler.noteRead(chat.accountId, chat.groupId, read);
    announceChange(chat, this.#deps.emit);
  }

  async setChatReceipts(request: { chatId: string; receipts: 'on' | 'off' }): Promise<void> {
    const chat = this.#deps.book.open(request.chatId);
    this.#deps.store.setReceipts(chat.accountId, chat.groupId, request.receipts);
    announceChange(chat, this.#deps.emit);
  }

  async forgetChat(request: { chatId: string }): Promise<void> {
    const chat = this.#deps.book.open(request.chatId);
    this.#deps.store.delete(chat.accountId, chat.groupId);
    this.#deps.groups.forget(chat.accountId, chat.groupId);
    this.#deps.emit({ kind: 'chats', accountId: chat.accountId });
  }

  async saveChatDraft(request: { chatId: string; text: string }): Promise<void> {
    const chat = this.#deps.book.open(request.chatId);
    this.#deps.store.setDraft(chat.accountId, chat.groupId, request.text.slice(0, 65_536));
  }

  async getChatAttachment(request: {
    chatId: string;
    messageId: string;
    index: number;
  }): Promise<{ attachment: Attachment; content: Uint8Array }> {
    const chat = this.#deps.book.open(request.chatId);
    const { content } = this.#deps.book.message(chat, request.messageId);
    const file = content.files.find(({ index }) => index === request.index);
    const waiting = file && this.#deps.queue.file(chat.accountId, request.messageId, file.index);
    if (!file || (!waiting && content.envelopeId === undefined)) throw new QuMailError('attachment.missing');
    const { content: octets } = waiting ?? (await this.#deps.post.file(chat.accountId, content.envelopeId ?? '', file.index));
    return { attachment: { index: file.index, name: file.name, mimeType: file.mimeType, size: octets.byteLength }, content: octets };
  }

  #say(
    chat: OpenChat,
    act: Said,
    what: { text?: string; files?: readonly ChatUpload[]; level?: ChatLevel; signal?: AbortSignal },
  ): Promise<ChatEntryRecord> {
    return this.#deps.queue.say(chat, act, { ...what, text: what.text ?? '', files: (what.files ?? []).map(fileOf) });
  }

  #ownMessage(chat: OpenChat, messageId: string): string {
    const entry = this.#deps.book.message(chat, messageId);
    if (entry.content.author !== chat.self) throw new QuMailError('chat.message-missing');
    return entry.messageId;
  }
}
