import assert from 'node:assert/strict';
import fc from 'fast-check';
import { budgetFor, forecast, hardest } from '../../../src/core/account/keyForecast.ts';

const HOUR = 3_600_000;

describe('the forecast of a link', () => {
  it('adds what was used to what the stock rose by', () => {
    // 3,600 bits were used in an hour while the stock rose by 3,600: it makes two bits a second.
    const used = [
      { at: 10, bits: 1800 },
      { at: HOUR / 2, bits: 1800 },
    ];
    const found = forecast(
      used,
      [
        { at: 0, bits: 1000 },
        { at: HOUR, bits: 4600 },
      ],
      HOUR,
    );
    assert.equal(found.madePerSecond, 2);
    assert.ok(found.spentPerSecond > 0.99 && found.spentPerSecond < 1.01);
    assert.equal(found.emptyInSeconds, undefined);
  });

  it('says when it is empty where more is used than made', () => {
    const found = forecast(
      [{ at: 1, bits: 7200 }],
      [
        { at: 0, bits: 7200 },
        { at: HOUR, bits: 3600 },
      ],
      HOUR,
    );
    assert.equal(found.madePerSecond, 1);
    assert.equal(Math.round(found.spentPerSecond), 2);
    assert.equal(Math.round(found.emptyInSeconds! / 10), 360);
  });

  it('takes one message for no flood, and old use for no use', () => {
    assert.equal(forecast([{ at: 1000, bits: 600 }], [], 1001).spentPerSecond, 10);
    assert.equal(forecast([{ at: 0, bits: 1e9 }], [], 25 * HOUR).spentPerSecond, 0);
  });

  it('is never negative, never infinite, whatever it is given', () => {
    const samples = fc.array(fc.record({ at: fc.nat(1e9), bits: fc.nat(1e12) })).map((list) => list.toSorted((a, b) => a.at - b.at));
    fc.assert(
      fc.property(samples, samples, fc.nat(1e9), (used, stocks, now) => {
        for (const value of Object.values(forecast(used, stocks, now))) assert.ok(Number.isFinite(value) && value >= 0);
      }),
    );
  });
});

describe('the budget of a message', () => {
  it('fits, does not fit, or is not known; and tells how long to wait at the rate seen', () => {
    assert.deepEqual(budgetFor(256, { bits: 256 }), { costBits: 256, stockBits: 256, fits: 'yes' });
    assert.deepEqual(budgetFor(256, {}), { costBits: 256, fits: 'unknown' });
    assert.deepEqual(budgetFor(1000, { bits: 200, madePerSecond: 160 }), { costBits: 1000, stockBits: 200, fits: 'no', waitSeconds: 5 });
    assert.deepEqual(budgetFor(1000, { bits: 200, madePerSecond: 0 }), { costBits: 1000, stockBits: 200, fits: 'no' });
  });

  it('of several is that of the hardest to reach', () => {
    const yes = budgetFor(100, { bits: 1000 });
    const tight = budgetFor(100, { bits: 101 });
    const no = budgetFor(100, { bits: 1 });
    assert.equal(hardest([yes, no, tight]), no);
    assert.equal(hardest([yes, tight]), tight);
    assert.equal(hardest([]), undefined);
  });
});
