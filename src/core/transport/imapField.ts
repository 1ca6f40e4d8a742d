import { QuMailError } from '../base/errors.ts';
import type { ImapClient } from './imapClient.ts';
import { uidSets } from './uidSet.ts';

/**
 * UIDs of the messages in the selected mailbox that the server's SEARCH finds by a header field of this name. Some servers find none, whatever
 * is there, or refuse: whoever must know looks at the messages with `withField`.
 */
export async function searchField(client: ImapClient, name: string): Promise<number[]> {
  const found = await client.search({ header: { [name]: true } }, { uid: true });
  if (!Array.isArray(found) && !client.usable) throw new QuMailError('net.cut', { protocol: 'imap' });
  return Array.isArray(found) ? found : [];
}

/** UIDs of the newest messages of a mailbox that has `exists`, without SEARCH. */
export async function newestUids(client: ImapClient, exists: number, limit: number): Promise<number[]> {
  if (exists === 0) return [];
  const newest = await client.fetchAll(`${Math.max(1, exists - limit + 1)}:*`, { uid: true });
  return newest.map(({ uid }) => uid);
}

/** Those of the messages that have a header field of this name. */
export async function withField(client: ImapClient, uids: readonly number[], name: string): Promise<number[]> {
  const found: number[] = [];
  const start = `${name.toLowerCase()}:`;
  for (const set of uidSets(uids)) {
    for (const { uid, headers } of await client.fetchAll(set, { uid: true, headers: [name] }, { uid: true }))
      if (headers?.toString('latin1').trimStart().toLowerCase().startsWith(start)) found.push(uid);
  }
  return found;
}
