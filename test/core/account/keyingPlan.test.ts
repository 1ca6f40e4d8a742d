import assert from 'node:assert/strict';
import fc from 'fast-check';
import { planKeying, type KeyingPeer } from '../../../src/core/account/keyingPlan.ts';

function peers(...reach: number[]): KeyingPeer[] {
  return reach.map((maxSaeIdCount, index) => ({ address: `p${index}@example.test`, peerId: `sae-${index}`, maxSaeIdCount }));
}

describe('keying plan', () => {
  it('gives one recipient one direct key', () => {
    assert.deepEqual(planKeying('L1', peers(0), 'where-offered'), [{ peers: peers(0), entries: [{ members: [0], how: 'direct' }] }]);
  });

  it('uses one multi-SAE key for everyone where every link allows it', () => {
    for (const level of ['L1', 'L2'] as const) {
      const [plan, ...more] = planKeying(level, peers(2, 2, 2), 'where-offered');
      assert.deepEqual(plan?.entries, [{ members: [0, 1, 2], how: 'direct' }]);
      assert.equal(more.length, 0);
    }
  });

  it('wraps one content key per recipient at L2 where there is no multicast', () => {
    const [plan] = planKeying('L2', peers(0, 0, 0), 'where-offered');
    assert.deepEqual(
      plan?.entries.map(({ members }) => members),
      [[0], [1], [2]],
    );
    assert.ok(plan?.entries.every(({ how }) => how === 'wrapped'));
  });

  it('writes separate messages at L1 where there is no multicast', () => {
    const plans = planKeying('L1', peers(0, 0), 'where-offered');
    assert.deepEqual(
      plans.map((plan) => plan.peers.map(({ peerId }) => peerId)),
      [['sae-0'], ['sae-1']],
    );
  });

  it('plans as if there were no multicast once a key manager refused it', () => {
    assert.equal(planKeying('L1', peers(5, 5), 'never').length, 2);
  });

  it('serves every recipient exactly once, within every link’s multicast limit', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('L1' as const, 'L2' as const),
        fc.array(fc.nat({ max: 6 }), { minLength: 1, maxLength: 20 }),
        (level, reach) => {
          const plans = planKeying(level, peers(...reach), 'where-offered');
          const served = plans.flatMap((plan) =>
            plan.entries.flatMap(({ members }) => members.map((member) => plan.peers[member]!.peerId)),
          );
          assert.deepEqual(
            served.toSorted(),
            peers(...reach)
              .map(({ peerId }) => peerId)
              .toSorted(),
          );
          for (const plan of plans) {
            // An entry without a wrap is allowed only when it is the only one (PROTOCOL 8.3).
            if (plan.entries.some(({ how }) => how === 'direct')) assert.equal(plan.entries.length, 1);
            for (const { members } of plan.entries) {
              for (const member of members) assert.ok(members.length === 1 || plan.peers[member]!.maxSaeIdCount >= members.length - 1);
            }
          }
        },
      ),
    );
  });
});
