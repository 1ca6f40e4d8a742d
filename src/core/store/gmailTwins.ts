import type { MailFlag } from '../base/types.ts';
import { PART_OCTETS, type Bodies } from './bodies.ts';
import { setLabels, storedLabels } from './gmailLabels.ts';
import { BODY, flagBits, type GmailIds } from './messageRow.ts';
import { HIDDEN } from './messageWriting.ts';
import type { Statements } from './statements.ts';

/** Of what lies in a folder with its source: the same Gmail message in another folder, without one. The folder that no message leaves comes first. */
const HEIR = `SELECT twin.id FROM messages twin JOIN folders g ON g.id = twin.folder_id
  WHERE twin.gm_msgid = own.gm_msgid AND g.account_id = f.account_id AND twin.folder_id <> own.folder_id AND twin.body_state <> ${BODY.stored}
  ORDER BY g.special_use IS 'all' DESC LIMIT 1`;
const LEAVING = `SELECT own.id, own.size, (${HEIR}) AS heir FROM messages own JOIN folders f ON f.id = own.folder_id
  WHERE own.folder_id = ? AND own.body_state = ${BODY.stored} AND own.gm_msgid IS NOT NULL`;

const TWIN = `SELECT m.id FROM messages m JOIN folders f ON f.id = m.folder_id
  WHERE f.account_id = ? AND m.gm_msgid = ? AND m.body_state = ${BODY.stored} LIMIT 1`;
const SHARED = `rfc_message_id, from_address, to_addresses, subject, date, size, has_attachments, preview, level, in_reply_to, refs,
  internal_date, gm_msgid, gm_thrid, thread_id`;
const COPY_TWIN = `INSERT INTO messages (folder_id, uid, flags, labels, seal, body_state, hidden, ${SHARED})
  SELECT ?, ?, ?, ?, CASE seal WHEN 'plain' THEN seal ELSE 'unopened' END, ${BODY.evicted},
    iif(hidden >= ${HIDDEN.chatNew}, ${HIDDEN.chatNew}, ${HIDDEN.no}), ${SHARED} FROM messages WHERE id = ?
  ON CONFLICT DO NOTHING`;
const UNSOURCED = `UPDATE messages SET body_state = ${BODY.evicted} WHERE folder_id = ? AND uid = ? AND body_state <> ${BODY.stored}`;

/** Messages of Gmail that are in several folders: their source is kept with one of them. Joins the caller's transactions. */
export class GmailTwins {
  readonly #sql: Statements;
  readonly #bodies: Bodies;

  constructor(sql: Statements, bodies: Bodies) {
    this.#sql = sql;
    this.#bodies = bodies;
  }

  /** Where the source of a message is here from another folder, gives it a row in this one that shares it, and returns true. */
  share(accountId: string, folder: number, told: { uid: number; flags: readonly MailFlag[]; gmail?: GmailIds }): boolean {
    const { uid, flags, gmail } = told;
    const source = gmail && this.#sql.get(TWIN, accountId, gmail.messageId);
    if (!source) return false;
    this.#sql.run(COPY_TWIN, folder, uid, flagBits(flags), storedLabels(this.#sql, folder, gmail), source.integer('id'));
    setLabels(this.#sql, folder, gmail);
    this.#sql.run(UNSOURCED, folder, uid);
    return true;
  }

  /** A message that leaves one folder, as archiving has it leave INBOX, leaves its source to the same one in another. */
  leave(folder: number, uid: number): void {
    const own = this.#sql.get(`${LEAVING} AND own.uid = ?`, folder, uid);
    if (own?.has('heir')) this.#bodies.move(own.integer('id'), own.integer('heir'));
  }

  /** The same of all messages of a folder whose row follows `after`, about a MiB of them; returns the row to go on after, undefined at the end. */
  leaveSome(folder: number, after: number): number | undefined {
    const rows = this.#sql.all(`${LEAVING} AND own.id > ? ORDER BY own.id LIMIT 200`, folder, after);
    let octets = 0;
    for (const row of rows) {
      const id = row.integer('id');
      if (row.has('heir')) {
        this.#bodies.move(id, row.integer('heir'));
        octets += row.integer('size');
      }
      if (octets >= PART_OCTETS) return id;
    }
    return rows.at(-1)?.integer('id');
  }

  leaveAll(folder: number): void {
    for (let at: number | undefined = 0; at !== undefined;) at = this.leaveSome(folder, at);
  }
}
