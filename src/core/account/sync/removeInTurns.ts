import { othersFirst } from '../../base/othersFirst.ts';
import type { MessageStore } from '../../store/messages.ts';

/** Messages that are removed in one transaction, about 20 ms: their words go from the index with them. */
const AT_ONCE = 200;

type Removing = Pick<MessageStore, 'cursor' | 'forgetExtent' | 'knownUids' | 'removeUids'>;

/**
 * Removes all of `uids` but the last few, with turns in between for whoever waits for the engine's thread, as long as the folder's UIDs mean the
 * same. The caller removes them all, once more, in the stretch in which it notes that it did: what was stored meanwhile by somebody who did not
 * know goes then.
 */
export async function removeMost(messages: Removing, accountId: string, path: string, uids: readonly number[]): Promise<void> {
  const uidValidity = messages.cursor(accountId, path)?.uidValidity;
  for (let at = 0; uids.length - at > AT_ONCE; at += AT_ONCE) {
    if (messages.cursor(accountId, path)?.uidValidity !== uidValidity) return;
    messages.removeUids(accountId, path, uids.slice(at, at + AT_ONCE));
    await othersFirst();
  }
}

/**
 * The same with all messages of a folder that is gone, or whose UIDs mean others now. Where it ends early the folder counts as not read to its end, so
 * that whoever finds it again goes on, or fills it.
 */
export async function emptyMost(messages: Removing, accountId: string, path: string): Promise<void> {
  const uidValidity = messages.cursor(accountId, path)?.uidValidity;
  for (;;) {
    const uids = messages.knownUids(accountId, path, AT_ONCE);
    if (uids.length < AT_ONCE || messages.cursor(accountId, path)?.uidValidity !== uidValidity) return;
    messages.forgetExtent(accountId, path);
    messages.removeUids(accountId, path, uids);
    await othersFirst();
  }
}
