import type { ChatLevel, ChatUpload } from '../base/chat.ts';
import { QuMailError } from '../base/errors.ts';
import type { QuMailEvent } from '../base/events.ts';
import { normalizeAddress } from '../mail/address.ts';
import type { OpenChat } from './chatBook.ts';
import type { ChatFile } from './chatPorts.ts';
import { chatIdOf } from './shownChat.ts';

/** The chat, where one may still say something in it. @throws QuMailError `chat.not-member` */
export function writable(chat: OpenChat): OpenChat {
  if (!chat.state.members.some(({ address }) => address === chat.self)) throw new QuMailError('chat.not-member');
  return chat;
}

/** Tells who shows it that something in a chat is different. */
export function announceChange({ accountId, groupId }: Pick<OpenChat, 'accountId' | 'groupId'>, emit: (event: QuMailEvent) => void): void {
  emit({ kind: 'chats', accountId });
  emit({ kind: 'chat-messages', chatId: chatIdOf(accountId, groupId) });
}

export function othersIn({ state, self }: OpenChat): string[] {
  return state.members.map(({ address }) => address).filter((address) => address !== self);
}

export function startOf(minimum: ChatLevel): ChatLevel {
  return minimum === 'L1' ? 'L1' : 'L2';
}

export function addressesOf(texts: readonly string[]): string[] {
  return [
    ...new Set(
      texts.map((text) => {
        const address = normalizeAddress(text);
        if (address === undefined) throw new QuMailError('draft.bad-address', { address: text });
        return address;
      }),
    ),
  ];
}

export function fileOf({ name, mimeType, content }: ChatUpload): ChatFile {
  return { name: name.slice(0, 255) || 'file', mimeType, content };
}

/** What the octets are, whatever their name says. */
export function pictureType(content: Uint8Array): 'image/png' | 'image/jpeg' | 'image/webp' | undefined {
  const head = Buffer.from(content.subarray(0, 12)).toString('latin1');
  if (head.startsWith('\x89PNG\r\n\x1a\n')) return 'image/png';
  if (head.startsWith('\xff\xd8\xff')) return 'image/jpeg';
  return head.startsWith('RIFF') && head.endsWith('WEBP') ? 'image/webp' : undefined;
}

export function signalOf({ signal }: { signal?: AbortSignal }): { signal?: AbortSignal } {
  return signal ? { signal } : {};
}
