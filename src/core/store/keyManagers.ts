import type { DatabaseSync } from 'node:sqlite';
import { KME_PROFILE_NAMES, type KmeProfileName } from '../base/keys.ts';
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
  /** How it wants to be asked. */
  readonly profile: KmeProfileName;
}

/** Another key manager that serves the same SAE, with the same client certificate. */
export interface StandbyRecord {
  readonly url: string;
  readonly kmeId: string;
  readonly caPem: string;
}

/** At most `bits` of key for a contact in any `seconds`. */
export interface QuotaRecord {
  readonly bits: number;
  readonly seconds: number;
}

/** One key manager for each account, its standbys, and the contacts' shares of it. */
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
      `INSERT INTO key_managers (account_id, url, kme_id, sae_id, ca_pem, client_kind, profile) VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (account_id) DO UPDATE SET
         url = excluded.url, kme_id = excluded.kme_id, sae_id = excluded.sae_id, ca_pem = excluded.ca_pem, client_kind = excluded.client_kind,
         profile = excluded.profile`,
      record.accountId,
      record.url,
      record.kmeId,
      record.saeId,
      record.caPem,
      record.clientKind,
      record.profile,
    );
  }

  /** With its standbys. */
  delete(accountId: string): void {
    this.#sql.run('DELETE FROM key_managers WHERE account_id = ?', accountId);
  }

  /** In the order in which they were added. */
  standbys(accountId: string): StandbyRecord[] {
    return this.#sql
      .all('SELECT * FROM key_manager_standbys WHERE account_id = ? ORDER BY rowid', accountId)
      .map((row) => ({ url: row.text('url'), kmeId: row.text('kme_id'), caPem: row.text('ca_pem') }));
  }

  /** Adds or replaces, by address. */
  putStandby(accountId: string, { url, kmeId, caPem }: StandbyRecord): void {
    this.#sql.run(
      `INSERT INTO key_manager_standbys (account_id, url, kme_id, ca_pem) VALUES (?, ?, ?, ?)
       ON CONFLICT (account_id, url) DO UPDATE SET kme_id = excluded.kme_id, ca_pem = excluded.ca_pem`,
      accountId,
      url,
      kmeId,
      caPem,
    );
  }

  deleteStandby(accountId: string, url: string): void {
    this.#sql.run('DELETE FROM key_manager_standbys WHERE account_id = ? AND url = ?', accountId, url);
  }

  quota(accountId: string, address: string): QuotaRecord | undefined {
    const row = this.#sql.get('SELECT bits, seconds FROM key_quotas WHERE account_id = ? AND address = ?', accountId, address);
    return row && { bits: row.integer('bits'), seconds: row.integer('seconds') };
  }

  /** Undefined takes it away. @throws QuMailError `account.missing` */
  setQuota(accountId: string, address: string, quota: QuotaRecord | undefined): void {
    this.#sql.run('DELETE FROM key_quotas WHERE account_id = ? AND address = ?', accountId, address);
    if (quota === undefined) return;
    const sql = 'INSERT INTO key_quotas (account_id, address, bits, seconds) VALUES (?, ?, ?, ?)';
    this.#sql.run(sql, accountId, address, quota.bits, quota.seconds);
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
    profile: KME_PROFILE_NAMES.find((name) => name === row.text('profile')) ?? 'etsi',
  };
}
