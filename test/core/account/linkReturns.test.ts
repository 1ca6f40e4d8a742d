import assert from 'node:assert/strict';
import { LinkReturns } from '../../../src/core/account/linkReturns.ts';
import { systemClock } from '../../../src/core/base/systemPorts.ts';
import type { KeyManager } from '../../../src/core/api.ts';

describe('account/which key managers answer again', () => {
  let now: number;
  let states: Record<string, KeyManager['state']>;
  let returns: LinkReturns;

  beforeEach(() => {
    now = 1_000_000;
    states = { a: 'unknown', b: 'unknown' };
    const list = () => Object.entries(states).map(([accountId, state]) => ({ accountId, state }));
    returns = new LinkReturns(list, { ...systemClock, now: () => now });
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
    now += 60_000;
    assert.deepEqual(become({ a: 'connected' }), ['a']);
  });

  it('is told seldom of one that answers and fails by turns, and of another meanwhile', () => {
    let told = 0;
    for (let turn = 0; turn < 1000; turn += 1, now += 100) {
      told += become({ a: 'connected' }).length;
      assert.deepEqual(become({ a: 'failed' }), []);
    }
    assert.equal(told, 10);
    assert.deepEqual(become({ b: 'connected' }), ['b']);
  });

  it('is told at once after a clock was set back', () => {
    assert.deepEqual(become({ a: 'connected' }), ['a']);
    become({ a: 'failed' });
    now -= 3_600_000;
    assert.deepEqual(become({ a: 'connected' }), ['a']);
  });

  it('tells a change that is none of a state apart', () => {
    become({ a: 'connected' });
    assert.equal(returns.changed().links, 'same');
    states['a'] = 'failed';
    assert.equal(returns.changed().links, 'changed');
  });
});
