import assert from 'node:assert/strict';
import fc from 'fast-check';
import { planDraft, type LocalVersion, type RemoteVersion } from '../../../src/core/account/draftPlan.ts';
import { isWorthKeeping } from '../../../src/core/account/draftHistory.ts';

const remote = (uid: number, revision: string, ancestors: string[] = [], updatedAt = uid): RemoteVersion => ({
  uid,
  revision,
  ancestors,
  updatedAt,
  digest: `text of ${revision}`,
});
const local = (revision: string | undefined, o: Partial<LocalVersion> = {}): LocalVersion => ({
  exists: true,
  revision,
  ancestors: [],
  dirty: false,
  updatedAt: 0,
  digest: o.dirty ? 'own text' : `text of ${revision}`,
  sameFolder: true,
  ...o,
});

describe('what to do about a draft', () => {
  const table: [string, LocalVersion | undefined, RemoteVersion[], ReturnType<typeof planDraft>['do'], number[]][] = [
    ['new here', local(undefined, { dirty: true }), [], 'push', []],
    ['the same here and there', local('a'), [remote(1, 'a')], 'nothing', []],
    ['edited here', local('a', { dirty: true }), [remote(1, 'a')], 'push', [1]],
    ['edited there', local('a'), [remote(2, 'b', ['a'])], 'take', []],
    ['edited there, the older copy left behind', local('a'), [remote(1, 'a'), remote(2, 'b', ['a'])], 'take', [1]],
    ['edited in both places', local('a', { dirty: true }), [remote(2, 'b', ['a'])], 'conflict', []],
    ['two others edited it at once', local('a'), [remote(2, 'b', ['a']), remote(3, 'c', ['a'])], 'take', []],
    ['only there', undefined, [remote(1, 'a')], 'adopt', []],
    ['sent here', local('a', { exists: false }), [remote(1, 'a')], 'forget', [1]],
    ['sent here, edited elsewhere since', local('a', { exists: false }), [remote(2, 'b', ['a'])], 'forget', []],
    ['gone there', local('a'), [], 'forget', []],
    ['gone there, edited here', local('a', { dirty: true }), [], 'push', []],
    ['gone with its folder', local('a', { sameFolder: false }), [], 'push', []],
    [
      'copied twice by a crash',
      local('b', { ancestors: ['a'] }),
      [remote(1, 'a'), remote(2, 'b', ['a']), remote(3, 'b', ['a'])],
      'nothing',
      [1, 2],
    ],
    [
      'copied, and the process died before it was noted',
      local('a', { dirty: true, digest: 'text of b' }),
      [remote(1, 'a'), remote(2, 'b', ['a'])],
      'take',
      [1],
    ],
  ];
  for (const [name, here, there, wanted, stale] of table)
    it(`${name}: ${wanted}`, () => {
      const step = planDraft(here, there);
      assert.deepEqual([step.do, step.stale.toSorted()], [wanted, stale]);
    });

  it('never removes a version that no kept one was made from', () =>
    fc.assert(
      fc.property(
        fc.array(fc.record({ parents: fc.array(fc.nat(5), { maxLength: 3 }), updatedAt: fc.nat(9) }), { maxLength: 6 }),
        fc.option(fc.record({ revision: fc.nat(6), dirty: fc.boolean(), updatedAt: fc.nat(9) }), { nil: undefined }),
        (versions, own) => {
          const closure = (index: number): string[] => {
            const parents = versions[index]?.parents.filter((parent) => parent < index) ?? [];
            return [...new Set(parents.flatMap((parent) => [`${parent}`, ...closure(parent)]))];
          };
          const remotes = versions.map(({ updatedAt }, index) => remote(index + 1, `${index}`, closure(index), updatedAt));
          const here =
            own &&
            local(`${own.revision}`, {
              ...own,
              revision: `${own.revision}`,
              ancestors: closure(own.revision),
              digest: own.dirty ? 'own' : `text of ${own.revision}`,
            });
          const step = planDraft(here, remotes);
          const kept = remotes.filter(({ uid }) => !step.stale.includes(uid));
          const holds = new Set(kept.flatMap(({ revision, ancestors }) => [revision, ...ancestors]));
          // What is pushed is made from all that it replaces.
          if (step.do === 'push' && here)
            for (const known of [here.revision, ...here.ancestors, ...remotes.map(({ revision }) => revision)]) holds.add(known!);
          for (const each of remotes) assert.ok(holds.has(each.revision));
        },
      ),
    ));

  it('keeps an earlier text once a minute, and whatever a large deletion takes', () => {
    assert.equal(isWorthKeeping('a', 'ab', undefined), true);
    assert.equal(isWorthKeeping('a', 'ab', 1000), false);
    assert.equal(isWorthKeeping('a', 'ab', 60_000), true);
    assert.equal(isWorthKeeping('a', 'a', undefined), false);
    assert.equal(isWorthKeeping('x'.repeat(300), '', 1000), true);
  });
});
