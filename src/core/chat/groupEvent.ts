import { createHash } from 'node:crypto';
import * as v from 'valibot';
import { SECURITY_LEVELS, type SecurityLevel } from '../base/types.ts';
import { normalizeAddress } from '../mail/address.ts';

/** Octets of one encoded event; a create event with a hundred members takes about 30 KB. */
export const MAX_EVENT_OCTETS = 65_536;
/** Members of a group, which is what one message can be sealed to (PROTOCOL 2). */
export const MAX_MEMBERS = 100;
/** Events of one group. */
export const MAX_EVENTS = 4096;
/** Of them by one member, so that a single one cannot keep the others from removing them. */
export const MAX_EVENTS_BY_ONE = 1024;
/** Heads that one event may build on: members that wrote at the same time. */
export const MAX_PARENTS = 32;
/** A year, in seconds. */
const MAX_TIMER = 31_622_400;

export interface GroupMember {
  /** Normalised. */
  readonly address: string;
  readonly name: string;
  /** Fingerprint of the certificate that the member signs with. */
  readonly fingerprint: string;
  /** What the introducer knows of the member's SAE ID, for those who have not met the member yet. */
  readonly saeId?: string;
}

export interface GroupPicture {
  readonly sha256: string;
  readonly mimeType: 'image/png' | 'image/jpeg' | 'image/webp';
  /** At most 256 KiB. The octets ride beside the event. */
  readonly size: number;
}

/** What one event changes. The author of `create` is the first administrator. */
export type GroupChange =
  | { readonly kind: 'create'; readonly name: string; readonly members: readonly GroupMember[]; readonly minimumLevel: SecurityLevel }
  | { readonly kind: 'add'; readonly member: GroupMember }
  | { readonly kind: 'remove'; readonly address: string }
  | { readonly kind: 'leave' }
  | { readonly kind: 'rename'; readonly name: string }
  | { readonly kind: 'picture'; readonly picture: GroupPicture | null }
  | { readonly kind: 'minimum-level'; readonly minimumLevel: SecurityLevel }
  | { readonly kind: 'grant'; readonly address: string }
  | { readonly kind: 'revoke'; readonly address: string }
  /** Seconds after which messages disappear; 0 for never. */
  | { readonly kind: 'timer'; readonly seconds: number };

export interface GroupEventBody {
  /** The group it changes, so that it is an event of no other; absent in `create`, which makes one. */
  readonly group?: string;
  /** Normalised address of who wrote it. */
  readonly author: string;
  /** Fingerprint of the certificate that signed it; whoever stores an event has checked that. */
  readonly key: string;
  /** Milliseconds since the epoch by the author's clock; shown, never decided by. */
  readonly at: number;
  /** Ids of the events it was written on; empty for `create` alone. */
  readonly parents: readonly string[];
  readonly change: GroupChange;
}

/** One signed step of a group's history. Its id is what it says, so a history cannot be altered without changing every later id. */
export interface GroupEvent extends GroupEventBody {
  /** base64url of the SHA-256 of `encoded`. */
  readonly id: string;
  /** The exact text that is hashed and signed. */
  readonly encoded: string;
}

const Hash = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{43}$/));
/** '' for a direct chat, which is called by the other's name. */
const Name = v.pipe(v.string(), v.maxLength(200), v.regex(/^[^\p{Cc}\p{Cs}\u2028\u2029]*$/u));
const MailAddress = v.pipe(
  v.string(),
  v.check((text) => normalizeAddress(text) === text),
);
const Level = v.picklist(SECURITY_LEVELS.filter((level) => level !== 'L4'));
const Fingerprint = v.pipe(v.string(), v.regex(/^(?:[0-9A-F]{40}|[0-9A-F]{64})$/));
const Member = v.strictObject({
  address: MailAddress,
  name: Name,
  fingerprint: Fingerprint,
  saeId: v.exactOptional(v.pipe(v.string(), v.regex(/^[\x21-\x7e]{1,128}$/))),
});
const Picture = v.strictObject({
  sha256: Hash,
  mimeType: v.picklist(['image/png', 'image/jpeg', 'image/webp']),
  size: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(262_144)),
});
const Change = v.variant('kind', [
  v.strictObject({
    kind: v.literal('create'),
    name: Name,
    members: v.pipe(v.array(Member), v.minLength(1), v.maxLength(MAX_MEMBERS)),
    minimumLevel: Level,
  }),
  v.strictObject({ kind: v.literal('add'), member: Member }),
  v.strictObject({ kind: v.literal('remove'), address: MailAddress }),
  v.strictObject({ kind: v.literal('leave') }),
  v.strictObject({ kind: v.literal('rename'), name: Name }),
  v.strictObject({ kind: v.literal('picture'), picture: v.nullable(Picture) }),
  v.strictObject({ kind: v.literal('minimum-level'), minimumLevel: Level }),
  v.strictObject({ kind: v.literal('grant'), address: MailAddress }),
  v.strictObject({ kind: v.literal('revoke'), address: MailAddress }),
  v.strictObject({ kind: v.literal('timer'), seconds: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(MAX_TIMER)) }),
]);
const Body = v.strictObject({
  v: v.literal(1),
  group: v.exactOptional(v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{22}$/))),
  author: MailAddress,
  key: Fingerprint,
  at: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  parents: v.pipe(v.array(Hash), v.maxLength(MAX_PARENTS)),
  change: Change,
});

/**
 * The event with its id. Parents are sorted, so that one event has one spelling.
 * @throws RangeError for what no reader would accept
 */
export function newGroupEvent(body: GroupEventBody): GroupEvent {
  const event = decodeGroupEvent(encode({ ...body, parents: [...new Set(body.parents)].sort() }));
  if (!event) throw new RangeError('group event');
  return event;
}

/** Reads one event; undefined for anything but the one spelling that `newGroupEvent` writes. */
export function decodeGroupEvent(encoded: string): GroupEvent | undefined {
  if (Buffer.byteLength(encoded) > MAX_EVENT_OCTETS) return undefined;
  const parsed = v.safeParse(Body, tolerantJson(encoded));
  if (!parsed.success) return undefined;
  const body = parsed.output;
  // Whatever JSON leaves open (order, spaces, escapes, double members) would let two readers see two events in one text.
  if (encode(body) !== encoded) return undefined;
  const begins = body.change.kind === 'create';
  if (begins !== (body.parents.length === 0) || begins !== (body.group === undefined)) return undefined;
  if (body.parents.some((parent, i) => i > 0 && parent <= body.parents[i - 1]!)) return undefined;
  const { group, author, key, at, parents, change } = body;
  return {
    ...(group !== undefined && { group }),
    author,
    key,
    at,
    parents,
    change,
    encoded,
    id: createHash('sha256').update(encoded).digest('base64url'),
  };
}

/** The id of the group that a `create` event begins: whoever makes another beginning makes another group. */
export function groupIdOf(create: GroupEvent): string {
  return create.id.slice(0, 22);
}

function encode({ group, author, key, at, parents, change }: GroupEventBody): string {
  return JSON.stringify({ v: 1, ...(group !== undefined && { group }), author, key, at, parents, change: ordered(change) });
}

/** The members in the order they are written in, whatever order they came in. */
function ordered(change: GroupChange): GroupChange {
  switch (change.kind) {
    case 'create':
      return { kind: change.kind, name: change.name, members: change.members.map(orderedMember), minimumLevel: change.minimumLevel };
    case 'add':
      return { kind: change.kind, member: orderedMember(change.member) };
    case 'picture': {
      const { picture } = change;
      return { kind: change.kind, picture: picture && { sha256: picture.sha256, mimeType: picture.mimeType, size: picture.size } };
    }
    case 'remove':
    case 'grant':
    case 'revoke':
      return { kind: change.kind, address: change.address };
    case 'leave':
      return { kind: change.kind };
    case 'rename':
      return { kind: change.kind, name: change.name };
    case 'minimum-level':
      return { kind: change.kind, minimumLevel: change.minimumLevel };
    case 'timer':
      return { kind: change.kind, seconds: change.seconds };
  }
}

function orderedMember({ address, name, fingerprint, saeId }: GroupMember): GroupMember {
  return { address, name, fingerprint, ...(saeId !== undefined && { saeId }) };
}

function tolerantJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
