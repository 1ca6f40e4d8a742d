import assert from 'node:assert/strict';
import { TrailingFlight } from '../../../src/core/account/trailingFlight.ts';

describe('a look that others ask for meanwhile', () => {
  function flights() {
    const flight = new TrailingFlight<number>();
    const begun: PromiseWithResolvers<number>[] = [];
    const run = (key = 'INBOX'): Promise<number> =>
      flight.run(key, () => {
        begun.push(Promise.withResolvers());
        return begun.at(-1)!.promise;
      });
    return { begun, run };
  }

  it('is followed by one more for all of them, which sees what the first may have missed', async () => {
    const { begun, run } = flights();
    const [first, second, third] = [run(), run(), run()];
    assert.equal(begun.length, 1);
    begun[0]!.resolve(1);
    assert.equal(await first, 1);
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(begun.length, 2);
    const fourth = run();
    begun[1]!.resolve(2);
    assert.deepEqual(await Promise.all([second, third]), [2, 2]);
    await new Promise((resolve) => setImmediate(resolve));
    begun[2]!.resolve(3);
    assert.equal(await fourth, 3);
    const fifth = run();
    begun[3]!.resolve(4);
    assert.equal(await fifth, 4, 'and once nobody asks, the next begins at once');
  });

  it('follows a failed one as well, and other keys do not wait', async () => {
    const { begun, run } = flights();
    const [failed, next, other] = [run(), run(), run('Sent')];
    begun[1]!.resolve(7);
    assert.equal(await other, 7);
    begun[0]!.reject(new Error('cut'));
    await assert.rejects(failed);
    await new Promise((resolve) => setImmediate(resolve));
    begun[2]!.resolve(8);
    assert.equal(await next, 8);
  });
});
