import type { AddAccountRequest } from '../base/model.ts';
import { QuMailError } from '../base/errors.ts';
import type { Clock, Credential, CredentialSource, Random } from '../base/ports.ts';
import type { ServerAddress } from '../base/types.ts';
import type { CommandTokens } from '../auth/commandTokens.ts';
import type { HostTokens } from '../auth/hostTokens.ts';
import type { IdentityManager } from '../auth/identityManager.ts';
import type { OAuth2Manager } from '../auth/oauth2Manager.ts';
import { outlookServers } from '../auth/outlook.ts';
import type { ProviderTable } from '../auth/providers.ts';
import { parseTokenCommand } from '../auth/tokenCommand.ts';
import { normalizeAddress } from '../mail/address.ts';
import type { AccountRecord } from '../store/accounts.ts';

export interface AccountSignInDeps {
  readonly identity: IdentityManager;
  readonly oauth: OAuth2Manager;
  readonly hostTokens: HostTokens;
  readonly commandTokens: CommandTokens;
  readonly providers: ProviderTable;
  readonly clock: Clock;
  readonly random: Random;
  readonly world: 'real' | 'lab';
  /** Logs in to both servers of the record. */
  readonly verify: (record: AccountRecord, credentials: CredentialSource, signal: AbortSignal | undefined) => Promise<void>;
}

type RequestOf<P extends AddAccountRequest['provider']> = Extract<AddAccountRequest, { provider: P }>;

/** Signing in, by each of the ways there are: sign in, log in to IMAP and SMTP, and only then store anything. */
export class AccountSignIn {
  readonly #deps: AccountSignInDeps;

  constructor(deps: AccountSignInDeps) {
    this.#deps = deps;
  }

  /** @throws `account.*`, `auth.*`, `net.*`, `lab.only`; nothing is stored then */
  async add(request: AddAccountRequest, signal?: AbortSignal): Promise<AccountRecord> {
    // The lab signs in to itself alone: no browser, no editor's account, no program.
    if (this.#deps.world === 'lab' && request.provider !== 'qumail_native') throw new QuMailError('lab.only');
    switch (request.provider) {
      case 'qumail_native':
        return this.#addNative(request, signal);
      case 'outlook':
        return this.#addOutlook(signal);
      case 'token_command':
        return this.#addCommand(request, signal);
      case 'google':
      case 'yahoo':
      case 'oidc':
        return this.#addOAuth(request, signal);
    }
  }

  /** Signs the account in again with the same identity. Mail and keys stay. @throws as `add` */
  async renew(record: AccountRecord, password: string | undefined, signal?: AbortSignal): Promise<void> {
    const { identity, oauth, hostTokens, verify } = this.#deps;
    switch (record.provider) {
      case 'qumail_native':
        if (password === undefined) throw new QuMailError('auth.wrong-password');
        await verify(record, async () => ({ kind: 'password', user: userOf(record), password }), signal);
        return identity.renewPassword(record.id, password);
      case 'outlook': {
        const { userId, accessToken } = await hostTokens.signIn(record.email, signal);
        if (userId !== record.userId) throw new QuMailError('auth.denied', { reason: 'other-account' });
        await verify(record, this.#hostCredentials(record, accessToken), signal);
        return identity.noteLogin(record.id);
      }
      case 'token_command':
        await verify(record, this.#commandCredentials(record), signal);
        return identity.noteLogin(record.id);
      case 'google':
      case 'yahoo':
      case 'oidc': {
        const { provider, issuer, clientId } = record;
        const asked = provider === 'oidc' ? { provider, issuer: issuer ?? '', clientId: clientId ?? '' } : { provider };
        const signedIn = await oauth.signIn({ ...asked, loginHint: record.email }, signal);
        if (normalizeAddress(signedIn.identity.email) !== record.email) throw new QuMailError('auth.denied', { reason: 'other-account' });
        return identity.renewGrant(record.id, signedIn.grant);
      }
    }
  }

  async #addNative(request: RequestOf<'qumail_native'>, signal: AbortSignal | undefined): Promise<AccountRecord> {
    const { identity, verify } = this.#deps;
    const { email, displayName, provider, servers, password } = request;
    const record = this.#newRecord({ email, displayName, provider, userId: servers.userName ?? email, servers });
    identity.refuseKnown(record.email);
    await verify(record, async () => ({ kind: 'password', user: userOf(record), password }), signal);
    await identity.addWithPassword(record, password);
    return record;
  }

  async #addOAuth(request: RequestOf<'oidc'> | RequestOf<'google' | 'yahoo'>, signal: AbortSignal | undefined) {
    const servers = request.provider === 'oidc' ? request.servers : this.#deps.providers[request.provider].servers;
    if (!servers) throw new QuMailError('account.bad-settings', { field: 'servers' });
    const client = request.provider === 'oidc' ? { issuer: request.issuer, clientId: request.clientId } : {};
    const hint = request.provider !== 'oidc' && request.loginHint !== undefined ? { loginHint: request.loginHint } : {};
    const { identity, grant } = await this.#deps.oauth.signIn({ provider: request.provider, ...client, ...hint }, signal);
    const { email, displayName, userId } = identity;
    const record = this.#newRecord({ email, displayName, userId, provider: request.provider, servers, ...client });
    this.#deps.identity.refuseKnown(record.email);
    await this.#deps.verify(record, async () => tokenOf(record, grant.accessToken), signal);
    await this.#deps.identity.addWithGrant(record, grant);
    return record;
  }

  async #addOutlook(signal: AbortSignal | undefined): Promise<AccountRecord> {
    const { identity, hostTokens, verify } = this.#deps;
    const { accessToken, email, userId } = await hostTokens.signIn(undefined, signal);
    const record = this.#newRecord({ email, displayName: email, userId, provider: 'outlook', servers: outlookServers(email) });
    identity.refuseKnown(record.email);
    await verify(record, this.#hostCredentials(record, accessToken), signal);
    identity.addWithoutCredential(record);
    return record;
  }

  async #addCommand(request: RequestOf<'token_command'>, signal: AbortSignal | undefined): Promise<AccountRecord> {
    const { identity, commandTokens, verify } = this.#deps;
    const { email, displayName, provider, servers } = request;
    const command = parseTokenCommand(request.command);
    const record = this.#newRecord({ email, displayName, provider, userId: servers.userName ?? email, servers, command });
    identity.refuseKnown(record.email);
    try {
      await verify(record, this.#commandCredentials(record), signal);
      identity.addWithoutCredential(record);
    } catch (error) {
      commandTokens.forget(record.id);
      throw error;
    }
    return record;
  }

  /** The token just won, and the editor's next one should a server refuse it: it may have been in the editor's store for hours. */
  #hostCredentials(record: AccountRecord, accessToken: string): CredentialSource {
    return async (how, signal) =>
      tokenOf(record, how === 'cached' ? accessToken : await this.#deps.hostTokens.token(record, 'fresh', signal));
  }

  /** Signing in shows that the program works now, so the first token is a new one. */
  #commandCredentials(record: AccountRecord): CredentialSource {
    let first = true;
    return async (how, signal) => {
      const token = await this.#deps.commandTokens.token(record.id, record.command, first ? 'fresh' : how, signal);
      first = false;
      return tokenOf(record, token);
    };
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
}

function userOf(record: AccountRecord): string {
  return record.servers.userName ?? record.email;
}

function tokenOf(record: AccountRecord, accessToken: string): Credential {
  return { kind: 'token', user: userOf(record), accessToken };
}
