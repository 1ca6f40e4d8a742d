import * as v from 'valibot';
import { QuMailError } from '../base/errors.ts';
import { measureSkew, parseRetryAfter } from './serverTime.ts';

/** RFC 6749 section 5.1: RECOMMENDED, and what the issue tells us to assume without it. */
const DEFAULT_EXPIRES_IN = 3600;
/** Ten years; what is longer is a mistake or a threat to date arithmetic. */
const MAX_EXPIRES_IN = 315_360_000;

const Token = v.pipe(v.string(), v.minLength(1), v.maxLength(16_384));
const Seconds = v.pipe(
  v.number(),
  v.finite(),
  v.transform((n) => Math.min(Math.max(n, 0), MAX_EXPIRES_IN)),
);

const TokenAnswerSchema = v.object({
  access_token: Token,
  token_type: v.pipe(v.string(), v.toLowerCase(), v.literal('bearer')),
  // Some servers write the number as a string.
  expires_in: v.optional(v.union([Seconds, v.pipe(v.string(), v.regex(/^\d{1,12}$/), v.transform(Number), Seconds)]), DEFAULT_EXPIRES_IN),
  refresh_token: v.optional(Token),
  scope: v.optional(v.pipe(v.string(), v.maxLength(4096))),
});

const ErrorAnswerSchema = v.object({ error: v.pipe(v.string(), v.regex(/^[\w.-]{1,60}$/)) });

/**
 * The grant is gone: nothing but a new sign-in helps (RFC 6749 sections 4.1.2.1 and 5.2, OpenID Connect Core section 3.1.2.6). A client
 * that is refused (`invalid_client`, `unauthorized_client`) is not among them: its id or secret is wrong, and signing in would not help.
 */
const SIGN_IN_AGAIN = new Set([
  'invalid_grant',
  'access_denied',
  'interaction_required',
  'login_required',
  'consent_required',
  'account_selection_required',
]);

/** What a token endpoint granted. */
export interface TokenAnswer {
  readonly accessToken: string;
  /** Seconds from the moment of the answer. */
  readonly expiresIn: number;
  /** Present when the server handed out one, rotated or not. */
  readonly refreshToken?: string;
  readonly scopes?: readonly string[];
  /** How far the server's clock is ahead of ours, in milliseconds, where it told the time. */
  readonly skew?: number;
}

/** A token endpoint's successful answer as a checked value. @throws `auth.bad-answer` */
export function parseTokenAnswer(json: unknown): TokenAnswer {
  const parsed = v.safeParse(TokenAnswerSchema, json);
  if (!parsed.success) throw new QuMailError('auth.bad-answer', { reason: v.getDotPath(parsed.issues[0]) ?? 'shape' });
  const { access_token, expires_in, refresh_token, scope } = parsed.output;
  return {
    accessToken: access_token,
    expiresIn: expires_in,
    ...(refresh_token === undefined ? {} : { refreshToken: refresh_token }),
    ...(scope === undefined ? {} : { scopes: scope.split(' ').filter((each) => each !== '') }),
  };
}

/**
 * Reads the answer to a refresh request, which QuMail does not need an ID token from. `receivedAt` is our time.
 * @throws `auth.sign-in-again` (details: reason) when the grant is gone, `auth.bad-answer` for a 200 that is not a token,
 *   `auth.refresh-failed` (details: status, reason, retryAfter in seconds where the server said) for everything else
 */
export async function readRefreshAnswer(response: Response, receivedAt: number): Promise<TokenAnswer> {
  const json = await jsonOf(response);
  const date = response.headers.get('date');
  if (response.status === 200) return withSkew(parseTokenAnswer(json), measureSkew(date, receivedAt));
  const reason = errorReason(json);
  if (reason !== undefined && SIGN_IN_AGAIN.has(reason) && response.status < 500) throw new QuMailError('auth.sign-in-again', { reason });
  const retryAfter = parseRetryAfter(response.headers.get('retry-after'), date, receivedAt);
  throw new QuMailError('auth.refresh-failed', {
    status: response.status,
    reason: reason ?? 'http',
    ...(retryAfter === undefined ? {} : { retryAfter }),
  });
}

export function withSkew(answer: TokenAnswer, skew: number | undefined): TokenAnswer {
  return skew === undefined ? answer : { ...answer, skew };
}

/** The `error` member of an OAuth error answer, undefined where there is none that could be shown. */
export function errorReason(json: unknown): string | undefined {
  const parsed = v.safeParse(ErrorAnswerSchema, json);
  return parsed.success ? parsed.output.error : undefined;
}

async function jsonOf(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch {
    return undefined;
  }
}
