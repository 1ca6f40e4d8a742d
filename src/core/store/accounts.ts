import type { DatabaseSync } from 'node:sqlite';
import * as v from 'valibot';
import { QuMailError } from '../base/errors.ts';
import { PROVIDER_IDS, type ProviderId, type ServerAddress } from '../base/types.ts';
import { truncateLog } from './database.ts';
import { type Row, Statements } from './statements.ts';

export interface StoredServers {
  readonly imap: ServerAddress;
  readonly smtp: ServerAddress;
  /** Log-in name where it is not the address. */
  readonly userName?: string;
}

export interface AccountRecord {
  readonly id: string;
  readonly email: string;
  readonly displayName: string;
  readonly provider: ProviderId;
  readonly userId: string;
  readonly servers: StoredServers;
  /** OpenID Connect issuer and client id, `oidc` accounts only. */
  readonly issuer?: string;
  readonly clientId?: string;
  /** The program that prints a token and its arguments, `token_command` accounts only. */
  readonly command?: readonly string[];
  /** Milliseconds since the epoch, as is lastLogin. */
  readonly createdAt: number;
  readonly lastLogin: number;
}

const server = v.object({ host: v.string(), port: v.pipe(v.number(), v.integer()), security: v.picklist(['tls', 'starttls']) });
const serversSchema = v.object({ imap: server, smtp: server, userName: v.optional(v.string()) });
const commandSchema = v.array(v.string());

/** The accounts; what belongs to one in the vault goes with it. Two accounts never have the same address. */
export class AccountStore {
  readonly #db: DatabaseSync;
  readonly #sql: Statements;

  constructor(deps: { db: DatabaseSync }) {
    this.#db = deps.db;
    this.#sql = new Statements(deps.db);
  }

  /** In the order they were added. */
  list(): AccountRecord[] {
    return this.#sql.all('SELECT * FROM accounts ORDER BY created_at, id').map(accountOf);
  }

  get(id: string): AccountRecord | undefined {
    const row = this.#sql.get('SELECT * FROM accounts WHERE id = ?', id);
    return row && accountOf(row);
  }

  /** @throws QuMailError `account.exists` when the id or the address is taken */
  insert(record: AccountRecord): void {
    const { changes } = this.#sql.run(
      `INSERT INTO accounts (id, email, display_name, provider, user_id, servers, issuer, client_id, command, created_at, last_login)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
      record.id,
      record.email,
      record.displayName,
      record.provider,
      record.userId,
      JSON.stringify(record.servers),
      record.issuer ?? null,
      record.clientId ?? null,
      commandText(record),
      record.createdAt,
      record.lastLogin,
    );
    if (changes === 0) throw new QuMailError('account.exists', { email: record.email });
  }

  /** Rewrites everything but id, address and creation time. @throws QuMailError `account.missing` */
  update(record: AccountRecord): void {
    const { changes } = this.#sql.run(
      `UPDATE accounts SET display_name = ?, provider = ?, user_id = ?, servers = ?, issuer = ?, client_id = ?, command = ?,
       last_login = ? WHERE id = ?`,
      record.displayName,
      record.provider,
      record.userId,
      JSON.stringify(record.servers),
      record.issuer ?? null,
      record.clientId ?? null,
      commandText(record),
      record.lastLogin,
      record.id,
    );
    if (changes === 0) throw new QuMailError('account.missing');
  }

  /** Erases the account with its key manager, contacts, drafts, outbox and sealed mail, from the file and from its log. */
  delete(id: string): void {
    const { changes } = this.#sql.run('DELETE FROM accounts WHERE id = ?', id);
    if (changes > 0 && !this.#db.isTransaction) truncateLog(this.#db);
  }
}

function commandText({ command }: AccountRecord): string | null {
  return command ? JSON.stringify(command) : null;
}

function accountOf(row: Row): AccountRecord {
  const { imap, smtp, userName } = row.json('servers', serversSchema);
  return {
    id: row.text('id'),
    email: row.text('email'),
    displayName: row.text('display_name'),
    provider: row.oneOf('provider', PROVIDER_IDS),
    userId: row.text('user_id'),
    servers: { imap, smtp, ...(userName !== undefined && { userName }) },
    ...(row.has('issuer') && { issuer: row.text('issuer') }),
    ...(row.has('client_id') && { clientId: row.text('client_id') }),
    ...(row.has('command') && { command: row.json('command', commandSchema) }),
    createdAt: row.integer('created_at'),
    lastLogin: row.integer('last_login'),
  };
}
