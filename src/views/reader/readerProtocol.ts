/**
 * What the reader's host and its page say to each other. Types only: the page is compiled for the browser, the host for Node.
 * The page has no authority. It asks; the host checks each request against a bounded schema (readerRequests.ts) and its own data.
 */

/** What the person can ask for about the message on show. */
export const READER_ACTIONS = ['reply', 'reply-all', 'forward', 'delete', 'move', 'mark-unread', 'view-source', 'import'] as const;
export type ReaderAction = (typeof READER_ACTIONS)[number];

/** Every request names the generation it was made in: one made about an earlier message is dropped. */
export type ReaderRequest =
  | { readonly kind: 'ready' }
  | { readonly kind: 'action'; readonly generation: number; readonly action: ReaderAction }
  | { readonly kind: 'open-link'; readonly generation: number; readonly url: string; readonly text: string }
  | { readonly kind: 'save-attachment' | 'open-attachment'; readonly generation: number; readonly index: number }
  | { readonly kind: 'save-all'; readonly generation: number }
  | { readonly kind: 'load-remote'; readonly generation: number }
  | { readonly kind: 'copy-key-ids'; readonly generation: number }
  | { readonly kind: 'retry'; readonly generation: number }
  | { readonly kind: 'next-step'; readonly generation: number };

export type BodyMode = 'text' | 'html';

export interface ShownAddress {
  readonly name: string;
  readonly address: string;
}

export interface ShownAttachment {
  readonly index: number;
  readonly name: string;
  /** In words, e.g. `1.2 MB`. */
  readonly size: string;
  readonly icon: string;
  /** Opening it asks first. */
  readonly guarded: boolean;
}

/** How the banner looks: verified, open to every server on the way, waiting, or broken. */
export type BannerTone = 'sealed' | 'plain' | 'waiting' | 'failed';

export interface ShownBanner {
  readonly tone: BannerTone;
  /** `L1`..`L4`. */
  readonly level: string;
  readonly title: string;
  readonly sentence: string;
  readonly simulated: boolean;
  readonly facts: readonly { readonly label: string; readonly value: string }[];
  readonly keyIds: readonly string[];
  /** The next step where the message can be read and yet something about it does not agree; '' where there is none. */
  readonly button: string;
}

/** A failure in words, with the label of the button that takes the next step where there is one. */
export interface ShownFailure {
  readonly sentence: string;
  readonly step: string;
  readonly button: string;
}

export interface ShownMessage {
  /** A message that is in a file can be imported, and not be answered, moved or deleted; a mailbox's where nothing is said. */
  readonly place?: 'file';
  readonly subject: string;
  readonly from: ShownAddress;
  readonly to: readonly ShownAddress[];
  readonly cc: readonly ShownAddress[];
  readonly bcc: readonly ShownAddress[];
  /** Only where it differs from the sender. */
  readonly replyTo: readonly ShownAddress[];
  /** For people and for machines. */
  readonly date: { readonly long: string; readonly iso: string };
  readonly banner: ShownBanner;
  /** Set where there is nothing to read: the body is not shown then. */
  readonly failure?: ShownFailure;
  readonly text: string;
  /** As it came from the sender, hostile until sanitised in the page. */
  readonly html?: string;
  readonly attachments: readonly ShownAttachment[];
}

/** Words of the page, in the person's language. */
export type ReaderWords = Readonly<Record<ReaderWord, string>>;

export const READER_WORDS = [
  'loading',
  'failedTitle',
  'retry',
  'from',
  'to',
  'cc',
  'bcc',
  'replyTo',
  'noSubject',
  'noRecipients',
  'more',
  'reply',
  'replyAll',
  'forward',
  'delete',
  'move',
  'markUnread',
  'viewSource',
  'importFile',
  'toolbar',
  'details',
  'keyIds',
  'copy',
  'simulated',
  'simulatedHint',
  'attachments',
  'save',
  'saveAll',
  'open',
  'text',
  'html',
  'bodyView',
  'remoteBlocked',
  'loadRemote',
  'remoteLoaded',
  'emptyBody',
  'mailBody',
] as const;
export type ReaderWord = (typeof READER_WORDS)[number];

/** What every message to the page carries; the page keeps `messageId` and `world` so that a reloaded window shows the same message again. */
interface HostMessageBase {
  readonly generation: number;
  readonly messageId: number;
  readonly world: 'real' | 'lab';
  readonly words: ReaderWords;
}

export type HostMessage =
  | (HostMessageBase & { readonly kind: 'loading' })
  | (HostMessageBase & { readonly kind: 'failed'; readonly failure: ShownFailure })
  | (HostMessageBase & {
      readonly kind: 'message';
      readonly message: ShownMessage;
      /** Whether this page's policy lets remote images load: the page itself cannot change it. */
      readonly remote: 'blocked' | 'allowed';
    });
