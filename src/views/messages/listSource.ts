import type { SpecialUse } from '../../core/api.ts';

/** What the Messages view lists: a folder, one role over all accounts, what a search finds, what was snoozed, or what is muted. */
export type ListSource =
  | { readonly kind: 'folder'; readonly accountId: string; readonly path: string }
  | { readonly kind: 'unified'; readonly role: SpecialUse }
  | { readonly kind: 'search'; readonly query: string; readonly accountId?: string; readonly name?: string }
  | { readonly kind: 'snoozed' | 'muted' };

/** One row per conversation, or one per message. */
export type ListLayout = 'threads' | 'messages';

const ROLES: readonly string[] = ['inbox', 'sent', 'drafts', 'trash', 'junk', 'archive', 'all', 'flagged'] satisfies SpecialUse[];
const MAX_QUERY = 2000;

/** A source out of what a command was called with, which may be anything; undefined where it names none. */
export function listSourceIn(value: unknown): ListSource | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { kind, role, query, accountId, name, folder, search } = value as Record<string, unknown>;
  if (kind === 'snoozed' || kind === 'muted') return { kind };
  if (kind === 'unified') {
    const named = role ?? (folder as { role?: unknown } | undefined)?.role;
    return typeof named === 'string' && ROLES.includes(named) ? { kind, role: named as SpecialUse } : undefined;
  }
  if (kind === 'search' && typeof search === 'object' && search !== null) return listSourceIn({ ...search, kind });
  if (kind !== 'search' || typeof query !== 'string' || query.trim() === '' || query.length > MAX_QUERY) return undefined;
  return {
    kind,
    query,
    ...(typeof accountId === 'string' ? { accountId } : {}),
    ...(typeof name === 'string' ? { name } : {}),
  };
}

/** How long after a change it is read anew, milliseconds: what is looked for among all mail less often than a folder. Mail comes in swarms. */
export function settleMs(source: ListSource | undefined): number {
  return source === undefined || source.kind === 'unified' || source.kind === 'search' ? 1500 : 100;
}

/** Whether a change in a folder may change what the source lists. Which folders have a role is not known here, so any may. */
export function isTouchedBy(source: ListSource, change: { readonly accountId: string; readonly folder: string }): boolean {
  if (source.kind === 'folder') return source.accountId === change.accountId && source.path === change.folder;
  return source.kind !== 'search' || source.accountId === undefined || source.accountId === change.accountId;
}
