import assert from 'node:assert/strict';
import fc from 'fast-check';
import { QuMailError } from '../../../src/core/base/errors.ts';
import { CircuitBreaker } from '../../../src/core/keys/circuitBreaker.ts';
import { delayBeforeRetry, MAX_ATTEMPTS, type Attempt } from '../../../src/core/keys/retryPolicy.ts';

const answer = (status: number, retryAfterMs = 0): Attempt => ({ kind: 'answer', status, retryAfterMs });
const lost = (code: 'kme.unreachable' | 'kme.timeout' | 'net.too-large'): Attempt => ({ kind: 'lost', error: new QuMailError(code) });
const notSent = (
  code: 'kme.unreachable' | 'kme.timeout' | 'kme.identity' | 'kme.certificate-expired' | 'kme.simulated' | 'kme.unauthorised',
): Attempt => ({ kind: 'not-sent', error: new QuMailError(code) });

describe('what may be asked again', () => {
  it('follows rule 1, line by line', () => {
    const table: [Attempt, { status: boolean; enc_keys: boolean; dec_keys: boolean }][] = [
      [notSent('kme.unreachable'), { status: true, enc_keys: true, dec_keys: true }],
      [notSent('kme.timeout'), { status: true, enc_keys: true, dec_keys: true }],
      [lost('kme.unreachable'), { status: true, enc_keys: false, dec_keys: true }],
      [lost('kme.timeout'), { status: true, enc_keys: false, dec_keys: true }],
      [answer(503), { status: true, enc_keys: true, dec_keys: true }],
      [answer(429), { status: true, enc_keys: true, dec_keys: true }],
      [answer(504), { status: true, enc_keys: false, dec_keys: true }],
      ...[400, 401, 403, 404, 422, 500, 502, 200, 302].map(
        (status): [Attempt, { status: boolean; enc_keys: boolean; dec_keys: boolean }] => [
          answer(status),
          { status: false, enc_keys: false, dec_keys: false },
        ],
      ),
      ...(['kme.identity', 'kme.certificate-expired', 'kme.simulated', 'kme.unauthorised'] as const).map(
        (code): [Attempt, { status: boolean; enc_keys: boolean; dec_keys: boolean }] => [
          notSent(code),
          { status: false, enc_keys: false, dec_keys: false },
        ],
      ),
      [lost('net.too-large'), { status: false, enc_keys: false, dec_keys: false }],
    ];
    for (const [attempt, expected] of table) {
      for (const method of ['status', 'enc_keys', 'dec_keys'] as const) {
        assert.equal(
          delayBeforeRetry(method, attempt, 1, 0.5) !== undefined,
          expected[method],
          `${method} after ${JSON.stringify(attempt)}`,
        );
      }
    }
  });

  it('waits a random time below a bound that doubles up to eight seconds, and gives up after four attempts', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (made, fraction) => {
        const delay = delayBeforeRetry('status', answer(503), made, fraction);
        if (made >= MAX_ATTEMPTS) assert.equal(delay, undefined);
        else assert.ok(delay !== undefined && delay >= 0 && delay < Math.min(8000, 250 * 2 ** made));
      }),
    );
  });

  it('waits at least as long as Retry-After says, up to the cap', () => {
    assert.equal(delayBeforeRetry('enc_keys', answer(503, 3000), 1, 0), 3000);
    assert.equal(delayBeforeRetry('enc_keys', answer(503, 3_600_000), 1, 0), 8000);
  });
});

describe('the circuit breaker', () => {
  const broken = new QuMailError('kme.unreachable');
  const make = () => {
    const time = { now: 0 };
    return { time, breaker: new CircuitBreaker({ now: () => time.now, after: () => ({ dispose() {} }), sleep: () => Promise.resolve() }) };
  };

  it('lets everything through until six failures in a row', () => {
    const { breaker } = make();
    for (let i = 0; i < 5; i++) breaker.failed(broken);
    breaker.succeeded();
    for (let i = 0; i < 5; i++) breaker.failed(broken);
    assert.equal(breaker.refusal(), undefined);
    breaker.failed(broken);
    assert.deepEqual(breaker.refusal(), { error: broken, retryInMs: 15_000 });
  });

  it('lets one through after fifteen seconds: a success closes it, a failure opens it again, a cancelled one says nothing', () => {
    const { breaker, time } = make();
    for (let i = 0; i < 6; i++) breaker.failed(broken);
    time.now = 15_000;
    assert.equal(breaker.refusal(), undefined);
    assert.notEqual(breaker.refusal(), undefined, 'a second one while the first is under way');
    breaker.abandoned();
    assert.equal(breaker.refusal(), undefined);
    breaker.failed(broken);
    assert.deepEqual(breaker.refusal(), { error: broken, retryInMs: 15_000 });
    time.now = 30_000;
    assert.equal(breaker.refusal(), undefined);
    breaker.succeeded();
    assert.equal(breaker.refusal(), undefined);
    assert.equal(breaker.refusal(), undefined);
  });
});
