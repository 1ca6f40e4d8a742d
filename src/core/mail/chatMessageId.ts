import { createHash } from 'node:crypto';

/** The folder chat mail lies in, so that ordinary mail programs show it apart (PROTOCOL 11). */
export const CHAT_FOLDER = 'QuMail Chat';

/** True for the chats' folder, also where the server has it below INBOX. */
export function isChatFolder(path: string): boolean {
  return path === CHAT_FOLDER || /^INBOX[./]QuMail Chat$/i.test(path);
}

const RANDOM_OCTETS = 8;

/**
 * The Message-ID of a chat message: it carries the group, so that answers from programs that know nothing of chats find their way back, and
 * it is its author's alone: another member who writes under it is refused, so nothing takes the place of a message that is on its way.
 * @param author normalised address
 * @param random gives that many random octets
 */
export function chatMessageId(group: string, author: string, random: (octets: number) => Uint8Array): string {
  return idWith(group, author, random(RANDOM_OCTETS));
}

/** True for what `chatMessageId` made for this author in this group. */
export function isChatMessageIdOf(messageId: string, group: string, author: string): boolean {
  const unique = /\.([A-Za-z0-9_-]{22})@/.exec(messageId)?.[1] ?? '';
  return messageId === idWith(group, author, Buffer.from(unique, 'base64url').subarray(0, RANDOM_OCTETS));
}

/** 8 random octets and the first 8 of the SHA-256 that binds them to group and author. */
function idWith(group: string, author: string, random: Uint8Array): string {
  const bound = createHash('sha256').update(`QuMail-Chat-ID-v1\0${group}\0${author}\0`).update(random).digest();
  const unique = Buffer.concat([random, bound.subarray(0, 8)]).toString('base64url');
  return `<qumail-chat.${group}.${unique}@${author.slice(author.lastIndexOf('@') + 1)}>`;
}

/** The group that a Message-ID, or one of several in a header field, belongs to; a hint from outside that only the inner part confirms. */
export function groupOfMessageIds(...ids: readonly string[]): string | undefined {
  for (const id of ids) {
    const match = /<qumail-chat\.([A-Za-z0-9_-]{22})\.[A-Za-z0-9_-]{22}@[^\s<>@]+>/.exec(id);
    if (match) return match[1];
  }
  return undefined;
}
