import { QuMailError } from '../base/errors.ts';
import type { MailFlag } from '../base/types.ts';
import type { ImapClient } from './imapClient.ts';
import { ownPath } from './imapNamespaces.ts';
import { wireFlags } from './remoteMessage.ts';
import { uidSets } from './uidSet.ts';

const BY_UID = { uid: true };
const DELETED = ['\\Deleted'];
/** Another session expunged some of the messages, which this one hears only now (RFC 5530). */
const EXPUNGED_MEANWHILE = 'EXPUNGEISSUED';

/** Adds and removes flags of these messages; those that are gone are passed over. */
export async function changeFlags(
  client: ImapClient,
  uids: readonly number[],
  change: { readonly add: readonly MailFlag[]; readonly remove: readonly MailFlag[] },
): Promise<void> {
  const [add, remove] = [wireFlags(change.add), wireFlags(change.remove)];
  for (const set of uidSets(uids)) {
    if (add.length > 0) await answered(client, () => client.messageFlagsAdd(set, add, { ...BY_UID, silent: true }));
    if (remove.length > 0) await answered(client, () => client.messageFlagsRemove(set, remove, { ...BY_UID, silent: true }));
  }
}

/** Adds and removes keywords, e.g. `$Junk`; those that the selected mailbox cannot keep are left out (PERMANENTFLAGS, RFC 9051 section 7.1). */
export async function changeKeywords(
  client: ImapClient,
  uids: readonly number[],
  change: { readonly addKeywords: readonly string[]; readonly removeKeywords: readonly string[] },
): Promise<void> {
  const kept = client.mailbox === false ? undefined : client.mailbox.permanentFlags;
  const add = change.addKeywords.filter((keyword) => kept === undefined || kept.has('\\*') || kept.has(keyword));
  for (const set of uidSets(uids)) {
    if (add.length > 0) await answered(client, () => client.messageFlagsAdd(set, [...add], { ...BY_UID, silent: true }));
    if (change.removeKeywords.length > 0)
      await answered(client, () => client.messageFlagsRemove(set, [...change.removeKeywords], { ...BY_UID, silent: true }));
  }
}

/**
 * Moves messages to another mailbox: MOVE (RFC 6851), else COPY and removal of exactly the copied ones. Rejects with
 * `imap.mailbox-missing` when the target does not exist; nothing has been removed then. Resolves to new UIDs by old, where the server tells.
 * Of a message that it does not name, the caller looks where it is: it may be where it was, and in the target, and both.
 */
export async function moveMessages(client: ImapClient, uids: readonly number[], target: string): Promise<Map<number, number>> {
  const atomic = client.capabilities.has('MOVE');
  const moved = new Map<number, number>();
  let all = true;
  for (const set of uidSets(uids)) {
    const code = await answered(client, async () => {
      const result = await (atomic ? client.messageMove(set, target, BY_UID) : client.messageCopy(set, target, BY_UID));
      if (result) for (const [from, to] of result.uidMap ?? []) moved.set(from, to);
      return result;
    });
    all &&= code !== EXPUNGED_MEANWHILE;
  }
  // Dovecot answers OK and copies none where it finds one gone: what may not have been copied is not removed, nor what the server does not name.
  if (!atomic) await removeMessages(client, all && moved.size === 0 ? uids : uids.filter((uid) => moved.has(uid)));
  return moved;
}

/** Removes exactly these messages for good; others that carry \Deleted stay, also where the server has no UID EXPUNGE (RFC 4315). */
export async function removeMessages(client: ImapClient, uids: readonly number[]): Promise<void> {
  const sets = uidSets(uids);
  if (sets.length === 0) return;
  if (client.capabilities.has('UIDPLUS')) {
    for (const set of sets) await answered(client, () => client.messageDelete(set, BY_UID));
    return;
  }
  // EXPUNGE takes everything that is marked, so other marks are lifted meanwhile. NOOP first: the view may be behind.
  await client.noop();
  const own = new Set(uids);
  const marked = await client.search({ deleted: true }, BY_UID);
  const others = uidSets((Array.isArray(marked) ? marked : []).filter((uid) => !own.has(uid)));
  for (const set of others) await answered(client, () => client.messageFlagsRemove(set, DELETED, BY_UID));
  try {
    for (const set of sets) await answered(client, () => client.messageDelete(set, BY_UID));
  } finally {
    for (const set of others) await answered(client, () => client.messageFlagsAdd(set, DELETED, BY_UID));
  }
}

/** Files a message; resolves with its UID where the server tells (UIDPLUS). */
export async function appendMessage(
  client: ImapClient,
  folder: string,
  raw: Buffer,
  flags: readonly MailFlag[],
): Promise<number | undefined> {
  const appended = await client.append(folder, raw, wireFlags(flags));
  return appended === false ? undefined : appended.uid;
}

/** Makes sure that the person has a mailbox of this name and is subscribed to it; resolves to its path. */
export async function ensureFolder(client: ImapClient, name: string): Promise<string> {
  const path = ownPath(client, name);
  await client.mailboxCreate(path);
  return path;
}

/** ImapFlow resolves with false when one of these commands failed; this finds out why. Resolves to the code of the answer, where it had one. */
async function answered(client: ImapClient, command: () => Promise<unknown>): Promise<string | undefined> {
  let last: { response: string; code?: string | undefined } | undefined;
  const listen = (answer: { response: string; code?: string | undefined }): void => {
    last = answer;
  };
  client.on('response', listen);
  try {
    let result = await command();
    // The session knows now which ones are gone, and passes them over.
    if (result === false && last?.response === 'NO' && last.code === EXPUNGED_MEANWHILE) result = await command();
    if (result !== false && result !== undefined) return last?.code;
  } finally {
    client.off('response', listen);
  }
  if (!client.usable) throw new QuMailError('net.cut', { protocol: 'imap' });
  if (last?.response === 'OK') return last.code; // nothing was left to do
  // In the shape of an ImapFlow error, for imapError to name.
  throw { responseStatus: last?.response ?? 'NO', serverResponseCode: last?.code, responseText: '' };
}
