import assert from 'node:assert/strict';
import fc from 'fast-check';
import { ERROR_CODES } from '../../../src/core/base/errors.ts';
import type { Failure } from '../../../src/core/base/model.ts';
import {
  LAST_USE_MS,
  LONGEST_RETRY_AFTER_MS,
  pauseMs,
  planToken,
  REFRESH_AHEAD_MS,
  START,
  type GrantFacts,
  type TokenAct,
  type TokenEvent,
  type TokenState,
} from '../../../src/core/auth/tokenPlan.ts';

const NOW = 1_000_000_000;
const DOWN: Failure = { code: 'auth.refresh-failed', details: { status: 500, reason: 'http' } };
const living = (ms: number, refreshToken: string | undefined = 'r1'): GrantFacts => ({ expiresAt: NOW + ms, refreshToken });
const ask = (grant: GrantFacts | undefined, how: 'if-needed' | 'forced' = 'if-needed'): TokenEvent => ({
  kind: 'asked',
  how,
  now: NOW,
  grant,
});
const failing = (failure: Failure, fraction = 0.5): TokenEvent => ({ kind: 'failed', failure, now: NOW, fraction });

const FRESH = living(REFRESH_AHEAD_MS);
const NEWS: GrantFacts = { ...FRESH, here: 'news' };
const LAST_MINUTE = living(LAST_USE_MS);
const OVER = living(LAST_USE_MS - 1);
const REFRESHING: TokenState = { kind: 'refreshing', failures: 2 };
const WAITING: TokenState = { kind: 'backing-off', failures: 2, until: NOW + 1, failure: DOWN };
const WAITED: TokenState = { ...WAITING, until: NOW };
const REFUSED: TokenState = { kind: 'needs-sign-in', reason: 'invalid_grant', refused: 'r1' };
const NO_GRANT: TokenState = { kind: 'needs-sign-in', reason: 'no-grant', refused: undefined };

describe('auth/tokenPlan', () => {
  const rows: readonly (readonly [string, TokenState, TokenEvent, TokenState, TokenAct])[] = [
    ['a fresh token is handed out', START, ask(FRESH), START, { kind: 'hand-out' }],
    [
      'what another window won is handed out, though a server refused the one before',
      START,
      ask(NEWS, 'forced'),
      START,
      { kind: 'hand-out' },
    ],
    ['while waiting, too', WAITING, ask(NEWS, 'forced'), WAITING, { kind: 'hand-out' }],
    [
      'five minutes before its end it is refreshed',
      START,
      ask(living(REFRESH_AHEAD_MS - 1)),
      { kind: 'refreshing', failures: 0 },
      { kind: 'refresh' },
    ],
    ['a refused token is refreshed however fresh', START, ask(FRESH, 'forced'), { kind: 'refreshing', failures: 0 }, { kind: 'refresh' }],
    ['without a grant the vault is asked once more', START, ask(undefined), { kind: 'refreshing', failures: 0 }, { kind: 'refresh' }],
    ['whoever asks meanwhile waits for the same answer', REFRESHING, ask(OVER), REFRESHING, { kind: 'join' }],
    ['whoever was refused meanwhile, too', REFRESHING, ask(FRESH, 'forced'), REFRESHING, { kind: 'join' }],
    ['a forced refresh keeps nobody from a fresh token', REFRESHING, ask(FRESH), REFRESHING, { kind: 'hand-out' }],
    ['an answer ends it', REFRESHING, { kind: 'granted' }, START, { kind: 'none' }],
    [
      'a failure is waited out',
      REFRESHING,
      failing(DOWN),
      { kind: 'backing-off', failures: 3, until: NOW + 4_000, failure: DOWN },
      { kind: 'fail', failure: DOWN },
    ],
    [
      'a first failure is waited out for less',
      START,
      failing(DOWN),
      { kind: 'backing-off', failures: 1, until: NOW + 1_000, failure: DOWN },
      { kind: 'fail', failure: DOWN },
    ],
    ['while waiting, callers get the known failure', WAITING, ask(OVER), WAITING, { kind: 'fail', failure: DOWN }],
    ['while waiting, a token that still lives is handed out', WAITING, ask(LAST_MINUTE), WAITING, { kind: 'hand-out' }],
    ['but not to somebody it was refused to', WAITING, ask(LAST_MINUTE, 'forced'), WAITING, { kind: 'fail', failure: DOWN }],
    ['after waiting it is tried again', WAITED, ask(OVER), { kind: 'refreshing', failures: 2 }, { kind: 'refresh' }],
    ['after a night it is tried at once', WAITING, { kind: 'nudged' }, START, { kind: 'none' }],
    ['a nudge starts no second refresh', REFRESHING, { kind: 'nudged' }, REFRESHING, { kind: 'none' }],
    ['a nudge does not ask with what was refused', REFUSED, { kind: 'nudged' }, REFUSED, { kind: 'none' }],
    [
      'a refusal needs the person',
      REFRESHING,
      { kind: 'refused', reason: 'invalid_grant', refreshToken: 'r1' },
      REFUSED,
      { kind: 'ask-person', reason: 'invalid_grant' },
    ],
    ['what was refused is not asked with again', REFUSED, ask(OVER), REFUSED, { kind: 'ask-person', reason: 'refused-before' }],
    ['a token that still lives is used up', REFUSED, ask(FRESH), REFUSED, { kind: 'hand-out' }],
    ['a grant that another window won is tried', REFUSED, ask(living(0, 'r2')), { kind: 'refreshing', failures: 0 }, { kind: 'refresh' }],
    ['so is one where there was none', NO_GRANT, ask(living(0, 'r2')), { kind: 'refreshing', failures: 0 }, { kind: 'refresh' }],
    ['signing in ends every state', REFUSED, { kind: 'replaced' }, START, { kind: 'none' }],
    [
      'a missing client secret is no reason to wait',
      REFRESHING,
      failing({ code: 'auth.client-missing', details: {} }),
      START,
      { kind: 'fail', failure: { code: 'auth.client-missing', details: {} } },
    ],
    [
      'nor is a cancelled wait',
      REFRESHING,
      failing({ code: 'engine.cancelled', details: {} }),
      START,
      { kind: 'fail', failure: { code: 'engine.cancelled', details: {} } },
    ],
  ];
  for (const [what, before, event, state, act] of rows) it(what, () => assert.deepEqual(planToken(before, event), { state, act }));

  const details = fc.record(
    { status: fc.constantFrom(0, 401, 429, 500, 503), retryAfter: fc.nat({ max: 10_000_000 }) },
    { requiredKeys: ['status'] },
  );
  const failure = fc.record({ code: fc.constantFrom(...ERROR_CODES), details });
  const fraction = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  const grant = fc.option(
    fc.record({ life: fc.integer({ min: -10_000_000, max: 10_000_000 }), refreshToken: fc.constantFrom('r1', 'r2', undefined) }),
    { nil: undefined },
  );
  const step = fc.record({
    kind: fc.constantFrom('asked', 'granted', 'failed', 'refused', 'nudged', 'replaced'),
    after: fc.nat({ max: 8_000_000 }),
    how: fc.constantFrom('if-needed', 'forced'),
    grant,
    failure,
    fraction,
  });

  it('never asks twice at once, never with what was refused, and never while waiting, whatever happens', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        let state = START;
        let now = NOW;
        for (const s of steps) {
          now += s.after;
          const facts = s.grant && { expiresAt: now + s.grant.life, refreshToken: s.grant.refreshToken };
          const event: TokenEvent =
            s.kind === 'asked'
              ? { kind: 'asked', how: s.how as 'forced', now, grant: facts }
              : s.kind === 'failed'
                ? { kind: 'failed', failure: s.failure, now, fraction: s.fraction }
                : s.kind === 'refused'
                  ? { kind: 'refused', reason: 'invalid_grant', refreshToken: s.grant?.refreshToken }
                  : { kind: s.kind as 'granted' };
          const next = planToken(state, event);
          if (next.act.kind === 'refresh') {
            assert.notEqual(state.kind, 'refreshing');
            if (state.kind === 'backing-off') assert.ok(now >= state.until);
            if (state.kind === 'needs-sign-in' && state.refused !== undefined) assert.notEqual(facts?.refreshToken, state.refused);
            assert.equal(next.state.kind, 'refreshing');
          }
          if (next.act.kind === 'hand-out') assert.ok(facts && facts.expiresAt - now >= LAST_USE_MS);
          if (next.state.kind === 'backing-off' && event.kind === 'failed')
            assert.ok(next.state.until - now <= LONGEST_RETRY_AFTER_MS + 2_000);
          // Nobody is left without an answer: a question gets a token, a wait, a request or a reason.
          if (event.kind === 'asked') assert.notEqual(next.act.kind, 'none');
          state = next.state;
        }
      }),
    );
  });

  it('hands out a fresh token in every state', () => {
    for (const state of [START, REFRESHING, WAITING, WAITED, REFUSED, NO_GRANT])
      assert.equal(planToken(state, ask(FRESH)).act.kind, 'hand-out');
  });

  it('waits somewhere between nothing and a ceiling that doubles to five minutes', () => {
    for (const [failures, ceiling] of [
      [1, 2_000],
      [2, 4_000],
      [3, 8_000],
      [8, 256_000],
      [9, 300_000],
      [1000, 300_000],
    ] as const) {
      assert.equal(pauseMs(failures, 0, undefined), 0);
      assert.ok(
        pauseMs(failures, 0.999_999, undefined) >= ceiling - 1_000 && pauseMs(failures, 0.999_999, undefined) < ceiling,
        String(failures),
      );
    }
  });

  it('never comes back before the provider said, nor in the same moment as all the others, nor after more than an hour', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), fraction, fc.nat({ max: 10 ** 12 }), (failures, f, retryAfter) => {
        const pause = pauseMs(failures, f, retryAfter);
        assert.ok(pause >= Math.min(retryAfter, LONGEST_RETRY_AFTER_MS) && pause <= Math.min(retryAfter, LONGEST_RETRY_AFTER_MS) + 2_000);
      }),
    );
    assert.notEqual(pauseMs(1, 0.1, 60_000), pauseMs(1, 0.9, 60_000));
  });
});
