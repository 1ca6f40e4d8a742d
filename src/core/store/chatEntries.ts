import * as v from 'valibot';
import type { RecordSealer } from '../base/ports.ts';
import { parseJson, type Row } from './statements.ts';

export type ChatEntryState = 'queued' | 'sent' | 'failed' | 'received';

/** One chat message, edit, deletion or reaction as it was sent or verified. */
export interface ChatEntryRecord {
  readonly accountId: string;
  readonly groupId: string;
  readonly messageId: string;
  /** Milliseconds since the epoch by the author's clock, never later than its arrival. */
  readonly at: number;
  /** `change`: of the group, decided and not sealed yet. */
  readonly kind: 'message' | 'edit' | 'delete' | 'reaction' | 'change';
  readonly target?: string;
  readonly unread: boolean;
  readonly state: ChatEntryState;
  readonly failureJson?: string;
  readonly timer: number;
  readonly expiresAt?: number;
  readonly content: ChatEntryContent;
}

export interface ChatEntryContent {
  readonly author: string;
  readonly text: string;
  readonly replyTo?: string | undefined;
  readonly emoji?: string | undefined;
  readonly level: string;
  readonly suite?: string | undefined;
  /** False for what an ordinary mail program sent. */
  readonly sealed: boolean;
  /** Another device of this person can show it, and this one cannot. */
  readonly elsewhere?: boolean | undefined;
  /** Where the files of the message lie, in the sealed store. */
  readonly envelopeId?: string | undefined;
  readonly files: readonly { readonly index: number; readonly name: string; readonly mimeType: string; readonly size: number }[];
}

export const ChatContentSchema = v.object({
  author: v.string(),
  text: v.string(),
  replyTo: v.optional(v.string()),
  emoji: v.optional(v.string()),
  level: v.string(),
  suite: v.optional(v.string()),
  sealed: v.boolean(),
  elsewhere: v.optional(v.boolean()),
  envelopeId: v.optional(v.string()),
  files: v.array(v.object({ index: v.number(), name: v.string(), mimeType: v.string(), size: v.number() })),
});

const TYPE = 'chat-entry';

export function sealEntry(sealer: RecordSealer, record: ChatEntryRecord): Buffer {
  return sealer.seal('mail', TYPE, placeOf(record), Buffer.from(JSON.stringify(record.content)));
}

/** @throws QuMailError `store.secret-missing`, `store.corrupt` */
export function entryOf(sealer: RecordSealer, row: Row): ChatEntryRecord {
  const place = { accountId: row.text('account_id'), groupId: row.text('group_id'), messageId: row.text('message_id') };
  const json = sealer.open('mail', TYPE, placeOf(place), row.blob('sealed')).toString('utf8');
  return {
    ...place,
    at: row.integer('at'),
    kind: row.oneOf('kind', ['message', 'edit', 'delete', 'reaction', 'change']),
    ...(row.has('target') && { target: row.text('target') }),
    unread: row.integer('unread') === 1,
    state: row.oneOf('state', ['queued', 'sent', 'failed', 'received']),
    ...(row.has('failure') && { failureJson: row.text('failure') }),
    timer: row.integer('timer'),
    ...(row.has('expires_at') && { expiresAt: row.integer('expires_at') }),
    content: parseJson(ChatContentSchema, json, 'sealed'),
  };
}

function placeOf({ accountId, groupId, messageId }: Pick<ChatEntryRecord, 'accountId' | 'groupId' | 'messageId'>): string {
  return JSON.stringify([accountId, groupId, messageId]);
}
