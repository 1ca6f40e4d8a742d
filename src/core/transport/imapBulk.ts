import { QuMailError } from '../base/errors.ts';
import { othersFirst } from '../base/othersFirst.ts';
import type { ImapClient } from './imapClient.ts';
import { asked, fetchByHalves, fetchMany } from './imapFetch.ts';
import type { SelectedMailbox } from './imapFolders.ts';
import { arrivalOf, mailFlags } from './remoteMessage.ts';
import type { RemoteFacts, RemoteSource } from './remoteMail.ts';

/** Labels and thread ids are asked for where Gmail's extension is offered, and left out by ImapFlow elsewhere. */
const FACTS = { uid: true, flags: true, internalDate: true, size: true, labels: true, threadId: true };
const SOURCE = { uid: true, flags: true, internalDate: true, labels: true, threadId: true, source: true };
const BY_UID = { uid: true };
/** Short answers that are read before whatever else waits for this thread has its turn: ImapFlow takes in all that came from the line at once. */
const BETWEEN_PAUSES = 50;

/** UIDs in one answer, about: a list of 100,000 keeps everybody waiting, and takes 40 MB. And answers, at most. */
const LISTED = 5000;
const MAX_LISTS = 100;

/** All UIDs of the selected mailbox, ascending. */
export async function readAllUids(client: ImapClient, mailbox: SelectedMailbox): Promise<number[]> {
  if (mailbox.exists === 0) return [];
  const all = new Set<number>();
  for (const set of evenly(mailbox)) {
    const found = await client.search(set === undefined ? { all: true } : { uid: set }, BY_UID);
    if (!Array.isArray(found)) throw new QuMailError('imap.rejected', { response: 'SEARCH' });
    for (const uid of found) if (Number.isSafeInteger(uid) && uid > 0) all.add(uid);
  }
  return [...all].sort((a, b) => a - b);
}

/** A large mailbox in ranges of UIDs, were they evenly spread; together they name every UID, new ones included. */
function evenly({ exists, uidNext }: SelectedMailbox): (string | undefined)[] {
  const lists = Math.min(MAX_LISTS, Math.ceil(exists / LISTED));
  if (uidNext === undefined || lists <= 1) return [undefined];
  const width = Math.ceil(uidNext / lists);
  return Array.from({ length: lists }, (_, n) => `${n * width + 1}:${n === lists - 1 ? '*' : (n + 1) * width}`);
}

/** Sizes, flags and arrival of these messages, in any order; those that are gone do not answer, nor those that the server refuses. */
export async function readFacts(client: ImapClient, uids: readonly number[]): Promise<RemoteFacts[]> {
  const facts = new Map<number, RemoteFacts>();
  const take = asked(uids);
  const ask = (set: string): Promise<void> =>
    fetchMany(client, set, FACTS, ({ uid, size, flags, ...message }) => {
      // What the server says of flags unasked comes in the same way (RFC 9051 section 7.5.2), and is no answer.
      if (size === undefined || flags === undefined || !take(uid)) return undefined;
      facts.set(uid, { uid, size, flags: mailFlags(flags), ...arrivalOf({ uid, ...message }) });
      return facts.size % BETWEEN_PAUSES === 0 ? othersFirst() : undefined;
    });
  await fetchByHalves(uids, ask, (uid) => facts.has(uid));
  return [...facts.values()];
}

/**
 * Streams the sources of these messages, in whatever order the server has them, one at a time: the next is not read from the line before
 * `each` is done. A message comes at most once, and never one that was not asked for; those that are gone do not come, nor those that the
 * server refuses. A literal above the connection's limit is `net.too-large`.
 */
export async function streamSources(
  client: ImapClient,
  uids: readonly number[],
  each: (message: RemoteSource) => Promise<void> | void,
): Promise<void> {
  const take = asked(uids);
  const came = new Set<number>();
  const ask = (set: string): Promise<void> =>
    fetchMany(client, set, SOURCE, (message) => {
      const { uid, source } = message;
      if (source === undefined || !take(uid)) return undefined;
      came.add(uid);
      return each({ uid, flags: mailFlags(message.flags), ...arrivalOf(message), raw: source });
    });
  await fetchByHalves(uids, ask, (uid) => came.has(uid));
}
