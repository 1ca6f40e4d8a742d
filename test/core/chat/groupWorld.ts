import fc from 'fast-check';
import { newGroupEvent, groupIdOf, type GroupChange, type GroupEvent, type GroupMember } from '../../../src/core/chat/groupEvent.ts';
import { groupState, type GroupState } from '../../../src/core/chat/group.ts';

export function member(index: number): GroupMember {
  const digit = index.toString(16).toUpperCase();
  return { address: `m${index}@example.test`, name: `Member ${index}`, fingerprint: digit.padStart(64, '0') };
}

/** One person's copy of a group: what has reached them, and what they make of it. */
export class Copy {
  readonly self: GroupMember;
  readonly groupId: string;
  readonly events = new Map<string, GroupEvent>();

  constructor(self: GroupMember, create: GroupEvent) {
    this.self = self;
    this.groupId = groupIdOf(create);
    this.receive(create);
  }

  receive(...events: readonly GroupEvent[]): void {
    for (const event of events) this.events.set(event.id, event);
  }

  get state(): GroupState {
    const state = groupState(this.groupId, this.events);
    if (!state) throw new Error('the beginning of the group is missing');
    return state;
  }

  /** Writes an event on what this person knows. */
  write(change: GroupChange, at = 0): GroupEvent {
    return this.writeOn(this.state.heads, change, at);
  }

  /** Writes an event as if no more were known than this; what honest members never do. */
  writeOn(parents: readonly string[], change: GroupChange, at = 0): GroupEvent {
    const { address: author, fingerprint: key } = this.self;
    const event = newGroupEvent({ group: this.groupId, author, key, at, parents, change });
    this.receive(event);
    return event;
  }
}

export function beginGroup(people: number, at = 0): { copies: Copy[]; create: GroupEvent } {
  const members = Array.from({ length: people }, (_, index) => member(index));
  const create = newGroupEvent({
    author: members[0]!.address,
    key: members[0]!.fingerprint,
    at,
    parents: [],
    change: { kind: 'create', name: 'Group', members, minimumLevel: 'L2' },
  });
  return { copies: members.map((each) => new Copy(each, create)), create };
}

/** Numbers that decide one step of a random history: who, what, about whom, who hears of it, and how honest it is. */
export const steps = fc.array(fc.tuple(fc.nat(24), fc.nat(99), fc.nat(24), fc.nat(0xfffff), fc.nat(99)), { minLength: 1, maxLength: 30 });
export type Step = readonly [who: number, what: number, about: number, hears: number, honesty: number];

export function changeOf(what: number, about: number): GroupChange {
  const { address } = member(about);
  if (what < 25) return { kind: 'add', member: member(about) };
  if (what < 35) return { kind: 'remove', address };
  if (what < 38) return { kind: 'leave' };
  if (what < 55) return { kind: 'rename', name: `Name ${about}` };
  if (what < 65) return { kind: 'grant', address };
  if (what < 72) return { kind: 'revoke', address };
  if (what < 85) return { kind: 'minimum-level', minimumLevel: (['L1', 'L2', 'L3'] as const)[about % 3]! };
  return { kind: 'timer', seconds: about };
}

/**
 * Everybody's copy after a random history: half of the members administer it, most events come from members, some of those who write know
 * better than their events say (backdated), some events reach others without what they build on, most reach only some.
 */
export function play(people: number, history: readonly Step[]): Copy[] {
  const { copies, create } = beginGroup(people);
  const [first] = copies as [Copy];
  for (let index = 1; index < people; index += 2) first.write({ kind: 'grant', address: member(index).address });
  for (const copy of copies) copy.receive(...first.events.values());
  for (let index = people; index < 25; index += 1) copies.push(new Copy(member(index), create));
  for (const [at, [who, what, about, hears, honesty]] of history.entries()) {
    const author = copies[honesty < 90 ? who % people : who]!;
    const change = changeOf(what, about % (people + 3));
    const known = [...author.events.keys()];
    const event = honesty % 7 === 0 ? author.writeOn([known[who % known.length]!], change, at) : author.write(change, at);
    for (const [index, copy] of copies.entries()) {
      if (!((hears >> (index % 20)) & 1)) continue;
      // Every third time the history is lost on the way, and the event waits for it.
      if (hears % 3 === 0) copy.receive(event);
      else copy.receive(...author.events.values());
    }
  }
  return copies;
}
