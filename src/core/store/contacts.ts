import type { DatabaseSync } from 'node:sqlite';
import { SECURITY_LEVELS, type SecurityLevel } from '../base/types.ts';
import { type Row, Statements } from './statements.ts';

export interface ContactRecord {
  readonly accountId: string;
  readonly address: string;
  readonly name: string;
  readonly saeId?: string;
  readonly minimumLevel: SecurityLevel;
}

/**
 * Contacts of each account by address. ASCII case is ignored throughout: no spelling of an address gets around its contact's
 * minimum level.
 */
export class ContactStore {
  readonly #sql: Statements;

  constructor(deps: { db: DatabaseSync }) {
    this.#sql = new Statements(deps.db);
  }

  /** By name, then address. */
  list(accountId: string): ContactRecord[] {
    return this.#sql.all('SELECT * FROM contacts WHERE account_id = ? ORDER BY name COLLATE NOCASE, address', accountId).map(contactOf);
  }

  get(accountId: string, address: string): ContactRecord | undefined {
    const row = this.#sql.get('SELECT * FROM contacts WHERE account_id = ? AND address = ?', accountId, address);
    return row && contactOf(row);
  }

  /** Adds or replaces. @throws QuMailError `account.missing` */
  put(record: ContactRecord): void {
    this.#sql.run(
      `INSERT INTO contacts (account_id, address, name, sae_id, minimum_level) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (account_id, address) DO UPDATE SET
         address = excluded.address, name = excluded.name, sae_id = excluded.sae_id, minimum_level = excluded.minimum_level`,
      record.accountId,
      record.address,
      record.name,
      record.saeId ?? null,
      record.minimumLevel,
    );
  }

  delete(accountId: string, address: string): void {
    this.#sql.run('DELETE FROM contacts WHERE account_id = ? AND address = ?', accountId, address);
  }
}

function contactOf(row: Row): ContactRecord {
  return {
    accountId: row.text('account_id'),
    address: row.text('address'),
    name: row.text('name'),
    ...(row.has('sae_id') && { saeId: row.text('sae_id') }),
    minimumLevel: row.oneOf('minimum_level', SECURITY_LEVELS),
  };
}
