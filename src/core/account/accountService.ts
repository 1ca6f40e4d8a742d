import type { CallOptions, QuMailRequests } from '../api.ts';
import type { QuMailEvent } from '../base/events.ts';
import type { Account, AccessToken, AddAccountRequest } from '../base/model.ts';
import { QuMailError } from '../base/errors.ts';
import { DisposableStore, type Disposable } from '../base/lifetime.ts';
import type { Log } from '../base/log.ts';
import type { Clock, CredentialSource, Random, TrustedAuthorities } from '../base/ports.ts';
import type { Address } from '../base/types.ts';
import type { CommandTokens } from '../auth/commandTokens.ts';
import type { HostTokens } from '../auth/hostTokens.ts';
import type { IdentityManager } from '../auth/identityManager.ts';
import type { OAuth2Manager } from '../auth/oauth2Manager.ts';
import { filesOwnSent, type ProviderTable } from '../auth/providers.ts';
import type { AccountRecord } from '../store/accounts.ts';
import type { KeyManagerStore } from '../store/keyManagers.ts';
import type { MessageStore } from '../store/messages.ts';
import { EmailHandler } from '../transport/emailHandler.ts';
import type { TransportTiming } from '../transport/mailAccess.ts';
import { AccountSignIn } from './accountSignIn.ts';
import { MailAccount } from './mailAccount.ts';
import type { MailAccountDeps } from './mailAccountDeps.ts';
import { NetworkWatch } from './networkWatch.ts';
import { WakeWatch } from './wake.ts';

export interface AccountServiceDeps {
  readonly identity: IdentityManager;
  readonly oauth: OAuth2Manager;
  readonly hostTokens: HostTokens;
  readonly commandTokens: CommandTokens;
  readonly providers: ProviderTable;
  readonly managers: KeyManagerStore;
  readonly messages: MessageStore;
  readonly authorities: TrustedAuthorities;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly world: 'real' | 'lab';
  /** The networks this machine is on, as one comparable text. */
  readonly networks: () => string;
  /** Time limits of mail connections other than the usual ones. */
  readonly timing?: Partial<TransportTiming>;
  readonly emit: (event: QuMailEvent) => void;
  /** What a running account needs besides its own connections. */
  readonly mailDeps: Omit<MailAccountDeps, 'changed'>;
  /** Erases what an account left in every store. */
  readonly erase: (accountId: string) => Promise<void>;
}

type AccountRequests = Pick<
  QuMailRequests,
  'listAccounts' | 'addAccount' | 'signInAgain' | 'signOut' | 'getAccessToken' | 'deliverRedirect' | 'nudge'
>;

/** The accounts at work: adding, restoring, signing in and out. */
export class AccountService implements AccountRequests, Disposable {
  readonly #deps: AccountServiceDeps;
  readonly #owned = new DisposableStore();
  readonly #accounts = new Map<string, MailAccount>();
  readonly #signIn: AccountSignIn;
  /** When each account was last signed in to, as it was when it began to run. */
  readonly #logins = new Map<string, number>();

  constructor(deps: AccountServiceDeps) {
    this.#deps = deps;
    this.#owned.add(new WakeWatch(deps.clock, () => void this.nudge({ reason: 'wake' })));
    this.#owned.add(new NetworkWatch(deps.clock, deps.networks, () => void this.nudge({ reason: 'network' })));
    this.#signIn = new AccountSignIn({ ...deps, verify: (record, credentials, signal) => this.#verify(record, credentials, signal) });
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
    if (filesOwnSent(this.#record(accountId), this.#deps.providers)) return undefined;
    return this.#deps.messages.listFolders(accountId).find(({ specialUse }) => specialUse === 'sent')?.path;
  }

  async listAccounts(): Promise<readonly Account[]> {
    return this.#deps.identity.list().map((record) => this.#accountOf(record));
  }

  async addAccount(request: AddAccountRequest, options: CallOptions = {}): Promise<Account> {
    const record = await this.#signIn.add(request, options.signal);
    const account = this.#run(record);
    this.#deps.emit({ kind: 'accounts' });
    this.#deps.log.info('account-added', { provider: record.provider, state: account.state });
    return this.#accountOf(record);
  }

  async signInAgain(request: { accountId: string; password?: string }, options: CallOptions = {}): Promise<Account> {
    const record = this.#record(request.accountId);
    await this.#signIn.renew(record, request.password, options.signal);
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
    return this.#deps.oauth.refreshTokenIfNeeded(record.provider, record.email);
  }

  async deliverRedirect(request: { uri: string }): Promise<void> {
    this.#deps.oauth.deliverRedirect(request.uri);
  }

  async nudge(request: { reason: 'wake' | 'network' }): Promise<void> {
    this.#deps.log.info('nudged', { reason: request.reason });
    await Promise.all([this.#deps.oauth.nudge(request.reason), ...this.all().map((account) => account.nudge())]);
  }

  /**
   * After another window wrote: accounts that were added or signed in again there are taken up, those that were signed out are let go, and the
   * rest shows how the window that looks for their mail says they are doing.
   */
  reconcile(): void {
    const records = this.#deps.identity.list();
    const known = (id: string): boolean => records.some((record) => record.id === id);
    const renewed = records.filter(({ id, lastLogin }) => this.#accounts.has(id) && this.#logins.get(id) !== lastLogin);
    const gone = this.all().filter(({ id }) => !known(id));
    for (const { id } of [...renewed, ...gone]) this.#stop(id);
    const added = records.filter(({ id }) => !this.#accounts.has(id));
    for (const record of added) this.#run(record);
    if (added.length + gone.length > 0) this.#deps.emit({ kind: 'accounts' });
    for (const account of this.all()) account.mirror();
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
    const access = {
      servers: { imap, smtp },
      credentials,
      authorities: this.#deps.authorities,
      filesOwnSent: filesOwnSent(record, this.#deps.providers),
    };
    const { clock, random, log, timing } = this.#deps;
    return new EmailHandler(access, { clock, random, log, ...(timing && { timing }) });
  }

  #run(record: AccountRecord): MailAccount {
    this.#stop(record.id);
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
          progress: (step) => emit({ kind: 'sync-progress', accountId, ...step }),
          ended: () => emit({ kind: 'sync-ended', accountId }),
        },
      }),
    );
    this.#accounts.set(accountId, account);
    this.#logins.set(accountId, record.lastLogin);
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
