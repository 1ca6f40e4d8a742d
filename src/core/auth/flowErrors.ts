import * as oauth from 'oauth4webapi';
import { QuMailError } from '../base/errors.ts';
import { errorReason } from './tokenAnswer.ts';

/**
 * What went wrong in a sign-in, by code. The library's errors carry whole answers, tokens and all, as their cause: they are never
 * passed on, only what they are called.
 */
export function signInError(error: unknown, signal: AbortSignal | undefined): QuMailError {
  if (signal?.aborted || QuMailError.is(error, 'engine.cancelled')) return new QuMailError('auth.cancelled');
  if (error instanceof QuMailError) return error;
  // The provider said no: on the consent page, or to the code (used twice, expired, for another client).
  if (error instanceof oauth.AuthorizationResponseError || error instanceof oauth.ResponseBodyError) {
    return new QuMailError('auth.denied', { reason: errorReason({ error: error.error }) ?? 'unknown' });
  }
  if (error instanceof oauth.WWWAuthenticateChallengeError) return new QuMailError('auth.denied', { reason: `status-${error.status}` });
  if (error instanceof oauth.OperationProcessingError) return processingError(error);
  return new QuMailError('auth.bad-answer', { reason: 'unsupported' });
}

function processingError(error: oauth.OperationProcessingError): QuMailError {
  const { code, cause } = error;
  if (code === oauth.RESPONSE_IS_NOT_CONFORM && cause instanceof Response && cause.status !== 200) {
    return new QuMailError('auth.refresh-failed', { status: cause.status, reason: 'http' });
  }
  const claim = typeof cause === 'object' && cause !== null && 'claim' in cause ? cause.claim : undefined;
  if (code === oauth.JWT_CLAIM_COMPARISON && claim === 'iss') return new QuMailError('auth.issuer-mismatch');
  return new QuMailError('auth.bad-answer', { reason: code ?? 'unknown' });
}
