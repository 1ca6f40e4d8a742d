import assert from 'node:assert/strict';
import { SingleFlight } from '../../../src/core/base/singleFlight.ts';

describe('base/singleFlight', () => {
  it('starts one flight for all callers of a key, and a flight of its own for another key', async () => {
    const flights = new SingleFlight<string>();
    const started: string[] = [];
    const start = (key: string) => (): Promise<string> => {
      started.push(key);
      return Promise.resolve(`${key}!`);
    };
    const answers = await Promise.all([flights.run('a', start('a')), flights.run('a', start('a')), flights.run('b', start('b'))]);
    assert.deepEqual(answers, ['a!', 'a!', 'b!']);
    assert.deepEqual(started, ['a', 'b']);
  });

  it('shares a failure, and starts anew after it', async () => {
    const flights = new SingleFlight<number>();
    const failing = (): Promise<number> => Promise.reject(new Error('no'));
    const outcomes = await Promise.allSettled([flights.run('a', failing), flights.run('a', failing)]);
    assert.deepEqual(
      outcomes.map((o) => o.status),
      ['rejected', 'rejected'],
    );
    assert.equal(await flights.run('a', () => Promise.resolve(2)), 2);
  });
});
