import type { CallOptions, QuMailRequests } from '../api.ts';
import type { Account, AccessToken, AddAccountRequest, QuMailEvent } from '../base/model.ts';
import { QuMailError } from '../base/errors.ts';
import { DisposableStore, type Disposable } from '../base/lifetime.ts';
import type { Log } from '../base/log.ts';
import type { Clock, CredentialSource, Random, TrustedAuthorities } from '../base/ports.ts';
import type { Address, ServerAddress } from '../base/types.ts';
import type { IdentityManager } from '../auth/identityManager.ts';
import type { Grant, OAuth2Manager } from '../auth/oauth2Manager.ts';
import type { OAuthProvider } from '../auth/providers.ts';
import { normalizeAddress } from '../mail/address.ts';
import type { AccountRecord } from '../store/accounts.ts';
import type { KeyManagerStore } from '../store/keyManagers.ts';
import type { MessageStore } from '../store/messages.ts';
import { EmailHandler } from '../transport/emailHandler.ts';
import { MailAccount, type MailAccountDeps } from './mailAccount.ts';

export interface AccountServiceDeps {
  readonly identity: IdentityManager;
  readonly oauth: OAuth2Manager;
  readonly providers: Readonly<Record<'google' | 'yahoo' | 'oidc', OAuthProvider>>;
  readonly managers: KeyManagerStore;
  readonly messages: MessageStore;
  readonly authorities: TrustedAuthorities;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly world: 'real' | 'lab';
  readonly emit: (event: QuMailEvent) => void;
  /** What a running account needs besides its own connections. */
  readonly mailDeps: Omit<MailAccountDeps, 'changed'>;
  /** Erases what an account left in every store. */
  readonly erase: (accountId: string) => Promise<void>;
}

type AccountRequests = Pick<
  QuMailRequests,
  'listAccounts' | 'addAccount' | 'signInAgain' | 'signOut' | 'getAccessToken' | 'deliverRedirect'
>;

/** The accounts at work: adding, restoring, signing in and out. */
export class AccountService implements AccountRequests, Disposable {
  readonly #deps: AccountServiceDeps;
  readonly #owned = new DisposableStore();
  readonly #accounts = new Map<string, MailAccount>();

  constructor(deps: AccountServiceDeps) {
    this.#deps = deps;
  }

  /** Brings back the accounts of an earlier session and starts looking for their mail. */
  restore(): void {
    for (const record of this.#deps.identity.list()) this.#run(record);
  }

  /** The running account; throws `account.missing`. */
  get(accountId: string): MailAccount {
    const account = this.#accounts.get(accountId);
    if (!account) throw new QuMailError('account.missing');
    return account;
  }

  all(): readonly MailAccount[] {
    return [...this.#accounts.values()];
  }

  /** The account's own mailbox address with its display name. */
  addressOf(accountId: string): Address {
    const record = this.#record(accountId);
    return { name: record.displayName, address: record.email };
  }

  /** Where sent mail is filed; undefined where the provider does it itself or there is no such folder. */
  sentFolderOf(accountId: string): string | undefined {
    if (this.#filesOwnSent(this.#record(accountId))) return undefined;
    return this.#deps.messages.listFolders(accountId).find(({ specialUse }) => specialUse === 'sent')?.path;
  }

  async listAccounts(): Promise<readonly Account[]> {
    return this.#deps.identity.list().map((record) => this.#accountOf(record));
  }

  async addAccount(request: AddAccountRequest, options: CallOptions = {}): Promise<Account> {
    const record =
      request.provider === 'qumail_native' ? await this.#addNative(request, options.signal) : await this.#addOAuth(request, options.signal);
    const account = this.#run(record);
    this.#deps.emit({ kind: 'accounts' });
    this.#deps.log.info('account-added', { provider: record.provider, state: account.state });
    return this.#accountOf(record);
  }

  async signInAgain(request: { accountId: string; password?: string }, options: CallOptions = {}): Promise<Account> {
    const record = this.#record(request.accountId);
    if (record.provider === 'qumail_native') {
      const password = request.password;
      if (password === undefined) throw new QuMailError('auth.wrong-password');
      await this.#verify(record, async () => ({ kind: 'password', user: userOf(record), password }), options.signal);
      await this.#deps.identity.renewPassword(record.id, password);
    } else {
      const { identity, grant } = await this.#deps.oauth.signIn({ ...signInOf(record), loginHint: record.email }, options.signal);
      if (normalizeAddress(identity.email) !== record.email) throw new QuMailError('auth.denied', { reason: 'other-account' });
      await this.#deps.identity.renewGrant(record.id, grant);
    }
    this.#stop(record.id);
    this.#run(this.#record(record.id));
    this.#deps.emit({ kind: 'accounts' });
    return this.#accountOf(this.#record(record.id));
  }

  async signOut(request: { accountId: string }): Promise<void> {
    const record = this.#record(request.accountId);
    this.#stop(record.id);
    await this.#deps.identity.signOut(record.id);
    await this.#deps.erase(record.id);
    this.#deps.emit({ kind: 'accounts' });
  }

  async getAccessToken(request: { accountId: string }): Promise<AccessToken> {
    const record = this.#record(request.accountId);
    if (record.provider === 'qumail_native') throw new QuMailError('engine.bad-request');
    return this.#deps.oauth.refreshTokenIfNeeded(record.provider, record.email);
  }

  async deliverRedirect(request: { uri: string }): Promise<void> {
    this.#deps.oauth.deliverRedirect(request.uri);
  }

  /** Reconnects every account, after settings that decide how they connect have changed. */
  restart(): void {
    for (const { id } of this.all()) this.#stop(id);
    this.restore();
  }

  dispose(): void {
    this.#owned.dispose();
    this.#accounts.clear();
  }

  async #addNative(
    request: Extract<AddAccountRequest, { provider: 'qumail_native' }>,
    signal: AbortSignal | undefined,
  ): Promise<AccountRecord> {
    const record = this.#newRecord({
      email: request.email,
      displayName: request.displayName,
      provider: 'qumail_native',
      userId: request.servers.userName ?? request.email,
      servers: request.servers,
    });
    this.#deps.identity.refuseKnown(record.email);
    await this.#verify(record, async () => ({ kind: 'password', user: userOf(record), password: request.password }), signal);
    await this.#deps.identity.addWithPassword(record, request.password);
    return record;
  }

  async #addOAuth(
    request: Exclude<AddAccountRequest, { provider: 'qumail_native' }>,
    signal: AbortSignal | undefined,
  ): Promise<AccountRecord> {
    const provider = this.#deps.providers[request.provider];
    const servers = request.provider === 'oidc' ? request.servers : provider.servers;
    if (!servers) throw new QuMailError('account.bad-settings', { field: 'servers' });
    const asked =
      request.provider === 'oidc'
        ? { provider: 'oidc' as const, issuer: request.issuer, clientId: request.clientId }
        : { provider: request.provider };
    const { identity, grant } = await this.#deps.oauth.signIn(asked, signal);
    const record = this.#newRecord({
      email: identity.email,
      displayName: identity.displayName,
      provider: request.provider,
      userId: identity.userId,
      servers,
      ...(request.provider === 'oidc' && { issuer: request.issuer, clientId: request.clientId }),
    });
    this.#deps.identity.refuseKnown(record.email);
    await this.#verify(record, async () => tokenCredential(record, grant), signal);
    await this.#deps.identity.addWithGrant(record, grant);
    return record;
  }

  #newRecord(fields: Omit<AccountRecord, 'id' | 'createdAt' | 'lastLogin'>): AccountRecord {
    const email = normalizeAddress(fields.email);
    if (email === undefined) throw new QuMailError('account.bad-settings', { field: 'email' });
    for (const server of [fields.servers.imap, fields.servers.smtp]) this.#refuseForeignHost(server);
    const now = this.#deps.clock.now();
    return { ...fields, email, id: this.#deps.random.uuid(), createdAt: now, lastLogin: now };
  }

  /** A lab engine talks to the lab on this machine and to nobody else. */
  #refuseForeignHost(server: ServerAddress): void {
    if (!/^[A-Za-z0-9.:-]{1,253}$/.test(server.host)) throw new QuMailError('account.bad-settings', { field: 'host' });
    if (!Number.isInteger(server.port) || server.port < 1 || server.port > 65535)
      throw new QuMailError('account.bad-settings', { field: 'port' });
    if (this.#deps.world === 'lab' && server.host !== '127.0.0.1' && server.host !== 'localhost') throw new QuMailError('lab.only');
  }

  async #verify(record: AccountRecord, credentials: CredentialSource, signal: AbortSignal | undefined): Promise<void> {
    const handler = this.#handlerFor(record, credentials);
    try {
      await handler.verify(signal);
    } finally {
      handler.dispose();
    }
  }

  #handlerFor(record: AccountRecord, credentials: CredentialSource): EmailHandler {
    const { imap, smtp } = record.servers;
    const access = { servers: { imap, smtp }, credentials, authorities: this.#deps.authorities, filesOwnSent: this.#filesOwnSent(record) };
    return new EmailHandler(access, { clock: this.#deps.clock, random: this.#deps.random, log: this.#deps.log });
  }

  #filesOwnSent(record: AccountRecord): boolean {
    return record.provider !== 'qumail_native' && this.#deps.providers[record.provider].filesOwnSent;
  }

  #run(record: AccountRecord): MailAccount {
    const handler = this.#handlerFor(record, this.#deps.identity.credentialSource(record.id));
    const emit = this.#deps.emit;
    const accountId = record.id;
    const account = this.#owned.add(
      new MailAccount(record, handler, {
        ...this.#deps.mailDeps,
        changed: {
          state: () => emit({ kind: 'accounts' }),
          folders: () => emit({ kind: 'folders', accountId }),
          messages: (folder) => emit({ kind: 'messages', accountId, folder }),
          activity: (busy) => emit({ kind: 'activity', accountId, busy: busy === 'busy' }),
        },
      }),
    );
    this.#accounts.set(accountId, account);
    account.start();
    return account;
  }

  #stop(accountId: string): void {
    const account = this.#accounts.get(accountId);
    if (!account) return;
    this.#accounts.delete(accountId);
    this.#owned.release(account);
  }

  #record(accountId: string): AccountRecord {
    const record = this.#deps.identity.list().find(({ id }) => id === accountId);
    if (!record) throw new QuMailError('account.missing');
    return record;
  }

  #accountOf(record: AccountRecord): Account {
    const running = this.#accounts.get(record.id);
    const saeId = this.#deps.managers.get(record.id)?.saeId;
    const failure = running?.failure;
    return {
      id: record.id,
      email: record.email,
      displayName: record.displayName,
      provider: record.provider,
      userId: record.userId,
      ...(saeId !== undefined && { saeId }),
      createdAt: record.createdAt,
      lastLogin: record.lastLogin,
      state: running?.state ?? 'offline',
      ...(failure && { failure: { code: failure.code, details: failure.details } }),
      simulated: this.#deps.world === 'lab',
    };
  }
}

function userOf(record: AccountRecord): string {
  return record.servers.userName ?? record.email;
}

function tokenCredential(record: AccountRecord, grant: Grant) {
  return { kind: 'token' as const, user: userOf(record), accessToken: grant.accessToken };
}

function signInOf(record: AccountRecord): Parameters<OAuth2Manager['signIn']>[0] {
  if (record.provider === 'google' || record.provider === 'yahoo') return { provider: record.provider };
  return { provider: 'oidc', issuer: record.issuer ?? '', clientId: record.clientId ?? '' };
}
