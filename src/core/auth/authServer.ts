import * as oauth from 'oauth4webapi';
import * as v from 'valibot';
import { asFetch } from '../base/asFetch.ts';
import { QuMailError } from '../base/errors.ts';
import type { Clock, HttpFetch } from '../base/ports.ts';
import type { OAuthProvider } from './providers.ts';

/** Limits of one request to an authorization server: milliseconds in all, bytes of answer. */
export const AUTH_LIMITS = { timeoutMs: 20_000, maxBytes: 256 * 1024 } as const;
/** A discovery document is asked for again after a day. */
const DISCOVERY_LIFE_MS = 86_400_000;
const MAX_KNOWN = 32;

const HttpsUrl = v.pipe(v.string(), v.maxLength(2048), v.url(), v.startsWith('https://'));
const ShortList = v.pipe(v.array(v.pipe(v.string(), v.maxLength(256))), v.maxLength(500));

/** OpenID Connect Discovery 1.0 section 3, the members we use. Every endpoint must be https: a code or a token goes there. */
const MetadataSchema = v.object({
  issuer: HttpsUrl,
  authorization_endpoint: HttpsUrl,
  token_endpoint: HttpsUrl,
  revocation_endpoint: v.exactOptional(HttpsUrl),
  userinfo_endpoint: v.exactOptional(HttpsUrl),
  scopes_supported: v.exactOptional(ShortList),
  token_endpoint_auth_methods_supported: v.exactOptional(ShortList),
  id_token_signing_alg_values_supported: v.exactOptional(ShortList),
  authorization_response_iss_parameter_supported: v.exactOptional(v.boolean()),
});

/** Where a provider's endpoints are: `oauth.AuthorizationServer` with the endpoints a sign-in needs known to be there. */
export type AuthServer = v.InferOutput<typeof MetadataSchema>;

/** Finds authorization servers, from the table or by discovery, and remembers what it discovered. */
export class AuthServers {
  readonly #deps: { readonly fetch: HttpFetch; readonly clock: Clock };
  readonly #known = new Map<string, { readonly server: AuthServer; readonly until: number }>();

  constructor(deps: { fetch: HttpFetch; clock: Clock }) {
    this.#deps = deps;
  }

  /**
   * The server of `provider`, or of `issuer` where the provider has none of its own.
   * @throws `account.bad-settings` (no https issuer), `auth.discovery-failed` (details: host, reason), `auth.issuer-mismatch`, `net.*`
   */
  async find(provider: OAuthProvider, issuer: string | undefined, signal?: AbortSignal): Promise<AuthServer> {
    const fixed = fixedServer(provider);
    if (fixed && provider.endpoints === 'fixed') return fixed;
    const wanted = provider.issuer ?? issuer;
    if (wanted === undefined || !v.is(HttpsUrl, wanted)) throw new QuMailError('account.bad-settings', { field: 'issuer' });
    const known = this.#known.get(wanted);
    if (known && known.until > this.#deps.clock.now()) return known.server;
    try {
      const server = await this.#discover(new URL(wanted), signal);
      if (this.#known.size >= MAX_KNOWN) this.#known.clear();
      this.#known.set(wanted, { server, until: this.#deps.clock.now() + DISCOVERY_LIFE_MS });
      return server;
    } catch (error) {
      // A document that cannot be had ends no sign-in whose endpoints are known; one that names another issuer does.
      const missing = QuMailError.is(error) && (error.code === 'auth.discovery-failed' || error.code.startsWith('net.'));
      if (fixed && missing) return fixed;
      throw error;
    }
  }

  async #discover(issuer: URL, signal: AbortSignal | undefined): Promise<AuthServer> {
    const host = issuer.host;
    try {
      const response = await oauth.discoveryRequest(issuer, {
        [oauth.customFetch]: asFetch(this.#deps.fetch, AUTH_LIMITS),
        ...(signal ? { signal } : {}),
      });
      const document = await oauth.processDiscoveryResponse(issuer, response);
      const parsed = v.safeParse(MetadataSchema, document);
      if (!parsed.success) throw new QuMailError('auth.discovery-failed', { host, reason: v.getDotPath(parsed.issues[0]) ?? 'shape' });
      return parsed.output;
    } catch (error) {
      if (QuMailError.is(error, 'net.too-large')) throw new QuMailError('auth.discovery-failed', { host, reason: error.code });
      if (error instanceof QuMailError) throw error;
      const code = error instanceof oauth.OperationProcessingError ? error.code : 'unknown';
      if (code === oauth.JSON_ATTRIBUTE_COMPARISON) throw new QuMailError('auth.issuer-mismatch', { host });
      // The library's error carries the document it did not like; it stops here.
      throw new QuMailError('auth.discovery-failed', { host, reason: code ?? 'unknown' });
    }
  }
}

function fixedServer(provider: OAuthProvider): AuthServer | undefined {
  const { issuer, authorizationEndpoint, tokenEndpoint, revocationEndpoint, userinfoEndpoint } = provider;
  if (issuer === undefined || authorizationEndpoint === undefined || tokenEndpoint === undefined) return undefined;
  return {
    issuer,
    authorization_endpoint: authorizationEndpoint,
    token_endpoint: tokenEndpoint,
    // What the table's providers sign with. QuMail takes ID tokens straight from the token endpoint, over TLS (Core section 3.1.3.7, 6).
    id_token_signing_alg_values_supported: ['RS256', 'ES256'],
    ...(revocationEndpoint === undefined ? {} : { revocation_endpoint: revocationEndpoint }),
    ...(userinfoEndpoint === undefined ? {} : { userinfo_endpoint: userinfoEndpoint }),
  };
}

/** The scopes to ask this server for. */
export function scopesFor(provider: OAuthProvider, server: AuthServer): string[] {
  return [...provider.scopes, ...provider.scopesWhereOffered.filter((scope) => server.scopes_supported?.includes(scope))];
}

/** How the client shows its secret (RFC 6749 section 2.3.1): in the body where the server says it takes that, else as HTTP Basic. */
export function clientAuthentication(server: AuthServer, clientSecret: string | undefined): oauth.ClientAuth {
  if (clientSecret === undefined) return oauth.None();
  const methods = server.token_endpoint_auth_methods_supported ?? ['client_secret_post'];
  return methods.includes('client_secret_post') ? oauth.ClientSecretPost(clientSecret) : oauth.ClientSecretBasic(clientSecret);
}
