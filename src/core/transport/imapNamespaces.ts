import type { ImapClient } from './imapClient.ts';
import { imapError } from './transportErrors.ts';

/** Namespaces of one kind that are listed; a server that names more leaves the rest unlisted. */
const MAX_NAMESPACES = 20;

export type Listed = Awaited<ReturnType<ImapClient['list']>>[number];
type ListOptions = NonNullable<Parameters<ImapClient['list']>[0]>;

/** What ImapFlow 2.10 does not declare of its LIST; the version is pinned and namespaces.test.ts lists through it. */
interface Lister {
  run(command: 'LIST', reference: string, pattern: string, options: ListOptions): Promise<Listed[]>;
  /** What SELECT knows of paths without asking. */
  folders: ReadonlyMap<string, Listed>;
}

/**
 * Mailboxes of every namespace that NAMESPACE names (RFC 2342): the person's own, those of others, shared ones. One LIST for each of which the
 * earlier ones showed nothing. Of those that are not the person's own a server may refuse the list for good; then they are left out.
 */
export async function listNamespaces(client: ImapClient, options: ListOptions): Promise<Listed[]> {
  const lister = client as unknown as Lister;
  const byPath = new Map<string, Listed>();
  const own = prefixes(client, 'personal');
  for (const prefix of new Set([...own, ...prefixes(client, 'other'), ...prefixes(client, 'shared')])) {
    if (prefix !== '' && [...byPath.keys()].some((path) => path.startsWith(prefix))) continue;
    try {
      for (const entry of await lister.run('LIST', prefix, '*', options)) if (!byPath.has(entry.path)) byPath.set(entry.path, entry);
    } catch (error) {
      if (own.includes(prefix) || !isForGood(error)) throw error;
    }
  }
  lister.folders = byPath;
  return [...byPath.values()];
}

/** Whether a mailbox is the person's own: the roles go to such. */
export function isOwn(client: ImapClient, path: string): boolean {
  const within = (of: Kind): number =>
    Math.max(-1, ...prefixes(client, of).map((prefix) => (path.startsWith(prefix) ? prefix.length : -1)));
  return path === 'INBOX' || within('personal') >= Math.max(within('other'), within('shared'));
}

/** The path of a mailbox that has its name from this program. */
export function ownPath(client: ImapClient, name: string): string {
  return `${prefixes(client, 'personal')[0]}${name}`;
}

type Kind = 'personal' | 'other' | 'shared';

/** Without NAMESPACE all there is has no prefix. */
function prefixes(client: ImapClient, of: Kind): string[] {
  const told = client.namespaces?.[of] || [];
  const named = told.slice(0, MAX_NAMESPACES).map(({ prefix }) => prefix);
  return of === 'personal' && named.length === 0 ? [''] : named;
}

function isForGood(error: unknown): boolean {
  const { code, details } = imapError(error, { host: '' });
  return code === 'imap.mailbox-missing' || (code === 'imap.rejected' && details['retryAfterMs'] === undefined);
}
