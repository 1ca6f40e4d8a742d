import type { Chat, ChatChange, ChatLevel, ChatMessage, ChatMessagePage, ChatReach, ChatSummary, ChatUpload } from '../chat.ts';
import type { Attachment } from '../model.ts';
import { type CallOptions, namesOf } from './requestNames.ts';

/** Chats over mail. Every request may reject with a QuMailError and with nothing else. */
export interface ChatRequests {
  /** Of one account or of all, the latest first. */
  listChats(request: { accountId?: string }): Promise<readonly ChatSummary[]>;
  getChat(request: { chatId: string }): Promise<Chat>;
  getChatMessages(request: { chatId: string; limit: number; before?: string }): Promise<ChatMessagePage>;
  /** Every member is accounted for: reached at `level` and how, or named with the reason why not. Asks key managers for status, spends nothing. */
  checkChat(
    request: { chatId: string; level?: ChatLevel } | { accountId: string; members: readonly string[]; level: ChatLevel },
    options?: CallOptions,
  ): Promise<readonly ChatReach[]>;
  /** One other person and no name: a direct chat, the one there is already if there is one. Rejects before anything is sent where a member cannot be reached. */
  startChat(
    request: { accountId: string; members: readonly string[]; name?: string; minimumLevel?: ChatLevel },
    options?: CallOptions,
  ): Promise<Chat>;
  /**
   * Resolves once it is durable here: sealed and on its way (`sending`), or `queued` with the reason in `failure` where a key manager or the mail
   * server is out of reach; then it is sealed and sent later, in order, also after a restart. Rejects with what waiting does not help against.
   */
  sendChatMessage(
    request: { chatId: string; text: string; files?: readonly ChatUpload[]; replyTo?: string; level?: ChatLevel },
    options?: CallOptions,
  ): Promise<ChatMessage>;
  editChatMessage(request: { chatId: string; messageId: string; text: string }): Promise<void>;
  /** Takes an own message back on every member's device that honours it, and removes it here. What is still `queued`, or failed before it was sealed, is cancelled and nobody hears of it. */
  deleteChatMessage(request: { chatId: string; messageId: string }): Promise<void>;
  /** '' takes the own reaction back. */
  reactToChatMessage(request: { chatId: string; messageId: string; emoji: string }): Promise<void>;
  /** Sends a queued or failed message again now, the identical bytes where it was sealed before. Rejects with why it did not go. */
  retryChatMessage(request: { chatId: string; messageId: string }, options?: CallOptions): Promise<void>;
  markChatRead(request: { chatId: string; upTo: string }): Promise<void>;
  setChatReceipts(request: { chatId: string; receipts: 'on' | 'off' }): Promise<void>;
  changeChat(request: { chatId: string; change: ChatChange }, options?: CallOptions): Promise<Chat>;
  leaveChat(request: { chatId: string }, options?: CallOptions): Promise<void>;
  /** Removes the conversation from this device. Does not leave it. */
  forgetChat(request: { chatId: string }): Promise<void>;
  saveChatDraft(request: { chatId: string; text: string }): Promise<void>;
  getChatAttachment(
    request: { chatId: string; messageId: string; index: number },
    options?: CallOptions,
  ): Promise<{ attachment: Attachment; content: Uint8Array }>;
  getChatPicture(request: { chatId: string }): Promise<{ mimeType: string; content: Uint8Array } | undefined>;
  /** Messages of one chat, or of all, that contain every word; the newest first, at most `limit`. */
  searchChats(request: { chatId?: string; text: string; limit: number }): Promise<readonly ChatMessage[]>;
}

export const CHAT_REQUESTS = namesOf<ChatRequests>({
  listChats: 1,
  getChat: 1,
  getChatMessages: 1,
  checkChat: 1,
  startChat: 1,
  sendChatMessage: 1,
  editChatMessage: 1,
  deleteChatMessage: 1,
  reactToChatMessage: 1,
  retryChatMessage: 1,
  markChatRead: 1,
  setChatReceipts: 1,
  changeChat: 1,
  leaveChat: 1,
  forgetChat: 1,
  saveChatDraft: 1,
  getChatAttachment: 1,
  getChatPicture: 1,
  searchChats: 1,
});
