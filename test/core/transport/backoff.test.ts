import assert from 'node:assert/strict';
import fc from 'fast-check';
import { backoffDelay, RECONNECT } from '../../../src/core/transport/backoff.ts';

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
