import type { Address, MailFlag } from '../base/types.ts';
import { cleanName, normalizeAddress } from '../mail/address.ts';
import { isPayloadName, PAYLOAD_JSON } from '../mail/payloadNames.ts';
import type { GmailFacts, RemoteMessage } from './remoteMail.ts';

/** The part of a FETCH response that is read here (RFC 9051 section 7.5.2); every member may be missing or odd. */
export interface FetchedMessage {
  readonly uid: number;
  readonly flags?: ReadonlySet<string> | undefined;
  readonly size?: number | undefined;
  readonly internalDate?: Date | string | undefined;
  readonly envelope?: FetchedEnvelope | undefined;
  readonly bodyStructure?: FetchedPart | undefined;
  readonly headers?: Buffer | undefined;
  /** X-GM-MSGID where the server has Gmail's extension, an OBJECTID elsewhere. */
  readonly emailId?: string | undefined;
  readonly threadId?: string | undefined;
  /** X-GM-LABELS; absent where the server has none. */
  readonly labels?: ReadonlySet<string> | undefined;
}

export interface FetchedEnvelope {
  readonly date?: Date | string | undefined;
  readonly subject?: string | undefined;
  readonly messageId?: string | undefined;
  readonly inReplyTo?: string | undefined;
  readonly from?: FetchedAddress[] | undefined;
  readonly to?: FetchedAddress[] | undefined;
  readonly cc?: FetchedAddress[] | undefined;
}

interface FetchedAddress {
  readonly name?: string | undefined;
  readonly address?: string | undefined;
}

export interface FetchedPart {
  readonly type: string;
  readonly parameters?: Readonly<Record<string, string>> | undefined;
  readonly disposition?: string | undefined;
  readonly dispositionParameters?: Readonly<Record<string, string>> | undefined;
  readonly id?: string | undefined;
  readonly childNodes?: FetchedPart[] | undefined;
}

const MAX_ADDRESSES = 500;
const MAX_REFERENCES = 100;
const MAX_SUBJECT = 1000;
const MAX_NAME = 200;
const MAX_PARTS = 1000;
const MAX_LABELS = 200;
const GMAIL_ID = /^\d{1,20}$/;
const MESSAGE_ID = /<[^<>\s]{1,250}>/g;

const FLAGS: readonly (readonly [MailFlag, string])[] = [
  ['seen', '\\Seen'],
  ['flagged', '\\Flagged'],
  ['answered', '\\Answered'],
  ['draft', '\\Draft'],
];

/** The system flags that QuMail shows, in a fixed order; others are left out. */
export function mailFlags(flags: Iterable<string> | undefined): MailFlag[] {
  const present = new Set([...(flags ?? [])].map((flag) => flag.toLowerCase()));
  if (present.size === 0) return [];
  return FLAGS.filter(([, wire]) => present.has(wire.toLowerCase())).map(([flag]) => flag);
}

/** Flags as they go over the wire (RFC 9051 section 2.3.2). */
export function wireFlags(flags: readonly MailFlag[]): string[] {
  return FLAGS.filter(([flag]) => flags.includes(flag)).map(([, wire]) => wire);
}

/** A FETCH response as a RemoteMessage: bounded, single-line texts, addresses in their normal spelling where they have one. */
export function remoteMessage(message: FetchedMessage): RemoteMessage {
  const envelope = message.envelope ?? {};
  const parts = partsOf(message.bodyStructure);
  return {
    uid: message.uid,
    rfcMessageId: firstId(envelope.messageId),
    inReplyTo: firstId(envelope.inReplyTo),
    references: (message.headers?.toString('latin1').match(MESSAGE_ID) ?? []).slice(-MAX_REFERENCES),
    from: addressesOf(envelope.from)[0] ?? { name: '', address: '' },
    to: addressesOf(envelope.to),
    cc: addressesOf(envelope.cc),
    subject: cleanName(envelope.subject ?? '').slice(0, MAX_SUBJECT),
    date: timeOf(envelope.date) ?? timeOf(message.internalDate) ?? 0,
    size: message.size ?? 0,
    flags: mailFlags(message.flags),
    hasAttachments: parts.some(isAttachment),
    hasPayload: parts.some((part) => fileNameOf(part) === PAYLOAD_JSON),
    ...(parts.some(({ type }) => type.toLowerCase() === 'application/pgp-encrypted') && { hasPgpMime: true }),
    ...arrivalOf(message),
  };
}

/** When the server received a message, and what Gmail tells of it. */
export function arrivalOf(message: FetchedMessage): { internalDate?: number; gmail?: GmailFacts } {
  const internalDate = timeOf(message.internalDate);
  const gmail = gmailOf(message);
  return { ...(internalDate !== undefined && { internalDate }), ...(gmail && { gmail }) };
}

/** Only a server with X-GM-EXT-1 answers labels, so an OBJECTID is never taken for one of Gmail's ids. */
function gmailOf({ emailId, threadId, labels }: FetchedMessage): GmailFacts | undefined {
  if (labels === undefined || emailId === undefined || !GMAIL_ID.test(emailId)) return undefined;
  const thread = threadId !== undefined && GMAIL_ID.test(threadId) ? { threadId } : {};
  return { messageId: emailId, ...thread, labels: [...labels].slice(0, MAX_LABELS).map((label) => cleanName(label).slice(0, MAX_NAME)) };
}

function firstId(text: string | undefined): string {
  return text?.match(MESSAGE_ID)?.[0] ?? '';
}

function addressesOf(list: FetchedAddress[] | undefined): Address[] {
  return (list ?? []).slice(0, MAX_ADDRESSES).flatMap(({ name, address }) => {
    const clean = cleanName(address ?? '');
    if (clean === '') return []; // a group marker
    return [{ name: cleanName(name ?? '').slice(0, MAX_NAME), address: normalizeAddress(clean) ?? clean.slice(0, 320) }];
  });
}

function timeOf(date: Date | string | undefined): number | undefined {
  const time = date === undefined ? NaN : new Date(date).getTime();
  return Number.isFinite(time) && time >= 0 ? time : undefined;
}

/** The parts of a BODYSTRUCTURE that are not multiparts, embedded messages included; no recursion: the nesting is the sender's doing. */
function partsOf(root: FetchedPart | undefined): FetchedPart[] {
  const parts: FetchedPart[] = [];
  const open = root ? [root] : [];
  for (let seen = 0; open.length > 0 && seen < MAX_PARTS; seen++) {
    const part = open.pop()!;
    if (!part.type.toLowerCase().startsWith('multipart/')) parts.push(part);
    open.push(...(part.childNodes ?? []).slice(0, MAX_PARTS));
  }
  return parts;
}

function fileNameOf(part: FetchedPart): string {
  return (part.dispositionParameters?.['filename'] ?? part.parameters?.['name'] ?? '').toLowerCase();
}

function isAttachment(part: FetchedPart): boolean {
  const name = fileNameOf(part);
  if (isPayloadName(name)) return false;
  if (part.disposition?.toLowerCase() === 'attachment') return true;
  return name !== '' && part.id === undefined;
}
