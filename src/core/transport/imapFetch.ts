import type { FetchQueryObject } from 'imapflow';
import { QuMailError } from '../base/errors.ts';
import { readFetchLine, type FetchLine } from './fetchLine.ts';
import type { ImapClient } from './imapClient.ts';
import type { FetchedMessage } from './remoteMessage.ts';
import { isRefusalOfMessages } from './transportErrors.ts';
import { uidSetContains, uidSets } from './uidSet.ts';

/** An answer as ImapFlow has taken it off the line. */
interface Taken {
  readonly payload: Buffer;
  readonly literals: readonly Buffer[];
}

/** The step of ImapFlow 2.10 between the line and its parser, which is not declared; the version is pinned and emailHandler.test.ts fetches through it. */
interface Reader {
  handleResponse?: (taken: Taken) => Promise<boolean>;
}

export type Fetched = Pick<FetchedMessage, 'uid' | 'flags' | 'internalDate' | 'size' | 'emailId' | 'threadId' | 'labels'> & {
  readonly source?: Buffer | undefined;
};

const BY_UID = { uid: true };
/** Answers for other messages that are passed over before a server is taken for broken. */
const MAX_UNASKED = 10_000;
/** Refusals of one request that are worked around before they are taken to concern more than single messages. */
const MAX_REFUSED = 200;

/**
 * FETCH of many messages by UID: whatever is answered, in the order of the server, one at a time; the next is not read from the line before `each`
 * is done. What is written as usual is read here, all else by ImapFlow.
 */
export async function fetchMany(
  client: ImapClient,
  set: string,
  query: FetchQueryObject,
  each: (message: Fetched) => Promise<void> | void,
): Promise<void> {
  const reader = client as unknown as Reader;
  const general = reader.handleResponse;
  let failure: { readonly error: unknown } | undefined;
  if (general)
    reader.handleResponse = async (taken) => {
      const line = readFetchLine(taken.payload, taken.literals);
      if (line === undefined) return general.call(client, taken);
      try {
        const pause = each(messageOf(line));
        if (pause) await pause;
      } catch (error) {
        // ImapFlow ends the connection, as it must: nobody wants the rest of the answers.
        failure = { error };
        throw error;
      }
      return true;
    };
  try {
    for await (const message of client.fetch(set, query, BY_UID)) {
      const pause = each(message);
      if (pause) await pause;
    }
  } catch (error) {
    throw failure ? failure.error : error;
  } finally {
    delete reader.handleResponse;
  }
}

function messageOf({ flags, ...line }: FetchLine): Fetched {
  return { ...line, ...(flags && { flags: new Set(flags) }) };
}

/**
 * Has `ask` fetch these messages by UID, in as few commands as the line length allows. A server that cannot read one message may refuse the whole
 * command for it: then what has not come is asked for by halves, so that all it hands out comes, and nothing of those it refuses alone. Throws
 * refusals that concern more than messages, and any from the 201st on.
 */
export async function fetchByHalves(
  uids: readonly number[],
  ask: (set: string) => Promise<void>,
  came: (uid: number) => boolean,
): Promise<void> {
  let refused = 0;
  const fetch = async (some: readonly number[]): Promise<void> => {
    for (const set of uidSets(some)) {
      try {
        await ask(set);
      } catch (error) {
        if (!isRefusalOfMessages(error) || ++refused > MAX_REFUSED) throw error;
        const inSet = uidSetContains(set);
        const missing = some.filter((uid) => inSet(uid) && !came(uid));
        if (missing.length <= 1) continue;
        const middle = missing.length >> 1;
        await fetch(missing.slice(0, middle));
        await fetch(missing.slice(middle));
      }
    }
  };
  await fetch(uids);
}

/** Says of each UID whether it was asked for and has not come yet. */
export function asked(uids: readonly number[]): (uid: number) => boolean {
  const open = new Set(uids);
  let strangers = 0;
  return (uid) => {
    if (open.delete(uid)) return true;
    if (++strangers > MAX_UNASKED) throw new QuMailError('net.protocol', { protocol: 'imap', reason: 'unasked' });
    return false;
  };
}
