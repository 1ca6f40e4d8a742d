import type { ErrorCode } from '../base/errors.ts';
import type { Failure } from '../base/model.ts';

/** A token with less life than this is refreshed before it is handed out. */
export const REFRESH_AHEAD_MS = 5 * 60_000;
/** While it cannot be refreshed, a token is handed out down to this much life: enough to log in with. */
export const LAST_USE_MS = 30_000;
/** The pause after the first failure is below this, and doubles with each one after it, up to the most. */
const FIRST_PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 5 * 60_000;
/** A provider that asks for more patience than this is asked again after this. */
export const LONGEST_RETRY_AFTER_MS = 60 * 60_000;

/** Where an account's token stands. `valid` knows of nothing wrong; whether the token is fresh is asked of the grant each time. */
export type TokenState =
  | { readonly kind: 'valid' }
  | { readonly kind: 'refreshing'; readonly failures: number }
  | { readonly kind: 'backing-off'; readonly failures: number; readonly until: number; readonly failure: Failure }
  | { readonly kind: 'needs-sign-in'; readonly reason: string; readonly refused: string | undefined };

/** What the plan must know of the stored grant. */
export interface GrantFacts {
  /** Milliseconds since the epoch, by this machine's clock. */
  readonly expiresAt: number;
  readonly refreshToken: string | undefined;
  /** `news`: won by another window since this one handed out a token, so it cannot be the one that a server refused. */
  readonly here?: 'news' | 'known';
}

export type TokenEvent =
  /** `forced`: a server refused the present token. */
  | { readonly kind: 'asked'; readonly how: 'if-needed' | 'forced'; readonly now: number; readonly grant: GrantFacts | undefined }
  | { readonly kind: 'granted' }
  /** `fraction` in [0, 1) is the jitter. */
  | { readonly kind: 'failed'; readonly failure: Failure; readonly now: number; readonly fraction: number }
  | { readonly kind: 'refused'; readonly reason: string; readonly refreshToken: string | undefined }
  /** The machine woke, the network changed, or the person changed a setting: what failed may work now. */
  | { readonly kind: 'nudged' }
  /** Signed in or out. */
  | { readonly kind: 'replaced' };

export type TokenAct =
  | { readonly kind: 'hand-out' }
  | { readonly kind: 'refresh' }
  /** Wait for the refresh under way. */
  | { readonly kind: 'join' }
  | { readonly kind: 'fail'; readonly failure: Failure }
  | { readonly kind: 'ask-person'; readonly reason: string }
  | { readonly kind: 'none' };

export interface TokenStep {
  readonly state: TokenState;
  readonly act: TokenAct;
}

export const START: TokenState = { kind: 'valid' };

/** Failures that say nothing about the provider: the next caller tries at once. */
const LOCAL: ReadonlySet<ErrorCode> = new Set(['engine.cancelled', 'auth.client-missing', 'store.locked', 'store.full']);

/** What to do with an account's token, and where that leaves it. Pure: time and jitter come with the event. */
export function planToken(state: TokenState, event: TokenEvent): TokenStep {
  const NONE = { kind: 'none' } as const;
  switch (event.kind) {
    case 'asked':
      return asked(state, event);
    case 'granted':
    case 'replaced':
      return { state: START, act: NONE };
    case 'refused':
      return {
        state: { kind: 'needs-sign-in', reason: event.reason, refused: event.refreshToken },
        act: { kind: 'ask-person', reason: event.reason },
      };
    case 'failed':
      return { state: afterFailure(state, event), act: { kind: 'fail', failure: event.failure } };
    case 'nudged':
      return { state: state.kind === 'backing-off' ? START : state, act: NONE };
  }
}

function asked(state: TokenState, { how, now, grant }: Extract<TokenEvent, { kind: 'asked' }>): TokenStep {
  const wanted = how === 'if-needed' || grant?.here === 'news';
  if (grant && wanted && hasLife(grant, now, REFRESH_AHEAD_MS)) return { state, act: { kind: 'hand-out' } };
  if (state.kind === 'refreshing') return { state, act: { kind: 'join' } };
  if (state.kind === 'backing-off' && now < state.until) {
    const usable = grant && wanted && hasLife(grant, now, LAST_USE_MS);
    return { state, act: usable ? { kind: 'hand-out' } : { kind: 'fail', failure: state.failure } };
  }
  // Asking again with what was refused would earn nothing; another window may have signed in since.
  if (state.kind === 'needs-sign-in' && state.refused !== undefined && grant?.refreshToken === state.refused)
    return { state, act: { kind: 'ask-person', reason: 'refused-before' } };
  return { state: { kind: 'refreshing', failures: state.kind === 'backing-off' ? state.failures : 0 }, act: { kind: 'refresh' } };
}

export function hasLife(grant: GrantFacts, now: number, atLeastMs: number): boolean {
  return grant.expiresAt - now >= atLeastMs;
}

function afterFailure(state: TokenState, { failure, now, fraction }: Extract<TokenEvent, { kind: 'failed' }>): TokenState {
  if (LOCAL.has(failure.code)) return START;
  const failures = state.kind === 'refreshing' || state.kind === 'backing-off' ? state.failures + 1 : 1;
  return { kind: 'backing-off', failures, until: now + pauseMs(failures, fraction, retryAfterMs(failure)), failure };
}

/** Full jitter: anything between nothing and a ceiling that doubles; never less than the provider asked for. */
export function pauseMs(failures: number, fraction: number, retryAfter: number | undefined): number {
  const ceiling = Math.min(FIRST_PAUSE_MS * 2 ** Math.min(failures - 1, 30), LONGEST_PAUSE_MS);
  const jitter = Math.floor(fraction * ceiling);
  // Everybody who was told the same moment would come back in the same moment.
  return retryAfter === undefined ? jitter : Math.min(retryAfter, LONGEST_RETRY_AFTER_MS) + Math.min(jitter, FIRST_PAUSE_MS);
}

function retryAfterMs({ details }: Failure): number | undefined {
  return typeof details.retryAfter === 'number' ? details.retryAfter * 1000 : undefined;
}
