import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { ErrorCode } from '../../../src/core/base/errors.ts';
import { backoffDelay, planReconnect, RECONNECT, type Loss } from '../../../src/core/transport/backoff.ts';

describe('backoff', () => {
  it('draws the delay evenly from zero to a bound that doubles with each attempt', () => {
    const policy = { baseMs: 1000, capMs: 60_000 };
    assert.deepEqual(
      [0, 1, 2, 3].map((attempt) => backoffDelay(attempt, 0.5, policy)),
      [500, 1000, 2000, 4000],
    );
    assert.equal(backoffDelay(3, 0, policy), 0);
  });

  it('never waits longer than the cap, whatever the attempt', () => {
    fc.assert(
      fc.property(fc.nat(), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (attempt, fraction) => {
        const delay = backoffDelay(attempt, fraction);
        assert.ok(Number.isInteger(delay) && delay >= 0 && delay < RECONNECT.capMs);
      }),
    );
  });
});

describe('the plan after a lost connection', () => {
  const plan = (failures: number, loss: Loss, fraction = 0.5): readonly number[] => {
    const { delayMs, failures: next } = planReconnect(failures, loss, fraction);
    return [delayMs, next];
  };

  const ROWS: readonly (readonly [string, number, Loss, readonly number[]])[] = [
    ['begins below a second after a cut', 0, { code: 'net.cut' }, [500, 1]],
    ['doubles its bound with every failure in a row', 3, { code: 'net.refused' }, [4000, 4]],
    ['stops at five minutes', 30, { code: 'net.timeout' }, [150_000, 31]],
    ['begins anew after a connection that held ten seconds', 7, { code: 'net.cut', heldMs: 10_000 }, [500, 1]],
    ['does not for one that broke sooner', 7, { code: 'net.cut', heldMs: 9_999 }, [64_000, 8]],
    ['comes back at once when a token ran out in a working session', 0, { code: 'auth.token-refused', heldMs: 100 }, [0, 1]],
    ['does so as often as sessions hold', 5, { code: 'auth.token-refused', heldMs: 3_600_000 }, [0, 1]],
    ['but not again and again', 1, { code: 'auth.token-refused', heldMs: 100 }, [1000, 2]],
    ['waits minutes after a refused log-in', 0, { code: 'auth.wrong-password' }, [225_000, 9]],
    ['waits minutes after a fresh token was refused', 0, { code: 'auth.token-refused' }, [225_000, 9]],
    ['takes a token endpoint that is down for a hiccup', 0, { code: 'auth.refresh-failed' }, [500, 1]],
    ['waits what the server asked for, and a little more', 0, { code: 'imap.rejected', retryAfterMs: 92_415 }, [92_915, 1]],
  ];
  for (const [name, failures, loss, expected] of ROWS) it(name, () => assert.deepEqual(plan(failures, loss), expected));

  it('is never before what the server asked for, never more than the cap after it, and never sooner than minutes for a refusal', () => {
    const code = fc.constantFrom<ErrorCode>('net.cut', 'net.refused', 'auth.wrong-password', 'imap.rejected', 'auth.sign-in-again');
    const fraction = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(fc.nat(100), code, fc.option(fc.nat(3_600_000), { nil: undefined }), fraction, (failures, named, wait, drawn) => {
        const { delayMs, failures: next } = planReconnect(
          failures,
          { code: named, ...(wait !== undefined && { retryAfterMs: wait }) },
          drawn,
        );
        assert.ok(delayMs <= (wait ?? 0) + RECONNECT.capMs && next > 0);
        if (named.startsWith('auth.')) assert.ok(delayMs >= RECONNECT.capMs / 2);
        else assert.ok(delayMs >= (wait ?? 0));
      }),
    );
  });
});
