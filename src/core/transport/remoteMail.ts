import type { Address, MailFlag, SpecialUse } from '../base/types.ts';

/** A mailbox as the server lists it. */
export interface RemoteFolder {
  readonly path: string;
  readonly name: string;
  /** '' where the hierarchy is flat. */
  readonly delimiter: string;
  readonly specialUse?: SpecialUse;
  /** False for \Noselect and \NonExistent nodes; their counts are 0. */
  readonly selectable: boolean;
  readonly unread: number;
  readonly total: number;
  readonly uidValidity?: number;
  readonly uidNext?: number;
  /** Where the server keeps mod-sequences (RFC 7162) and tells them with the list. */
  readonly highestModseq?: bigint;
  readonly subscribed?: boolean;
}

/** What Gmail tells of a message (X-GM-EXT-1): its ids as 64-bit unsigned decimals, its labels as they are named. */
export interface GmailFacts {
  readonly messageId: string;
  readonly threadId?: string;
  readonly labels: readonly string[];
}

/** A message as its ENVELOPE, BODYSTRUCTURE and flags describe it; nothing of its body was read. */
export interface RemoteMessage {
  readonly uid: number;
  /** With angle brackets, '' where the message has none. */
  readonly rfcMessageId: string;
  readonly inReplyTo: string;
  readonly references: readonly string[];
  readonly from: Address;
  readonly to: readonly Address[];
  readonly cc: readonly Address[];
  readonly subject: string;
  /** Milliseconds since the epoch: the Date header, or the arrival where that is unusable. */
  readonly date: number;
  /** Octets on the server. */
  readonly size: number;
  readonly flags: readonly MailFlag[];
  /** Parts of a sealed container do not count. */
  readonly hasAttachments: boolean;
  /** True when a part is named qumail_payload.json: a hint, the message may still not be a sealed one. */
  readonly hasPayload: boolean;
  /** True when a part says that another one is an OpenPGP message (RFC 3156). */
  readonly hasPgpMime?: true;
  /** When the server received it, milliseconds since the epoch. */
  readonly internalDate?: number;
  readonly gmail?: GmailFacts;
}

/** What a folder's messages are asked for before their sources: enough to plan with. */
export interface RemoteFacts {
  readonly uid: number;
  /** Octets as the server counts them; it may be wrong. */
  readonly size: number;
  readonly flags: readonly MailFlag[];
  readonly internalDate?: number;
  readonly gmail?: GmailFacts;
}

/** A message's source with what FETCH told beside it. */
export interface RemoteSource {
  readonly uid: number;
  readonly flags: readonly MailFlag[];
  readonly internalDate?: number;
  readonly gmail?: GmailFacts;
  readonly raw: Buffer;
}

/** Storage of an account in octets (RFC 9208). */
export interface RemoteQuota {
  readonly used: number;
  readonly limit: number;
}

/** How far a folder has been read. `highestModseq` lets a server that supports CONDSTORE answer with changes only. */
export interface FolderCursor {
  readonly uidValidity: number;
  readonly uidNext: number;
  readonly highestModseq?: bigint | number;
  readonly mailboxId?: string;
}

export interface FolderChanges {
  readonly uidValidity: number;
  /** Where the next look starts: after the last message in `added`. */
  readonly uidNext: number;
  readonly highestModseq?: bigint;
  /** RFC 8474: what the folder keeps whatever it is called. */
  readonly mailboxId?: string;
  /**
   * `uid-validity`: every UID known before is void, also where UIDVALIDITY is the same and another folder goes by this name now, as its MAILBOXID
   * tells; `added` holds the newest messages as on a first look.
   */
  readonly reset: 'no' | 'uid-validity';
  /** Newest first. On a first look the newest `limit`, later everything new, at most `limit` of the oldest at a time. */
  readonly added: readonly RemoteMessage[];
  /** UIDs among the new ones that the server lists and does not hand out. */
  readonly withheld: readonly number[];
  /** True when `limit` cut off new messages: look again from the new cursor. */
  readonly more: boolean;
  /** Flags of known messages, and their labels in Gmail: those that changed, or all of them where the server cannot tell. */
  readonly flags: readonly { readonly uid: number; readonly flags: readonly MailFlag[]; readonly gmail?: GmailFacts }[];
  /** Known UIDs that are gone. */
  readonly vanished: readonly number[];
}

export interface SendRequest {
  /** Envelope addresses, without display names. */
  readonly from: string;
  readonly to: readonly string[];
  /** The complete message with CRLF line ends; these bytes and no others are transmitted. */
  readonly raw: Buffer;
}

export interface SendOutcome {
  readonly accepted: readonly string[];
  /** Recipients the server refused while it took the message for others; nothing was sent to them. */
  readonly rejected: readonly string[];
  /** Why, one entry per rejected recipient: a 4xx may be tried again, a 5xx is final. */
  readonly rejections: readonly { readonly address: string; readonly status: number; readonly enhanced: string }[];
  /** The server's answer to the message, e.g. `250 2.0.0 Ok: queued as ...`. */
  readonly response: string;
}
