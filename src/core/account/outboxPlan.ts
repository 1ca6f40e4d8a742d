import type { ErrorCode } from '../base/errors.ts';
import type { Failure } from '../base/model.ts';
import type { OutboxState } from '../store/outbox.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** RFC 5321 section 4.5.4.1: a sender gives up after four to five days. */
const GIVE_UP_DAYS = 5;
/** Where the provider files sent mail itself, its copy appears soon or not at all; later looks come with the next connection. */
const SETTLE_FIRST = 10_000;
const SETTLE_LOOKS = 6;

/** What a plan needs to know of an entry. Times are milliseconds since the epoch. */
export interface Planned {
  readonly state: OutboxState;
  /** How often it was handed to a server, the try that is being judged included. */
  readonly attempts: number;
  readonly notBefore?: number | undefined;
  readonly nextTry?: number | undefined;
  readonly firstTry?: number | undefined;
  /** When it came into its state. */
  readonly updatedAt: number;
  readonly failure?: Failure | undefined;
  /** Another living window is at it. */
  readonly elsewhere: boolean;
}

export type OutboxHappening =
  /** Time went by: a timer, a start, a wake from sleep. */
  | { readonly kind: 'look' }
  /** The account can be reached (again), or its person signed in. */
  | { readonly kind: 'online'; readonly how: 'again' | 'signed-in' }
  | { readonly kind: 'accepted' }
  /** `fraction` in [0, 1) is the jitter. */
  | { readonly kind: 'failed'; readonly failure: Failure; readonly fraction: number }
  /** A look into Sent did not find it. */
  | { readonly kind: 'not-found' }
  /** It was accepted, and the copy could not be filed. */
  | { readonly kind: 'not-filed'; readonly fraction: number };

/** What becomes of an entry, and what is to be done about it now. */
export interface OutboxStep {
  readonly state: OutboxState;
  readonly nextTry?: number | undefined;
  readonly failure?: Failure | undefined;
  readonly act: 'nothing' | 'send' | 'settle' | 'file';
}

/**
 * The outbox as a state machine (issue F13), pure:
 *
 *     queued | held | scheduled -> sending -> accepted (gone once filed)
 *                                          -> waiting (transient: tried again with backoff, rejected after five days)
 *                                          -> rejected (permanent)
 *                                          -> acceptance-unknown (never sent again unless the person says so)
 */
export function planOutbox(entry: Planned, happening: OutboxHappening, now: number): OutboxStep {
  switch (happening.kind) {
    case 'look':
      return stay(entry, isDue(entry, now) ? actOf(entry.state) : 'nothing');
    case 'online':
      return stay(entry, isDue(entry, now) || isFreed(entry, happening.how) ? actOf(entry.state) : 'nothing');
    case 'accepted':
      return { state: 'accepted', nextTry: now, act: 'file' };
    case 'failed':
      return afterFailure(entry, happening.failure, happening.fraction, now);
    case 'not-found':
      return { ...stay(entry, 'nothing'), nextTry: nextSettleLook(entry, now) };
    case 'not-filed':
      return expired(entry.updatedAt, now)
        ? { state: 'filed', act: 'nothing' }
        : { state: 'accepted', nextTry: now + backoff(entry.attempts, happening.fraction), act: 'nothing' };
  }
}

/** When an entry is to be looked at next without being asked; undefined: never. */
export function dueAt(entry: Planned): number | undefined {
  if (entry.elsewhere) return undefined;
  switch (entry.state) {
    case 'queued':
      return 0;
    case 'held':
    case 'scheduled':
      return entry.notBefore ?? 0;
    case 'waiting':
    case 'acceptance-unknown':
    case 'accepted':
      return entry.nextTry;
    default:
      return undefined;
  }
}

/** Full jitter above one minute, doubling to one hour: 1 min to min(1 h, 2^n min), in milliseconds. */
export function backoff(attempts: number, fraction: number): number {
  const ceiling = Math.min(HOUR, MINUTE * 2 ** Math.max(1, Math.min(attempts, 16)));
  return Math.round(MINUTE + fraction * (ceiling - MINUTE));
}

function afterFailure(entry: Planned, failure: Failure, fraction: number, now: number): OutboxStep {
  if (failure.code === 'smtp.acceptance-unknown')
    return { state: 'acceptance-unknown', failure, nextTry: now + SETTLE_FIRST, act: 'nothing' };
  if (PERMANENT.has(failure.code)) return { state: 'rejected', failure, act: 'nothing' };
  // Whoever cancelled does not want it to go by itself; the bytes and their keys wait for the next Send.
  if (failure.code === 'engine.cancelled') return { state: 'waiting', failure, act: 'nothing' };
  // The engine goes; the next one goes on.
  if (failure.code === 'engine.stopped') return { state: 'waiting', failure, nextTry: now, act: 'nothing' };
  if (entry.firstTry !== undefined && expired(entry.firstTry, now)) {
    const { status, enhanced } = failure.details;
    const details = { reason: failure.code, days: GIVE_UP_DAYS, ...(status !== undefined && { status }), ...(enhanced && { enhanced }) };
    return { state: 'rejected', failure: { code: 'smtp.gave-up', details }, act: 'nothing' };
  }
  const asked = failure.details['retryAfterMs'];
  const wait = backoff(entry.attempts, fraction) + (typeof asked === 'number' ? Math.min(Math.max(asked, 0), HOUR) : 0);
  return { state: 'waiting', failure, nextTry: now + wait, act: 'nothing' };
}

/** Failures that the same bytes will always meet. */
const PERMANENT: ReadonlySet<ErrorCode> = new Set([
  'smtp.rejected',
  'smtp.recipient-rejected',
  'smtp.too-large',
  'smtp.gave-up',
  'engine.bad-request',
]);

/** True when every other entry of the account would meet the same failure now. */
export function concernsAll({ code }: Failure): boolean {
  return code.startsWith('net.') || code.startsWith('auth.') || code.startsWith('engine.') || code === 'smtp.acceptance-unknown';
}

function isDue(entry: Planned, now: number): boolean {
  const due = dueAt(entry);
  return due !== undefined && due <= now;
}

/** Whether being online (again) removes what kept the entry: a server that asked to wait is waited for all the same. */
function isFreed(entry: Planned, how: 'again' | 'signed-in'): boolean {
  if (entry.elsewhere) return false;
  if (entry.state === 'acceptance-unknown' || entry.state === 'accepted') return true;
  const code = entry.failure?.code;
  if (entry.state !== 'waiting' || entry.nextTry === undefined || code === undefined) return false;
  if (code.startsWith('net.') || code === 'auth.refresh-failed') return true;
  // A server that refuses the log-in to SMTP alone must not be asked with every look at IMAP.
  return how === 'signed-in' && code.startsWith('auth.');
}

function actOf(state: OutboxState): OutboxStep['act'] {
  if (state === 'acceptance-unknown') return 'settle';
  return state === 'accepted' ? 'file' : 'send';
}

function stay(entry: Planned, act: OutboxStep['act']): OutboxStep {
  return { state: entry.state, nextTry: entry.nextTry, failure: entry.failure, act };
}

/** 10 s, 20 s, 40 s .. after it became unknown, then no more by itself. */
function nextSettleLook(entry: Planned, now: number): number | undefined {
  const age = Math.max(0, now - entry.updatedAt);
  const look = Math.max(0, Math.ceil(Math.log2(age / SETTLE_FIRST + 1)));
  return look >= SETTLE_LOOKS ? undefined : now + SETTLE_FIRST * 2 ** look;
}

function expired(since: number, now: number): boolean {
  return now - since >= GIVE_UP_DAYS * 24 * HOUR;
}
