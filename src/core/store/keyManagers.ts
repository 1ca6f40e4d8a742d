import type { DatabaseSync } from 'node:sqlite';
import { type Row, Statements } from './statements.ts';

/** How an account reaches its key manager. The client key itself is a secret and lies in the secret store. */
export interface KeyManagerRecord {
  readonly accountId: string;
  readonly url: string;
  readonly kmeId: string;
  /** The own SAE ID. */
  readonly saeId: string;
  readonly caPem: string;
  readonly clientKind: 'pem' | 'pkcs12';
}

/** At most one key manager for each account. */
export class KeyManagerStore {
  readonly #sql: Statements;

  constructor(deps: { db: DatabaseSync }) {
    this.#sql = new Statements(deps.db);
  }

  list(): KeyManagerRecord[] {
    return this.#sql.all('SELECT * FROM key_managers ORDER BY account_id').map(keyManagerOf);
  }

  get(accountId: string): KeyManagerRecord | undefined {
    const row = this.#sql.get('SELECT * FROM key_managers WHERE account_id = ?', accountId);
    return row && keyManagerOf(row);
  }

  /** Adds or replaces. @throws QuMailError `account.missing` */
  put(record: KeyManagerRecord): void {
    this.#sql.run(
      `INSERT INTO key_managers (account_id, url, kme_id, sae_id, ca_pem, client_kind) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT (account_id) DO UPDATE SET
         url = excluded.url, kme_id = excluded.kme_id, sae_id = excluded.sae_id, ca_pem = excluded.ca_pem, client_kind = excluded.client_kind`,
      record.accountId,
      record.url,
      record.kmeId,
      record.saeId,
      record.caPem,
      record.clientKind,
    );
  }

  delete(accountId: string): void {
    this.#sql.run('DELETE FROM key_managers WHERE account_id = ?', accountId);
  }
}

function keyManagerOf(row: Row): KeyManagerRecord {
  return {
    accountId: row.text('account_id'),
    url: row.text('url'),
    kmeId: row.text('kme_id'),
    saeId: row.text('sae_id'),
    caPem: row.text('ca_pem'),
    clientKind: row.oneOf('client_kind', ['pem', 'pkcs12']),
  };
}
