import { QuMailError } from '../base/errors.ts';
import type { SpecialUse } from '../base/types.ts';
import { cleanName } from '../mail/address.ts';
import { folderRoles } from './folderRoles.ts';
import type { ImapClient } from './imapClient.ts';
import { isOwn, listNamespaces, type Listed } from './imapNamespaces.ts';
import type { RemoteFolder, RemoteQuota } from './remoteMail.ts';

/** The selected mailbox. */
export interface SelectedMailbox {
  readonly uidValidity: bigint;
  readonly uidNext: number | undefined;
  readonly exists: number;
  readonly highestModseq: bigint | undefined;
  readonly noModseq: boolean;
  /** MAILBOXID (RFC 8474), where the server has it. */
  readonly mailboxId: string | undefined;
}

/** An ObjectID as RFC 8474 section 7 has it. */
const OBJECT_ID = /^[\w-]{1,255}$/;

/**
 * Runs `work` with `folder` selected. `reselect` asks the server for its state as it is now; `selected` is content with the view the
 * connection has had since it selected the folder. Rejects with `imap.mailbox-missing` when there is no such folder.
 */
export async function inFolder<T>(
  client: ImapClient,
  folder: string,
  view: 'reselect' | 'selected',
  work: (mailbox: SelectedMailbox) => Promise<T>,
): Promise<T> {
  const already = client.mailbox !== false && client.mailbox.path === folder;
  const lock = await client.getMailboxLock(folder);
  try {
    if (already && view === 'reselect') await client.mailboxOpen(folder);
    if (client.mailbox === false) throw new QuMailError('net.cut');
    const { uidValidity, uidNext, exists, highestModseq, noModseq, mailboxId: told } = client.mailbox;
    const mailboxId = typeof told === 'string' && OBJECT_ID.test(told) ? told : undefined;
    // Zero is no UID (RFC 9051 section 9, uniqueid): such a server tells none.
    const next = uidNext === 0 ? undefined : uidNext;
    return await work({ uidValidity, uidNext: next, exists: exists ?? 0, highestModseq, noModseq: noModseq === true, mailboxId });
  } finally {
    lock.release();
  }
}

/**
 * The same for work with UIDs, which hold under one UIDVALIDITY. A view from before it changed is renewed, and one that may be older than the
 * newest of `view`'s UIDs, which another connection told of; `imap.message-missing` where the UIDs are from another UIDVALIDITY.
 */
export async function inFolderAs<T>(
  client: ImapClient,
  folder: string,
  uidValidity: number,
  view: 'reselect' | readonly number[],
  work: (mailbox: SelectedMailbox) => Promise<T>,
): Promise<T> {
  const isFresh = ({ mailbox }: ImapClient, uids: readonly number[]): boolean =>
    mailbox !== false && Number(mailbox.uidValidity) === uidValidity && uids.every((uid) => uid < (mailbox.uidNext ?? 0));
  return inFolder(client, folder, view !== 'reselect' && isFresh(client, view) ? 'selected' : 'reselect', (mailbox) => {
    requireValidity(mailbox, folder, uidValidity);
    return work(mailbox);
  });
}

/** Throws `imap.message-missing` when UIDs from another UIDVALIDITY are used: they may name other messages now. */
export function requireValidity(mailbox: SelectedMailbox, folder: string, uidValidity: number): void {
  if (Number(mailbox.uidValidity) !== uidValidity) throw new QuMailError('imap.message-missing', { folder, reason: 'uid-validity' });
}

/** Mailboxes that are taken of what a server lists; the rest of a longer list is left out. */
const MAX_FOLDERS = 10_000;
/** Mailboxes that are counted one by one where the server has no LIST-STATUS (RFC 5819). */
const MAX_COUNTED = 500;
/** Octets of a path. No command line of ours could carry a longer one. */
const MAX_PATH = 1000;

/**
 * Mailboxes with their roles, counts and subscriptions, of every namespace, at most 10,000, INBOX and those with a role first; one LIST where that
 * shows all, and a STATUS each where the server cannot combine them. Paths that no command could name (control characters, beyond 1000
 * octets) are left out; `name` is fit to be shown. A list without INBOX is `net.protocol` (`no-inbox`): every server has it (RFC 3501 section
 * 5.1), so the others that it lacks are not taken for deleted.
 */
export async function listFolders(client: ImapClient): Promise<RemoteFolder[]> {
  const query = { messages: true, unseen: true, uidNext: true, uidValidity: true, highestModseq: true };
  // Of the mailbox that is selected a server may tell what this session has seen so far. INBOX is looked into anyway.
  if (client.mailbox !== false && client.mailbox.path !== 'INBOX') await client.mailboxOpen('INBOX');
  const combined = client.capabilities.has('LIST-STATUS');
  const all = (await listNamespaces(client, combined ? { statusQuery: query } : {})).filter(({ path }) => isAddressable(path));
  if (!all.some(({ path, specialUse }) => path === 'INBOX' || specialUse === '\\Inbox'))
    throw new QuMailError('net.protocol', { protocol: 'imap', reason: 'no-inbox' });
  const own = all.filter(({ path }) => isOwn(client, path));
  const roles = folderRoles(
    own.map((entry) => ({
      path: entry.path,
      name: entry.name,
      delimiter: entry.delimiter ?? '',
      attributes: entry.flags,
      ...(entry.specialUseSource === 'name' && entry.specialUse !== undefined ? { guess: entry.specialUse } : {}),
    })),
  );
  const listed = all.length <= MAX_FOLDERS ? all : all.toSorted((a, b) => rank(a, roles) - rank(b, roles)).slice(0, MAX_FOLDERS);
  if (!combined) await countOneByOne(client, listed, query);
  return listed.map((entry) => remoteFolder(entry, roles.get(entry.path)));
}

/** Subscribes to a mailbox or ends that. `imap.rejected` where the server will not. */
export async function subscribeFolder(client: ImapClient, folder: string, to: 'subscribed' | 'unsubscribed'): Promise<void> {
  const done = to === 'subscribed' ? await client.mailboxSubscribe(folder) : await client.mailboxUnsubscribe(folder);
  if (done !== true) throw client.usable ? new QuMailError('imap.rejected', { response: 'SUBSCRIBE' }) : new QuMailError('net.cut');
}

/** Storage used and allowed, undefined where the server tells nothing (RFC 9208). */
export async function readQuota(client: ImapClient): Promise<RemoteQuota | undefined> {
  if (!client.capabilities.has('QUOTA')) return undefined;
  const quota = await client.getQuota('INBOX');
  const storage = quota ? quota.storage : undefined;
  const { usage, limit } = (storage ?? {}) as { usage?: number; limit?: number };
  return usage !== undefined && limit !== undefined && limit > 0 ? { used: usage, limit } : undefined;
}

async function countOneByOne(client: ImapClient, listed: readonly Listed[], query: Parameters<ImapClient['status']>[1]): Promise<void> {
  for (const entry of listed.filter(isSelectable).slice(0, MAX_COUNTED)) {
    try {
      const status = await client.status(entry.path, query);
      if (status) entry.status = status;
    } catch (error) {
      // A mailbox that cannot be counted is listed without counts; a lost connection is not.
      if (!client.usable) throw error;
    }
  }
}

function remoteFolder(entry: Listed, specialUse: SpecialUse | undefined): RemoteFolder {
  const { status } = entry;
  return {
    path: entry.path,
    name: cleanName(entry.name).slice(0, 200) || '?',
    delimiter: entry.delimiter ?? '',
    ...(specialUse !== undefined && { specialUse }),
    selectable: isSelectable(entry),
    unread: status?.unseen ?? 0,
    total: status?.messages ?? 0,
    ...(status?.uidValidity !== undefined && { uidValidity: Number(status.uidValidity) }),
    ...(status?.uidNext !== undefined && { uidNext: status.uidNext }),
    ...(status?.highestModseq !== undefined && { highestModseq: BigInt(status.highestModseq) }),
    subscribed: entry.subscribed === true,
  };
}

function rank(entry: Listed, roles: ReadonlyMap<string, SpecialUse>): number {
  const role = roles.get(entry.path);
  return role === 'inbox' ? 0 : role !== undefined ? 1 : 2;
}

function isAddressable(path: string): boolean {
  return path !== '' && Buffer.byteLength(path) <= MAX_PATH && !/[\0\r\n]/.test(path);
}

function isSelectable(entry: Listed): boolean {
  return !hasAttribute(entry.flags, '\\noselect') && !hasAttribute(entry.flags, '\\nonexistent');
}

function hasAttribute(attributes: ReadonlySet<string>, lowerCase: string): boolean {
  return [...attributes].some((attribute) => attribute.toLowerCase() === lowerCase);
}
