import * as v from 'valibot';
import { normalizeAddress } from '../mail/address.ts';
import { MAX_EVENT_OCTETS } from './groupEvent.ts';

/**
 * The part of a chat message that programs read, and its detached signature. Text and files stand beside them in the same inner message, for
 * other programs; what counts is what the signed part says of them (PROTOCOL 11).
 */
export const CHAT_PART = { name: 'qumail_chat.json', mimeType: 'application/vnd.qumail.chat+json' } as const;
export const CHAT_SIGNATURE = { name: 'qumail_chat.json.sig', mimeType: 'application/pgp-signature' } as const;
/** The certificate of a member who is introduced. */
export const CHAT_CERTIFICATE = { prefix: 'qumail_member_', mimeType: 'application/pgp-keys' } as const;
/** UTF-16 units of one message's text. */
export const MAX_CHAT_TEXT = 65_536;

/** Octets of the part: a whole history with its signatures (a post-quantum one takes 4.5 KB) for a new member. */
const MAX_CHAT_PART = 8 * 1_048_576;
/** Events one message brings along. */
export const MAX_EVENTS_CARRIED = 1024;
/** UTF-16 units of a reaction: one emoji, with whatever modifies it. */
const MAX_REACTION = 32;

/** An event with the detached OpenPGP signature of its author over the text. */
export interface SignedEvent {
  readonly encoded: string;
  /** base64url of the binary signature packets. */
  readonly signature: string;
}

/** What a chat message does, besides the text and files it carries. */
export type ChatAct =
  /** A message: text, files, both. `replyTo` names the message it answers. */
  | { readonly kind: 'message'; readonly replyTo?: string }
  /** Takes the place of the text of an own message. */
  | { readonly kind: 'edit'; readonly target: string }
  /** Takes an own message back. */
  | { readonly kind: 'delete'; readonly target: string }
  /** '' takes the own reaction back. */
  | { readonly kind: 'reaction'; readonly target: string; readonly emoji: string }
  | { readonly kind: 'receipt'; readonly delivered: readonly string[]; readonly read: readonly string[] }
  /** Nothing but the events it carries. */
  | { readonly kind: 'events' }
  /** Asks whoever has them for events that are known to exist. */
  | { readonly kind: 'need'; readonly events: readonly string[] };

export interface ChatFileDigest {
  readonly name: string;
  readonly mimeType: string;
  readonly size: number;
  /** base64url. */
  readonly sha256: string;
}

export interface ChatPart {
  /** 22 characters, what the Message-ID carries as well. */
  readonly group: string;
  readonly messageId: string;
  /** Normalised address. */
  readonly author: string;
  /** Fingerprint of the certificate that signed the part. */
  readonly key: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Markdown. */
  readonly text: string;
  readonly files: readonly ChatFileDigest[];
  readonly act: ChatAct;
  /** Ids of the events the sender's state ended with. */
  readonly heads: readonly string[];
  /** The hash of that state. */
  readonly state: string;
  readonly events: readonly SignedEvent[];
  /** Seconds after which the message disappears, as the sender understood the group; 0 for never. */
  readonly timer: number;
}

const Hash = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{43}$/));
const GroupId = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{22}$/));
/** RFC 5322 msg-id without anything that folds or quotes. */
const MessageId = v.pipe(v.string(), v.maxLength(250), v.regex(/^<[^\s<>@]+@[^\s<>@]+>$/));
const Targets = v.pipe(v.array(MessageId), v.maxLength(500));
const Act = v.variant('kind', [
  v.strictObject({ kind: v.literal('message'), replyTo: v.exactOptional(MessageId) }),
  v.strictObject({ kind: v.literal('edit'), target: MessageId }),
  v.strictObject({ kind: v.literal('delete'), target: MessageId }),
  v.strictObject({
    kind: v.literal('reaction'),
    target: MessageId,
    emoji: v.pipe(v.string(), v.maxLength(MAX_REACTION), v.regex(/^[^\p{Cc}\p{L}\p{Zl}\p{Zp}]*$/u)),
  }),
  v.strictObject({ kind: v.literal('receipt'), delivered: Targets, read: Targets }),
  v.strictObject({ kind: v.literal('events') }),
  v.strictObject({ kind: v.literal('need'), events: v.pipe(v.array(Hash), v.minLength(1), v.maxLength(MAX_EVENTS_CARRIED)) }),
]);
const Files = v.pipe(
  v.array(
    v.strictObject({
      name: v.pipe(v.string(), v.minLength(1), v.maxLength(255)),
      mimeType: v.pipe(v.string(), v.maxLength(127)),
      size: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
      sha256: Hash,
    }),
  ),
  v.maxLength(32),
);
const Part = v.object({
  v: v.literal(1),
  group: GroupId,
  messageId: MessageId,
  author: v.pipe(
    v.string(),
    v.check((text) => normalizeAddress(text) === text),
  ),
  key: v.pipe(v.string(), v.regex(/^(?:[0-9A-F]{40}|[0-9A-F]{64})$/)),
  at: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  text: v.pipe(v.string(), v.maxLength(MAX_CHAT_TEXT)),
  files: Files,
  act: Act,
  heads: v.pipe(v.array(Hash), v.minLength(1), v.maxLength(32)),
  state: Hash,
  events: v.pipe(
    v.array(
      v.strictObject({
        encoded: v.pipe(v.string(), v.maxLength(MAX_EVENT_OCTETS)),
        signature: v.pipe(v.string(), v.maxLength(65_536), v.regex(/^[A-Za-z0-9_-]+$/)),
      }),
    ),
    v.maxLength(MAX_EVENTS_CARRIED),
  ),
  timer: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(31_622_400)),
});

export function encodeChatPart(part: ChatPart): Buffer {
  return Buffer.from(JSON.stringify({ v: 1, ...part }));
}

/** What is signed: ASCII `QuMail-Chat-v1` ‖ 0x00 ‖ the part, so that a signature made for anything else is never one of a message. */
export function signedPart(part: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from('QuMail-Chat-v1\0', 'latin1'), part]);
}

/** Undefined for what is no chat part of this version. Members that later versions add are ignored. */
export function decodeChatPart(bytes: Uint8Array): ChatPart | undefined {
  if (bytes.byteLength > MAX_CHAT_PART) return undefined;
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
  const parsed = v.safeParse(Part, json);
  if (!parsed.success) return undefined;
  const { v: _, ...part } = parsed.output;
  return part;
}
