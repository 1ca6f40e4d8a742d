import type { ChatAct } from './chatPart.ts';

/** One chat message as it was received and verified, or sent. */
export interface ChatEntry {
  /** Message-ID. */
  readonly id: string;
  /** Normalised address of who wrote it. */
  readonly author: string;
  /** Milliseconds since the epoch: the author's clock, never later than when it came. */
  readonly at: number;
  readonly act: ChatAct;
  readonly text: string;
  /** Seconds until it disappears after it was read, or sent by oneself; 0 for never. */
  readonly timer: number;
  /** False for an answer that an ordinary mail program sent: it was neither sealed nor signed. */
  readonly sealed: boolean;
}

export interface Receipt {
  readonly member: string;
  readonly state: 'delivered' | 'read';
}

/** A message as the conversation shows it, all that happened to it included. */
export interface ShownMessage {
  readonly id: string;
  readonly author: string;
  readonly at: number;
  readonly text: string;
  readonly replyTo: string | undefined;
  readonly edited: boolean;
  readonly deleted: boolean;
  /** Emoji -> who, in the order of addresses. */
  readonly reactions: ReadonlyMap<string, readonly string[]>;
  readonly receipts: readonly Receipt[];
  readonly timer: number;
  readonly sealed: boolean;
}

interface Change {
  readonly at: number;
  readonly id: string;
  readonly value: string;
}

/** The later of two changes; of two at the same moment the one with the greater id, so that everybody takes the same. */
function later(a: Change | undefined, b: Change): Change {
  if (!a) return b;
  return b.at > a.at || (b.at === a.at && b.id > a.id) ? b : a;
}

/**
 * What a conversation shows: a pure function of the set of its entries, oldest first, the same whatever order they came in. Only the author
 * of a message edits it or takes it back; a reaction is the last one of each member; a message taken back stays as an empty place.
 * What refers to a message that is not here waits for it.
 */
export function conversation(entries: Iterable<ChatEntry>): readonly ShownMessage[] {
  const messages = new Map<string, ChatEntry>();
  const acts = new Map<string, ChatEntry[]>();
  const receipts = new Map<string, Map<string, Receipt['state']>>();
  for (const entry of entries) {
    const { act } = entry;
    if (act.kind === 'message') messages.set(entry.id, entry);
    else if (act.kind === 'edit' || act.kind === 'delete' || act.kind === 'reaction') {
      const list = acts.get(act.target);
      if (list) list.push(entry);
      else acts.set(act.target, [entry]);
    } else if (act.kind === 'receipt') {
      for (const id of act.delivered) note(receipts, id, entry.author, 'delivered');
      for (const id of act.read) note(receipts, id, entry.author, 'read');
    }
  }
  return [...messages.values()]
    .sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1))
    .map((message) => shown(message, acts.get(message.id) ?? [], receipts.get(message.id)));
}

function note(receipts: Map<string, Map<string, Receipt['state']>>, id: string, member: string, state: Receipt['state']): void {
  const known = receipts.get(id) ?? new Map<string, Receipt['state']>();
  if (known.get(member) !== 'read') known.set(member, state);
  receipts.set(id, known);
}

function shown(message: ChatEntry, acts: readonly ChatEntry[], receipts: ReadonlyMap<string, Receipt['state']> | undefined): ShownMessage {
  const { id, author, at, timer, sealed } = message;
  let edit: Change | undefined;
  let deleted = false;
  const reactions = new Map<string, Change>();
  for (const entry of acts) {
    const change = { at: entry.at, id: entry.id };
    if (entry.act.kind === 'reaction') {
      reactions.set(entry.author, later(reactions.get(entry.author), { ...change, value: entry.act.emoji }));
    } else if (entry.author === author && entry.sealed === sealed) {
      if (entry.act.kind === 'delete') deleted = true;
      else edit = later(edit, { ...change, value: entry.text });
    }
  }
  return {
    id,
    author,
    at,
    text: deleted ? '' : (edit?.value ?? message.text),
    replyTo: message.act.kind === 'message' ? message.act.replyTo : undefined,
    edited: !deleted && edit !== undefined,
    deleted,
    reactions: deleted ? new Map() : grouped(reactions),
    receipts: [...(receipts ?? [])]
      .filter(([member]) => member !== author)
      .map(([member, state]) => ({ member, state }))
      .sort((a, b) => (a.member < b.member ? -1 : 1)),
    timer,
    sealed,
  };
}

function grouped(reactions: ReadonlyMap<string, Change>): ReadonlyMap<string, readonly string[]> {
  const groups = new Map<string, string[]>();
  for (const [member, { value }] of [...reactions].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (value === '') continue;
    groups.set(value, [...(groups.get(value) ?? []), member]);
  }
  return new Map([...groups].sort(([a], [b]) => (a < b ? -1 : 1)));
}
