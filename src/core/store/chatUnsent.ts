import type { DatabaseSync } from 'node:sqlite';
import * as v from 'valibot';
import type { RecordSealer } from '../base/ports.ts';
import { parseJson, type Row, Statements } from './statements.ts';

/** Something a person said in a chat that was not sealed yet. */
export interface UnsentRecord {
  readonly accountId: string;
  readonly groupId: string;
  readonly messageId: string;
  /** JSON of what it does. */
  readonly act: string;
  readonly text: string;
  /** Asked for by the person; undefined for what the group takes. */
  readonly level: string | undefined;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly files: readonly { readonly name: string; readonly mimeType: string; readonly content: Uint8Array }[];
}

const schema = v.object({
  act: v.string(),
  text: v.string(),
  level: v.optional(v.string()),
  at: v.number(),
  files: v.array(v.object({ name: v.string(), mimeType: v.string(), content: v.string() })),
});
const TYPE = 'chat-unsent';

/** What was said while it could not be sent, in the order it was said; sealed at rest until it goes. */
export class ChatUnsent {
  readonly #sql: Statements;
  readonly #sealer: RecordSealer;

  constructor(deps: { db: DatabaseSync; sealer: RecordSealer }) {
    this.#sql = new Statements(deps.db);
    this.#sealer = deps.sealer;
  }

  /** Joins the caller's transaction; the chat must be there. */
  add({ accountId, groupId, messageId, files, ...rest }: UnsentRecord): void {
    const said = { ...rest, files: files.map((file) => ({ ...file, content: Buffer.from(file.content).toString('base64') })) };
    const sealed = this.#sealer.seal('mail', TYPE, placeOf(accountId, messageId), Buffer.from(JSON.stringify(said)));
    const sql = 'INSERT INTO chat_unsent (account_id, group_id, message_id, sealed) VALUES (?, ?, ?, ?)';
    this.#sql.run(sql, accountId, groupId, messageId, sealed);
  }

  get(accountId: string, messageId: string): UnsentRecord | undefined {
    const row = this.#sql.get('SELECT * FROM chat_unsent WHERE account_id = ? AND message_id = ?', accountId, messageId);
    return row && this.#recordOf(row);
  }

  /** Message-IDs of one chat, in the order they were said. */
  list(accountId: string, groupId: string): string[] {
    const sql = 'SELECT message_id FROM chat_unsent WHERE account_id = ? AND group_id = ? ORDER BY id';
    return this.#sql.all(sql, accountId, groupId).map((row) => row.text('message_id'));
  }

  /** Chats in which something waits. */
  chats(): { accountId: string; groupId: string }[] {
    return this.#sql
      .all('SELECT DISTINCT account_id, group_id FROM chat_unsent ORDER BY account_id, group_id')
      .map((row) => ({ accountId: row.text('account_id'), groupId: row.text('group_id') }));
  }

  /** True where it was there: of several windows one sends it. Joins the caller's transaction. */
  remove(accountId: string, messageId: string): boolean {
    return this.#sql.run('DELETE FROM chat_unsent WHERE account_id = ? AND message_id = ?', accountId, messageId).changes === 1;
  }

  #recordOf(row: Row): UnsentRecord {
    const place = { accountId: row.text('account_id'), groupId: row.text('group_id'), messageId: row.text('message_id') };
    const json = this.#sealer.open('mail', TYPE, placeOf(place.accountId, place.messageId), row.blob('sealed')).toString('utf8');
    const { act, text, level, at, files } = parseJson(schema, json, 'sealed');
    return { ...place, act, text, level, at, files: files.map((file) => ({ ...file, content: Buffer.from(file.content, 'base64') })) };
  }
}

function placeOf(accountId: string, messageId: string): string {
  return JSON.stringify([accountId, messageId]);
}
