/** The plain data of chats: conversations of two people or a group over the mailboxes they have (PROTOCOL 11). */
import type { Attachment, Failure } from './model.ts';
import type { Address, SecurityLevel } from './types.ts';

/** Levels that a chat may be sealed at; never L4. */
export type ChatLevel = Exclude<SecurityLevel, 'L4'>;

export interface ChatMember {
  readonly address: string;
  readonly name: string;
  readonly admin: boolean;
  readonly self: boolean;
  /** The certificate the member joined with. */
  readonly fingerprint: string;
  /** Whether this person compared safety numbers with the member, or a QKD link did it for them. */
  readonly verified: 'verified' | 'qkd' | 'no';
}

export interface ChatSummary {
  /** The group id, 22 characters; with the account the identity of a chat. */
  readonly id: string;
  readonly accountId: string;
  readonly kind: 'direct' | 'group';
  /** Name of the group, or of the other person. */
  readonly name: string;
  readonly unread: number;
  readonly lastMessage?: { readonly author: Address; readonly text: string; readonly at: number };
  readonly minimumLevel: ChatLevel;
  /** Whether every member is verified. */
  readonly verified: 'all' | 'some' | 'none';
  /** False after leaving or being removed: the conversation stays, nothing can be sent. */
  readonly member: boolean;
  readonly hasPicture: boolean;
  /** Which picture the group has; another one has another name. Its octets come from getChatPicture, once they are here. */
  readonly picture?: string;
}

export interface Chat extends ChatSummary {
  readonly members: readonly ChatMember[];
  /** Seconds after which messages disappear; 0 for never. */
  readonly timer: number;
  readonly receipts: 'on' | 'off';
  /** Text that was being written when the chat was left. */
  readonly draft: string;
  /** True while events are known to exist that have not come: what is shown may be behind. */
  readonly incomplete: boolean;
  readonly simulated: boolean;
}

/** What happened to the group, shown between the messages. */
export type ChatNotice =
  | { readonly kind: 'created' | 'left' | 'picture'; readonly by: string }
  | { readonly kind: 'added' | 'removed' | 'made-admin' | 'unmade-admin'; readonly by: string; readonly member: string }
  | { readonly kind: 'renamed'; readonly by: string; readonly name: string }
  | { readonly kind: 'minimum-level'; readonly by: string; readonly level: ChatLevel }
  | { readonly kind: 'timer'; readonly by: string; readonly seconds: number }
  /** An event that changed nothing, and why. */
  | { readonly kind: 'refused'; readonly by: string; readonly reason: string };

export interface ChatReaction {
  readonly emoji: string;
  readonly members: readonly string[];
}

export interface ChatMessage {
  /** Message-ID; of a notice the id of its event. */
  readonly id: string;
  readonly chatId: string;
  readonly author: Address;
  readonly own: boolean;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Markdown as it was written; show it only through the sanitiser. '' for notices and what was taken back. */
  readonly text: string;
  readonly notice?: ChatNotice;
  readonly attachments: readonly Attachment[];
  readonly level: SecurityLevel;
  readonly suite?: string;
  /** False for an answer of an ordinary mail program: neither sealed nor signed. */
  readonly sealed: boolean;
  /** True for a line at L1 that another device of this person wrote or opened: it can be read there alone, and `text` is ''. */
  readonly elsewhere?: boolean;
  readonly replyTo?: string;
  readonly edited: boolean;
  readonly deleted: boolean;
  readonly reactions: readonly ChatReaction[];
  readonly delivered: readonly string[];
  readonly read: readonly string[];
  /** Own messages: queued until they are sealed (with the reason in `failure`), sending until the server took them; others: received. */
  readonly state: 'queued' | 'sending' | 'sent' | 'failed' | 'received';
  readonly failure?: Failure;
  /** When it disappears from this device. */
  readonly expiresAt?: number;
}

export interface ChatMessagePage {
  /** Oldest first. */
  readonly messages: readonly ChatMessage[];
  /** Pass as `before` for the page before this one. */
  readonly next?: string;
}

/** How one member is reached at a level, or why not: known before anything is sent. */
export interface ChatReach {
  readonly address: string;
  readonly reachable: boolean;
  readonly keyed?: 'multicast' | 'pairwise' | 'pad' | 'post-quantum';
  readonly failure?: Failure;
}

export interface ChatUpload {
  readonly name: string;
  readonly mimeType: string;
  readonly content: Uint8Array;
}

/** What a member may ask to be changed. */
export type ChatChange =
  | { readonly kind: 'add' | 'remove' | 'grant' | 'revoke'; readonly address: string }
  | { readonly kind: 'rename'; readonly name: string }
  | { readonly kind: 'picture'; readonly picture: ChatUpload | null }
  | { readonly kind: 'minimum-level'; readonly minimumLevel: ChatLevel }
  | { readonly kind: 'timer'; readonly seconds: number };
