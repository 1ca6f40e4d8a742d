import { QuMailError } from '../../base/errors.ts';
import { othersFirst } from '../../base/othersFirst.ts';
import { isChatFolder } from '../../mail/chatMessageId.ts';
import type { MessageStore } from '../../store/messages.ts';
import type { EmailHandler } from '../../transport/emailHandler.ts';
import type { RemoteFolder } from '../../transport/remoteMail.ts';
import { emptyMost } from './removeInTurns.ts';
import { planFolderList, type StoredFolder } from './syncPlan.ts';

/** Folders that are written in one transaction. */
const AT_ONCE = 500;
/** Messages by which a renamed folder is known again. */
const SAMPLE = 50;
/** New folders that are asked for their MAILBOXID in one look. */
const MOST_ASKED = 200;

/** What knows of messages that are listed elsewhere than they lie, because the server has not heard of it. */
export interface FolderJournal {
  /** A folder goes by another name: what was done in it follows, before the store does. */
  renamed(accountId: string, from: string, to: string): void;
  /** Messages that lie in a folder and are on their way out of it. */
  leaving(accountId: string, folder: string, most: number): readonly { uid: number; uidValidity: number; size: number }[];
}

/**
 * Takes a folder list into the store: counts, what is new, what goes by another name now with everything in it, what is gone. A name is believed
 * to be another name only where the server's MAILBOXID says so, or the newest messages are there under their UIDs with their sizes.
 *
 * @returns `held-back` where something arrived in the inbox that may be a chat's: it is counted once it was looked at
 */
export async function takeFolderList(
  accountId: string,
  listed: readonly RemoteFolder[],
  messages: MessageStore,
  handler: Pick<EmailHandler, 'fetchFacts' | 'actions'>,
  signal: AbortSignal,
  journal?: FolderJournal,
): Promise<'all' | 'held-back'> {
  const present = new Set(listed.map(({ path }) => path));
  const known = messages.listFolders(accountId);
  const unread = new Map(known.map((folder) => [folder.path, folder.unread]));
  const before = known.map(({ path }) => {
    const cursor = present.has(path) ? undefined : messages.cursor(accountId, path);
    return { path, ...(cursor && { cursor }) };
  });
  const plan = planFolderList(before, await withIds(before, listed, handler, signal));
  const gone = [...plan.gone];
  for (const { from, to, by } of plan.renamed) {
    if (by === 'uids' && !(await isSame(accountId, from, to, messages, handler, signal, journal))) {
      gone.push(from);
      continue;
    }
    // What the person did in it first: were that lost to a crash in between, the next look would find the same once more.
    journal?.renamed(accountId, from, to);
    messages.renameFolder(accountId, from, to);
  }
  for (let at = 0; at < listed.length; at += AT_ONCE) {
    if (at > 0) await othersFirst();
    messages.upsertFolders(
      listed.slice(at, at + AT_ONCE).map((folder) => ({
        accountId,
        path: folder.path,
        name: folder.name,
        delimiter: folder.delimiter,
        ...(folder.specialUse !== undefined && { specialUse: folder.specialUse }),
        selectable: folder.selectable,
        unread: shownUnread(accountId, folder, unread.get(folder.path) ?? 0, messages),
        total: folder.total,
        ...(folder.subscribed !== undefined && { subscribed: folder.subscribed }),
      })),
    );
  }
  for (const path of gone)
    for (let at = messages.leaveToTwins(accountId, path, 0); at !== undefined; at = messages.leaveToTwins(accountId, path, at))
      await othersFirst();
  for (const path of gone) await emptyMost(messages, accountId, path);
  if (gone.length > 0) messages.removeFolders(accountId, gone);
  return listed.some((folder) => hasNews(accountId, folder, messages)) ? 'held-back' : 'all';
}

/** The chats' folder, where something came into it: what another device took out of the inbox is nowhere else to be seen. */
export function chatsToLookAt(accountId: string, listed: readonly RemoteFolder[], messages: MessageStore): string | undefined {
  const chats = listed.find(({ path }) => isChatFolder(path));
  const cursor = chats && messages.cursor(accountId, chats.path);
  return cursor && chats.uidNext !== undefined && cursor.uidNext >= chats.uidNext ? undefined : chats?.path;
}

/** What the server counts as unread, without what the chats count. */
function shownUnread(accountId: string, folder: RemoteFolder, before: number, messages: MessageStore): number {
  const told = Math.max(0, folder.unread - messages.countUnreadChatMail(accountId, folder.path, folder.uidNext ?? Number.MAX_SAFE_INTEGER));
  return hasNews(accountId, folder, messages) ? Math.min(told, before) : told;
}

function hasNews(accountId: string, { path, specialUse, uidNext }: RemoteFolder, messages: MessageStore): boolean {
  if (specialUse !== 'inbox' || uidNext === undefined) return false;
  const cursor = messages.cursor(accountId, path);
  return cursor !== undefined && uidNext > cursor.uidNext;
}

/** New folders with their MAILBOXID, where one is missing that had such a thing. */
async function withIds(
  before: readonly StoredFolder[],
  listed: readonly RemoteFolder[],
  handler: Pick<EmailHandler, 'actions'>,
  signal: AbortSignal,
): Promise<readonly (RemoteFolder & { readonly mailboxId?: string })[]> {
  const known = new Set(before.map(({ path }) => path));
  const fresh = listed.filter(({ path, selectable }) => selectable && !known.has(path));
  // Of folders that are there still the cursor is not read.
  if (fresh.length > MOST_ASKED || !before.some(({ cursor }) => cursor?.mailboxId !== undefined)) return listed;
  const ids = new Map<string, string>();
  for (const { path } of fresh) {
    try {
      const { mailboxId } = await handler.actions.marks(path, signal);
      if (mailboxId !== undefined) ids.set(path, mailboxId);
    } catch (error) {
      // One that cannot be selected, or has gone again, is no renamed folder.
      if (!QuMailError.from(error).code.startsWith('imap.')) throw error;
    }
  }
  return listed.map((folder) => ({ ...folder, ...(ids.has(folder.path) && { mailboxId: ids.get(folder.path)! }) }));
}

async function isSame(
  accountId: string,
  from: string,
  to: string,
  messages: MessageStore,
  handler: Pick<EmailHandler, 'fetchFacts'>,
  signal: AbortSignal,
  journal: FolderJournal | undefined,
): Promise<boolean> {
  const cursor = messages.cursor(accountId, from);
  const leaving = journal?.leaving(accountId, from, SAMPLE).filter(({ uidValidity }) => uidValidity === cursor?.uidValidity) ?? [];
  const sample = [...messages.sample(accountId, from, SAMPLE), ...leaving];
  if (sample.length === 0 || !cursor) return false;
  const uids = sample.map(({ uid }) => uid);
  const sizes = new Map((await handler.fetchFacts(to, cursor.uidValidity, uids, signal)).map(({ uid, size }) => [uid, size]));
  // Some may have been expunged since; none may be another.
  return sizes.size > 0 && sample.every(({ uid, size }) => !sizes.has(uid) || sizes.get(uid) === size);
}
