import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import type { Clock } from '../../../src/core/base/ports.ts';
import { KeyPool } from '../../../src/core/keys/keyPool.ts';
import { LearnedLimits } from '../../../src/core/keys/learnedLimits.ts';
import type { DeliveredKey } from '../../../src/core/keys/kmeClient.ts';

describe('a pool of keys', () => {
  let now: number;
  let timers: { at: number; run: () => void }[];
  let asked: number[];
  let givenUp: DeliveredKey[];
  let pool: KeyPool;
  const clock: Clock = {
    now: () => now,
    after(ms, run) {
      const timer = { at: now + ms, run };
      timers.push(timer);
      return { dispose: () => void (timers = timers.filter((each) => each !== timer)) };
    },
    sleep: () => Promise.resolve(),
  };
  const pass = (ms: number): void => {
    now += ms;
    for (const timer of timers.filter(({ at }) => at <= now)) timer.run();
  };

  beforeEach(() => {
    [now, timers, asked, givenUp] = [1_000_000, [], [], []];
    pool = new KeyPool({
      clock,
      async refill(number) {
        asked.push(number);
        return Array.from({ length: number }, () => ({ keyId: randomUUID(), bytes: randomBytes(32) }));
      },
      giveUp: (keys) => givenUp.push(...keys),
    });
  });

  it('has nothing until somebody needed something, then as much as was needed lately, and never more than sixteen', async () => {
    assert.equal(pool.take(), undefined);
    await pool.refill();
    assert.equal(pool.size, 2);
    for (let i = 0; i < 40; i++) {
      pool.take();
      await pool.refill();
    }
    assert.ok(pool.size <= 16 && pool.size > 8);
    pass(120_001);
    pool.take();
    await pool.refill();
    assert.ok(asked.every((number) => number <= 16));
  });

  it('is filled at the low water, not at every key', async () => {
    for (let i = 0; i < 9; i++) pool.take();
    await pool.refill();
    assert.equal(pool.size, 10);
    asked = [];
    for (let i = 0; i < 2; i++) {
      pool.take();
      await pool.refill();
    }
    assert.deepEqual(asked, []);
  });

  it('gives each key once, the oldest first, and gives up what nobody used in five minutes', async () => {
    pool.take();
    await pool.refill();
    const first = pool.take();
    assert.ok(first);
    pass(300_000);
    assert.equal(pool.size, 0);
    assert.equal(givenUp.length, 1);
    assert.ok(!givenUp.includes(first));
  });

  it('gives up everything when it is disposed of, what is on its way too', async () => {
    pool.take();
    await pool.refill();
    const size = pool.size;
    pool.take();
    pool.take();
    const onItsWay = pool.refill();
    pool.dispose();
    await onItsWay;
    assert.equal(pool.size, 0);
    assert.ok(givenUp.length >= size - 2);
    assert.deepEqual(timers, []);
  });

  it('a refill that fails is silent, and the next one is tried', async () => {
    let fails = true;
    const failing = new KeyPool({
      clock,
      refill: async (number) => {
        if (fails) throw new Error('no');
        return Array.from({ length: number }, () => ({ keyId: randomUUID(), bytes: randomBytes(32) }));
      },
      giveUp: () => {},
    });
    failing.take();
    await failing.refill();
    assert.equal(failing.size, 0);
    fails = false;
    await failing.refill();
    assert.equal(failing.size, 2);
  });
});

describe('limits that a key manager does not tell', () => {
  it('are halved down from what was refused, and forgotten when one alone is refused too', () => {
    const limits = new LearnedLimits();
    for (const [number, next] of [
      [128, 64],
      [64, 32],
    ] as const) {
      assert.equal(limits.batchRefused('p', number), 'learned');
      assert.equal(limits.number('p', 1000), next);
    }
    assert.equal(limits.number('other', 1000), 1000);
    assert.equal(limits.batchRefused('p', 1), 'nothing');
    assert.equal(limits.number('p', 1000), 1000);
  });

  it('are not taken from one short answer, which may be want of keys', () => {
    const limits = new LearnedLimits();
    limits.cameShort('p', 3);
    assert.equal(limits.number('p', 10), 10);
    limits.cameShort('p', 3);
    assert.equal(limits.number('p', 10), 3);
  });

  it('change the status that plans go by', () => {
    const limits = new LearnedLimits();
    assert.equal(limits.sizeRefused('p', 2048, 256), 'learned');
    assert.equal(limits.sizeRefused('p', 2048, 256), 'nothing');
    limits.batchRefused('p', 9);
    assert.deepEqual(limits.applied('p', { keySize: 256, maxKeySize: 65_536 }), { keySize: 256, maxKeySize: 256, maxKeyPerRequest: 4 });
  });
});
