/** A clock further off than this is not measured but mistaken: a day. */
const MAX_SKEW_MS = 24 * 60 * 60_000;
/** An HTTP date counts whole seconds, and the answer was under way: what is below this is noise. */
const NOISE_MS = 5_000;
/** RFC 9110 section 10.2.3, delay-seconds; more digits than a century has seconds are no delay. */
const DELAY_SECONDS = /^\d{1,10}$/;

/** Milliseconds since the epoch of an HTTP date (RFC 9110 section 5.6.7); undefined for anything else. */
export function parseHttpDate(text: string | null | undefined): number | undefined {
  // Date.parse alone takes nearly everything; an HTTP date begins with the name of a day and ends with GMT or, in asctime form, a year.
  if (!text || text.length > 40 || !/^[A-Z][a-z]{2,8},? .*(?:GMT|\d{4})$/.test(text)) return undefined;
  const time = Date.parse(text.endsWith('GMT') ? text : `${text} GMT`);
  return Number.isNaN(time) ? undefined : time;
}

/**
 * How far the provider's clock is ahead of ours, in milliseconds, from the Date header of an answer that arrived at `receivedAt`.
 * Undefined where there is no such header or it is more than a day off.
 */
export function measureSkew(dateHeader: string | null | undefined, receivedAt: number): number | undefined {
  const theirs = parseHttpDate(dateHeader);
  if (theirs === undefined || Math.abs(theirs - receivedAt) > MAX_SKEW_MS) return undefined;
  return theirs - receivedAt;
}

/** What a stored grant tells of clocks: when it was granted by ours, and how far theirs was ahead then. */
interface Measured {
  readonly obtainedAt?: number | undefined;
  readonly skew?: number | undefined;
  /** Tells one grant from the next. */
  readonly accessToken: string;
}

/** The latest skew of each provider, told from the grants that pass by, whichever window or account they belong to. */
export class Skews {
  readonly #latest = new Map<string, { readonly skew: number; readonly serverTime: number }>();
  /** The access token last seen of each account. */
  readonly #seen = new Map<string, string>();

  /** Notes the measurement of a grant not seen before, unless it is older than the one known; returns the latest. */
  latest(authority: string, account: string, { obtainedAt, skew, accessToken }: Measured): number | undefined {
    const known = this.#latest.get(authority);
    if (obtainedAt === undefined || skew === undefined || this.#seen.get(account) === accessToken) return known?.skew;
    this.#seen.set(account, accessToken);
    // The provider's time tells the order; ours may have been set back in between.
    const serverTime = obtainedAt + skew;
    if (known && known.serverTime - serverTime > NOISE_MS) return known.skew;
    this.#latest.set(authority, { skew, serverTime });
    return skew;
  }
}

/**
 * When a grant ends by this machine's clock as it goes now. Grants are stored with our time and the skew of that moment; a clock that has
 * been set since is told by the difference.
 */
export function endByOurClock(grant: { expiresAt: number; skew?: number | undefined }, skewNow: number | undefined): number {
  if (grant.skew === undefined || skewNow === undefined) return grant.expiresAt;
  const shift = grant.skew - skewNow;
  return Math.abs(shift) < NOISE_MS ? grant.expiresAt : grant.expiresAt + shift;
}

/**
 * Seconds to wait for a Retry-After header (RFC 9110 section 10.2.3), rounded up; a date counts from the answer's own Date, else from
 * `receivedAt`. Undefined where there is none, or none that can be read; a moment that is over is 0.
 */
export function parseRetryAfter(
  header: string | null | undefined,
  dateHeader: string | null | undefined,
  receivedAt: number,
): number | undefined {
  if (!header) return undefined;
  if (DELAY_SECONDS.test(header)) return Number(header);
  const until = parseHttpDate(header);
  if (until === undefined) return undefined;
  return Math.max(0, Math.ceil((until - (parseHttpDate(dateHeader) ?? receivedAt)) / 1000));
}
