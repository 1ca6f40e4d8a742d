import { QuMailError } from '../base/errors.ts';
import type { Etsi014Method } from './etsi014.ts';

/** What one attempt came to, as far as repeating it goes. */
export type Attempt =
  | { readonly kind: 'answer'; readonly status: number; readonly retryAfterMs: number }
  | { readonly kind: 'not-sent' | 'lost'; readonly error: QuMailError };

export const MAX_ATTEMPTS = 4;
const BASE_MS = 250;
const CAP_MS = 8_000;

/**
 * Milliseconds to wait before the same request is sent again, or undefined when it must not be (KEY-MANAGER, rule 1): what was not sent
 * may be repeated, unless the peer is the wrong one; 503, 504 and 429 may, but after a 504 an upstream may have committed, so not for
 * enc_keys; a lost answer only where asking again cannot take other keys, i.e. not for enc_keys.
 * Full jitter: uniform in [0, min(cap, base * 2^attempt)), never less than the Retry-After asked for, which counts up to the cap.
 */
export function delayBeforeRetry(method: Etsi014Method, attempt: Attempt, made: number, fraction: number): number | undefined {
  if (made >= MAX_ATTEMPTS || !mayRepeat(method, attempt)) return undefined;
  const jittered = Math.floor(fraction * Math.min(CAP_MS, BASE_MS * 2 ** made));
  return attempt.kind === 'answer' ? Math.max(jittered, Math.min(attempt.retryAfterMs, CAP_MS)) : jittered;
}

function mayRepeat(method: Etsi014Method, attempt: Attempt): boolean {
  if (attempt.kind === 'answer')
    return attempt.status === 503 || attempt.status === 429 || (attempt.status === 504 && method !== 'enc_keys');
  if (!QuMailError.is(attempt.error, 'kme.unreachable') && !QuMailError.is(attempt.error, 'kme.timeout')) return false;
  return attempt.kind === 'not-sent' || method !== 'enc_keys';
}
