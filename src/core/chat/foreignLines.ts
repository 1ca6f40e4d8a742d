import type { ToldOf } from '../account/ownCopies.ts';
import type { Clock } from '../base/ports.ts';
import { groupOfMessageIds } from '../mail/chatMessageId.ts';
import type { ChatStore } from '../store/chats.ts';
import type { ArrivedMail, ChatPeople } from './chatPorts.ts';
import { enterable } from './entryText.ts';
import type { GroupBook } from './groupBook.ts';

/** An author's clock may be this far ahead of the arrival before it is corrected, milliseconds. */
const CLOCK_AHEAD = 60_000;

export interface ForeignLinesDeps {
  readonly store: ChatStore;
  readonly groups: GroupBook;
  readonly people: Pick<ChatPeople, 'accounts'>;
  readonly clock: Clock;
}

/** When something was said: by its author's clock, unless that is ahead. */
export function timeOf(at: number, clock: Clock): number {
  const now = clock.now();
  return at > now + CLOCK_AHEAD ? now : at;
}

export function isOwn(people: Pick<ChatPeople, 'accounts'>, accountId: string, author: string): boolean {
  return people.accounts().some(({ id, address }) => id === accountId && address === author);
}

/**
 * An answer that a member wrote in an ordinary mail program: it names a message of the group and is entered as the plain mail it is.
 * @returns the group, and whether it is new there; undefined for what is no such answer
 */
export function enterAnswer(mail: ArrivedMail, deps: ForeignLinesDeps): { groupId: string; isNew: boolean } | undefined {
  const { groups, store, people, clock } = deps;
  const { accountId, from } = mail;
  // Only QuMail gives such ids: one in the clear would take the place of the message whose id it is.
  if (groupOfMessageIds(mail.messageId) !== undefined) return undefined;
  const groupId = groupOfMessageIds(mail.inReplyTo, ...mail.references);
  const state = groupId === undefined ? undefined : groups.state(accountId, groupId);
  if (groupId === undefined || !state?.members.some(({ address }) => address === from.address)) return undefined;
  const own = isOwn(people, accountId, from.address);
  const isNew = store.putEntry({
    accountId,
    groupId,
    messageId: mail.messageId,
    at: timeOf(mail.date, clock),
    kind: 'message',
    unread: !own,
    state: own ? 'sent' : 'received',
    timer: 0,
    content: {
      author: from.address,
      text: enterable(mail.text),
      replyTo: mail.inReplyTo,
      level: mail.level,
      ...(mail.suite !== undefined && { suite: mail.suite }),
      sealed: mail.sealed !== undefined,
      ...(mail.sealed && { envelopeId: mail.sealed.envelopeId }),
      files: mail.sealed
        ? mail.files.map(({ index, name, mimeType, content }) => ({ index, name, mimeType, size: content.byteLength }))
        : [],
    },
  });
  return { groupId, isNew };
}

/**
 * A line that only another device of this person can show (PROTOCOL 11): its place, its author, nothing of what it says.
 * @returns the group; undefined while that is not known
 */
export function enterToldOf(accountId: string, { messageId, from, at }: ToldOf, deps: ForeignLinesDeps): string | undefined {
  const { store, groups, people, clock } = deps;
  const groupId = groupOfMessageIds(messageId);
  if (groupId === undefined || !groups.state(accountId, groupId)) return undefined;
  store.putEntry({
    accountId,
    groupId,
    messageId,
    at: timeOf(at, clock),
    kind: 'message',
    unread: false,
    state: isOwn(people, accountId, from) ? 'sent' : 'received',
    timer: 0,
    content: { author: from, text: '', level: 'L1', sealed: true, elsewhere: true, files: [] },
  });
  return groupId;
}
