import { createHash } from 'node:crypto';
import { SECURITY_LEVELS, type SecurityLevel } from '../base/types.ts';
import { groupIdOf, MAX_MEMBERS, type GroupEvent, type GroupMember, type GroupPicture } from './groupEvent.ts';
import { orderHistory, type OrderedEvent } from './history.ts';

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
  /** Parents of the next event. */
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
  /** Address -> events that removed it. */
  readonly removals: Map<string, string[]>;
}

/**
 * What a group is after a set of events: a pure function of the set, so that members who know the same events see the same group,
 * whatever order, delay or repetition they came with (PROTOCOL 8). Who may do what is decided where an event takes effect in
 * `orderHistory`: administrators add, remove, grant, revoke and set the minimum level; every member renames, changes the picture and the
 * timer, and leaves. A removal wins over an addition that did not know of it. Where no administrator is left, the member who has been
 * there longest becomes one.
 *
 * @param events verified events by id, of this group or pretending to be
 * @returns undefined while the beginning of the group is not known
 */
export function groupState(groupId: string, events: ReadonlyMap<string, GroupEvent>): GroupState | undefined {
  const history = orderHistory(events);
  const refused = new Map<string, RefusedBecause>();
  let draft: Draft | undefined;
  for (const ordered of history.order) {
    const { event } = ordered;
    if (event.change.kind === 'create') {
      const begun = groupIdOf(event) === groupId ? begin(event) : undefined;
      if (begun) draft = begun;
      else refused.set(event.id, 'other-group');
      continue;
    }
    // Every history starts with its beginning, so an event before it builds on another group's.
    const because = draft ? apply(draft, ordered) : 'other-group';
    if (because) refused.set(event.id, because);
    if (draft) keepAdministrator(draft);
  }
  if (!draft) return undefined;
  const { name, minimumLevel, picture, timer } = draft;
  const members = [...draft.members.values()];
  const shown = { id: groupId, name, members, minimumLevel, picture, timer, heads: history.heads };
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
    removals: new Map(),
  };
  for (const member of members) {
    draft.members.set(member.address, { ...member, admin: member.address === event.author, since: event.id });
  }
  const author = draft.members.get(event.author);
  return author?.fingerprint === event.key && draft.members.size === members.length ? draft : undefined;
}

function apply(draft: Draft, ordered: OrderedEvent): RefusedBecause | undefined {
  const { event } = ordered;
  const { change } = event;
  const author = draft.members.get(event.author);
  if (!author) return 'not-member';
  if (author.fingerprint !== event.key) return 'other-key';
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

function add(draft: Draft, member: GroupMember, { event, knows }: OrderedEvent): RefusedBecause | undefined {
  if (draft.members.has(member.address)) return 'already';
  if (draft.removals.get(member.address)?.some((removal) => !knows(removal))) return 'removed-meanwhile';
  if (draft.members.size >= MAX_MEMBERS) return 'full';
  draft.members.set(member.address, { ...member, admin: false, since: event.id });
  return undefined;
}

/** True where it was a member. */
function remove(draft: Draft, address: string, by: string): boolean {
  draft.removals.set(address, [...(draft.removals.get(address) ?? []), by]);
  return draft.members.delete(address);
}

function keepAdministrator(draft: Draft): void {
  const members = [...draft.members.values()];
  const [longest] = members;
  if (longest && !members.some(({ admin }) => admin)) draft.members.set(longest.address, { ...longest, admin: true });
}
