import { QuMailError } from '../base/errors.ts';
import type { ChatStore } from '../store/chats.ts';
import type { SignedEvent } from './chatPart.ts';
import type { ChatPeople, ChatSignatures } from './chatPorts.ts';
import { groupState, type GroupState } from './group.ts';
import {
  decodeGroupEvent,
  groupIdOf,
  MAX_EVENTS,
  MAX_EVENTS_BY_ONE,
  newGroupEvent,
  type GroupChange,
  type GroupEvent,
} from './groupEvent.ts';

/** What is signed: ASCII `QuMail-Group-v1` ‖ 0x00 ‖ the event, so that a signature made for anything else is never one of an event. */
export function signedEvent(encoded: string): Buffer {
  return Buffer.concat([Buffer.from('QuMail-Group-v1\0', 'latin1'), Buffer.from(encoded, 'utf8')]);
}

interface Loaded {
  readonly events: Map<string, GroupEvent>;
  readonly signatures: Map<string, string>;
  state: GroupState | undefined;
}

/** The events of all groups, verified before they are stored, and the states they make. */
export class GroupBook {
  readonly #store: ChatStore;
  readonly #signatures: ChatSignatures;
  readonly #people: ChatPeople;
  readonly #loaded = new Map<string, Loaded>();

  constructor(deps: { store: ChatStore; signatures: ChatSignatures; people: ChatPeople }) {
    this.#store = deps.store;
    this.#signatures = deps.signatures;
    this.#people = deps.people;
  }

  /** Undefined while the beginning of the group is not known. */
  state(accountId: string, groupId: string): GroupState | undefined {
    const loaded = this.#load(accountId, groupId);
    loaded.state ??= groupState(groupId, loaded.events);
    return loaded.state;
  }

  /** @throws QuMailError `chat.missing` */
  require(accountId: string, groupId: string): GroupState {
    const state = this.state(accountId, groupId);
    if (!state) throw new QuMailError('chat.missing');
    return state;
  }

  event(accountId: string, groupId: string, eventId: string): GroupEvent | undefined {
    return this.#load(accountId, groupId).events.get(eventId);
  }

  events(accountId: string, groupId: string): readonly GroupEvent[] {
    return [...this.#load(accountId, groupId).events.values()];
  }

  /** Events as they are passed on; those named, or all. */
  signed(accountId: string, groupId: string, ids?: readonly string[]): readonly SignedEvent[] {
    const { events, signatures } = this.#load(accountId, groupId);
    return (ids ?? [...events.keys()]).flatMap((id) => {
      const event = events.get(id);
      return event ? [{ encoded: event.encoded, signature: signatures.get(id)! }] : [];
    });
  }

  /** An own event on what is known here, signed and not stored yet: it is stored with the message that carries it. */
  async write(
    accountId: string,
    groupId: string | undefined,
    change: GroupChange,
    at: number,
  ): Promise<SignedEvent & { event: GroupEvent }> {
    const own = await this.#people.own(accountId);
    const parents = groupId === undefined ? [] : this.require(accountId, groupId).heads;
    const event = newGroupEvent({
      ...(groupId !== undefined && { group: groupId }),
      author: own.address,
      key: own.fingerprint,
      at,
      parents,
      change,
    });
    const signature = await this.#signatures.sign(accountId, signedEvent(event.encoded));
    return { event, encoded: event.encoded, signature: signature.toString('base64url') };
  }

  /** The state that an event would lead to, without storing it. */
  preview(accountId: string, groupId: string, event: GroupEvent): GroupState | undefined {
    return groupState(groupId, new Map([...this.#load(accountId, groupId).events, [event.id, event]]));
  }

  /** Stores own events; joins the caller's transaction. */
  keep(accountId: string, groupId: string, events: readonly (SignedEvent & { event: GroupEvent })[]): void {
    for (const { event, encoded, signature } of events) {
      this.#store.add(accountId, groupId, event.at);
      this.#store.putEvent(accountId, groupId, { eventId: event.id, at: event.at, encoded, signature });
    }
    this.#loaded.delete(key(accountId, groupId));
  }

  /**
   * Takes in events that somebody brought along. Each is believed for its own signature alone, whoever brought it.
   * @param arrivedAt an author's clock that is ahead is not believed
   * @returns how many are new, and whether signatures wait for certificates that are not known yet
   */
  async take(
    accountId: string,
    groupId: string,
    carried: readonly SignedEvent[],
    arrivedAt: number,
  ): Promise<{ readonly added: number; readonly unknownSigners: number }> {
    const known = this.#load(accountId, groupId).events;
    const self = (await this.#people.own(accountId)).address;
    const verified: { event: GroupEvent; signature: string }[] = [];
    let unknownSigners = 0;
    for (const { encoded, signature } of carried) {
      const event = decodeGroupEvent(encoded);
      if (!event || known.has(event.id)) continue;
      // What belongs to another group is no part of this one, whoever says so.
      if ((event.group ?? groupIdOf(event)) !== groupId) continue;
      const outcome = await this.#signatures.verify({
        accountId,
        address: event.author,
        fingerprint: event.key,
        data: signedEvent(encoded),
        signature: Buffer.from(signature, 'base64url'),
      });
      if (outcome === 'valid') verified.push({ event, signature });
      else if (outcome === 'unknown') unknownSigners += 1;
    }
    const wanted = ofMembers(known, verified, self);
    const added = this.#store.transaction(() => {
      let stored = 0;
      for (const { event, signature } of wanted) {
        const at = Math.min(event.at, arrivedAt);
        this.#store.add(accountId, groupId, at);
        if (this.#store.putEvent(accountId, groupId, { eventId: event.id, at, encoded: event.encoded, signature })) stored += 1;
      }
      return stored;
    });
    if (added > 0) this.#loaded.delete(key(accountId, groupId));
    return { added, unknownSigners };
  }

  /** Another window may have stored more. */
  forget(accountId: string, groupId: string): void {
    this.#loaded.delete(key(accountId, groupId));
  }

  #load(accountId: string, groupId: string): Loaded {
    const known = this.#loaded.get(key(accountId, groupId));
    if (known) return known;
    const events = new Map<string, GroupEvent>();
    const signatures = new Map<string, string>();
    for (const { encoded, signature } of this.#store.events(accountId, groupId)) {
      const event = decodeGroupEvent(encoded);
      if (!event) continue;
      events.set(event.id, event);
      signatures.set(event.id, signature);
    }
    const loaded: Loaded = { events, signatures, state: undefined };
    this.#loaded.set(key(accountId, groupId), loaded);
    return loaded;
  }
}

/**
 * Of new events those that belong to a group oneself was ever in, by people who ever were members of it: nobody else has a say in it, and
 * fills it. Nobody fills it alone, either.
 */
function ofMembers<E extends { readonly event: GroupEvent }>(
  known: ReadonlyMap<string, GroupEvent>,
  candidates: readonly E[],
  self: string,
): E[] {
  const members = new Set<string>();
  const counts = new Map<string, number>();
  const note = ({ author, change }: GroupEvent): void => {
    if (change.kind === 'create') for (const { address } of change.members) members.add(address);
    if (change.kind === 'add') members.add(change.member.address);
    counts.set(author, (counts.get(author) ?? 0) + 1);
  };
  for (const event of known.values()) note(event);
  const taken: E[] = [];
  let left = [...candidates];
  for (let before = -1; before !== taken.length;) {
    before = taken.length;
    left = left.filter((candidate) => {
      const { author, change } = candidate.event;
      if (!members.has(author) && change.kind !== 'create') return true;
      if (known.size + taken.length >= MAX_EVENTS || (counts.get(author) ?? 0) >= MAX_EVENTS_BY_ONE) return false;
      note(candidate.event);
      taken.push(candidate);
      return false;
    });
  }
  return members.has(self) ? taken : [];
}

function key(accountId: string, groupId: string): string {
  return `${accountId} ${groupId}`;
}
