/** The folder chat mail lies in, so that ordinary mail programs show it apart (PROTOCOL 11). */
export const CHAT_FOLDER = 'QuMail Chat';

/** True for the chats' folder, also where the server has it below INBOX. */
export function isChatFolder(path: string): boolean {
  return path === CHAT_FOLDER || /^INBOX[./]QuMail Chat$/i.test(path);
}

/**
 * The Message-ID of a chat message: it carries the group, so that answers from programs that know nothing of chats find their way back.
 * @param unique 16 random octets in base64url
 */
export function chatMessageId(group: string, unique: string, domain: string): string {
  return `<qumail-chat.${group}.${unique}@${domain}>`;
}

/** The group that a Message-ID, or one of several in a header field, belongs to; a hint from outside that only the inner part confirms. */
export function groupOfMessageIds(...ids: readonly string[]): string | undefined {
  for (const id of ids) {
    const match = /<qumail-chat\.([A-Za-z0-9_-]{22})\.[A-Za-z0-9_-]{22}@[^\s<>@]+>/.exec(id);
    if (match) return match[1];
  }
  return undefined;
}
