import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  isNewerElsewhere,
  planDraft,
  type LocalVersion,
  type RemoteVersion,
  type UnreadVersion,
} from '../../../src/core/account/draftPlan.ts';
import { isWorthKeeping } from '../../../src/core/account/draftHistory.ts';

const remote = (uid: number, revision: string, ancestors: string[] = [], updatedAt = uid): RemoteVersion => ({
  uid,
  revision,
  ancestors,
  updatedAt,
  digest: `text of ${revision}`,
  sealing: 'own-key',
});
const unread = (uid: number, revision: string | undefined, why: UnreadVersion['why'] = 'shut'): UnreadVersion => ({
  uid,
  why,
  ...(revision !== undefined && { revision }),
});
const local = (revision: string | undefined, o: Partial<LocalVersion> = {}): LocalVersion => ({
  exists: true,
  revision,
  ancestors: [],
  dirty: false,
  updatedAt: 0,
  digest: o.dirty ? 'own text' : `text of ${revision}`,
  agreed: revision === undefined ? undefined : `text of ${revision}`,
  copy: 'there',
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
    ['sent here, its copy still to go', local('a', { exists: false }), [remote(1, 'a')], 'nothing', [1]],
    ['sent here, its copy gone', local('a', { exists: false, copy: 'gone' }), [], 'forget', []],
    ['sent here, edited elsewhere since', local('a', { exists: false, copy: 'gone' }), [remote(2, 'b', ['a'])], 'forget', []],
    ['gone from where it was seen', local('a', { copy: 'gone' }), [], 'forget', []],
    ['gone from where it was seen, edited here', local('a', { dirty: true, copy: 'gone' }), [], 'push', []],
    ['gone with its folder, or never seen', local('a', { copy: 'unseen' }), [], 'push', []],
    ['there, and no search names it', local('a'), [], 'nothing', []],
    ['gone, and a later version came in its place', local('a', { copy: 'gone' }), [remote(2, 'b', ['a'])], 'take', []],
    ['the same, sealed to a subkey', local('a'), [{ ...remote(1, 'a'), sealing: 'subkey' }], 'push', [1]],
    [
      'sealed anew by two devices at once',
      local('b', { ancestors: ['a'], digest: 'text', agreed: 'text' }),
      [
        { ...remote(2, 'b', ['a'], 1), digest: 'text' },
        { ...remote(3, 'c', ['a'], 1), digest: 'text' },
      ],
      'take',
      [],
    ],
    ['sealed anew there and edited here', local('a', { dirty: true }), [{ ...remote(2, 'b', ['a']), digest: 'text of a' }], 'push', [2]],
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

  const shutTable: [string, LocalVersion | undefined, UnreadVersion[], ReturnType<typeof planDraft>['do'], number[]][] = [
    ['of the very version that is here is written anew', local('a'), [unread(1, 'a')], 'push', [1]],
    ['of that version stays where another try may do', local('a'), [unread(1, 'a', 'failed')], 'nothing', []],
    ['by another device leaves the draft as it is', local('a', { copy: 'gone' }), [unread(2, 'b')], 'nothing', []],
    ['by another device, nobody knows of which version', local('a', { copy: 'gone' }), [unread(2, undefined)], 'nothing', []],
    ['by another device stays beside what is written here', local('a', { dirty: true }), [unread(1, 'a'), unread(2, 'b')], 'push', [1]],
    ['of a draft that was discarded here goes', local('a', { exists: false }), [unread(1, 'a', 'failed'), unread(2, 'b')], 'nothing', [1]],
    ['of a draft that is not here is left alone', undefined, [unread(1, 'a')], 'nothing', []],
  ];
  for (const [name, here, there, wanted, stale] of shutTable)
    it(`a copy that is not read ${name}: ${wanted}`, () => {
      const step = planDraft(here, [], there);
      assert.deepEqual([step.do, step.stale.toSorted()], [wanted, stale]);
    });

  it('tells of a version elsewhere where no key opens it, and not where a try failed or it is an own one', () => {
    assert.ok(isNewerElsewhere(local('a'), [unread(2, 'b')]));
    assert.ok(!isNewerElsewhere(local('a'), [unread(2, 'b', 'failed')]));
    assert.ok(!isNewerElsewhere(local('b', { ancestors: ['a'] }), [unread(1, 'a'), unread(2, 'b')]));
  });

  it('never lets go of a draft whose copy was not seen to be gone', () =>
    fc.assert(
      fc.property(
        fc.constantFrom('there' as const, 'unseen' as const),
        fc.array(fc.tuple(fc.option(fc.constantFrom('a', 'b'), { nil: undefined }), fc.constantFrom('shut' as const, 'failed' as const))),
        (copy, others) => {
          const step = planDraft(
            local('a', { copy }),
            [],
            others.map(([revision, why], at) => unread(at + 1, revision, why)),
          );
          assert.notEqual(step.do, 'forget');
        },
      ),
    ));

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
