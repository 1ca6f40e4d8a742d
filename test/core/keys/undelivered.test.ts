import assert from 'node:assert/strict';
import { Undelivered } from '../../../src/core/keys/undelivered.ts';
import { newKeys } from './ledgerWorld.ts';

describe('keys that could not be handed over', () => {
  const timers: { ms: number; run: () => void; disposed: boolean }[] = [];
  const clock = {
    now: () => 0,
    sleep: () => Promise.resolve(),
    after(ms: number, run: () => void) {
      const timer = { ms, run, disposed: false };
      timers.push(timer);
      return { dispose: () => void (timer.disposed = true) };
    },
  };
  const zero = Buffer.alloc(32);

  it('are given oldest first, so many as wanted, each once', () => {
    const shelf = new Undelivered(clock);
    const [a, b, c] = newKeys(3);
    shelf.put('x', [a!, b!]);
    shelf.put('x', [c!]);
    assert.deepEqual(shelf.take('x', 2), [a, b]);
    assert.deepEqual(shelf.take('y'), []);
    assert.deepEqual(shelf.take('x'), [c]);
    assert.deepEqual(shelf.take('x'), []);
    shelf.dispose();
  });

  it('are wiped after ten minutes, and no timer is left behind', () => {
    timers.length = 0;
    const shelf = new Undelivered(clock);
    const keys = newKeys(2);
    shelf.put('x', keys);
    assert.equal(timers[0]!.ms, 600_000);
    timers[0]!.run();
    assert.deepEqual(
      keys.map((key) => key.bytes),
      [zero, zero],
    );
    const more = newKeys(1);
    shelf.put('x', more);
    shelf.dispose();
    assert.deepEqual(more[0]!.bytes, zero);
    assert.ok(timers.every((timer) => timer.disposed));
  });
});
