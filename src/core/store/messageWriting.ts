import type { SQLInputValue } from 'node:sqlite';
import { groupOfMessageIds } from '../mail/chatMessageId.ts';
import type { MailFlag } from '../base/types.ts';
import { setLabels, storedLabels } from './gmailLabels.ts';
import { flagBits, INDEXED, type GmailIds, type NewMessage } from './messageRow.ts';
import type { Statements } from './statements.ts';

/** Why a message is not listed. `chatNew`: by its Message-ID, or as an answer, the chats' until they were asked; `chat`: they took it. */
export const HIDDEN = { no: 0, snoozed: 1, removing: 2, twin: 3, chatNew: 4, chat: 5 } as const;
/** Matches what `chatMessageId` writes. */
const CHAT_GLOB = `<qumail-chat.${'?'.repeat(22)}.${'?'.repeat(22)}@*>`;

/** Chat mail that could not be opened is listed with its reason; once it is open, the chats are asked. */
export const HIDDEN_ONCE_TRIED = `iif(hidden IN (${HIDDEN.no}, ${HIDDEN.chatNew}),
  iif(? = 'opened' AND rfc_message_id GLOB '${CHAT_GLOB}', ${HIDDEN.chatNew}, ${HIDDEN.no}), hidden)`;

const COLUMNS = `folder_id, uid, rfc_message_id, from_address, to_addresses, subject, date, size, flags, has_attachments, preview,
  seal, level, in_reply_to, refs, internal_date, gm_msgid, gm_thrid, labels, body_state, hidden, indexed`;
const ROW = `(${COLUMNS.replace(/\w+/g, '?')})`;
/** Messages in one statement. Where a table has triggers SQLite prepares to undo each statement by itself, which takes as long as a row does. */
export const ROWS_AT_ONCE = 16;
const INSERT_ONE = insertOf(1);
const INSERT_MANY = insertOf(ROWS_AT_ONCE);

function insertOf(rows: number): string {
  return `INSERT INTO messages (${COLUMNS}) VALUES ${Array.from({ length: rows }, () => ROW).join(', ')}
    ON CONFLICT DO NOTHING RETURNING id, uid`;
}

function ofChat({ seal, rfcMessageId, inReplyTo, references }: NewMessage): boolean {
  const ids = seal === 'plain' ? [inReplyTo, ...references] : [rfcMessageId];
  return groupOfMessageIds(...ids) !== undefined;
}

/** Adds messages to a folder; says of each its id, or undefined where its UID is known already. `indexed`: as `messages.indexed` says it. */
export function insertMessages<M extends NewMessage>(
  sql: Statements,
  folder: number,
  messages: readonly M[],
  bodyState: number,
  indexed: (message: M) => number = () => INDEXED.not,
): (number | undefined)[] {
  const ids: (number | undefined)[] = [];
  for (let at = 0; at < messages.length;) {
    const some = messages.slice(at, at + (messages.length - at < ROWS_AT_ONCE ? 1 : ROWS_AT_ONCE));
    const values = some.flatMap((message) => rowValues(sql, folder, message, bodyState, indexed(message)));
    const added = sql.all(some.length === 1 ? INSERT_ONE : INSERT_MANY, ...values);
    const idOf = new Map(added.map((row) => [row.integer('uid'), row.integer('id')]));
    for (const { uid } of some) {
      ids.push(idOf.get(uid));
      // The server may have said the same UID twice.
      idOf.delete(uid);
    }
    at += some.length;
  }
  return ids;
}

function rowValues(sql: Statements, folder: number, message: NewMessage, bodyState: number, indexed: number): SQLInputValue[] {
  return [
    folder,
    message.uid,
    message.rfcMessageId,
    JSON.stringify(message.from),
    JSON.stringify(message.to),
    message.subject,
    message.date,
    message.size,
    flagBits(message.flags),
    message.hasAttachments ? 1 : 0,
    message.preview,
    message.seal,
    message.level,
    message.inReplyTo,
    JSON.stringify(message.references),
    message.internalDate ?? null,
    message.gmail?.messageId ?? null,
    message.gmail?.threadId ?? null,
    message.gmail ? storedLabels(sql, folder, message.gmail) : null,
    bodyState,
    ofChat(message) ? HIDDEN.chatNew : HIDDEN.no,
    indexed,
  ];
}

function setFlags(sql: Statements, folder: number, uid: number, flags: readonly MailFlag[]): number {
  const bits = flagBits(flags);
  return sql.run('UPDATE messages SET flags = ? WHERE folder_id = ? AND uid = ? AND flags <> ?', bits, folder, uid, bits).changes;
}

/** Flags, and Gmail's labels where they are told; returns how many rows are different now. */
export function renew(sql: Statements, folder: number, told: { uid: number; flags: readonly MailFlag[]; gmail?: GmailIds }): number {
  return setFlags(sql, folder, told.uid, told.flags) + (told.gmail ? setLabels(sql, folder, told.gmail) : 0);
}

/** Tells other windows that something about the folder's messages is different. */
export function raiseRevision(sql: Statements, folder: number): void {
  sql.run('UPDATE folders SET revision = revision + 1 WHERE id = ?', folder);
}
