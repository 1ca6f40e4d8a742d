/** Bounds of a retry policy, in milliseconds. */
export interface BackoffPolicy {
  /** Upper bound of the first delay. */
  readonly baseMs: number;
  /** Upper bound of every delay. */
  readonly capMs: number;
}

/** Reconnecting a mail connection: quick after a hiccup, at most every five minutes against a server that stays away. */
export const RECONNECT: BackoffPolicy = { baseMs: 1000, capMs: 300_000 };

/**
 * Full jitter: a delay drawn evenly from [0, min(cap, base * 2^attempt)), so that clients that lost the same server do not come
 * back in step. `attempt` counts from 0; `fraction` is a number in [0, 1).
 */
export function backoffDelay(attempt: number, fraction: number, policy: BackoffPolicy = RECONNECT): number {
  const ceiling = Math.min(policy.capMs, policy.baseMs * 2 ** Math.max(0, Math.min(attempt, 40)));
  return Math.floor(fraction * ceiling);
}
