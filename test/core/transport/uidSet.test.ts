import assert from 'node:assert/strict';
import fc from 'fast-check';
import { uidSetContains, uidSets } from '../../../src/core/transport/uidSet.ts';

const uids = fc.array(fc.integer({ min: 1, max: 4_294_967_295 }), { maxLength: 300 });

describe('UID sets', () => {
  it('joins runs and merges duplicates', () => {
    assert.deepEqual(uidSets([9, 1, 2, 3, 3, 5, 4]), ['1:5,9']);
    assert.deepEqual(uidSets([]), []);
  });

  it('splits what would not fit into one command line', () => {
    const sets = uidSets(Array.from({ length: 5000 }, (_, i) => 2 * i + 1_000_000));
    assert.ok(sets.length > 1);
    assert.ok(sets.every((set) => set.length <= 4000));
  });

  it('contains exactly the UIDs it was made of', () => {
    fc.assert(
      fc.property(uids, uids, (members, others) => {
        const contains = uidSets(members).map(uidSetContains);
        const has = (uid: number): boolean => contains.some((one) => one(uid));
        const set = new Set(members);
        assert.ok(members.every(has));
        assert.ok(others.every((uid) => has(uid) === set.has(uid)));
      }),
    );
  });

  it('reads ranges backwards and overlooks what is malformed', () => {
    const has = uidSetContains('7:5,x,,3,9:*,99999999999');
    assert.deepEqual([2, 3, 5, 6, 7, 8, 9].map(has), [false, true, true, true, true, false, false]);
  });
});
