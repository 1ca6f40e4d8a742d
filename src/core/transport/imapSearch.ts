import { QuMailError } from '../base/errors.ts';
import type { ImapClient } from './imapClient.ts';

/** UIDs of the messages in the selected mailbox whose Message-ID is `messageId`, which is given with its angle brackets. */
export async function findByMessageId(client: ImapClient, messageId: string): Promise<number[]> {
  const found = await client.search({ header: { 'message-id': messageId } }, { uid: true });
  if (!Array.isArray(found)) throw new QuMailError('imap.rejected', { response: 'SEARCH' });
  return found;
}
