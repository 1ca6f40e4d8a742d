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
}

export interface MessageRow extends NewMessage {
  /** Never used twice, also not after deletion. */
  readonly id: number;
  readonly accountId: string;
  readonly folder: string;
  readonly failureJson?: string;
  readonly envelopeId?: string;
}

const address = v.object({ name: v.string(), address: v.string() });
const addresses = v.array(address);
const references = v.array(v.string());

/** Flags as one integer: bit n is the nth of MAIL_FLAGS. */
export function flagBits(flags: readonly MailFlag[]): number {
  return flags.reduce((bits, flag) => bits | (1 << MAIL_FLAGS.indexOf(flag)), 0);
}

function flagsOf(bits: number): MailFlag[] {
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
  };
}
