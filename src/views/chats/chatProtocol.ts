/**
 * What the host of a chat panel and its page say to each other. Types only: the page is compiled for the browser, the host for Node.
 * The page has no authority. It asks; the host checks each request against a bounded schema (chatAsks.ts) and its own data.
 */

/** Emoji offered at every message; others can be typed by nobody, and shown if they come. */
export const REACTIONS = ['👍', '❤️', '😂', '😮', '😢', '🎉'] as const;

/** Where a line stands: messages are ordered by time, those of one instant by id. */
export interface Place {
  readonly at: number;
  readonly id: string;
}

export interface ShownFile {
  readonly index: number;
  readonly name: string;
  /** In words, e.g. `1.2 MB`. */
  readonly size: string;
  readonly icon: string;
  /** A picture the page may show once it is asked for. */
  readonly picture: boolean;
}

export interface ShownReaction {
  readonly emoji: string;
  readonly count: number;
  readonly own: boolean;
  readonly names: string;
}

/** One message, or one thing that happened to the group, in words already. */
export interface ShownLine extends Place {
  readonly kind: 'message' | 'notice';
  readonly own: boolean;
  readonly author: string;
  readonly address: string;
  readonly time: string;
  readonly day: string;
  readonly dateTime: string;
  /** Markdown of a message, the sentence of a notice. */
  readonly text: string;
  readonly level: string;
  readonly levelName: string;
  readonly levelIcon: string;
  readonly sealed: boolean;
  /** Only another device of this person can show it; `text` says so. */
  readonly elsewhere?: boolean;
  readonly files: readonly ShownFile[];
  readonly replyTo?: string;
  readonly edited: boolean;
  readonly deleted: boolean;
  readonly reactions: readonly ShownReaction[];
  readonly state: 'queued' | 'sending' | 'sent' | 'delivered' | 'read' | 'failed' | 'received';
  readonly stateWord: string;
  readonly failure?: string;
  /** When it disappears, in words and in milliseconds since the epoch. */
  readonly expires?: { readonly at: number; readonly words: string };
}

export interface ShownChat {
  readonly id: string;
  readonly name: string;
  readonly group: boolean;
  readonly members: string;
  readonly safety: { readonly icon: string; readonly word: string; readonly tone: 'good' | 'mixed' | 'open' };
  /** Level and name of what is sent next. */
  readonly level: string;
  readonly levelName: string;
  readonly levelIcon: string;
  /** '' for never. */
  readonly timer: string;
  readonly simulated: boolean;
  /** What stands above the messages, '' for nothing. */
  readonly note: string;
  readonly writable: boolean;
}

export type ChatWords = Readonly<
  Record<
    | 'loading'
    | 'messages'
    | 'write'
    | 'send'
    | 'attach'
    | 'reply'
    | 'react'
    | 'edit'
    | 'takeBack'
    | 'copy'
    | 'retry'
    | 'discard'
    | 'takenBack'
    | 'edited'
    | 'notSealed'
    | 'notSealedHint'
    | 'unread'
    | 'latest'
    | 'search'
    | 'searchFor'
    | 'found'
    | 'notFound'
    | 'close'
    | 'members'
    | 'more'
    | 'level'
    | 'replyingTo'
    | 'editing'
    | 'cancel'
    | 'earlier'
    | 'sealing'
    | 'notSent'
    | 'putBack'
    | 'show'
    | 'save'
    | 'open'
    | 'remove'
    | 'tooLarge'
    | 'simulated'
    | 'empty'
    | 'drop'
    | 'actions'
    | 'code'
    | 'expiresIn'
    | 'toUnread'
    | 'newBelow',
    string
  >
>;

export interface Upload {
  readonly name: string;
  readonly mimeType: string;
  readonly content: Uint8Array;
}

/** Files of one message, in octets; the engine's own limit. */
export const MAX_FILES_OCTETS = 25 * 1024 * 1024;
export const MAX_FILES = 50;
/** Longest text of a message, in UTF-16 units. */
export const MAX_TEXT = 65_536;

export const CHAT_COMMANDS = ['members', 'more', 'level'] as const;

export type PageAsk =
  | { readonly kind: 'ready' }
  | { readonly kind: 'older' }
  | { readonly kind: 'send'; readonly ref: number; readonly text: string; readonly files: readonly Upload[]; readonly replyTo?: string }
  | { readonly kind: 'edit'; readonly id: string; readonly text: string }
  | { readonly kind: 'take-back' | 'retry' | 'discard' | 'jump'; readonly id: string }
  | { readonly kind: 'react'; readonly id: string; readonly emoji: string }
  /** The newest line on screen, and the range that is on screen. */
  | { readonly kind: 'seen'; readonly first: string; readonly last: string }
  | { readonly kind: 'draft'; readonly text: string }
  | { readonly kind: 'picture' | 'save-file' | 'open-file'; readonly id: string; readonly index: number }
  | { readonly kind: 'open-link'; readonly url: string; readonly text: string }
  | { readonly kind: 'search'; readonly text: string }
  | { readonly kind: 'copy'; readonly text: string }
  /** Without content where the picture could not be read. */
  | { readonly kind: 'squared'; readonly ref: number; readonly content?: Uint8Array }
  | { readonly kind: 'command'; readonly command: (typeof CHAT_COMMANDS)[number] };

/** Everything from `from` (included) to `to` (excluded; undefined is open) is exactly `lines`, oldest first. */
export interface Stretch {
  readonly lines: readonly ShownLine[];
  readonly from?: Place;
  readonly to?: Place;
}

export type HostWord =
  | {
      readonly kind: 'chat';
      readonly chat: ShownChat;
      readonly words: ChatWords;
      readonly draft: string;
      readonly stretch: Stretch;
      readonly older: boolean;
      readonly firstUnread?: string;
      readonly world: 'real' | 'lab';
    }
  | { readonly kind: 'header'; readonly chat: ShownChat }
  | { readonly kind: 'lines'; readonly stretch: Stretch; readonly older: boolean }
  | { readonly kind: 'jump'; readonly id: string }
  | { readonly kind: 'sent'; readonly ref: number }
  | { readonly kind: 'refused'; readonly ref: number; readonly sentence: string }
  | { readonly kind: 'picture'; readonly id: string; readonly index: number; readonly mimeType: string; readonly content: Uint8Array }
  /** The picture of the group: none, or octets that the host has looked at, and their size in pixels. */
  | {
      readonly kind: 'group-picture';
      readonly picture?: { readonly mimeType: string; readonly content: Uint8Array; readonly width: number; readonly height: number };
    }
  /** Draw this picture anew, small and square, and hand it back. */
  | { readonly kind: 'square'; readonly ref: number; readonly mimeType: string; readonly content: Uint8Array }
  | { readonly kind: 'found'; readonly text: string; readonly lines: readonly ShownLine[] };
