import type { DatabaseSync } from 'node:sqlite';
import * as v from 'valibot';
import type { RecordSealer } from '../base/ports.ts';
import { inTransaction } from '../base/transaction.ts';
import { parseJson, type Row, Statements } from './statements.ts';

export interface SealedMailRecord {
  readonly accountId: string;
  readonly rfcMessageId: string;
  /** The header's `id`, base64url. */
  readonly envelopeId: string;
  /** The inner MIME entity. */
  readonly plaintext: Buffer;
  /** Facts for banner and list, inner subject included; plain data. */
  readonly report: object;
  readonly own: 'received' | 'sent';
  /** Of OpenPGP mail: opens the message as it lies on the server, whatever became of the subkeys. */
  readonly sessionKey?: Buffer;
}

const reportSchema = v.looseObject({});

/**
 * Plaintext of sealed mail, sealed at rest: keys are delivered once, so what was opened, or sealed here for others, stays
 * readable only through this store.
 */
export class SealedMailStore {
  readonly #db: DatabaseSync;
  readonly #sql: Statements;
  readonly #sealer: RecordSealer;

  constructor(deps: { db: DatabaseSync; sealer: RecordSealer }) {
    this.#db = deps.db;
    this.#sql = new Statements(deps.db);
    this.#sealer = deps.sealer;
  }

  /** Adds or replaces; joins the caller's transaction. @throws QuMailError `account.missing`, `store.full` */
  put(record: SealedMailRecord): void {
    const place = placeOf(record.accountId, record.envelopeId);
    inTransaction(this.#db, () => {
      this.#sql.run(
        `INSERT INTO sealed_mail (account_id, envelope_id, rfc_message_id, own, sealed_report, sealed_plaintext, sealed_session_key)
         VALUES (?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (account_id, envelope_id) DO UPDATE SET rfc_message_id = excluded.rfc_message_id, own = excluded.own,
           sealed_report = excluded.sealed_report, sealed_plaintext = excluded.sealed_plaintext,
           sealed_session_key = excluded.sealed_session_key`,
        record.accountId,
        record.envelopeId,
        record.rfcMessageId,
        record.own,
        this.#sealer.seal('mail', 'sealed-mail.report', place, Buffer.from(JSON.stringify(record.report), 'utf8')),
        this.#sealer.seal('mail', 'sealed-mail.plaintext', place, record.plaintext),
        record.sessionKey ? this.#sealer.seal('mail', 'sealed-mail.session-key', place, record.sessionKey) : null,
      );
    });
  }

  getByEnvelope(accountId: string, envelopeId: string): SealedMailRecord | undefined {
    const row = this.#sql.get('SELECT * FROM sealed_mail WHERE account_id = ? AND envelope_id = ?', accountId, envelopeId);
    return row && this.#recordOf(row);
  }

  /** One copy of a message, one's own where it was sent from here. */
  getByMessageId(accountId: string, rfcMessageId: string): SealedMailRecord | undefined {
    const sql = "SELECT * FROM sealed_mail WHERE account_id = ? AND rfc_message_id = ? ORDER BY own = 'sent' DESC, envelope_id LIMIT 1";
    const row = this.#sql.get(sql, accountId, rfcMessageId);
    return row && this.#recordOf(row);
  }

  /** The report alone, without unsealing the message: what a list needs. */
  reportByEnvelope(accountId: string, envelopeId: string): object | undefined {
    const sql = 'SELECT account_id, envelope_id, sealed_report FROM sealed_mail WHERE account_id = ? AND envelope_id = ?';
    const row = this.#sql.get(sql, accountId, envelopeId);
    return row && this.#reportOf(row);
  }

  /** The session key of OpenPGP mail that was opened or sent here; the caller wipes it. */
  sessionKeyOf(accountId: string, envelopeId: string): Buffer | undefined {
    const row = this.#sql.get('SELECT sealed_session_key FROM sealed_mail WHERE account_id = ? AND envelope_id = ?', accountId, envelopeId);
    if (!row?.has('sealed_session_key')) return undefined;
    return this.#sealer.open('mail', 'sealed-mail.session-key', placeOf(accountId, envelopeId), row.blob('sealed_session_key'));
  }

  /** Forgets one opened message: it cannot be read here any more. */
  delete(accountId: string, envelopeId: string): void {
    this.#sql.run('DELETE FROM sealed_mail WHERE account_id = ? AND envelope_id = ?', accountId, envelopeId);
  }

  #recordOf(row: Row): SealedMailRecord {
    const accountId = row.text('account_id');
    const envelopeId = row.text('envelope_id');
    return {
      accountId,
      rfcMessageId: row.text('rfc_message_id'),
      envelopeId,
      plaintext: this.#sealer.open('mail', 'sealed-mail.plaintext', placeOf(accountId, envelopeId), row.blob('sealed_plaintext')),
      report: this.#reportOf(row),
      own: row.oneOf('own', ['received', 'sent']),
    };
  }

  #reportOf(row: Row): object {
    const place = placeOf(row.text('account_id'), row.text('envelope_id'));
    const json = this.#sealer.open('mail', 'sealed-mail.report', place, row.blob('sealed_report')).toString('utf8');
    return parseJson(reportSchema, json, 'sealed_report');
  }
}

function placeOf(accountId: string, envelopeId: string): string {
  return `${accountId}/${envelopeId}`;
}
