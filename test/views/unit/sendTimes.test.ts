import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseSendTime, sendTimes } from '../../../src/views/outbox/sendTimes.ts';
import { plain } from './plainLocaliser.ts';

const at = (year: number, month: number, day: number, hour = 0, minute = 0): number =>
  new Date(year, month - 1, day, hour, minute).getTime();

describe('views/send later', () => {
  it('proposes times that are ahead, each once', () => {
    fc.assert(
      fc.property(fc.integer({ min: at(2026, 1, 1), max: at(2030, 1, 1) }), (now) => {
        const times = sendTimes(now, 'en', plain).map((time) => time.at);
        assert.ok(times.length >= 2);
        assert.ok(times.every((time) => time > now));
        assert.equal(new Set(times).size, times.length);
      }),
    );
  });

  it('means the next Monday, on a Monday too', () => {
    const monday = (now: number): number | undefined => sendTimes(now, 'en', plain).find(({ label }) => label === 'Monday morning')?.at;
    assert.equal(monday(at(2026, 11, 25, 12)), at(2026, 11, 30, 8));
    assert.equal(monday(at(2026, 11, 23, 7)), at(2026, 11, 30, 8));
    // On a Sunday that is tomorrow, which is offered already.
    assert.equal(monday(at(2026, 11, 29, 12)), undefined);
  });

  it('reads a time of the day, and takes tomorrow when it has passed', () => {
    const now = at(2026, 11, 22, 12);
    assert.equal(parseSendTime('14:30', now), at(2026, 11, 22, 14, 30));
    assert.equal(parseSendTime(' 9:05 ', now), at(2026, 11, 23, 9, 5));
  });

  it('reads a date with a time', () => {
    assert.equal(parseSendTime('2026-12-24 18:00', at(2026, 11, 22)), at(2026, 12, 24, 18));
    assert.equal(parseSendTime('2026-12-24T18:00', at(2026, 11, 22)), at(2026, 12, 24, 18));
  });

  it('refuses what is past, too far away, or no date at all', () => {
    const now = at(2026, 11, 22, 12);
    for (const text of [
      '',
      'soon',
      '24:00',
      '12:60',
      '2026-11-22 11:59',
      '2026-11-31 10:00',
      '2026-13-01 10:00',
      '2036-01-01 10:00',
      '1:2',
    ])
      assert.equal(parseSendTime(text, now), undefined, text);
  });
});
