import { createHash } from 'node:crypto';
import { SECURITY_LEVELS, type SecurityLevel } from '../base/types.ts';
import { groupIdOf, MAX_MEMBERS, MAX_PARENTS, type GroupEvent, type GroupMember, type GroupPicture } from './groupEvent.ts';
import { headsAmong, historyOf, visitInOrder, type PlacedEvent } from './history.ts';

export interface GroupStateMember extends GroupMember {
  readonly admin: boolean;
  /** The event that made it a member. */
  readonly since: string;
}

/** Why an event changed nothing. It stays in the history and is shown as what it is. */
export type RefusedBecause =
  /** Written by somebody who is no member where it takes effect. */
  | 'not-member'
  /** Signed by another certificate than the member's. */
  | 'other-key'
  | 'not-admin'
  | 'unknown-target'
  | 'already'
  /** The member was removed by somebody who had not heard of this. */
  | 'removed-meanwhile'
  /** A stronger minimum was set at the same time. */
  | 'stronger-meanwhile'
  | 'full'
  /** A beginning of another group. */
  | 'other-group';

export interface GroupState {
  readonly id: string;
  readonly name: string;
  /** In the order they joined. */
  readonly members: readonly GroupStateMember[];
  readonly minimumLevel: SecurityLevel;
  readonly picture: GroupPicture | undefined;
  /** Seconds after which messages disappear; 0 for never. */
  readonly timer: number;
  /** Parents of the next event: what changed something and nothing that did builds on; at most 32. */
  readonly heads: readonly string[];
  /** Events that are known to exist and were not received: the state may be behind. */
  readonly missing: readonly string[];
  /** base64url of a SHA-256 over all of the above but `missing`: equal on all members that know the same events. */
  readonly hash: string;
  readonly refused: ReadonlyMap<string, RefusedBecause>;
}

interface Draft {
  name: string;
  minimumLevel: SecurityLevel;
  minimumSetBy: string;
  picture: GroupPicture | undefined;
  timer: number;
  readonly members: Map<string, GroupStateMember>;
  /** Administrators in the order in which they became that: who became one earlier stands higher. */
  admins: readonly string[];
  /** Address -> events that made it a member, since it was last removed. */
  readonly joins: Map<string, string[]>;
  /** Address -> events that removed it. */
  readonly removals: Map<string, string[]>;
}

/**
 * What a group is after a set of events: a pure function of the set, so that members who know the same events see the same group,
 * whatever order, delay or repetition they came with (PROTOCOL 11). Who may do what is decided where an event takes effect in
 * `visitInOrder`: administrators add, remove, grant, revoke and set the minimum level; every member renames, changes the picture and the
 * timer, and leaves. A removal wins over an addition that did not know of it; of two administrators who remove each other at once, the one
 * who became one earlier stays. Where no administrator is left, the member who has been there longest becomes one.
 *
 * @param events verified events by id, of this group or pretending to be
 * @returns undefined while the beginning of the group is not known
 */
export function groupState(groupId: string, events: ReadonlyMap<string, GroupEvent>): GroupState | undefined {
  const beginning = [...events.values()].find((event) => event.change.kind === 'create' && groupIdOf(event) === groupId);
  const draft = beginning && begin(beginning);
  if (!draft) return undefined;
  const history = historyOf(events);
  const refused = new Map<string, RefusedBecause>();
  const visit = (placed: PlacedEvent): void => {
    const { event } = placed;
    if (event.id === beginning.id) return;
    const because = event.group === groupId ? apply(draft, placed) : 'other-group';
    if (because) refused.set(event.id, because);
    keepAdministrator(draft);
  };
  visitInOrder(history, (event) => standingOf(draft, event), visit);
  const { name, minimumLevel, picture, timer } = draft;
  const members = [...draft.members.values()];
  // Removing who is no member keeps out whoever is being added at that moment, so who adds again must know of it.
  const counts = (id: string): boolean => !refused.has(id) || refused.get(id) === 'unknown-target';
  const heads = headsAmong(history, counts).slice(0, MAX_PARENTS).sort();
  const shown = { id: groupId, name, members, minimumLevel, picture, timer, heads };
  return { ...shown, missing: history.missing, hash: createHash('sha256').update(JSON.stringify(shown)).digest('base64url'), refused };
}

function begin(event: GroupEvent): Draft | undefined {
  if (event.change.kind !== 'create') return undefined;
  const { name, minimumLevel, members } = event.change;
  const draft: Draft = {
    name,
    minimumLevel,
    minimumSetBy: event.id,
    picture: undefined,
    timer: 0,
    members: new Map(),
    admins: [event.author],
    joins: new Map(members.map(({ address }) => [address, [event.id]])),
    removals: new Map(),
  };
  for (const member of members) {
    draft.members.set(member.address, { ...member, admin: member.address === event.author, since: event.id });
  }
  const author = draft.members.get(event.author);
  return author?.fingerprint === event.key && draft.members.size === members.length ? draft : undefined;
}

/** Removals by administrators come by how long these have been that, then who goes by their own will, then what nobody may do. */
function standingOf({ members, admins }: Draft, { author, key, change }: GroupEvent): number {
  const member = members.get(author);
  if (change.kind === 'leave' || ('address' in change && change.address === author)) return MAX_MEMBERS;
  return member?.admin && member.fingerprint === key ? admins.indexOf(author) : MAX_MEMBERS + 1;
}

function apply(draft: Draft, ordered: PlacedEvent): RefusedBecause | undefined {
  const { event, knows } = ordered;
  const { change } = event;
  const author = draft.members.get(event.author);
  if (!author) return 'not-member';
  if (author.fingerprint !== event.key) return 'other-key';
  // Written before the author was removed and let in again.
  if (!draft.joins.get(event.author)?.some(knows)) return 'not-member';
  switch (change.kind) {
    case 'rename':
      draft.name = change.name;
      return undefined;
    case 'picture':
      draft.picture = change.picture ?? undefined;
      return undefined;
    case 'timer':
      draft.timer = change.seconds;
      return undefined;
    case 'leave':
      remove(draft, event.author, event.id);
      return undefined;
    case 'create':
      return 'other-group';
    case 'add':
      return author.admin ? add(draft, change.member, ordered) : 'not-admin';
    case 'remove':
      if (!author.admin && change.address !== event.author) return 'not-admin';
      // Noted also where it is no member yet: whoever is added elsewhere at the same time stays out.
      return remove(draft, change.address, event.id) ? undefined : 'unknown-target';
    case 'grant':
    case 'revoke': {
      if (!author.admin && !(change.kind === 'revoke' && change.address === event.author)) return 'not-admin';
      const member = draft.members.get(change.address);
      if (!member) return 'unknown-target';
      if (member.admin === (change.kind === 'grant')) return 'already';
      draft.members.set(change.address, { ...member, admin: change.kind === 'grant' });
      draft.admins = draft.admins.filter((address) => address !== change.address);
      if (change.kind === 'grant') draft.admins = [...draft.admins, change.address];
      return undefined;
    }
    case 'minimum-level': {
      if (!author.admin) return 'not-admin';
      const stronger = SECURITY_LEVELS.indexOf(draft.minimumLevel) < SECURITY_LEVELS.indexOf(change.minimumLevel);
      if (stronger && !ordered.knows(draft.minimumSetBy)) return 'stronger-meanwhile';
      draft.minimumLevel = change.minimumLevel;
      draft.minimumSetBy = event.id;
      return undefined;
    }
  }
}

function add(draft: Draft, member: GroupMember, { event, knows }: PlacedEvent): RefusedBecause | undefined {
  const known = draft.members.get(member.address);
  if (known) {
    const joins = draft.joins.get(member.address) ?? [];
    // Added by two at once: who was added may have heard of this one alone.
    if (known.fingerprint === member.fingerprint && !joins.some(knows)) draft.joins.set(member.address, [...joins, event.id]);
    return 'already';
  }
  if (draft.removals.get(member.address)?.some((removal) => !knows(removal))) return 'removed-meanwhile';
  if (draft.members.size >= MAX_MEMBERS) return 'full';
  draft.members.set(member.address, { ...member, admin: false, since: event.id });
  draft.joins.set(member.address, [event.id]);
  return undefined;
}

/** True where it was a member. */
function remove(draft: Draft, address: string, by: string): boolean {
  draft.removals.set(address, [...(draft.removals.get(address) ?? []), by]);
  draft.admins = draft.admins.filter((admin) => admin !== address);
  draft.joins.delete(address);
  return draft.members.delete(address);
}

function keepAdministrator(draft: Draft): void {
  const members = [...draft.members.values()];
  const [longest] = members;
  if (!longest || members.some(({ admin }) => admin)) return;
  draft.members.set(longest.address, { ...longest, admin: true });
  draft.admins = [longest.address];
}
