import assert from 'node:assert/strict';
import fc from 'fast-check';
import { decodeGroupEvent, groupIdOf, newGroupEvent, type GroupEvent } from '../../../src/core/chat/groupEvent.ts';
import { groupState } from '../../../src/core/chat/group.ts';
import { beginGroup, changeOf, member, play, steps, type Copy } from './groupWorld.ts';

const addresses = (copy: Copy): string[] => copy.state.members.map(({ address }) => address);
const address = (index: number): string => member(index).address;

function everyoneHears(copies: readonly Copy[]): void {
  const all = copies.flatMap((copy) => [...copy.events.values()]);
  for (const copy of copies) copy.receive(...all);
}

describe('chat/group', () => {
  it('begins with the members its creator named, who alone administers it', () => {
    const [alice] = beginGroup(3).copies;
    assert.deepEqual(
      alice!.state.members.map(({ address: who, admin }) => [who, admin]),
      [
        [address(0), true],
        [address(1), false],
        [address(2), false],
      ],
    );
  });

  it('is the same for everybody in 10,000 orders of arrival, in groups of up to 20', function () {
    this.timeout(60_000);
    let orders = 0;
    let histories = 0;
    let largest = 0;
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), steps, fc.integer(), (people, history, seed) => {
        histories += 1;
        largest = Math.max(largest, people);
        const copies = play(people, history);
        const all = new Map(copies.flatMap((copy) => [...copy.events]));
        const expected = groupState(copies[0]!.groupId, all)!;
        for (let round = 0; round < 20; round += 1) {
          orders += 1;
          const shuffled = shuffle([...all], seed + round);
          // Delivered twice, and looked at half way: neither leaves a trace.
          const half = new Map(shuffled.slice(0, shuffled.length / 2));
          groupState(copies[0]!.groupId, half);
          const state = groupState(copies[0]!.groupId, new Map([...half, ...shuffled, ...half]))!;
          assert.equal(state.hash, expected.hash);
          assert.deepEqual(state.refused, expected.refused);
          assert.deepEqual(state.missing, []);
        }
      }),
      { numRuns: 500 },
    );
    assert.equal(orders, 10_000);
    console.log(`    ${orders} orders of ${histories} histories, groups of up to ${largest}`);
  });

  it('comes to rest on one state once everybody has heard everything', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 12 }), steps, (people, history) => {
        const copies = play(people, history);
        everyoneHears(copies);
        assert.equal(new Set(copies.map(({ state }) => state.hash)).size, 1);
      }),
      { numRuns: 100 },
    );
  });

  it('always has a member who administers it, as long as it has members', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), steps, (people, history) => {
        const copies = play(people, history);
        everyoneHears(copies);
        const { members } = copies[0]!.state;
        assert.ok(members.length === 0 || members.some(({ admin }) => admin));
      }),
      { numRuns: 100 },
    );
  });

  it('waits for what an event builds on, and says that something is missing', () => {
    const [alice, bob] = beginGroup(2).copies as [Copy, Copy];
    const first = alice.write({ kind: 'rename', name: 'One' });
    const second = alice.write({ kind: 'rename', name: 'Two' });
    bob.receive(second);
    assert.equal(bob.state.name, 'Group');
    assert.deepEqual(bob.state.missing, [first.id]);
    bob.receive(first);
    assert.equal(bob.state.name, 'Two');
    assert.deepEqual(bob.state.missing, []);
  });

  it('forgets what a removed member wrote without knowing of the removal', () => {
    const [alice, bob] = beginGroup(3).copies as [Copy, Copy];
    alice.write({ kind: 'remove', address: address(1) });
    const late = bob.write({ kind: 'rename', name: 'Mine' });
    everyoneHears([alice, bob]);
    assert.equal(alice.state.name, 'Group');
    assert.equal(alice.state.refused.get(late.id), 'not-member');
  });

  it('takes no event of a member who was removed before', () => {
    const [alice, bob] = beginGroup(3).copies as [Copy, Copy];
    bob.receive(alice.write({ kind: 'remove', address: address(1) }));
    const late = bob.write({ kind: 'leave' });
    alice.receive(late);
    assert.equal(alice.state.refused.get(late.id), 'not-member');
    assert.deepEqual(addresses(alice), [address(0), address(2)]);
  });

  it('keeps out whom one administrator removes while another adds', () => {
    const [alice, bob] = beginGroup(3).copies as [Copy, Copy];
    bob.receive(alice.write({ kind: 'grant', address: address(1) }), alice.write({ kind: 'remove', address: address(2) }));
    alice.write({ kind: 'add', member: member(2) });
    bob.write({ kind: 'remove', address: address(2) });
    everyoneHears([alice, bob]);
    assert.deepEqual(addresses(alice), [address(0), address(1)]);
    alice.write({ kind: 'add', member: member(2) });
    assert.deepEqual(addresses(alice), [address(0), address(1), address(2)]);
  });

  it('is not changed by anything that a removed member writes as if it had been before, whatever that is', () => {
    const writes = fc.array(fc.tuple(fc.nat(), fc.nat(99), fc.nat(24)), { minLength: 1, maxLength: 12 });
    let attacks = 0;
    fc.assert(
      fc.property(fc.integer({ min: 3, max: 12 }), steps, fc.nat(), writes, (people, history, whom, late) => {
        const copies = play(people, history);
        everyoneHears(copies);
        const [creator] = copies as [Copy];
        const aboutCreator = [...creator.events.values()].some(
          ({ author, change }) =>
            ('address' in change && change.address === creator.self.address) ||
            (change.kind === 'leave' && author === creator.self.address),
        );
        const removed = copies[1 + (whom % (people - 1))]!;
        fc.pre(!aboutCreator && addresses(creator).includes(removed.self.address));
        attacks += 1;
        const before = [...creator.events.keys()];
        creator.write({ kind: 'remove', address: removed.self.address });
        const { hash } = creator.state;
        for (const [on, what, about] of late) {
          const known = [...before, ...[...removed.events.keys()].filter((id) => !before.includes(id))];
          removed.writeOn([known[on % known.length]!], changeOf(what, about % (people + 3)));
        }
        creator.receive(...removed.events.values());
        assert.equal(creator.state.hash, hash);
      }),
      { numRuns: 300 },
    );
    assert.ok(attacks > 100);
  });

  it('lets one of two administrators who remove each other at once stay, the same one for everybody', () => {
    const [alice, bob, carol] = beginGroup(3).copies as [Copy, Copy, Copy];
    const grant = alice.write({ kind: 'grant', address: address(1) });
    bob.receive(grant);
    alice.write({ kind: 'remove', address: address(1) });
    bob.write({ kind: 'remove', address: address(0) });
    everyoneHears([alice, bob, carol]);
    // One removal takes effect first; the other was written by somebody who is no member by then.
    assert.equal(carol.state.members.length, 2);
    assert.ok(carol.state.members.some(({ admin }) => admin));
    assert.equal(alice.state.hash, carol.state.hash);
  });

  it('does not let an administrator who was removed outrun that by writing on an old past', () => {
    const [alice, bob, carol] = beginGroup(3).copies as [Copy, Copy, Copy];
    const beginning = alice.state.heads;
    const grant = alice.write({ kind: 'grant', address: address(1) });
    for (const name of ['One', 'Two', 'Three']) alice.write({ kind: 'rename', name });
    alice.write({ kind: 'remove', address: address(1) });
    // Bob knows all of that, and writes as if he knew nothing but that he administers.
    bob.receive(grant);
    const eve = bob.writeOn([grant.id], { kind: 'add', member: member(9) });
    const coup = bob.writeOn([eve.id], { kind: 'remove', address: address(0) });
    const exit = bob.writeOn([coup.id], { kind: 'leave' });
    const early = bob.writeOn(beginning, { kind: 'rename', name: 'Mine' });
    everyoneHears([alice, bob, carol]);
    assert.deepEqual(addresses(carol), [address(0), address(2)]);
    assert.equal(carol.state.name, 'Three');
    for (const { id } of [eve, coup, exit, early]) assert.equal(carol.state.refused.get(id), 'not-member');
    assert.equal(alice.state.hash, carol.state.hash);
  });

  it('takes nothing that somebody who was removed and let in again wrote as if that had not been', () => {
    const [alice, bob] = beginGroup(3).copies as [Copy, Copy];
    const beginning = alice.state.heads;
    alice.write({ kind: 'remove', address: address(1) });
    alice.write({ kind: 'add', member: member(1) });
    let late = bob.writeOn(beginning, { kind: 'rename', name: '1' });
    for (let name = 2; name < 9; name += 1) late = bob.writeOn([late.id], { kind: 'rename', name: `${name}` });
    everyoneHears([alice, bob]);
    assert.equal(alice.state.name, 'Group');
    bob.write({ kind: 'rename', name: 'Now' });
    everyoneHears([alice, bob]);
    assert.equal(alice.state.name, 'Now');
  });

  it('believes a member whom two added at once, whichever of the two the member heard of', () => {
    const [alice, bob] = beginGroup(2).copies as [Copy, Copy];
    bob.receive(alice.write({ kind: 'grant', address: address(1) }));
    alice.write({ kind: 'add', member: member(3) });
    const joined = bob.write({ kind: 'add', member: member(3) });
    const author = member(3);
    const named = newGroupEvent({
      group: bob.groupId,
      author: author.address,
      key: author.fingerprint,
      at: 0,
      parents: [joined.id],
      change: { kind: 'rename', name: 'By Dave' },
    });
    bob.receive(named);
    everyoneHears([alice, bob]);
    assert.equal(alice.state.name, 'By Dave');
  });

  it('goes on when somebody floods it with events on one old past', () => {
    const [alice, bob] = beginGroup(3).copies as [Copy, Copy];
    const beginning = alice.state.heads;
    alice.receive(...Array.from({ length: 2000 }, (_, n) => bob.writeOn(beginning, { kind: 'rename', name: `${n}` })));
    assert.ok(alice.state.heads.length <= 32);
    alice.write({ kind: 'remove', address: address(1) });
    assert.deepEqual(addresses(alice), [address(0), address(2)]);
    alice.write({ kind: 'rename', name: 'Ours' });
    assert.equal(alice.state.name, 'Ours');
    assert.equal(alice.state.heads.length, 1);
  });

  it('takes no event that was written for another group', () => {
    const [alice] = beginGroup(2).copies as [Copy];
    const [other] = beginGroup(2, 1).copies as [Copy];
    const foreign = newGroupEvent({ ...other.write({ kind: 'rename', name: 'Elsewhere' }), parents: alice.state.heads });
    alice.receive(foreign);
    assert.equal(alice.state.refused.get(foreign.id), 'other-group');
    assert.equal(alice.state.name, 'Group');
  });

  it('lets nobody but administrators add, remove, grant, revoke and set the minimum level', () => {
    const [, bob] = beginGroup(3).copies as [Copy, Copy];
    const tries = [
      bob.write({ kind: 'add', member: member(5) }),
      bob.write({ kind: 'remove', address: address(2) }),
      bob.write({ kind: 'grant', address: address(1) }),
      bob.write({ kind: 'revoke', address: address(0) }),
      bob.write({ kind: 'minimum-level', minimumLevel: 'L3' }),
    ];
    assert.deepEqual(
      tries.map(({ id }) => bob.state.refused.get(id)),
      Array.from({ length: 5 }, () => 'not-admin'),
    );
  });

  it('keeps the stronger of two minimum levels set at once, whichever is heard of first', () => {
    const [alice, bob] = beginGroup(2).copies as [Copy, Copy];
    bob.receive(alice.write({ kind: 'grant', address: address(1) }));
    alice.write({ kind: 'minimum-level', minimumLevel: 'L1' });
    bob.write({ kind: 'minimum-level', minimumLevel: 'L3' });
    everyoneHears([alice, bob]);
    assert.equal(alice.state.minimumLevel, 'L1');
    assert.equal(bob.state.minimumLevel, 'L1');
  });

  it('takes no event that another certificate signed than the member joined with', () => {
    const [alice] = beginGroup(2).copies as [Copy];
    const forged = newGroupEvent({
      group: alice.groupId,
      author: address(0),
      key: member(9).fingerprint,
      at: 0,
      parents: alice.state.heads,
      change: { kind: 'rename', name: 'Stolen' },
    });
    alice.receive(forged);
    assert.equal(alice.state.name, 'Group');
    assert.equal(alice.state.refused.get(forged.id), 'other-key');
  });

  it('takes no beginning but its own', () => {
    const { create: other } = beginGroup(4);
    const [alice] = beginGroup(2, 1).copies as [Copy];
    alice.receive(other);
    assert.equal(addresses(alice).length, 2);
    assert.equal(alice.state.refused.get(other.id), 'other-group');
    assert.deepEqual(alice.state.heads, [...alice.events.keys()].slice(0, 1));
    assert.equal(groupState(groupIdOf(other), new Map()), undefined);
  });
});

describe('chat/a group event', () => {
  const event = beginGroup(2).create;

  it('is read in the one spelling it is written in', () => {
    assert.deepEqual(decodeGroupEvent(event.encoded), event);
    const double = event.encoded.replace('"v":1', '"v":1,"v":1');
    const spaced = event.encoded.replace('"v":1', '"v": 1');
    const wider = event.encoded.replace('"v":1', '"v":1,"x":1');
    for (const text of [double, spaced, wider, '', '{}', 'null', '[]', 'x'.repeat(70_000)])
      assert.equal(decodeGroupEvent(text), undefined, text);
  });

  it('is refused with any one character changed, or is another event', () => {
    for (let at = 0; at < event.encoded.length; at += 1) {
      const changed = `${event.encoded.slice(0, at)}${event.encoded[at] === 'a' ? 'b' : 'a'}${event.encoded.slice(at + 1)}`;
      assert.notEqual(decodeGroupEvent(changed)?.id, event.id, changed);
    }
  });

  it('never makes the reader crash', () => {
    fc.assert(fc.property(fc.json(), (text) => decodeGroupEvent(text) === undefined));
  });

  it('is not written with what no reader takes', () => {
    const { author, key, at } = event;
    const body = { group: groupIdOf(event), author, key, at, parents: [event.id] };
    const refused: GroupEvent['change'][] = [
      { kind: 'rename', name: 'two\nlines' },
      { kind: 'remove', address: 'nobody' },
      { kind: 'timer', seconds: -1 },
      { kind: 'create', name: 'Again', members: [member(0)], minimumLevel: 'L2' },
      { kind: 'minimum-level', minimumLevel: 'L4' },
    ];
    for (const change of refused) assert.throws(() => newGroupEvent({ ...body, change }), RangeError, change.kind);
  });
});

function shuffle<T>(items: T[], seed: number): T[] {
  let state = seed >>> 0 || 1;
  for (let i = items.length - 1; i > 0; i -= 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const j = state % (i + 1);
    [items[i], items[j]] = [items[j]!, items[i]!];
  }
  return items;
}
