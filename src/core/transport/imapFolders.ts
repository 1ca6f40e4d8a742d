import { QuMailError } from '../base/errors.ts';
import { folderRoles } from './folderRoles.ts';
import type { ImapClient } from './imapClient.ts';
import type { RemoteFolder } from './remoteMail.ts';

/** The selected mailbox. */
export interface SelectedMailbox {
  readonly uidValidity: bigint;
  readonly uidNext: number | undefined;
  readonly exists: number;
  readonly highestModseq: bigint | undefined;
  readonly noModseq: boolean;
}

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
    const { uidValidity, uidNext, exists, highestModseq, noModseq } = client.mailbox;
    return await work({ uidValidity, uidNext, exists: exists ?? 0, highestModseq, noModseq: noModseq === true });
  } finally {
    lock.release();
  }
}

/** Throws `imap.message-missing` when UIDs from another UIDVALIDITY are used: they may name other messages now. */
export function requireValidity(mailbox: SelectedMailbox, folder: string, uidValidity: number): void {
  if (Number(mailbox.uidValidity) !== uidValidity) throw new QuMailError('imap.message-missing', { folder, reason: 'uid-validity' });
}

/** All mailboxes with their roles and counts; one LIST, and a STATUS each where the server cannot combine them. */
export async function listFolders(client: ImapClient): Promise<RemoteFolder[]> {
  const listed = await client.list({ statusQuery: { messages: true, unseen: true, uidNext: true, uidValidity: true } });
  const roles = folderRoles(
    listed.map((entry) => ({
      path: entry.path,
      name: entry.name,
      delimiter: entry.delimiter ?? '',
      attributes: entry.flags,
      ...(entry.specialUseSource === 'name' && entry.specialUse !== undefined ? { guess: entry.specialUse } : {}),
    })),
  );
  return listed.map((entry) => {
    const specialUse = roles.get(entry.path);
    const { status } = entry;
    return {
      path: entry.path,
      name: entry.name,
      delimiter: entry.delimiter ?? '',
      ...(specialUse === undefined ? {} : { specialUse }),
      selectable: !hasAttribute(entry.flags, '\\noselect') && !hasAttribute(entry.flags, '\\nonexistent'),
      unread: status?.unseen ?? 0,
      total: status?.messages ?? 0,
      ...(status?.uidValidity === undefined ? {} : { uidValidity: Number(status.uidValidity) }),
      ...(status?.uidNext === undefined ? {} : { uidNext: status.uidNext }),
    };
  });
}

function hasAttribute(attributes: ReadonlySet<string>, lowerCase: string): boolean {
  return [...attributes].some((attribute) => attribute.toLowerCase() === lowerCase);
}
