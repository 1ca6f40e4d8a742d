import * as v from 'valibot';
import { ACTION_PURPOSES, type ActionPurpose } from '../base/actions.ts';
import { MAIL_FLAGS, type MailFlag } from '../base/types.ts';
import { flagsOf } from './messageRow.ts';
import type { Row } from './statements.ts';

/** Where a message lies on the server. */
export interface Place {
  readonly folder: string;
  readonly uidValidity: number;
  readonly uid: number;
}

/** Flags and keywords (RFC 9051 section 2.3.2) to set and to take away. */
export interface FlagChange {
  readonly add: readonly MailFlag[];
  readonly remove: readonly MailFlag[];
  readonly addKeywords: readonly string[];
  readonly removeKeywords: readonly string[];
}
export const NO_CHANGE: FlagChange = { add: [], remove: [], addKeywords: [], removeKeywords: [] };

const VERBS = ['flags', 'move', 'expunge'] as const;
const STATES = ['waiting', 'running', 'failed', 'dropped', 'done', 'cancelled'] as const;
const OUTCOMES = ['open', 'done', 'vanished'] as const;
export type ActionVerb = (typeof VERBS)[number];
export type ActionState = (typeof STATES)[number];
export type MessageOutcome = (typeof OUTCOMES)[number];

/** One message of an action. */
export interface ActionMessage extends Place {
  readonly id: number;
  readonly rfcMessageId: string;
  /** Octets. */
  readonly size: number;
  /** Where it was shown before the action, which is its place unless earlier actions wait, and with which flags. */
  readonly fromFolder: string;
  readonly flags: readonly MailFlag[];
  /** Its row in mail.db when the action was taken: a hint. */
  readonly messageId: number;
  readonly outcome: MessageOutcome;
}

export interface ActionRecord {
  readonly seq: number;
  /** Shared by the records of one request: one per account, verb and target. */
  readonly id: string;
  readonly accountId: string;
  readonly purpose: ActionPurpose;
  readonly verb: ActionVerb;
  readonly target?: string;
  readonly change: FlagChange;
  readonly state: ActionState;
  readonly failureJson?: string;
  /** What the target was like before a move was first tried. */
  readonly before?: { readonly uidValidity: number; readonly uidNext: number };
  /** Whether the server may have heard of it. */
  readonly tried: boolean;
  readonly createdAt: number;
  /** The action that undid this one. */
  readonly undoneBy?: string;
  readonly messages: readonly ActionMessage[];
}

export type NewActionMessage = Omit<ActionMessage, 'id' | 'outcome'>;
export type NewAction = Pick<ActionRecord, 'id' | 'accountId' | 'purpose' | 'verb' | 'change' | 'createdAt'> & {
  readonly target?: string | undefined;
  readonly messages: readonly NewActionMessage[];
};

const keywords = v.array(v.pipe(v.string(), v.maxLength(100)));
const flags = v.array(v.picklist(MAIL_FLAGS));
const changeSchema = v.object({ add: flags, remove: flags, addKeywords: keywords, removeKeywords: keywords });

/** A row of `actions`; its messages come apart. */
export function actionOf(row: Row, messages: readonly ActionMessage[]): ActionRecord {
  return {
    seq: row.integer('seq'),
    id: row.text('id'),
    accountId: row.text('account_id'),
    purpose: row.oneOf('purpose', ACTION_PURPOSES),
    verb: row.oneOf('verb', VERBS),
    ...(row.has('target') && { target: row.text('target') }),
    change: row.json('change', changeSchema),
    state: row.oneOf('state', STATES),
    ...(row.has('failure') && { failureJson: row.text('failure') }),
    ...(row.has('target_uid_next') && { before: { uidValidity: row.integer('target_validity'), uidNext: row.integer('target_uid_next') } }),
    tried: row.integer('tried') === 1,
    createdAt: row.integer('created_at'),
    ...(row.has('undone_by') && { undoneBy: row.text('undone_by') }),
    messages,
  };
}

export function actionMessageOf(row: Row): ActionMessage {
  return {
    id: row.integer('id'),
    folder: row.text('folder'),
    uidValidity: row.integer('uid_validity'),
    uid: row.integer('uid'),
    rfcMessageId: row.text('rfc_message_id'),
    size: row.integer('size'),
    fromFolder: row.text('from_folder'),
    flags: flagsOf(row.integer('flags')),
    messageId: row.integer('message_id'),
    outcome: row.oneOf('outcome', OUTCOMES),
  };
}
