import { QuMailError } from '../base/errors.ts';
import type { ServerCriteria } from '../mail/serverQuery.ts';
import type { ImapClient } from './imapClient.ts';

/**
 * UIDs of the messages in the selected mailbox whose Message-ID is `messageId`, which is given with its angle brackets. Gmail has an index for
 * that, where HEADER would go through the whole of All Mail.
 */
export async function findByMessageId(client: ImapClient, messageId: string): Promise<number[]> {
  const id = messageId.replace(/^<|>$/g, '');
  const gmail = client.capabilities.has('X-GM-EXT-1') && /^[!#-'*-;=?-~]{1,250}$/.test(id);
  const query = gmail ? { gmraw: `rfc822msgid:${id}` } : { header: { 'message-id': messageId } };
  const found = await client.search(query, { uid: true });
  if (!Array.isArray(found)) throw new QuMailError('imap.rejected', { response: 'SEARCH' });
  return found;
}

/** A search in both languages; Gmail is asked in its own, which finds what it shows everywhere else. Built late, for each can refuse. */
export interface ServerSearch {
  readonly criteria: () => ServerCriteria;
  readonly gmail: () => string;
}

/**
 * UIDs of the messages in the selected mailbox that a query finds, the newest first. Texts beyond ASCII go as UTF-8 literals with CHARSET; a server
 * that refuses them is `imap.rejected`.
 */
export async function searchMail(client: ImapClient, query: ServerSearch): Promise<number[]> {
  const asked = client.capabilities.has('X-GM-EXT-1') ? { gmraw: query.gmail() } : { all: true, ...query.criteria() };
  const found = await client.search(asked, { uid: true });
  if (!Array.isArray(found)) throw new QuMailError('imap.rejected', { response: 'SEARCH' });
  return found.filter((uid) => Number.isSafeInteger(uid) && uid > 0).sort((a, b) => b - a);
}
