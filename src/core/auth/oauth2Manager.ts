import { QuMailError } from '../base/errors.ts';
import { Emitter, type Disposable } from '../base/lifetime.ts';
import type { Failure } from '../base/model.ts';
import type { Log } from '../base/log.ts';
import type { Clock, CrossWindowLock, HttpFetch, OpenBrowser, Random, Secrets } from '../base/ports.ts';
import type { ProviderId } from '../base/types.ts';
import { AuthServers } from './authServer.ts';
import { Grant } from './grant.ts';
import { ONLY_WINDOW } from './grantLock.ts';
import { GrantVault, type AccountKey, type StoredGrant } from './grantVault.ts';
import type { Identity } from './identityClaims.ts';
import { openLoopback } from './loopbackServer.ts';
import { signInThroughBrowser } from './oauth2Flow.ts';
import { isOAuthProvider, OAUTH_PROVIDERS, type OAuthProvider, type OAuthProviderId, type ProviderTable } from './providers.ts';
import { UriRedirects, type RedirectReceiver } from './redirect.ts';
import type { TokenAnswer } from './tokenAnswer.ts';
import { asRefreshFailure, requestRefresh, requestRevocation } from './tokenEndpoint.ts';
import { mergeGrant, TokenKeeper } from './tokenKeeper.ts';
import type { TokenState } from './tokenPlan.ts';
import { unlessAborted } from './unlessAborted.ts';

export type { Grant } from './grant.ts';

/** The settings a sign-in looks at, read when it starts. */
export interface SignInSettings {
  readonly googleClientId: string;
  readonly yahooClientId: string;
  readonly signInRedirect: 'loopback' | 'uri';
  readonly uriRedirect: string;
}

export interface SignInRequest {
  readonly provider: OAuthProviderId;
  /** For `oidc`. */
  readonly issuer?: string;
  /** For `oidc`; the others have theirs in the settings. */
  readonly clientId?: string;
  /** An address to suggest on the provider's page. */
  readonly loginHint?: string;
}

export interface AccessToken {
  readonly accessToken: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  readonly scopes: readonly string[];
}

export interface OAuth2ManagerDeps {
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly random: Random;
  readonly fetch: HttpFetch;
  readonly openBrowser: OpenBrowser;
  readonly log: Log;
  readonly settings: () => SignInSettings;
  readonly providers?: ProviderTable;
  /** Keeps other windows over the same secrets from refreshing at the same time; absent = there are none. */
  readonly lock?: CrossWindowLock;
}

/** How an account's sign-in stands, for those who look after it. Nothing secret. */
export interface TokenHealth {
  readonly state: TokenState['kind'];
  /** Milliseconds since the epoch, all three. */
  readonly obtainedAt?: number;
  readonly expiresAt?: number;
  readonly nextTry?: number;
  readonly failure?: Failure;
}

/**
 * Signs in, keeps access tokens fresh, revokes. Tokens live in the secret store and nowhere else, and a refresh token never leaves
 * this room.
 */
export class OAuth2Manager implements Disposable {
  readonly #deps: OAuth2ManagerDeps;
  readonly #providers: ProviderTable;
  readonly #servers: AuthServers;
  readonly #keeper: TokenKeeper;
  readonly #redirects = new UriRedirects();
  readonly #stopped = new AbortController();
  readonly #needsSignIn = new Emitter<AccountKey>();

  /** An account whose grant is gone: only the person can help. */
  readonly needsSignIn = this.#needsSignIn.event;

  constructor(deps: OAuth2ManagerDeps) {
    this.#deps = deps;
    this.#providers = deps.providers ?? OAUTH_PROVIDERS;
    this.#servers = new AuthServers(deps);
    this.#keeper = new TokenKeeper({
      vault: new GrantVault(deps.secrets),
      clock: deps.clock,
      random: deps.random,
      lock: deps.lock ?? ONLY_WINDOW,
      signal: this.#stopped.signal,
      refresh: (key, grant, refreshToken) => this.#refresh(key, grant, refreshToken),
      onSignInAgain: (key) => this.#needsSignIn.fire(key),
    });
  }

  /**
   * Signs in through the browser; nothing is stored until `storeGrant`.
   * @throws `auth.client-missing` (details: provider, what), `account.bad-settings`, `auth.discovery-failed`, what `signInThroughBrowser` throws
   */
  async signIn(request: SignInRequest, signal?: AbortSignal): Promise<{ identity: Identity; grant: Grant }> {
    const { clock, log } = this.#deps;
    const provider = this.#providers[request.provider];
    const stop = AbortSignal.any([this.#stopped.signal, ...(signal ? [signal] : [])]);
    log.info('sign-in-started', { provider: provider.id });
    try {
      const clientId = request.clientId || this.#clientIdOf(provider.id);
      if (!clientId) throw new QuMailError('auth.client-missing', { provider: provider.id, what: 'id' });
      const server = await this.#servers.find(provider, request.issuer, stop);
      const clientSecret = await this.#clientSecretOf(provider, server.issuer);
      const ports = { ...this.#deps, openRedirect: (state: string) => this.#openRedirect(state) };
      const { identity, tokens } = await signInThroughBrowser(
        ports,
        { provider, server, clientId, clientSecret, loginHint: request.loginHint },
        stop,
      );
      log.info('signed-in', { provider: provider.id, renewable: tokens.refreshToken !== undefined });
      const client = { clientId, scopes: [], ...(provider.tokenEndpoint === undefined ? { issuer: server.issuer } : {}) };
      return { identity, grant: new Grant(mergeGrant(client, tokens, clock.now())) };
    } catch (error) {
      const failure = stop.aborted ? new QuMailError('auth.cancelled') : QuMailError.from(error);
      log.warn('sign-in-failed', { provider: provider.id, code: failure.code, reason: reasonOf(failure) });
      throw failure;
    }
  }

  /** Stores what `signIn` won as the account's grant, in place of an earlier one. @throws `store.locked` */
  storeGrant(key: AccountKey, grant: Grant): Promise<void> {
    return this.#keeper.replace(key, Grant.contentOf(grant));
  }

  /**
   * A token valid for at least five minutes (shorter only where the provider grants less). One request to the token endpoint serves all
   * who ask meanwhile, and a rotated refresh token is in the secret store before anybody gets the access token. Cancelling ends the
   * caller's wait, never the request.
   *
   * @param how `forced` refreshes a token that looks valid, because a server refused it
   * @throws `auth.sign-in-again` (details: reason), `auth.refresh-failed` (details: status, 0 where no answer came; reason),
   *   `auth.bad-answer`, `auth.client-missing`, `store.locked`, `engine.cancelled`
   */
  async refreshTokenIfNeeded(
    provider: ProviderId,
    email: string,
    how: 'if-needed' | 'forced' = 'if-needed',
    signal?: AbortSignal,
  ): Promise<AccessToken> {
    if (!isOAuthProvider(provider)) throw new QuMailError('engine.bad-request', { provider });
    const { accessToken, expiresAt, scopes } = await unlessAborted(this.#keeper.validGrant({ provider, email }, how), signal);
    return { accessToken, expiresAt, scopes };
  }

  /** Erases the account's tokens here, then revokes them at the provider where that can be done: being offline keeps nobody signed in. */
  async revoke(provider: ProviderId, email: string): Promise<void> {
    if (!isOAuthProvider(provider)) return;
    const grant = await this.#keeper.erase({ provider, email });
    if (!grant) return;
    const revoked = await this.#revokeAtProvider(this.#providers[provider], grant);
    this.#deps.log.info('signed-out', { provider, revoked });
  }

  /**
   * The machine woke up, or its network changed: tokens that have run out are refreshed before anybody asks, and what waits for its next
   * try is tried now. Resolves when that is done; failures show where the token is asked for. Never rejects.
   */
  async nudge(reason: 'wake' | 'network' | 'settings'): Promise<void> {
    this.#deps.log.debug('nudged', { reason });
    await this.#keeper.nudge();
  }

  /** Undefined for an account that has no grant of ours. @throws `store.locked` */
  async health(provider: ProviderId, email: string): Promise<TokenHealth | undefined> {
    if (!isOAuthProvider(provider)) return undefined;
    const { state, grant } = await this.#keeper.standing({ provider, email });
    return {
      state: state.kind,
      ...(grant?.obtainedAt === undefined ? {} : { obtainedAt: grant.obtainedAt }),
      ...(grant && { expiresAt: grant.expiresAt }),
      ...(state.kind === 'backing-off' && { nextTry: state.until, failure: state.failure }),
      ...(state.kind === 'needs-sign-in' && { failure: { code: 'auth.sign-in-again' as const, details: { reason: state.reason } } }),
    };
  }

  /** Hands over a URI that the editor's URI handler received. @throws `auth.state-mismatch` when no sign-in waits for it */
  deliverRedirect(uri: string): void {
    this.#redirects.deliver(uri);
  }

  /** Keeps the secret of an OAuth client in the secret store, under the provider or the issuer; an empty one erases it. */
  async setClientSecret(request: { provider: ProviderId; issuer?: string; secret: string }): Promise<void> {
    const name = clientSecretName(request.provider, request.issuer);
    if (request.secret === '') await this.#deps.secrets.delete(name);
    else await this.#deps.secrets.set(name, request.secret);
    // A client that was refused may be welcome now; nobody waits for it.
    void this.#keeper.nudge();
  }

  /** Resolves once no refresh is under way. Wait for it before `dispose` where there is time: an answer lost may be a rotated token lost. */
  drain(): Promise<void> {
    return this.#keeper.idle();
  }

  /** Ends waiting sign-ins with `auth.cancelled` and refreshes under way with `engine.cancelled`. */
  dispose(): void {
    this.#stopped.abort();
    this.#needsSignIn.dispose();
  }

  async #openRedirect(state: string): Promise<RedirectReceiver> {
    const { signInRedirect, uriRedirect } = this.#deps.settings();
    if (signInRedirect === 'loopback') return openLoopback();
    if (!URL.canParse(uriRedirect)) throw new QuMailError('account.bad-settings', { field: 'uriRedirect' });
    return this.#redirects.expect(uriRedirect, state);
  }

  async #refresh(key: AccountKey, grant: StoredGrant, refreshToken: string): Promise<TokenAnswer> {
    const { log } = this.#deps;
    const provider = this.#providers[key.provider];
    try {
      const server = await this.#servers.find(provider, grant.issuer, this.#stopped.signal).catch((error: unknown) => {
        throw asRefreshFailure(error);
      });
      const client = { id: grant.clientId, secret: await this.#clientSecretOf(provider, server.issuer) };
      const answer = await requestRefresh(this.#deps, server, client, refreshToken, this.#stopped.signal);
      log.info('refreshed', { provider: provider.id, expiresIn: answer.expiresIn, rotated: answer.refreshToken !== undefined });
      return answer;
    } catch (error) {
      const failure = QuMailError.from(error);
      log.warn('refresh-failed', {
        provider: provider.id,
        code: failure.code,
        status: Number(failure.details.status ?? 0),
        reason: reasonOf(failure),
      });
      throw failure;
    }
  }

  async #revokeAtProvider(provider: OAuthProvider, grant: StoredGrant): Promise<boolean> {
    try {
      const { signal } = this.#stopped;
      const server = await this.#servers.find(provider, grant.issuer, signal);
      const client = { id: grant.clientId, secret: await this.#clientSecretOf(provider, server.issuer) };
      // The refresh token takes the access tokens with it (RFC 7009 section 2.1).
      if (grant.refreshToken !== undefined)
        return await requestRevocation(this.#deps.fetch, server, client, grant.refreshToken, 'refresh_token', signal);
      return await requestRevocation(this.#deps.fetch, server, client, grant.accessToken, 'access_token', signal);
    } catch {
      return false;
    }
  }

  #clientIdOf(provider: OAuthProviderId): string {
    const { googleClientId, yahooClientId } = this.#deps.settings();
    return { google: googleClientId, yahoo: yahooClientId, oidc: '' }[provider];
  }

  async #clientSecretOf(provider: OAuthProvider, issuer: string): Promise<string | undefined> {
    if (provider.clientSecret === 'none') return undefined;
    const secret = await this.#deps.secrets.get(clientSecretName(provider.id, issuer));
    if (!secret && provider.clientSecret === 'required')
      throw new QuMailError('auth.client-missing', { provider: provider.id, what: 'secret' });
    return secret || undefined;
  }
}

/** Issuers are told apart by their address; a trailing slash makes no other issuer. */
function clientSecretName(provider: ProviderId, issuer: string | undefined): string {
  return `oauth.clientSecret.${provider === 'oidc' && issuer !== undefined ? issuer.replace(/\/$/, '') : provider}`;
}

function reasonOf(failure: QuMailError): string | undefined {
  const { reason } = failure.details;
  return typeof reason === 'string' ? reason : undefined;
}
