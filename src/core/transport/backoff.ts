import { needsPerson, type ErrorCode } from '../base/errors.ts';

/** Bounds of a retry policy, in milliseconds. */
export interface BackoffPolicy {
  /** Upper bound of the first delay. */
  readonly baseMs: number;
  /** Upper bound of every delay. */
  readonly capMs: number;
}

/** Reconnecting a mail connection: quick after a hiccup, at most every five minutes against a server that stays away. */
export const RECONNECT: BackoffPolicy = { baseMs: 1000, capMs: 300_000 };

/** A connection that held this long was a good one: its loss starts from the shortest delay again. */
const HELD_MS = 10_000;
/** Failures that a refused log-in counts as at least: more than one attempt every few minutes would only lock the account. */
const REFUSED = 9;

/**
 * Full jitter: a delay drawn evenly from [0, min(cap, base * 2^attempt)), so that clients that lost the same server do not come
 * back in step. `attempt` counts from 0; `fraction` is a number in [0, 1).
 */
export function backoffDelay(attempt: number, fraction: number, policy: BackoffPolicy = RECONNECT): number {
  const ceiling = Math.min(policy.capMs, policy.baseMs * 2 ** Math.max(0, Math.min(attempt, 40)));
  return Math.floor(fraction * ceiling);
}

/** How an attempt to hold a connection, or a look for mail, came to an end. */
export interface Loss {
  readonly code: ErrorCode;
  /** Milliseconds from being ready for use to the end; undefined where it never got that far. */
  readonly heldMs?: number;
  /** What the server asked for: nothing before this many milliseconds have passed. */
  readonly retryAfterMs?: number;
}

/** When to try again, and how many failures in a row that makes. */
export interface Reconnect {
  readonly delayMs: number;
  readonly failures: number;
}

/**
 * Plans the next attempt after a loss, `failures` being those in a row before it. A token that ran out in a working session is not held
 * against the server: at once, the first time. A refused log-in waits minutes from the start. What the server asked for is waited in full.
 */
export function planReconnect(failures: number, loss: Loss, fraction: number): Reconnect {
  const before = loss.heldMs !== undefined && loss.heldMs >= HELD_MS ? 0 : failures;
  const next = before + 1;
  if (loss.code === 'auth.token-refused' && loss.heldMs !== undefined) {
    return { delayMs: before === 0 ? 0 : backoffDelay(before, fraction), failures: next };
  }
  if (needsPerson(loss.code)) {
    const attempt = Math.max(before, REFUSED);
    // Half of it is certain: full jitter may draw no delay at all.
    return { delayMs: Math.floor(RECONNECT.capMs / 2) + Math.floor(backoffDelay(attempt, fraction) / 2), failures: attempt };
  }
  const delay = backoffDelay(before, fraction);
  return { delayMs: loss.retryAfterMs === undefined ? delay : loss.retryAfterMs + delay, failures: next };
}
