import assert from 'node:assert/strict';
import fc from 'fast-check';
import { QuMailError } from '../../../src/core/base/errors.ts';
import { planKeys } from '../../../src/core/keys/keyBudget.ts';

const total = (plan: readonly { number: number; size: number }[]): number =>
  plan.reduce((sum, request) => sum + request.number * request.size, 0);

describe('the key budget', () => {
  it('asks for one key where max_key_size allows it', () => {
    assert.deepEqual(planKeys(2304, { keySize: 256, maxKeySize: 65_536, minKeySize: 64, maxKeyPerRequest: 128, storedKeyCount: 100 }), [
      { number: 1, size: 2304 },
    ]);
    assert.deepEqual(planKeys(256, {}), [{ number: 1, size: 256 }]);
  });

  it('asks for several of one size where it does not, in batches of max_key_per_request', () => {
    assert.deepEqual(planKeys(2304, { keySize: 256, maxKeySize: 1024, maxKeyPerRequest: 2 }), [
      { number: 2, size: 768 },
      { number: 1, size: 768 },
    ]);
    assert.deepEqual(
      planKeys(1024, { keySize: 256, maxKeySize: 256, minKeySize: 256, maxKeyPerRequest: 1 }),
      Array.from({ length: 4 }, () => ({ number: 1, size: 256 })),
    );
  });

  it('takes key_size for the limit where max_key_size is not told, and never goes below min_key_size', () => {
    assert.deepEqual(planKeys(512, { keySize: 256, maxKeyPerRequest: 8 }), [{ number: 2, size: 256 }]);
    assert.deepEqual(planKeys(256, { keySize: 1024, minKeySize: 1024, maxKeySize: 1024 }), [{ number: 1, size: 1024 }]);
  });

  it('does not believe a stock: a wrong count must not keep anyone from asking', () => {
    const status = { keySize: 256, maxKeySize: 65_536 };
    for (const storedKeyCount of [0, 3]) assert.equal(total(planKeys(1024, { ...status, storedKeyCount })), 1024);
  });

  it('says kme.too-large when a message would need more than 4,096 keys', () => {
    assert.throws(
      () => planKeys(4097 * 128, { maxKeySize: 128 }),
      (e) => QuMailError.is(e, 'kme.too-large') && e.details['limitBits'] === 4096 * 128,
    );
  });

  it('always covers what is wanted, within every limit that is told', () => {
    const limit = fc.option(fc.integer({ min: 0, max: 100_000 }), { nil: undefined });
    fc.assert(
      fc.property(
        fc.integer({ min: 8, max: 600_000 }),
        fc.record({ keySize: limit, maxKeySize: limit, minKeySize: limit, maxKeyPerRequest: limit }),
        (bits, told) => {
          const status = Object.fromEntries(Object.entries(told).filter(([, value]) => value !== undefined));
          let plan;
          try {
            plan = planKeys(bits, status);
          } catch (error) {
            assert.ok(QuMailError.is(error, 'kme.too-large'));
            return;
          }
          assert.ok(total(plan) >= bits);
          for (const { number, size } of plan) {
            assert.ok(size % 8 === 0 && size > 0 && number > 0);
            assert.ok(number <= (status['maxKeyPerRequest'] || 1));
            assert.ok(size >= (status['minKeySize'] ?? 0));
            const max = status['maxKeySize'];
            if (max !== undefined && max >= 8 && max >= (status['minKeySize'] ?? 0) + 8) assert.ok(size <= max);
          }
        },
      ),
    );
  });
});
