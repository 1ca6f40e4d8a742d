import type { ImapClient } from './imapClient.ts';
import { remoteMessage } from './remoteMessage.ts';
import { uidSets } from './uidSet.ts';

/** What tells one message from another without reading it. */
export interface MessageIdentity {
  readonly uid: number;
  /** With angle brackets, '' where the message has none. */
  readonly rfcMessageId: string;
  /** Octets on the server. */
  readonly size: number;
}

/** Which messages of the selected mailbox: some, or all from a UID on. */
export type Identified = { readonly uids: readonly number[] } | { readonly from: number };

/** Those of the messages asked for that are there, ascending. */
export async function identifyMessages(client: ImapClient, of: Identified): Promise<MessageIdentity[]> {
  const sets = 'uids' in of ? uidSets(of.uids) : [`${of.from}:*`];
  const found: MessageIdentity[] = [];
  for (const set of sets) {
    for (const fetched of await client.fetchAll(set, { uid: true, envelope: true, size: true }, { uid: true })) {
      // `n:*` always names the last message, also one below n (RFC 9051 section 9, seq-range).
      if ('from' in of && fetched.uid < of.from) continue;
      // What the server says of flags unasked is no answer.
      if (fetched.envelope === undefined) continue;
      const { uid, rfcMessageId, size } = remoteMessage(fetched);
      found.push({ uid, rfcMessageId, size });
    }
  }
  return found.sort((a, b) => a.uid - b.uid);
}
