import { needsPerson, type QuMailError } from '../../base/errors.ts';
import { planReconnect } from '../../transport/backoff.ts';
import { retryAfterOf } from '../../transport/serverPause.ts';

/** When to look again after a failure: sooner than usual, unless the server or the person wants it later. All times in milliseconds. */
export function nextLookAfter(
  failure: QuMailError,
  before: { readonly failures: number; readonly fraction: number; readonly interval: number },
): { readonly failures: number; readonly delayMs: number } {
  const retryAfterMs = retryAfterOf(failure);
  const loss = { code: failure.code, ...(retryAfterMs !== undefined && { retryAfterMs }) };
  const plan = planReconnect(before.failures, loss, before.fraction);
  const patient = retryAfterMs !== undefined || needsPerson(failure.code);
  return { failures: plan.failures, delayMs: patient ? plan.delayMs : Math.min(plan.delayMs, before.interval) };
}
