import { QuMailError } from '../base/errors.ts';
import { othersFirst } from '../base/othersFirst.ts';
import type { ImapClient } from './imapClient.ts';
import { asked, fetchByHalves } from './imapFetch.ts';
import type { SelectedMailbox } from './imapFolders.ts';
import { remoteMessage } from './remoteMessage.ts';
import type { RemoteMessage } from './remoteMail.ts';
import { isRefusalOfMessages } from './transportErrors.ts';
import { uidSets } from './uidSet.ts';

/** What a message list needs. REFERENCES is the only header ENVELOPE leaves out; bodies are not asked for. */
const SUMMARY = {
  uid: true,
  flags: true,
  envelope: true,
  bodyStructure: true,
  internalDate: true,
  size: true,
  headers: ['references'],
  // Left out by ImapFlow where the server has no such thing.
  labels: true,
  threadId: true,
};
const BY_UID = { uid: true };
/** Messages that are taken in before others have their turn. */
const BETWEEN_PAUSES = 20;

/** What came of messages that a server lists, newest first, and the UIDs of those that it does not hand out. */
export interface Handed {
  readonly messages: RemoteMessage[];
  readonly withheld: readonly number[];
}

export const NOTHING: Handed = { messages: [], withheld: [] };

/** The newest `limit` messages of the selected mailbox, newest first. */
export async function readNewest(client: ImapClient, mailbox: SelectedMailbox, limit: number): Promise<Handed> {
  if (mailbox.exists === 0 || limit <= 0) return NOTHING;
  const numbers = `${Math.max(1, mailbox.exists - limit + 1)}:*`;
  const { messages, withheld } = await readRange(client, numbers, 'by-number', Math.min(mailbox.exists, limit), isListed(mailbox, 1));
  return { messages: messages.slice(0, limit), withheld };
}

/** The `limit` messages before `uid`, newest first. */
export async function readBefore(client: ImapClient, mailbox: SelectedMailbox, uid: number, limit: number): Promise<RemoteMessage[]> {
  if (mailbox.exists === 0 || uid <= 1 || limit <= 0) return [];
  const older = await searchUids(client, { uid: `1:${uid - 1}` });
  return readUids(client, older.slice(-limit));
}

/**
 * Says of each UID whether a message from `first` on has it as far as SELECT told. `n:*` always names the last message, also one below n (RFC 9051
 * section 9, seq-range), and what came since is left to the look that it brings about: a UID that cannot be must not move the cursor.
 */
export function isListed({ uidNext = Infinity }: SelectedMailbox, first: number): (uid: number) => boolean {
  return (uid) => Number.isSafeInteger(uid) && uid >= first && uid < uidNext;
}

/** Messages of a range that ends in `*`; whether the server has more than it hands out, only where fewer came than `atMost`. */
export async function readRange(
  client: ImapClient,
  range: string,
  named: 'by-uid' | 'by-number',
  atMost: number,
  isListed: (uid: number) => boolean,
): Promise<Handed> {
  const came = new Map<number, RemoteMessage>();
  try {
    await eachSummary(client, range, named, (message) => {
      if (isListed(message.uid) && !came.has(message.uid)) came.set(message.uid, message);
    });
  } catch (error) {
    if (!isRefusalOfMessages(error)) throw error;
  }
  const messages = [...came.values()];
  if (messages.length >= atMost) return { messages: newestFirst(messages), withheld: [] };
  const uids = await searchUids(client, named === 'by-uid' ? { uid: range } : { seq: range });
  return readListed(client, uids.filter(isListed).slice(-atMost), messages);
}

/** Those of the messages listed that did not come yet, with those that did. */
export async function readListed(client: ImapClient, uids: readonly number[], came: readonly RemoteMessage[]): Promise<Handed> {
  const here = new Set(came.map(({ uid }) => uid));
  const messages = [
    ...came,
    ...(await readUids(
      client,
      uids.filter((uid) => !here.has(uid)),
    )),
  ];
  for (const { uid } of messages) here.add(uid);
  const missing = uids.filter((uid) => !here.has(uid));
  if (missing.length === 0) return { messages: newestFirst(messages), withheld: [] };
  // Some may have been expunged in this moment.
  const there = new Set(await searchAmong(client, missing));
  return { messages: newestFirst(messages), withheld: missing.filter((uid) => there.has(uid)) };
}

async function searchAmong(client: ImapClient, uids: readonly number[]): Promise<number[]> {
  const found: number[] = [];
  for (const set of uidSets(uids)) found.push(...(await searchUids(client, { uid: set })));
  return found;
}

/** What a list shows of these messages, newest first; nothing of those that are gone, or that the server refuses. */
export async function readUids(client: ImapClient, uids: readonly number[]): Promise<RemoteMessage[]> {
  const came = new Map<number, RemoteMessage>();
  const take = asked(uids);
  const ask = (set: string): Promise<void> =>
    eachSummary(client, set, 'by-uid', (message) => {
      if (take(message.uid)) came.set(message.uid, message);
    });
  await fetchByHalves(uids, ask, (uid) => came.has(uid));
  return newestFirst([...came.values()]);
}

/** ImapFlow takes in whatever came from the line at once; so that requests are answered in between, it is held up now and then. */
async function eachSummary(
  client: ImapClient,
  set: string,
  named: 'by-uid' | 'by-number',
  each: (message: RemoteMessage) => void,
): Promise<void> {
  let came = 0;
  for await (const message of client.fetch(set, SUMMARY, { uid: named === 'by-uid' })) {
    // What the server says of flags unasked comes in the same way (RFC 9051 section 7.5.2), and is no summary.
    if (message.envelope !== undefined) each(remoteMessage(message));
    if (++came % BETWEEN_PAUSES === 0) await othersFirst();
  }
}

export async function searchUids(client: ImapClient, query: { uid: string } | { seq: string }): Promise<number[]> {
  const found = await client.search(query, BY_UID);
  if (!Array.isArray(found)) throw new QuMailError('imap.rejected', { response: 'SEARCH' });
  return found.sort((a, b) => a - b);
}

function newestFirst(messages: RemoteMessage[]): RemoteMessage[] {
  return messages.sort((a, b) => b.uid - a.uid);
}
