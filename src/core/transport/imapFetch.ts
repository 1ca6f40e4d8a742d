import type { FetchQueryObject } from 'imapflow';
import { readFetchLine, type FetchLine } from './fetchLine.ts';
import type { ImapClient } from './imapClient.ts';
import type { FetchedMessage } from './remoteMessage.ts';

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
