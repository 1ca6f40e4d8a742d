import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import * as http from 'node:http';
import * as https from 'node:https';
import type { AddressInfo } from 'node:net';
import Provider, { type Context } from 'oidc-provider';
import type { Disposable } from '../../src/core/base/lifetime.ts';
import { OidcBrowser } from './oidcBrowser.ts';
import { issueServer, testCaPem } from './pki.ts';

/** The name the browser knows the authorization page by; only a browser told so can resolve it (`--host-resolver-rules`). */
export const AUTHORIZATION_HOST = 'auth.qumail.test';
/** A public native client: PKCE, any loopback port, path /callback; the second is one with a secret, as Google hands them out. */
export const CLIENT_ID = 'qumail-test';
export const CONFIDENTIAL_CLIENT_ID = 'qumail-test-confidential';
export const URI_REDIRECT = 'org.qumail.test:/signed-in';

/** What the token endpoint does instead of its work. `lose-answer` does the work, rotates, and cuts the connection before the answer. */
export type TokenFault =
  | 'none'
  | 'status-500'
  | 'status-429'
  | 'silent'
  | 'slow'
  | 'garbage'
  | 'html'
  | 'huge'
  | 'invalid-grant'
  | 'invalid-client'
  | 'unauthorized-client'
  | 'access-denied'
  | 'consent-required'
  | 'lose-answer'
  | 'no-expires-in'
  | 'no-refresh-token'
  | 'no-access-token'
  | 'mac-token';
/** How long a `slow` answer takes. */
const SLOW_MS = 1500;
export type DiscoveryFault = 'none' | 'status-500' | 'garbage' | 'huge' | 'plain-http-endpoint' | 'no-revocation';

export interface OidcWorldOptions {
  /** Life of access tokens in seconds; can be changed while running. Default 3600. */
  readonly accessTokenSeconds?: number;
  readonly users?: readonly { readonly email: string; readonly displayName: string }[];
  /** `browser-only`: the discovery document announces the authorization endpoint under AUTHORIZATION_HOST, all else under the issuer. */
  readonly authorizationHost?: 'issuer' | 'browser-only';
}

/** Starts a real OpenID provider over TLS on a loopback port, and an RFC 7662 introspection server (plain HTTP, another port) for Dovecot. */
export async function startOidcWorld(options: OidcWorldOptions = {}): Promise<OidcWorld> {
  const { certPem, keyPem } = await issueServer(['127.0.0.1', 'localhost', AUTHORIZATION_HOST]);
  const server = https.createServer({ cert: certPem, key: keyPem });
  const introspection = http.createServer();
  for (const each of [server, introspection]) {
    each.listen(0, '127.0.0.1');
    await once(each, 'listening');
  }
  return new OidcWorld(server, introspection, await testCaPem(), options);
}

export class OidcWorld implements Disposable {
  readonly issuer: string;
  readonly introspectionUrl: string;
  readonly caPem: string;
  /** Drives the sign-in pages as a person's browser would. */
  readonly browser: OidcBrowser;
  /** Requests that reached the token endpoint, whatever became of them; and refreshes that it granted. */
  readonly counters = { tokenRequests: 0, refreshes: 0, revocations: 0, introspections: 0, discoveries: 0 };
  accessTokenSeconds: number;
  discoveryFault: DiscoveryFault = 'none';
  /** Claims that the next ID tokens leave out. */
  readonly hiddenClaims = new Set<'email' | 'name'>();
  /** The Retry-After header of faults, '' for none. */
  retryAfter = '';
  /** How far this server's clock is ahead, in milliseconds, as its Date headers tell it. */
  clockSkewMs = 0;
  /** `allowed`: a refresh token that was replaced still works, as some providers grant for a lost answer; else its use ends the grant. */
  refreshTokenReuse: 'refused' | 'allowed' = 'refused';

  #tokenFault: { kind: TokenFault; times: number } = { kind: 'none', times: 0 };
  readonly #provider: Provider;
  readonly #server: https.Server;
  readonly #introspection: http.Server;
  readonly #names: ReadonlyMap<string, string>;
  readonly #grants = new Map<string, Set<string>>();

  constructor(server: https.Server, introspection: http.Server, caPem: string, options: OidcWorldOptions) {
    const { port } = server.address() as AddressInfo;
    this.#server = server;
    this.#introspection = introspection;
    this.caPem = caPem;
    this.issuer = `https://127.0.0.1:${port}`;
    this.introspectionUrl = `http://127.0.0.1:${(introspection.address() as AddressInfo).port}/introspect`;
    this.browser = new OidcBrowser(caPem, [this.issuer, `https://localhost:${port}`, `https://${AUTHORIZATION_HOST}:${port}`]);
    this.accessTokenSeconds = options.accessTokenSeconds ?? 3600;
    this.#names = new Map(options.users?.map((user) => [user.email, user.displayName]));
    const authorizationOrigin = options.authorizationHost === 'browser-only' ? `https://${AUTHORIZATION_HOST}:${port}` : this.issuer;

    this.#provider = quietly(() => new Provider(this.issuer, this.#configuration()));
    this.#provider.on('grant.saved', (grant) => {
      const ids = this.#grants.get(grant.accountId) ?? new Set();
      this.#grants.set(grant.accountId, ids.add(grant.jti));
    });
    // Koa prints what it cannot send; that a client went away in the middle is what some tests are about.
    this.#provider.on('error', (error) => {
      if (!('code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE'))) console.error(error);
    });
    this.#provider.on('grant.success', (ctx) => {
      if (ctx.oidc.params?.grant_type === 'refresh_token') this.counters.refreshes++;
    });
    const { RefreshToken } = this.#provider;
    const { consume } = RefreshToken.prototype;
    const isReusable = (): boolean => this.refreshTokenReuse === 'allowed';
    RefreshToken.prototype.consume = async function (this: object) {
      if (!isReusable()) await consume.call(this);
    };
    this.#provider.use(async (ctx, next) => {
      if (this.clockSkewMs !== 0) ctx.set('date', new Date(Date.now() + this.clockSkewMs).toUTCString());
      if (ctx.path === '/token' && ctx.method === 'POST') return this.#token(ctx, next);
      if (ctx.path === '/token/revocation') this.counters.revocations++;
      await next();
      if (ctx.path === '/.well-known/openid-configuration') this.#discovery(ctx, authorizationOrigin);
      // The development pages import a web font; no test of ours talks to the outside.
      if (ctx.path.startsWith('/interaction/')) ctx.set('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'");
    });
    server.on('request', this.#provider.callback());
    introspection.on('request', (request: http.IncomingMessage, response: http.ServerResponse) => void this.#introspect(request, response));
  }

  /** The next `times` requests to the token endpoint (all of them unless said) meet this fault. */
  setTokenFault(kind: TokenFault, times = Number.POSITIVE_INFINITY): void {
    this.#tokenFault = { kind, times };
  }

  /** Ends every grant of this person: refresh tokens answer invalid_grant, access tokens are inactive. */
  async revokeAll(email: string): Promise<void> {
    const { AccessToken, RefreshToken, AuthorizationCode, Grant } = this.#provider;
    for (const id of this.#grants.get(email) ?? []) {
      for (const model of [AccessToken, RefreshToken, AuthorizationCode]) await model.revokeByGrantId(id);
      await (await Grant.find(id))?.destroy();
    }
    this.#grants.delete(email);
  }

  /** Whether a mail server would let this access token in. */
  async isActive(accessToken: string): Promise<boolean> {
    return (await this.#lookUp(accessToken)).active;
  }

  dispose(): void {
    for (const server of [this.#server, this.#introspection]) {
      server.closeAllConnections();
      server.close();
    }
  }

  async #token(ctx: Context, next: () => Promise<void>): Promise<void> {
    this.counters.tokenRequests++;
    const fault = this.#tokenFault.times > 0 ? this.#tokenFault.kind : 'none';
    this.#tokenFault.times--;
    if (fault !== 'none' && this.retryAfter !== '') ctx.set('retry-after', this.retryAfter);
    const answer = (status: number, body: unknown, type = 'application/json'): void =>
      Object.assign(ctx, { status, body, type }) && undefined;
    switch (fault) {
      case 'status-500':
        return answer(500, { error: 'server_error' });
      case 'status-429':
        return answer(429, 'slow down', 'text/plain');
      case 'garbage':
        return answer(200, '{"access_token": "cut', 'application/json');
      case 'html':
        return answer(200, '<!doctype html><title>Welcome to the hotel network</title>', 'text/html');
      case 'huge':
        return answer(200, { access_token: 'a'.repeat(2_000_000) });
      case 'invalid-grant':
        return answer(400, { error: 'invalid_grant', error_description: 'Token has been expired or revoked.' });
      case 'invalid-client':
        return answer(401, { error: 'invalid_client' });
      case 'unauthorized-client':
        return answer(400, { error: 'unauthorized_client' });
      case 'access-denied':
        return answer(400, { error: 'access_denied', error_description: 'The user has withdrawn consent.' });
      case 'consent-required':
        return answer(400, { error: 'consent_required' });
      case 'mac-token':
        return answer(200, { access_token: 'abc', token_type: 'mac', expires_in: 60 });
      case 'silent':
        ctx.respond = false;
        return;
      case 'slow':
        await new Promise((resolve) => setTimeout(resolve, SLOW_MS));
        await next();
        break;
      default:
        await next();
    }
    if (fault === 'lose-answer') {
      ctx.respond = false;
      ctx.req.socket.destroy();
    }
    const leftOut = { 'no-expires-in': 'expires_in', 'no-refresh-token': 'refresh_token', 'no-access-token': 'access_token' }[
      fault as string
    ];
    if (leftOut !== undefined && ctx.status === 200) delete (ctx.body as Record<string, unknown>)[leftOut];
  }

  #discovery(ctx: Context, authorizationOrigin: string): void {
    this.counters.discoveries++;
    const document = ctx.body as Record<string, unknown>;
    document.authorization_endpoint = `${authorizationOrigin}/auth`;
    if (this.discoveryFault === 'status-500') ctx.status = 500;
    if (this.discoveryFault === 'garbage') ctx.body = '{"issuer": ';
    if (this.discoveryFault === 'huge') document.padding = 'a'.repeat(10_000_000);
    if (this.discoveryFault === 'plain-http-endpoint') document.token_endpoint = String(document.token_endpoint).replace('https:', 'http:');
    if (this.discoveryFault === 'no-revocation') delete document.revocation_endpoint;
  }

  /** RFC 7662 section 2, as Dovecot asks with `introspection_mode = post`. */
  async #introspect(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    this.counters.introspections++;
    let form = '';
    for await (const chunk of request) form += String(chunk);
    const answer = await this.#lookUp(new URLSearchParams(form).get('token') ?? '');
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  }

  async #lookUp(
    accessToken: string,
  ): Promise<{ active: boolean; sub?: string; username?: string; client_id?: string; scope?: string; exp?: number }> {
    const token = await this.#provider.AccessToken.find(accessToken);
    if (!token || token.exp * 1000 <= Date.now() || !token.scope?.split(' ').includes('mail')) return { active: false };
    return { active: true, sub: token.accountId, username: token.accountId, client_id: token.clientId, scope: token.scope, exp: token.exp };
  }

  #configuration(): object {
    const native = {
      application_type: 'native',
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      id_token_signed_response_alg: 'ES256',
    };
    const redirect_uris = ['http://127.0.0.1/callback', URI_REDIRECT];
    const DAY = 86_400;
    return {
      clients: [
        { ...native, client_id: CLIENT_ID, redirect_uris, token_endpoint_auth_method: 'none' },
        {
          ...native,
          client_id: CONFIDENTIAL_CLIENT_ID,
          client_secret: 'the client secret',
          redirect_uris,
          token_endpoint_auth_method: 'client_secret_post',
        },
      ],
      findAccount: (_ctx: unknown, accountId: string) => ({ accountId, claims: () => this.#claims(accountId) }),
      scopes: ['openid', 'offline_access', 'mail'],
      claims: { openid: ['sub'], email: ['email', 'email_verified', 'name'], profile: ['name'] },
      conformIdTokenClaims: false,
      pkce: { required: () => true },
      rotateRefreshToken: true,
      features: {
        devInteractions: { enabled: true },
        revocation: { enabled: true, allowedPolicy: () => true },
      },
      ttl: {
        AccessToken: () => this.accessTokenSeconds,
        AuthorizationCode: 60,
        IdToken: 30 * DAY,
        RefreshToken: 30 * DAY,
        Interaction: 3600,
        Session: DAY,
        Grant: 30 * DAY,
      },
      cookies: { keys: [randomBytes(16).toString('hex')] },
      jwks: {
        keys: [{ ...generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'ES256' }],
      },
      clientBasedCORS: () => false,
      renderError: (ctx: Context, out: object) => Object.assign(ctx, { type: 'application/json', body: out }),
    };
  }

  #claims(email: string): Record<string, unknown> {
    const claims: Record<string, unknown> = {
      sub: email,
      email,
      email_verified: true,
      name: this.#names.get(email) ?? email.split('@')[0],
    };
    for (const hidden of this.hiddenClaims) delete claims[hidden];
    return claims;
  }
}

/** oidc-provider prints that its development pages are for development; they are. */
function quietly<T>(run: () => T): T {
  const { warn, info } = console;
  console.warn = console.info = () => {};
  try {
    return run();
  } finally {
    Object.assign(console, { warn, info });
  }
}
