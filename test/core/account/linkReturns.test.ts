import assert from 'node:assert/strict';
import { LinkReturns } from '../../../src/core/account/linkReturns.ts';
import type { KeyManager } from '../../../src/core/api.ts';
import { manualClock, type ManualClock } from '../transport/manualClock.ts';

describe('account/which key managers answer again', () => {
  let clock: ManualClock;
  let states: Record<string, KeyManager['state']>;
  let returns: LinkReturns;
  let again: string[];

  beforeEach(() => {
    clock = manualClock();
    again = [];
    states = { a: 'unknown', b: 'unknown' };
    const list = () => Object.entries(states).map(([accountId, state]) => ({ accountId, state }));
    returns = new LinkReturns(list, clock, () => again.push(...returns.changed().returned));
  });
  const become = (change: typeof states): readonly string[] => {
    Object.assign(states, change);
    return returns.changed().returned;
  };

  it('is told once for each return', () => {
    assert.deepEqual(become({ a: 'connected' }), ['a']);
    assert.deepEqual(become({}), []);
    assert.deepEqual(become({ b: 'connected' }), ['b']);
    assert.deepEqual(become({ a: 'failed' }), []);
    clock.advance(60_000);
    assert.deepEqual(become({ a: 'connected' }), ['a']);
  });

  it('is told seldom of one that answers and fails by turns, and of another meanwhile', () => {
    let told = 0;
    for (let turn = 0; turn < 1000; turn += 1, clock.advance(100)) {
      told += become({ a: 'connected' }).length;
      assert.deepEqual(become({ a: 'failed' }), []);
    }
    assert.equal(told, 10);
    assert.deepEqual(become({ b: 'connected' }), ['b']);
  });

  it('is told later of one that answered again soon after its last return, and still does', () => {
    become({ a: 'connected' });
    become({ a: 'failed' });
    clock.advance(4000);
    assert.deepEqual(become({ a: 'connected' }), []);
    assert.deepEqual(become({}), []);
    clock.advance(5999);
    assert.deepEqual(again, []);
    clock.advance(1);
    assert.deepEqual(again, ['a']);
    assert.deepEqual(become({}), []);
  });

  it('is not told of one that failed once more meanwhile, nor after it was closed', () => {
    become({ a: 'connected' });
    become({ a: 'failed' });
    become({ a: 'connected' });
    become({ a: 'failed' });
    clock.advance(60_000);
    assert.deepEqual(again, []);
    assert.deepEqual(become({ a: 'connected' }), ['a']);
    become({ a: 'failed' });
    become({ a: 'connected' });
    returns.dispose();
    clock.advance(60_000);
    assert.deepEqual(again, []);
  });

  it('is told at once after a clock was set back', () => {
    assert.deepEqual(become({ a: 'connected' }), ['a']);
    become({ a: 'failed' });
    clock.advance(-3_600_000);
    assert.deepEqual(become({ a: 'connected' }), ['a']);
  });

  it('tells a change that is none of a state apart', () => {
    become({ a: 'connected' });
    assert.equal(returns.changed().links, 'same');
    states['a'] = 'failed';
    assert.equal(returns.changed().links, 'changed');
  });
});
