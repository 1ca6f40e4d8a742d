import type { ChatLevel } from '../base/chat.ts';
import type { Clock, Random } from '../base/ports.ts';
import { chatMessageId } from '../mail/chatMessageId.ts';
import type { ChatEntryRecord } from '../store/chatEntries.ts';
import type { ChatStore } from '../store/chats.ts';
import type { ChatUnsent } from '../store/chatUnsent.ts';
import type { Decided } from './changeWriter.ts';
import type { OpenChat } from './chatBook.ts';
import type { ChatAct } from './chatPart.ts';
import type { ChatFile } from './chatPorts.ts';

export type Said = Exclude<ChatAct, { kind: 'receipt' | 'events' | 'need' }>;
/** Who says something, and where. */
export type Speaking = Pick<OpenChat, 'accountId' | 'groupId' | 'self' | 'state'>;

export interface Spoken {
  readonly text: string;
  readonly files: readonly ChatFile[];
  readonly level?: ChatLevel;
}

/** What was said or decided, durable from here on, with the Message-ID it is going to have. */
export function keepUnsent(
  { accountId, groupId, self, state }: Speaking,
  act: Said | Decided,
  { text, files, level }: Spoken,
  deps: { readonly store: ChatStore; readonly unsent: ChatUnsent; readonly clock: Clock; readonly random: Random },
): ChatEntryRecord {
  const { store, unsent, clock, random } = deps;
  const at = clock.now();
  const messageId = chatMessageId(groupId, self, (octets) => random.bytes(octets));
  const entry: ChatEntryRecord = {
    accountId,
    groupId,
    messageId,
    at,
    kind: act.kind === 'begin' ? 'change' : act.kind,
    ...('target' in act && { target: act.target }),
    unread: false,
    state: 'queued',
    timer: state.timer,
    content: {
      author: self,
      text,
      ...(act.kind === 'message' && act.replyTo !== undefined && { replyTo: act.replyTo }),
      ...(act.kind === 'reaction' && { emoji: act.emoji }),
      level: level ?? state.minimumLevel,
      sealed: true,
      files: files.map(({ name, mimeType, content }, index) => ({ index, name, mimeType, size: content.byteLength })),
    },
  };
  store.transaction(() => {
    store.putEntry(entry);
    unsent.add({ accountId, groupId, messageId, act: JSON.stringify(act), text, level, at, files });
  });
  return entry;
}

/** What a stored act decides about the group; undefined for what is said. */
export function decidedIn(act: string): Decided | undefined {
  const read = JSON.parse(act) as Said | Decided;
  return read.kind === 'begin' || read.kind === 'change' ? read : undefined;
}
