import * as v from 'valibot';
import { MAIL_FLAGS, SECURITY_LEVELS, type Address, type MailFlag, type SecurityLevel } from '../base/types.ts';
import type { Row } from './statements.ts';

const STORED_SEALS = ['plain', 'opened', 'unopened', 'failed'] as const;
/** How a message is protected and how far opening it has come. */
export type StoredSeal = (typeof STORED_SEALS)[number];

/** What the server's envelope tells about a message. Of sealed mail it is the outside: the inside is never in this file. */
export interface NewMessage {
  readonly uid: number;
  readonly rfcMessageId: string;
  readonly from: Address;
  readonly to: readonly Address[];
  readonly subject: string;
  /** Milliseconds since the epoch. */
  readonly date: number;
  readonly size: number;
  readonly flags: readonly MailFlag[];
  readonly hasAttachments: boolean;
  readonly preview: string;
  readonly seal: StoredSeal;
  readonly level: SecurityLevel;
  readonly inReplyTo: string;
  readonly references: readonly string[];
  /** When the server received it, milliseconds since the epoch. */
  readonly internalDate?: number;
  readonly gmail?: GmailIds;
}

/** What Gmail tells of a message (X-GM-EXT-1): 64-bit unsigned decimals, and its labels. */
export interface GmailIds {
  readonly messageId: string;
  readonly threadId?: string;
  readonly labels: readonly string[];
}

/** Whether the source of a message is here, as `messages.body_state` says it. */
export const BODY = { none: 0, stored: 1, evicted: 2, damaged: 3, tooLarge: 4 } as const;

/** How far a message is in the index, as `messages.indexed` says it. */
export const INDEXED = { not: 0, body: 1, header: 2 } as const;

export interface MessageRow extends NewMessage {
  /** Never used twice, also not after deletion. */
  readonly id: number;
  readonly accountId: string;
  readonly folder: string;
  readonly failureJson?: string;
  readonly envelopeId?: string;
  readonly bodyState: number;
  readonly threadId?: number;
}

const address = v.object({ name: v.string(), address: v.string() });
const addresses = v.array(address);
const references = v.array(v.string());

/** Flags as one integer: bit n is the nth of MAIL_FLAGS. */
export function flagBits(flags: readonly MailFlag[]): number {
  return flags.reduce((bits, flag) => bits | (1 << MAIL_FLAGS.indexOf(flag)), 0);
}

export function flagsOf(bits: number): MailFlag[] {
  return MAIL_FLAGS.filter((_, index) => bits & (1 << index));
}

/** A row of `messages` joined with its folder's account_id and path. */
export function messageRowOf(row: Row): MessageRow {
  return {
    id: row.integer('id'),
    accountId: row.text('account_id'),
    folder: row.text('path'),
    uid: row.integer('uid'),
    rfcMessageId: row.text('rfc_message_id'),
    from: row.json('from_address', address),
    to: row.json('to_addresses', addresses),
    subject: row.text('subject'),
    date: row.integer('date'),
    size: row.integer('size'),
    flags: flagsOf(row.integer('flags')),
    hasAttachments: row.integer('has_attachments') === 1,
    preview: row.text('preview'),
    seal: row.oneOf('seal', STORED_SEALS),
    level: row.oneOf('level', SECURITY_LEVELS),
    inReplyTo: row.text('in_reply_to'),
    references: row.json('refs', references),
    ...(row.has('failure') && { failureJson: row.text('failure') }),
    ...(row.has('envelope_id') && { envelopeId: row.text('envelope_id') }),
    ...(row.has('internal_date') && { internalDate: row.integer('internal_date') }),
    ...(row.has('gm_msgid') && { gmail: gmailOf(row) }),
    bodyState: row.integer('body_state'),
    ...(row.has('thread_id') && { threadId: row.integer('thread_id') }),
  };
}

function gmailOf(row: Row): GmailIds {
  return {
    messageId: row.text('gm_msgid'),
    ...(row.has('gm_thrid') && { threadId: row.text('gm_thrid') }),
    labels: row.has('labels') ? row.json('labels', references) : [],
  };
}
