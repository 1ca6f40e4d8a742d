import { createHash } from 'node:crypto';
import type { ChatLevel } from '../base/chat.ts';
import { QuMailError } from '../base/errors.ts';
import type { Clock, Random } from '../base/ports.ts';
import { SECURITY_LEVELS, type Address, type SecurityLevel } from '../base/types.ts';
import { chatMessageId } from '../mail/chatMessageId.ts';
import {
  CHAT_CERTIFICATE,
  CHAT_PART,
  CHAT_SIGNATURE,
  encodeChatPart,
  MAX_CHAT_TEXT,
  signedPart,
  type ChatAct,
  type ChatPart,
  type SignedEvent,
} from './chatPart.ts';
import type { ChatFile, ChatPeople, ChatPost, ChatSignatures } from './chatPorts.ts';
import type { GroupState } from './group.ts';
import type { GroupBook } from './groupBook.ts';
import type { GroupEvent, GroupMember } from './groupEvent.ts';
import { waits } from './waits.ts';

/** Octets of all files of one message. */
const MAX_CHAT_FILES = 25 * 1_048_576;

export interface ChatSenderDeps {
  readonly groups: GroupBook;
  readonly people: ChatPeople;
  readonly signatures: ChatSignatures;
  readonly post: ChatPost;
  readonly clock: Clock;
  readonly random: Random;
}

/** What one message says and brings. */
export interface Outgoing {
  readonly accountId: string;
  readonly groupId: string;
  readonly act: ChatAct;
  readonly text: string;
  readonly files: readonly ChatFile[];
  /** Own events that go along; stored in the transaction that queues the message. */
  readonly events: readonly (SignedEvent & { readonly event: GroupEvent })[];
  /** Events of others that are passed on. */
  readonly passedOn: readonly SignedEvent[];
  /** Members whose certificates go along. */
  readonly introduce: readonly GroupMember[];
  /** Who gets it: all members but oneself where it is not given. */
  readonly to?: readonly string[];
  readonly level?: ChatLevel;
  /** Made when it was said; made now where they are not given. */
  readonly messageId?: string;
  readonly at?: number;
  readonly signal?: AbortSignal;
  /** Runs in the transaction that queues it. */
  readonly queued: (sent: { messageId: string; at: number; envelopeId: string; level: ChatLevel; suite?: string }) => void;
}

/** Writes chat messages: signed, for everybody who is a member at this moment, at one level or not at all. */
export class ChatSender {
  readonly #deps: ChatSenderDeps;

  constructor(deps: ChatSenderDeps) {
    this.#deps = deps;
  }

  /**
   * Every member is accounted for before anything is spent: where one cannot be reached, nothing is sent.
   *
   * @param state the state that the message is written on, own events that it carries included
   * @throws QuMailError `chat.unreachable` (details: addresses), `chat.below-minimum` (details: minimum), `chat.not-member`,
   *   `chat.file-too-large`, `chat.refused` (details: reason), `seal.*`, `kme.*`
   */
  async send(out: Outgoing, state: GroupState): Promise<{ messageId: string; at: number; level: ChatLevel }> {
    const { people, post, clock, random, signatures } = this.#deps;
    const { accountId, groupId } = out;
    const own = await people.own(accountId);
    const to = (out.to ?? state.members.map(({ address }) => address)).filter((address) => address !== own.address);
    const floor = chatLevel(state.minimumLevel);
    const asked = out.level ?? (await this.#levelFor(out, to, floor));
    refuseBelow(asked, floor);
    refuseOversized(out);
    const level = to.length > 0 ? await this.requireReach(accountId, to, asked, floor, out.signal) : asked;
    const at = out.at ?? clock.now();
    const messageId = out.messageId ?? chatMessageId(groupId, own.address, (octets) => random.bytes(octets));
    const part: ChatPart = {
      group: groupId,
      messageId,
      author: own.address,
      key: own.fingerprint,
      at,
      text: out.text,
      files: out.files.map(({ name, mimeType, content }) => ({
        name,
        mimeType,
        size: content.byteLength,
        sha256: createHash('sha256').update(content).digest('base64url'),
      })),
      act: out.act,
      heads: [...state.heads],
      state: state.hash,
      events: [...out.passedOn, ...out.events.map(({ encoded, signature }) => ({ encoded, signature }))],
      timer: state.timer,
    };
    const encoded = encodeChatPart(part);
    const signature = await signatures.sign(accountId, signedPart(encoded));
    const queued = (envelopeId: string, suite?: string): void => {
      this.#deps.groups.keep(accountId, groupId, out.events);
      out.queued({ messageId, at, envelopeId, level, ...(suite !== undefined && { suite }) });
    };
    if (to.length === 0) {
      // A group of oneself: there is nobody to write to, and what was said is kept all the same.
      queued('');
      return { messageId, at, level };
    }
    await post.send({
      accountId,
      level: asked,
      floor,
      messageId,
      to: to.map((address) => this.#addressOf(state, address)),
      subject: state.name === '' ? 'Chat' : state.name,
      text: out.text,
      files: [
        ...out.files,
        { ...CHAT_PART, content: encoded },
        { ...CHAT_SIGNATURE, content: signature },
        ...this.#certificates(accountId, out.introduce),
      ],
      inReplyTo: 'target' in out.act ? out.act.target : out.act.kind === 'message' ? out.act.replyTo : undefined,
      headers: chatHeaders(state, out.events),
      at,
      queued,
      ...(out.signal && { signal: out.signal }),
    });
    return { messageId, at, level };
  }

  /**
   * @param level asked for; members whom it does not reach are sealed to at L3 where `floor` allows that
   * @returns the weakest level that somebody is sealed to at
   * @throws QuMailError `chat.unreachable` (details: addresses, level) naming every member who cannot be reached; `kme.*` where waiting helps
   */
  async requireReach(
    accountId: string,
    to: readonly string[],
    level: ChatLevel,
    floor: ChatLevel,
    signal?: AbortSignal,
  ): Promise<ChatLevel> {
    const reach = await this.#deps.post.reach(accountId, to, level, floor, signal);
    const lost = reach.filter(({ reachable }) => !reachable);
    const waiting = lost.find(({ failure }) => failure && waits(failure.code))?.failure;
    // Where all that is wrong is a key manager that does not answer, that is what is wrong.
    if (waiting && lost.every(({ failure }) => failure && waits(failure.code))) throw new QuMailError(waiting.code, waiting.details);
    if (lost.length > 0) throw new QuMailError('chat.unreachable', { addresses: lost.map(({ address }) => address), level });
    return reach.some(({ keyed }) => keyed === 'post-quantum') ? 'L3' : level;
  }

  /** Changes of a group go at L3 where that is good enough for everybody: the own copy opens on other devices then, and they know the group. */
  async #levelFor({ accountId, act, signal }: Outgoing, to: readonly string[], floor: ChatLevel): Promise<ChatLevel> {
    if (floor !== 'L3' || act.kind !== 'events') return floor === 'L1' ? 'L1' : 'L2';
    const reach = await this.#deps.post.reach(accountId, to, 'L3', 'L3', signal);
    return reach.every(({ reachable }) => reachable) ? 'L3' : 'L2';
  }

  #addressOf(state: GroupState, address: string): Address {
    return { name: state.members.find((member) => member.address === address)?.name ?? '', address };
  }

  #certificates(accountId: string, members: readonly GroupMember[]): ChatFile[] {
    return members.flatMap(({ address, fingerprint }) => {
      const content = this.#deps.people.certificate(accountId, address);
      return content ? [{ name: `${CHAT_CERTIFICATE.prefix}${fingerprint}.pgp`, mimeType: CHAT_CERTIFICATE.mimeType, content }] : [];
    });
  }
}

/** Groups have no other minimum levels; what says otherwise was refused when it was read. */
export function chatLevel(level: SecurityLevel): ChatLevel {
  if (level === 'L4') throw new RangeError('chat level');
  return level;
}

/** The headers of PROTOCOL 11, for other programs; QuMail itself goes by the signed part. */
function chatHeaders(state: GroupState, events: readonly { event: GroupEvent }[]): { name: string; value: string }[] {
  const headers = [
    { name: 'Chat-Version', value: '1' },
    { name: 'Chat-Group-ID', value: state.id },
  ];
  if (state.name !== '') headers.push({ name: 'Chat-Group-Name', value: state.name });
  for (const {
    event: { change },
  } of events) {
    if (change.kind === 'add') headers.push({ name: 'Chat-Group-Member-Added', value: change.member.address });
    else if (change.kind === 'remove') headers.push({ name: 'Chat-Group-Member-Removed', value: change.address });
  }
  return headers;
}

function refuseBelow(level: ChatLevel, minimum: string): void {
  const rank = (each: string): number => SECURITY_LEVELS.findIndex((known) => known === each);
  if (rank(level) > rank(minimum)) throw new QuMailError('chat.below-minimum', { minimum });
}

/** @throws QuMailError `chat.file-too-large`, `draft.too-large` (details: limit, size) */
export function refuseOversized({ files, text }: Pick<Outgoing, 'files' | 'text'>): void {
  const size = files.reduce((sum, { content }) => sum + content.byteLength, 0);
  if (size > MAX_CHAT_FILES) throw new QuMailError('chat.file-too-large', { limit: MAX_CHAT_FILES, size });
  if (text.length > MAX_CHAT_TEXT) throw new QuMailError('draft.too-large', { limit: MAX_CHAT_TEXT, size: text.length });
}
