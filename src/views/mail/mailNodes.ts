import type { Account, Draft, Folder, MutedThread, OutboxEntry, PendingAction, SavedSearch, UnifiedFolder } from '../../core/api.ts';
import type { FolderBranch } from './folderNesting.ts';

export type MailNode =
  | { readonly kind: 'simulated' }
  | { readonly kind: 'unified'; readonly folder: UnifiedFolder; readonly others: readonly UnifiedFolder[] }
  | { readonly kind: 'account'; readonly account: Account }
  | { readonly kind: 'folder'; readonly folder: Folder; readonly branch: FolderBranch }
  | { readonly kind: 'searches' }
  | { readonly kind: 'search'; readonly search: SavedSearch }
  | { readonly kind: 'snoozed' | 'muted'; readonly count: number }
  | { readonly kind: 'drafts' }
  | { readonly kind: 'draft'; readonly draft: Draft }
  | { readonly kind: 'outbox' }
  | { readonly kind: 'outbox-entry'; readonly entry: OutboxEntry }
  | { readonly kind: 'pending' }
  | { readonly kind: 'pending-action'; readonly action: PendingAction };

/** What has a row of its own only while there is something in it. */
export interface ExtraFacts {
  readonly unified: readonly UnifiedFolder[];
  readonly searches: readonly SavedSearch[];
  readonly snoozed: number;
  readonly muted: readonly MutedThread[];
  readonly drafts: readonly Draft[];
}

export const NO_EXTRAS: ExtraFacts = { unified: [], searches: [], snoozed: 0, muted: [], drafts: [] };

/**
 * The first level of the Mail view. Several accounts have their inboxes in one row on top; below the accounts is what was kept, put off, begun or
 * not told yet, each only where there is some.
 */
export function rootNodes(
  o: {
    readonly accounts: readonly MailNode[];
    readonly world: 'real' | 'lab';
    readonly outbox: MailNode | undefined;
    readonly pending: 'yes' | 'no';
  },
  extras: ExtraFacts,
): MailNode[] {
  const inbox = extras.unified.find(({ role }) => role === 'inbox');
  const others = extras.unified.filter(({ role }) => role !== 'inbox');
  return [
    ...(o.world === 'lab' ? [{ kind: 'simulated' } as const] : []),
    ...(inbox && o.accounts.length > 1 ? [{ kind: 'unified', folder: inbox, others } as const] : []),
    ...o.accounts,
    ...(extras.searches.length > 0 ? [{ kind: 'searches' } as const] : []),
    ...(extras.snoozed > 0 ? [{ kind: 'snoozed', count: extras.snoozed } as const] : []),
    ...(extras.muted.length > 0 ? [{ kind: 'muted', count: extras.muted.length } as const] : []),
    ...(extras.drafts.length > 0 ? [{ kind: 'drafts' } as const] : []),
    ...(o.outbox === undefined ? [] : [o.outbox]),
    ...(o.pending === 'yes' ? [{ kind: 'pending' } as const] : []),
  ];
}

/** Drafts, the one written in last first, each followed by the copies of it that another computer made meanwhile. */
export function draftRows(drafts: readonly Draft[]): readonly Draft[] {
  const newestFirst = drafts.toSorted((a, b) => b.updatedAt - a.updatedAt);
  const ids = new Set(drafts.map(({ id }) => id));
  const isCopy = ({ conflictOf }: Draft): boolean => conflictOf !== undefined && ids.has(conflictOf);
  return newestFirst
    .filter((draft) => !isCopy(draft))
    .flatMap((draft) => [draft, ...newestFirst.filter((copy) => isCopy(copy) && copy.conflictOf === draft.id)]);
}
