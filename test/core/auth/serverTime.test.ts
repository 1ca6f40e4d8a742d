import assert from 'node:assert/strict';
import fc from 'fast-check';
import { endByOurClock, measureSkew, parseHttpDate, parseRetryAfter, Skews } from '../../../src/core/auth/serverTime.ts';

const TIME = Date.UTC(1994, 10, 6, 8, 49, 37);

describe('auth/serverTime', () => {
  it('reads the three forms of an HTTP date and nothing else', () => {
    for (const text of ['Sun, 06 Nov 1994 08:49:37 GMT', 'Sunday, 06-Nov-94 08:49:37 GMT', 'Sun Nov  6 08:49:37 1994'])
      assert.equal(parseHttpDate(text), TIME, text);
    for (const text of [
      '',
      '0',
      '1994',
      '1994-11-06T08:49:37Z',
      '12',
      '-1',
      'Sun',
      'soon GMT',
      'Sun, 99 Nov 1994 08:49:37 GMT',
      'x'.repeat(10_000),
      null,
      undefined,
    ])
      assert.equal(parseHttpDate(text), undefined, String(text).slice(0, 40));
  });

  const retryAfter: readonly (readonly [string | null, string | null, number | undefined])[] = [
    ['120', null, 120],
    ['0', null, 0],
    ['Sun, 06 Nov 1994 08:50:37 GMT', null, 60],
    ['Sun, 06 Nov 1994 08:50:37 GMT', 'Sun, 06 Nov 1994 08:50:07 GMT', 30],
    ['Sun, 06 Nov 1994 08:48:37 GMT', null, 0],
    ['-5', null, undefined],
    ['1e9', null, undefined],
    ['99999999999', null, undefined],
    ['soon', null, undefined],
    ['', null, undefined],
    [null, 'Sun, 06 Nov 1994 08:49:37 GMT', undefined],
  ];
  for (const [header, date, seconds] of retryAfter)
    it(`takes Retry-After ${header} with Date ${date} for ${seconds} seconds`, () =>
      assert.equal(parseRetryAfter(header, date, TIME), seconds));

  it('measures how far the provider is ahead, up to a day', () => {
    const header = 'Sun, 06 Nov 1994 08:49:37 GMT';
    assert.equal(measureSkew(header, TIME - 600_000), 600_000);
    assert.equal(measureSkew(header, TIME + 600_000), -600_000);
    assert.equal(measureSkew(header, TIME + 86_400_001), undefined);
    assert.equal(measureSkew('yesterday', TIME), undefined);
  });

  it('is never wrong by more than a day about anything, whatever the headers say', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer(), (text, now) => {
        assert.ok(Math.abs(measureSkew(text, now) ?? 0) <= 86_400_000);
        assert.ok((parseRetryAfter(text, text, now) ?? 0) >= 0);
      }),
    );
  });

  it('ends a grant earlier on a clock that was set back since, later on one set forward, and ignores the noise of whole seconds', () => {
    const grant = { expiresAt: TIME, skew: 0 };
    assert.equal(endByOurClock(grant, 600_000), TIME - 600_000);
    assert.equal(endByOurClock(grant, -600_000), TIME + 600_000);
    assert.equal(endByOurClock(grant, 1_500), TIME);
    assert.equal(endByOurClock({ expiresAt: TIME }, 600_000), TIME);
    assert.equal(endByOurClock(grant, undefined), TIME);
  });

  it('believes the latest grant seen, of any account of the provider, and no older one', () => {
    const skews = new Skews();
    const grant = (accessToken: string, obtainedAt: number, skew?: number) => ({
      accessToken,
      obtainedAt,
      ...(skew === undefined ? {} : { skew }),
    });
    assert.equal(skews.latest('p', 'alice', grant('a1', TIME, 0)), 0);
    assert.equal(skews.latest('p', 'bob', grant('b1', TIME - 500_000, 600_000)), 600_000);
    assert.equal(skews.latest('p', 'alice', grant('a1', TIME, 0)), 600_000);
    assert.equal(skews.latest('p', 'carol', grant('c1', TIME - 9_000_000, 5)), 600_000);
    assert.equal(skews.latest('p', 'alice', grant('a2', TIME)), 600_000);
    assert.equal(skews.latest('q', 'alice', grant('a2', TIME)), undefined);
  });
});
