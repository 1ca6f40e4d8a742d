import * as oauth from 'oauth4webapi';
import { asFetch } from '../base/asFetch.ts';
import { QuMailError } from '../base/errors.ts';
import type { Clock, HttpFetch } from '../base/ports.ts';
import { AUTH_LIMITS, clientAuthentication, type AuthServer } from './authServer.ts';
import { readRefreshAnswer, type TokenAnswer } from './tokenAnswer.ts';

/** Milliseconds that a sign-out waits for the provider; the tokens are gone here already. */
const REVOKE_TIMEOUT_MS = 10_000;

export interface OAuthClient {
  readonly id: string;
  readonly secret: string | undefined;
}

/**
 * Refreshes (RFC 6749 section 6).
 * @throws `auth.sign-in-again`, `auth.bad-answer`, `auth.refresh-failed` (details: status, 0 where no answer came; reason), `engine.cancelled`
 */
export async function requestRefresh(
  { fetch, clock }: { readonly fetch: HttpFetch; readonly clock: Clock },
  server: AuthServer,
  client: OAuthClient,
  refreshToken: string,
  signal: AbortSignal,
): Promise<TokenAnswer> {
  const response = await oauth
    .refreshTokenGrantRequest(server, { client_id: client.id }, clientAuthentication(server, client.secret), refreshToken, {
      [oauth.customFetch]: asFetch(fetch, AUTH_LIMITS),
      signal,
    })
    .catch((error: unknown) => {
      throw asRefreshFailure(error);
    });
  return readRefreshAnswer(response, clock.now());
}

/** No answer, or none that could be used: `auth.refresh-failed` with the reason's code; cancelling stays what it is. */
export function asRefreshFailure(error: unknown): QuMailError {
  const failure = QuMailError.from(error);
  if (failure.code === 'engine.cancelled' || failure.code === 'auth.client-missing') return failure;
  return new QuMailError('auth.refresh-failed', { status: 0, reason: failure.code });
}

/** Revokes a token (RFC 7009). Resolves to whether the provider said so; never rejects. */
export async function requestRevocation(
  fetch: HttpFetch,
  server: AuthServer,
  client: OAuthClient,
  token: string,
  hint: 'refresh_token' | 'access_token',
  signal: AbortSignal,
): Promise<boolean> {
  if (server.revocation_endpoint === undefined) return false;
  try {
    const response = await oauth.revocationRequest(server, { client_id: client.id }, clientAuthentication(server, client.secret), token, {
      [oauth.customFetch]: asFetch(fetch, { ...AUTH_LIMITS, timeoutMs: REVOKE_TIMEOUT_MS }),
      additionalParameters: { token_type_hint: hint },
      signal,
    });
    return response.status === 200;
  } catch {
    return false;
  }
}
