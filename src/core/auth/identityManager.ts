import { QuMailError } from '../base/errors.ts';
import type { Clock, CredentialSource, Secrets } from '../base/ports.ts';
import type { ProviderId, ServerAddress } from '../base/types.ts';
import { normalizeAddress } from '../mail/address.ts';
import type { CommandTokens } from './commandTokens.ts';
import type { HostTokens } from './hostTokens.ts';
import type { Grant, OAuth2Manager } from './oauth2Manager.ts';
import { isOAuthProvider, type OAuthProviderId } from './providers.ts';

/** An account as the store keeps it: who, where, nothing secret. */
export interface IdentityRecord {
  readonly id: string;
  /** Normalised; one account per address. */
  readonly email: string;
  readonly displayName: string;
  readonly provider: ProviderId;
  readonly userId: string;
  readonly servers: { readonly imap: ServerAddress; readonly smtp: ServerAddress; readonly userName?: string };
  readonly issuer?: string;
  readonly clientId?: string;
  readonly command?: readonly string[];
  readonly createdAt: number;
  readonly lastLogin: number;
}

/** Where the records live (store/accounts). */
export interface IdentityRecords {
  list(): readonly IdentityRecord[];
  get(id: string): IdentityRecord | undefined;
  insert(record: IdentityRecord): void;
  update(record: IdentityRecord): void;
  delete(id: string): void;
}

/** Who the user is, on one account. */
export interface Profile {
  readonly userId: string;
  readonly email: string;
  readonly displayName: string;
  /** Once a key manager is connected. */
  readonly saeId?: string;
  readonly provider: ProviderId;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly lastLogin: number;
}

export interface IdentityManagerDeps {
  readonly accounts: IdentityRecords;
  readonly secrets: Secrets;
  readonly oauth: Pick<OAuth2Manager, 'storeGrant' | 'refreshTokenIfNeeded' | 'revoke'>;
  readonly hostTokens: Pick<HostTokens, 'token'>;
  readonly commandTokens: Pick<CommandTokens, 'token' | 'forget'>;
  readonly clock: Clock;
  /** The SAE ID of an account's key manager. */
  readonly saeIdOf?: (accountId: string) => string | undefined;
}

/**
 * Who the user is: the accounts signed in to, the credentials that open them, and the order in which the two are written, so that a
 * crash leaves at worst a credential without an account, never an account that has none. Records survive a restart in the store,
 * credentials in the secret store.
 */
export class IdentityManager {
  readonly #deps: IdentityManagerDeps;

  constructor(deps: IdentityManagerDeps) {
    this.#deps = deps;
  }

  /** The accounts of this and earlier sessions. */
  list(): readonly IdentityRecord[] {
    return this.#deps.accounts.list();
  }

  /** @throws `account.missing` */
  profile(accountId: string): Profile {
    const { userId, email, displayName, provider, createdAt, lastLogin } = this.#record(accountId);
    const saeId = this.#deps.saeIdOf?.(accountId);
    return { userId, email, displayName, ...(saeId === undefined ? {} : { saeId }), provider, createdAt, lastLogin };
  }

  /** @throws `account.exists` (details: email) when this address has an account already, whatever its provider */
  refuseKnown(email: string): void {
    const address = normalizeAddress(email) ?? email;
    if (this.list().some((record) => record.email === address)) throw new QuMailError('account.exists', { email: address });
  }

  /** Adds a `qumail_native` account: any IMAP and SMTP host with a password or app password. @throws `account.exists`, `store.*` */
  async addWithPassword(record: IdentityRecord, password: string): Promise<void> {
    this.refuseKnown(record.email);
    await this.#deps.secrets.set(passwordName(record.id), password);
    await this.#insert(record);
  }

  /** Adds an account that was signed in to through the browser. @throws `account.exists`, `store.*` */
  async addWithGrant(record: IdentityRecord, grant: Grant): Promise<void> {
    this.refuseKnown(record.email);
    await this.#deps.oauth.storeGrant(keyOf(record), grant);
    await this.#insert(record);
  }

  /** Adds an account whose tokens come from elsewhere each time: from the editor, or from a program. @throws `account.exists`, `store.*` */
  addWithoutCredential(record: IdentityRecord): void {
    this.refuseKnown(record.email);
    this.#deps.accounts.insert(record);
  }

  noteLogin(accountId: string): void {
    this.#deps.accounts.update({ ...this.#record(accountId), lastLogin: this.#deps.clock.now() });
  }

  async renewPassword(accountId: string, password: string): Promise<void> {
    const record = this.#record(accountId);
    await this.#deps.secrets.set(passwordName(accountId), password);
    this.#deps.accounts.update({ ...record, lastLogin: this.#deps.clock.now() });
  }

  async renewGrant(accountId: string, grant: Grant): Promise<void> {
    const record = this.#record(accountId);
    await this.#deps.oauth.storeGrant(keyOf(record), grant);
    this.#deps.accounts.update({ ...record, lastLogin: this.#deps.clock.now() });
  }

  /**
   * What opens the account's mailbox, asked for before every connect. The source rejects with `auth.sign-in-again` when the credential
   * is gone, `account.missing` after sign-out, and with what `refreshTokenIfNeeded`, `HostTokens.token` and `CommandTokens.token` throw.
   */
  credentialSource(accountId: string): CredentialSource {
    return async (how, signal) => {
      const record = this.#record(accountId);
      const user = record.servers.userName ?? record.email;
      if (record.provider === 'qumail_native') {
        const password = await this.#deps.secrets.get(passwordName(accountId));
        if (password === undefined) throw new QuMailError('auth.sign-in-again', { reason: 'no-password' });
        return { kind: 'password', user, password };
      }
      return { kind: 'token', user, accessToken: await this.#accessToken(record, how, signal) };
    };
  }

  /** Erases the account's credentials (revoking them where the provider can) and its record. Mail and keys are others' to erase. */
  async signOut(accountId: string): Promise<void> {
    const record = this.#record(accountId);
    await this.#deps.secrets.delete(passwordName(accountId));
    this.#deps.commandTokens.forget(accountId);
    await this.#deps.oauth.revoke(record.provider, record.email);
    this.#deps.accounts.delete(accountId);
  }

  async #accessToken(record: IdentityRecord, how: 'cached' | 'fresh', signal: AbortSignal | undefined): Promise<string> {
    const { oauth, hostTokens, commandTokens } = this.#deps;
    if (record.provider === 'outlook') return hostTokens.token(record, how, signal);
    if (record.provider === 'token_command') return commandTokens.token(record.id, record.command, how, signal);
    const when = how === 'fresh' ? 'forced' : 'if-needed';
    return (await oauth.refreshTokenIfNeeded(record.provider, record.email, when, signal)).accessToken;
  }

  /** The credential is in the secret store by now; where the record cannot follow, it goes again. */
  async #insert(record: IdentityRecord): Promise<void> {
    try {
      this.refuseKnown(record.email);
      this.#deps.accounts.insert(record);
    } catch (error) {
      if (record.provider === 'qumail_native') await this.#deps.secrets.delete(passwordName(record.id));
      throw error;
    }
  }

  #record(accountId: string): IdentityRecord {
    const record = this.#deps.accounts.get(accountId);
    if (!record) throw new QuMailError('account.missing');
    return record;
  }
}

function passwordName(accountId: string): string {
  return `password.${accountId}`;
}

function keyOf(record: IdentityRecord): { provider: OAuthProviderId; email: string } {
  if (!isOAuthProvider(record.provider)) throw new QuMailError('engine.bad-request', { provider: record.provider });
  return { provider: record.provider, email: record.email };
}
