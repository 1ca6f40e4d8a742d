import type { ChatMember, ChatMessage, ChatNotice, ChatReaction } from '../base/chat.ts';
import type { Failure } from '../base/model.ts';
import { SECURITY_LEVELS, type Address, type SecurityLevel } from '../base/types.ts';
import type { ChatEntryRecord } from '../store/chatEntries.ts';
import type { ChatExtras } from '../store/chatExtras.ts';
import type { ChatStore } from '../store/chats.ts';
import type { ChatPeople } from './chatPorts.ts';
import { conversation, type ChatEntry } from './conversation.ts';
import type { GroupState } from './group.ts';
import type { GroupEvent } from './groupEvent.ts';

export interface ShownDeps {
  readonly store: ChatStore;
  readonly extras: ChatExtras;
  readonly people: ChatPeople;
  readonly readFailure: (json: string | undefined) => Failure | undefined;
}

/** What the views call a chat: the account and the group. */
export function chatIdOf(accountId: string, groupId: string): string {
  return `${accountId}/${groupId}`;
}

/** Undefined for what `chatIdOf` never wrote. */
export function splitChatId(chatId: string): { accountId: string; groupId: string } | undefined {
  const at = chatId.lastIndexOf('/');
  return at > 0 && chatId.length - at === 23 ? { accountId: chatId.slice(0, at), groupId: chatId.slice(at + 1) } : undefined;
}

/** Messages with all that happened to them, in the order given. */
export function shownMessages(
  entries: readonly ChatEntryRecord[],
  self: string,
  nameOf: (address: string) => string,
  deps: ShownDeps,
): ChatMessage[] {
  return entries.map((entry) => {
    const { accountId, groupId, messageId } = entry;
    const acts = deps.store.actsOn(accountId, groupId, messageId).map(chatEntryOf);
    const [shown] = conversation([chatEntryOf(entry), ...acts]);
    const receipts = deps.extras.receipts(accountId, groupId, messageId);
    const failure = deps.readFailure(entry.failureJson);
    const { content } = entry;
    return {
      id: messageId,
      chatId: chatIdOf(accountId, groupId),
      author: authorOf(content.author, nameOf),
      own: content.author === self,
      at: entry.at,
      text: shown?.text ?? content.text,
      attachments: shown?.deleted ? [] : content.files.map(({ index, name, mimeType, size }) => ({ index, name, mimeType, size })),
      level: levelOf(content.level),
      ...(content.suite !== undefined && { suite: content.suite }),
      sealed: content.sealed,
      ...(content.elsewhere && { elsewhere: true }),
      ...(content.replyTo !== undefined && content.replyTo !== '' && { replyTo: content.replyTo }),
      edited: shown?.edited ?? false,
      deleted: shown?.deleted ?? false,
      reactions: [...(shown?.reactions ?? [])].map(([emoji, members]): ChatReaction => ({ emoji, members })),
      delivered: receipts.map(({ member }) => member),
      read: receipts.filter(({ state }) => state === 'read').map(({ member }) => member),
      // Sealed, and with the outbox.
      state: entry.state === 'queued' && content.envelopeId !== undefined ? 'sending' : entry.state,
      ...(failure && { failure }),
      ...(entry.expiresAt !== undefined && { expiresAt: entry.expiresAt }),
    };
  });
}

type ShownEvent = Pick<GroupEvent, 'id' | 'author' | 'at' | 'change'>;

/** An event of the group as a line between the messages. */
export function shownEvent(
  chatId: string,
  event: ShownEvent,
  state: GroupState,
  self: string,
  nameOf: (address: string) => string,
): ChatMessage {
  return {
    id: event.id,
    chatId,
    author: authorOf(event.author, nameOf),
    own: event.author === self,
    at: event.at,
    text: '',
    notice: noticeOf(event, state, nameOf),
    attachments: [],
    level: state.minimumLevel,
    sealed: true,
    edited: false,
    deleted: false,
    reactions: [],
    delivered: [],
    read: [],
    state: event.author === self ? 'sent' : 'received',
  };
}

function noticeOf({ id, author, change }: ShownEvent, state: GroupState, nameOf: (address: string) => string): ChatNotice {
  const by = nameOf(author);
  const refused = state.refused.get(id);
  if (refused !== undefined) return { kind: 'refused', by, reason: refused };
  switch (change.kind) {
    case 'create':
      return { kind: 'created', by };
    case 'leave':
      return { kind: 'left', by };
    case 'picture':
      return { kind: 'picture', by };
    case 'add':
      return { kind: 'added', by, member: change.member.name || change.member.address };
    case 'remove':
      return { kind: 'removed', by, member: nameOf(change.address) };
    case 'grant':
      return { kind: 'made-admin', by, member: nameOf(change.address) };
    case 'revoke':
      return { kind: 'unmade-admin', by, member: nameOf(change.address) };
    case 'rename':
      return { kind: 'renamed', by, name: change.name };
    case 'minimum-level':
      return { kind: 'minimum-level', by, level: change.minimumLevel === 'L4' ? 'L3' : change.minimumLevel };
    case 'timer':
      return { kind: 'timer', by, seconds: change.seconds };
  }
}

export function shownMembers(accountId: string, state: GroupState, self: string, people: ChatPeople): ChatMember[] {
  return state.members.map(({ address, name, admin, fingerprint }) => {
    const known = people.known(accountId, address);
    // Verified is the certificate that this person compared, and no other that a group may name.
    const verified = known?.fingerprint === fingerprint ? known.verified : 'no';
    return { address, name: known?.name || name, admin, self: address === self, fingerprint, verified };
  });
}

/** `all` where nobody but oneself is left unverified. */
export function verifiedOf(members: readonly ChatMember[]): 'all' | 'some' | 'none' {
  const others = members.filter(({ self }) => !self);
  const verified = others.filter((member) => member.verified !== 'no').length;
  if (verified === 0) return 'none';
  return verified === others.length ? 'all' : 'some';
}

function chatEntryOf({ messageId, at, kind, target, timer, content }: ChatEntryRecord): ChatEntry {
  const { author, text, sealed, emoji, replyTo } = content;
  const entry = { id: messageId, author, at, text, timer, sealed };
  if (kind === 'message') return { ...entry, act: { kind, ...(replyTo !== undefined && { replyTo }) } };
  if (kind === 'reaction') return { ...entry, act: { kind, target: target ?? '', emoji: emoji ?? '' } };
  return { ...entry, act: { kind: kind === 'edit' ? kind : 'delete', target: target ?? '' } };
}

function authorOf(address: string, nameOf: (address: string) => string): Address {
  return { name: nameOf(address), address };
}

function levelOf(text: string): SecurityLevel {
  return SECURITY_LEVELS.find((level) => level === text) ?? 'L4';
}
