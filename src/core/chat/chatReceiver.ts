import { createHash } from 'node:crypto';
import { QuMailError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Clock } from '../base/ports.ts';
import type { ChatEntryRecord } from '../store/chatEntries.ts';
import type { ChatExtras } from '../store/chatExtras.ts';
import type { ChatStore } from '../store/chats.ts';
import { groupOfMessageIds, isChatMessageIdOf } from '../mail/chatMessageId.ts';
import { CHAT_CERTIFICATE, CHAT_PART, CHAT_SIGNATURE, decodeChatPart, signedPart, type ChatPart } from './chatPart.ts';
import type { ArrivedMail, ChatPeople, ChatSignatures } from './chatPorts.ts';
import { enterAnswer, isOwn, timeOf } from './foreignLines.ts';
import type { GroupBook } from './groupBook.ts';
import { decodeGroupEvent, type GroupEvent, type GroupMember } from './groupEvent.ts';

/** What somebody who was removed since wrote is shown where the own server took it in so soon after the removal, milliseconds. */
const ON_ITS_WAY = 86_400_000;
/** Rounds of taking in events that introduce the signers of further events. */
const MAX_ROUNDS = 8;

export interface ChatReceiverDeps {
  readonly store: ChatStore;
  readonly extras: ChatExtras;
  readonly groups: GroupBook;
  readonly people: ChatPeople;
  readonly signatures: ChatSignatures;
  readonly clock: Clock;
  readonly log: Log;
}

/** What a message turned out to be for the chats. */
export type Reception =
  | { readonly outcome: 'none' }
  /** Its author or the group's beginning is not known yet; it is offered again when more is known. */
  | { readonly outcome: 'waiting'; readonly groupId: string }
  | {
      readonly outcome: 'taken';
      readonly groupId: string;
      readonly part: ChatPart | undefined;
      /** False where it was here before. */
      readonly isNew: boolean;
      /** Members whom nobody here knew before. */
      readonly introduced: number;
      /** What was taken back and is to be erased. */
      readonly erase?: string;
    };

/** Takes chat mail in: verified, told apart from what only pretends, stored once whatever order and however often it comes. */
export class ChatReceiver {
  readonly #deps: ChatReceiverDeps;

  constructor(deps: ChatReceiverDeps) {
    this.#deps = deps;
  }

  /**
   * @throws QuMailError `chat.unsigned`, `chat.headers-differ`, `chat.malformed`, `chat.not-member` for what pretends to be part of a chat;
   *   the state of the chat is unharmed then
   */
  async receive(mail: ArrivedMail): Promise<Reception> {
    const file = mail.files.find(({ name }) => name === CHAT_PART.name);
    // Whoever sends the part in the clear has neither sealed nor signed anything: it is ordinary mail.
    if (!file || !mail.sealed) {
      const answer = enterAnswer(mail, this.#deps);
      return answer ? { outcome: 'taken', ...answer, part: undefined, introduced: 0 } : { outcome: 'none' };
    }
    const taken = this.#takenBefore(mail, mail.sealed.envelopeId);
    if (taken) return taken;
    const part = decodeChatPart(file.content);
    if (!part) throw new QuMailError('chat.malformed');
    this.#compareOutside(mail, part);
    const known = await this.#verified(mail, part, file.content);
    const introduced = await this.#takeEvents(mail, part);
    // The author may be somebody whom this very message introduces.
    if (!known && !(await this.#verified(mail, part, file.content))) return { outcome: 'waiting', groupId: part.group };
    const state = this.#deps.groups.state(mail.accountId, part.group);
    if (!state) return { outcome: 'waiting', groupId: part.group };
    this.#requireMember(mail, part);
    const isNew = this.#store(mail, part);
    const erase = isNew ? this.#takeBack(mail.accountId, part) : undefined;
    return { outcome: 'taken', groupId: part.group, part, isNew, introduced, ...(erase !== undefined && { erase }) };
  }

  /** The very envelope that is here already, found once more in the chats' folder. */
  #takenBefore({ accountId, messageId }: ArrivedMail, envelopeId: string): Reception | undefined {
    const groupId = groupOfMessageIds(messageId);
    const entry = groupId === undefined ? undefined : this.#deps.store.entry(accountId, groupId, messageId);
    if (groupId === undefined || entry?.content.envelopeId !== envelopeId) return undefined;
    return { outcome: 'taken', groupId, part: undefined, isNew: false, introduced: 0 };
  }

  /** What stands outside is written by whoever likes: where it says anything else than the signed part, nothing of it counts. */
  #compareOutside(mail: ArrivedMail, part: ChatPart): void {
    if (part.messageId !== mail.messageId || groupOfMessageIds(mail.messageId) !== part.group) throw new QuMailError('chat.headers-differ');
    if (part.author !== mail.from.address || !isChatMessageIdOf(part.messageId, part.group, part.author))
      throw new QuMailError('chat.headers-differ');
    for (const { name, size, sha256 } of part.files) {
      const came = mail.files.find((file) => file.name === name && digest(file.content) === sha256);
      if (came?.content.byteLength !== size) throw new QuMailError('chat.headers-differ');
    }
  }

  /** @returns false where no certificate of the author is known yet */
  async #verified(mail: ArrivedMail, part: ChatPart, octets: Uint8Array): Promise<boolean> {
    const signature = mail.files.find(({ name }) => name === CHAT_SIGNATURE.name)?.content;
    if (!signature) throw new QuMailError('chat.unsigned');
    const { accountId } = mail;
    const verified = await this.#deps.signatures.verify({
      accountId,
      address: part.author,
      fingerprint: part.key,
      data: signedPart(octets),
      signature,
    });
    if (verified === 'invalid') throw new QuMailError('chat.unsigned');
    return verified === 'valid';
  }

  /** Events and the members they introduce, until nothing more comes of it. Resolves to how many members were new here. */
  async #takeEvents(mail: ArrivedMail, part: ChatPart): Promise<number> {
    const { groups } = this.#deps;
    let introduced = 0;
    for (let round = 0; round < MAX_ROUNDS; round += 1) {
      const { added, unknownSigners } = await groups.take(mail.accountId, part.group, part.events, this.#deps.clock.now());
      const met = await this.#introduce(mail, part);
      introduced += met;
      if (unknownSigners === 0 || (added === 0 && met === 0)) break;
    }
    return introduced;
  }

  /** Members of verified events whom this account does not know, by the certificate that came along and has the fingerprint they were added with. */
  async #introduce(mail: ArrivedMail, part: ChatPart): Promise<number> {
    const { groups, people } = this.#deps;
    const carried = new Set(part.events.flatMap(({ encoded }) => decodeGroupEvent(encoded)?.id ?? []));
    const members = groups
      .events(mail.accountId, part.group)
      .filter(({ id }) => carried.has(id))
      .flatMap(({ change }): readonly GroupMember[] =>
        change.kind === 'create' ? change.members : change.kind === 'add' ? [change.member] : [],
      );
    const self = people.accounts().find(({ id }) => id === mail.accountId)?.address;
    let met = 0;
    for (const member of members) {
      // Nobody is a contact of their own.
      if (member.address === self) continue;
      if (people.known(mail.accountId, member.address)?.fingerprint !== undefined) continue;
      const certificate = mail.files.find(({ name }) => name === `${CHAT_CERTIFICATE.prefix}${member.fingerprint}.pgp`)?.content;
      if (!certificate) continue;
      const outcome = await people.introduce(mail.accountId, member, Buffer.from(certificate));
      if (outcome === 'known') met += 1;
      else this.#deps.log.warn('chat-introduction', { outcome });
    }
    return met;
  }

  /**
   * The author is a member, or was one when it was written: what was on its way when its author was removed is still shown, where
   * it was written before the removal.
   */
  #requireMember(mail: ArrivedMail, part: ChatPart): void {
    const { groups } = this.#deps;
    const state = groups.require(mail.accountId, part.group);
    const member = state.members.find(({ address }) => address === part.author);
    if (member) {
      if (member.fingerprint !== part.key) throw new QuMailError('chat.unsigned');
      return;
    }
    const events = groups.events(mail.accountId, part.group);
    const removal = events.find(
      ({ id, change, author }) =>
        !state.refused.has(id) &&
        ((change.kind === 'remove' && change.address === part.author) || (change.kind === 'leave' && author === part.author)),
    );
    const was = events.some(({ id, author, key }) => author === part.author && key === part.key && !state.refused.has(id));
    const joined = events.some(
      ({ change }) =>
        (change.kind === 'add' && isMember(change.member, part)) ||
        (change.kind === 'create' && change.members.some((each) => isMember(each, part))),
    );
    // Whoever leaves says so when they have left. Of that nothing is believed but the events, each for itself.
    if (removal && (was || joined) && part.act.kind === 'events') return;
    const isLate = part.at > removalAt(removal) || (mail.receivedAt ?? this.#deps.clock.now()) > removalAt(removal) + ON_ITS_WAY;
    if (!removal || !(was || joined) || isLate || part.heads.includes(removal.id)) throw new QuMailError('chat.not-member');
  }

  #store(mail: ArrivedMail, part: ChatPart): boolean {
    const { store, extras } = this.#deps;
    const { accountId } = mail;
    const { group: groupId, act, author } = part;
    if (act.kind === 'receipt') {
      extras.putReceipts(accountId, groupId, author, 'delivered', act.delivered);
      extras.putReceipts(accountId, groupId, author, 'read', act.read);
      // Read on another device of this person.
      if (isOwn(this.#deps.people, accountId, author)) store.markReadEach(accountId, groupId, act.read, this.#deps.clock.now());
      return true;
    }
    if (act.kind === 'events') this.#keepPicture(mail, groupId);
    if (act.kind === 'events' || act.kind === 'need') return true;
    const own = isOwn(this.#deps.people, accountId, author);
    return store.putEntry({
      accountId,
      groupId,
      messageId: mail.messageId,
      at: timeOf(part.at, this.#deps.clock),
      kind: act.kind,
      ...(act.kind !== 'message' && { target: act.target }),
      unread: act.kind === 'message' && !own,
      state: own ? 'sent' : 'received',
      timer: part.timer,
      ...(own && part.timer > 0 && { expiresAt: part.at + part.timer * 1000 }),
      content: {
        author,
        text: part.text,
        ...(act.kind === 'message' && act.replyTo !== undefined && { replyTo: act.replyTo }),
        ...(act.kind === 'reaction' && { emoji: act.emoji }),
        level: mail.level,
        ...(mail.suite !== undefined && { suite: mail.suite }),
        sealed: true,
        ...(mail.sealed && { envelopeId: mail.sealed.envelopeId }),
        files: part.files.flatMap(({ name, mimeType, size, sha256 }) => {
          const came = mail.files.find((file) => file.name === name && digest(file.content) === sha256);
          return came ? [{ index: came.index, name, mimeType, size }] : [];
        }),
      },
    });
  }

  /** The picture the group has by now, where this message brought it. */
  #keepPicture(mail: ArrivedMail, groupId: string): void {
    const picture = this.#deps.groups.state(mail.accountId, groupId)?.picture;
    const came = picture && mail.files.find(({ content }) => content.byteLength === picture.size && digest(content) === picture.sha256);
    if (came) this.#deps.extras.putPicture(mail.accountId, groupId, picture.sha256, came.content);
  }

  /** What its author took back goes from here at once, not only from sight, whichever of the two came first. Returns its envelope. */
  #takeBack(accountId: string, { group, act, messageId, author }: ChatPart): string | undefined {
    const { store } = this.#deps;
    const target = act.kind === 'delete' ? act.target : messageId;
    const entry = act.kind === 'delete' || act.kind === 'message' ? store.entry(accountId, group, target) : undefined;
    if (entry?.kind !== 'message' || entry.content.author !== author || !entry.content.sealed) return undefined;
    const isTakenBack = ({ kind, content }: ChatEntryRecord): boolean => kind === 'delete' && content.author === author && content.sealed;
    if (!store.actsOn(accountId, group, target).some(isTakenBack)) return undefined;
    store.empty(entry);
    return entry.content.envelopeId;
  }
}

function removalAt(removal: GroupEvent | undefined): number {
  return removal?.at ?? -Infinity;
}

function isMember(member: GroupMember, part: ChatPart): boolean {
  return member.address === part.author && member.fingerprint === part.key;
}

function digest(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('base64url');
}
