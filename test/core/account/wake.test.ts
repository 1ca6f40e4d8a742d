import assert from 'node:assert/strict';
import { WAKE_TICK_MS, wakeGap, WakeWatch } from '../../../src/core/account/wake.ts';
import { manualClock } from '../transport/manualClock.ts';

describe('waking up', () => {
  it('is told from a busy machine by how late a timer runs', () => {
    assert.deepEqual(
      [wakeGap(1000, 1000), wakeGap(1000, 31_000), wakeGap(1000, 31_001), wakeGap(1000, 0)],
      [undefined, undefined, 30_001, undefined],
    );
  });

  it('is noticed once per sleep, however long, and not while time passes as usual', () => {
    const clock = manualClock();
    const slept: number[] = [];
    const watch = new WakeWatch(clock, (ms) => slept.push(ms));
    clock.advance(10 * 60_000);
    assert.deepEqual(slept, []);
    clock.leap(8 * 3_600_000);
    clock.advance(60_000);
    assert.deepEqual(slept, [8 * 3_600_000 - WAKE_TICK_MS]);
    clock.leap(60_000);
    assert.equal(slept.length, 2);
    watch.dispose();
    assert.deepEqual(clock.pending, []);
    clock.leap(3_600_000);
    assert.equal(slept.length, 2);
  });
});
