import * as oauth from 'oauth4webapi';
import { asFetch } from '../base/asFetch.ts';
import { toBase64url } from '../base/bytes.ts';
import { QuMailError } from '../base/errors.ts';
import { DisposableStore } from '../base/lifetime.ts';
import type { Clock, HttpFetch, OpenBrowser, Random } from '../base/ports.ts';
import { AUTH_LIMITS, clientAuthentication, scopesFor, type AuthServer } from './authServer.ts';
import { signInError } from './flowErrors.ts';
import { readIdentity, type Identity } from './identityClaims.ts';
import type { OAuthProvider } from './providers.ts';
import type { LandingOutcome, RedirectReceiver } from './redirect.ts';
import { measureSkew } from './serverTime.ts';
import { parseTokenAnswer, withSkew, type TokenAnswer } from './tokenAnswer.ts';

/** How long the person has to come back from the browser. */
const SIGN_IN_TIMEOUT_MS = 5 * 60_000;
/** Seconds that this machine's clock may differ from the provider's. */
const CLOCK_TOLERANCE_S = 300;
/** Octets of `state`, `nonce` and `code_verifier` before base64url; RFC 7636 section 4.1 recommends 32 for the last. */
const RANDOM_OCTETS = 32;

export interface FlowPorts {
  readonly fetch: HttpFetch;
  readonly clock: Clock;
  readonly random: Random;
  readonly openBrowser: OpenBrowser;
  /** Opens the way back for this `state`. */
  readonly openRedirect: (state: string) => Promise<RedirectReceiver>;
}

export interface FlowRequest {
  readonly provider: OAuthProvider;
  readonly server: AuthServer;
  readonly clientId: string;
  readonly clientSecret: string | undefined;
  /** The address to suggest on the provider's page. */
  readonly loginHint: string | undefined;
}

interface Attempt extends FlowRequest {
  readonly redirectUri: string;
  readonly state: string;
  readonly nonce: string;
  readonly codeVerifier: string;
}

/**
 * One sign-in: authorization code grant (RFC 6749 section 4.1) with PKCE S256 (RFC 7636), `state`, `nonce` (OpenID Connect Core) and the
 * `iss` check of RFC 9207. Nothing is stored.
 * @throws `auth.cancelled`, `auth.timeout`, `auth.denied` (details: reason), `auth.state-mismatch`, `auth.issuer-mismatch`,
 *   `auth.bad-answer` (details: reason), `auth.refresh-failed` (details: status, reason), `auth.identity-missing`, `net.*`
 */
export async function signInThroughBrowser(
  ports: FlowPorts,
  request: FlowRequest,
  signal?: AbortSignal,
): Promise<{ identity: Identity; tokens: TokenAnswer }> {
  if (signal?.aborted) throw new QuMailError('auth.cancelled');
  const secretText = (): string => toBase64url(ports.random.bytes(RANDOM_OCTETS));
  const state = secretText();
  const receiver = await ports.openRedirect(state);
  try {
    const attempt: Attempt = { ...request, redirectUri: receiver.redirectUri, state, nonce: secretText(), codeVerifier: secretText() };
    const url = await authorizationUrl(attempt);
    const query = await comeBack(ports, receiver, url, signal);
    const result = await redeem(ports, attempt, query, signal);
    receiver.finish('signed-in');
    return result;
  } catch (error) {
    const failure = signInError(error, signal);
    receiver.finish(outcomeOf(failure));
    throw failure;
  } finally {
    receiver.dispose();
  }
}

function outcomeOf(failure: QuMailError): LandingOutcome {
  return failure.details.reason === 'access_denied' ? 'denied' : 'failed';
}

async function authorizationUrl(attempt: Attempt): Promise<string> {
  const { provider, server } = attempt;
  const url = new URL(server.authorization_endpoint);
  const parameters = {
    ...provider.authorizationParameters,
    ...(attempt.loginHint === undefined ? {} : { login_hint: attempt.loginHint }),
    client_id: attempt.clientId,
    redirect_uri: attempt.redirectUri,
    response_type: 'code',
    scope: scopesFor(provider, server).join(' '),
    state: attempt.state,
    nonce: attempt.nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(attempt.codeVerifier),
    code_challenge_method: 'S256',
  };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return url.href;
}

/** Opens the browser and waits for it to come back, for the person to give up, or for the time to run out. */
async function comeBack(
  ports: FlowPorts,
  receiver: RedirectReceiver,
  url: string,
  signal: AbortSignal | undefined,
): Promise<URLSearchParams> {
  const owned = new DisposableStore();
  try {
    const { promise, reject } = Promise.withResolvers<never>();
    const cancel = (): void => reject(new QuMailError('auth.cancelled'));
    signal?.addEventListener('abort', cancel, { once: true });
    owned.add({ dispose: () => signal?.removeEventListener('abort', cancel) });
    owned.add(ports.clock.after(SIGN_IN_TIMEOUT_MS, () => reject(new QuMailError('auth.timeout'))));
    // Not awaited: some browsers come back before the port has told that it opened one.
    ports.openBrowser(url).then((opened) => opened || cancel(), reject);
    return await Promise.race([receiver.received, promise]);
  } finally {
    owned.dispose();
  }
}

/** Checks the authorization response and exchanges its code for tokens and an identity. */
async function redeem(
  ports: FlowPorts,
  attempt: Attempt,
  query: URLSearchParams,
  signal: AbortSignal | undefined,
): Promise<{ identity: Identity; tokens: TokenAnswer }> {
  const { server, clientId } = attempt;
  const client: oauth.Client = {
    client_id: clientId,
    // oauth4webapi reads the wall clock; this moves it onto ours.
    [oauth.clockSkew]: Math.round((ports.clock.now() - Date.now()) / 1000),
    [oauth.clockTolerance]: CLOCK_TOLERANCE_S,
  };
  const options = { [oauth.customFetch]: asFetch(ports.fetch, AUTH_LIMITS), ...(signal ? { signal } : {}) };
  // The two checks whose failure has a code of its own; the library repeats them and does the rest.
  if (query.get('state') !== attempt.state) throw new QuMailError('auth.state-mismatch');
  const issuer = query.get('iss');
  if (issuer !== null && issuer !== server.issuer) throw new QuMailError('auth.issuer-mismatch');
  const response = await oauth.authorizationCodeGrantRequest(
    server,
    client,
    clientAuthentication(server, attempt.clientSecret),
    oauth.validateAuthResponse(server, client, query, attempt.state),
    attempt.redirectUri,
    attempt.codeVerifier,
    options,
  );
  const receivedAt = ports.clock.now();
  const answer = await oauth.processAuthorizationCodeResponse(server, client, response, {
    expectedNonce: attempt.nonce,
    requireIdToken: true,
  });
  const claims = oauth.getValidatedIdTokenClaims(answer);
  const tokens = withSkew(parseTokenAnswer(answer), measureSkew(response.headers.get('date'), receivedAt));
  const identity = await readIdentity(claims, async (subject) => {
    if (server.userinfo_endpoint === undefined) return undefined;
    return oauth.processUserInfoResponse(server, client, subject, await oauth.userInfoRequest(server, client, tokens.accessToken, options));
  });
  return { identity, tokens };
}
