import type { Clock } from '../base/ports.ts';
import type { SpecialUse } from '../base/types.ts';
import type { AccountStore } from '../store/accounts.ts';
import type { FolderIds } from '../store/folderIds.ts';
import type { SearchScope } from '../store/searchQuery.ts';
import type { QueryNames } from '../store/searchPlan.ts';
import { decided, leavesOf, type QueryLeaf, type QueryNode } from '../mail/query.ts';

/** Where nobody looks who does not say so. */
const HIDDEN: readonly SpecialUse[] = ['junk', 'trash'];

/** What the names in queries stand for: folders by path, last name or role, accounts by any part of their address. */
export class SearchNames {
  readonly #accounts: AccountStore;
  readonly #folders: FolderIds;
  readonly #clock: Clock;

  constructor(deps: { accounts: AccountStore; folders: FolderIds; clock: Clock }) {
    this.#accounts = deps.accounts;
    this.#folders = deps.folders;
    this.#clock = deps.clock;
  }

  /** For one query, as things are now. */
  now(): QueryNames {
    return {
      now: this.#clock.now(),
      folderIds: (name) => this.#named(name).map(({ id }) => id),
      accountIds: (name) => this.#accountsNamed(name),
    };
  }

  /** What is left of a query when it is one account that is asked: its `account:` either hold there or do not. */
  within(accountId: string, query: QueryNode): QueryNode | boolean {
    return decided(query, (leaf) => (leaf.kind === 'account' ? this.#accountsNamed(leaf.name).includes(accountId) : undefined));
  }

  /** The folders in which a query can find something: of its scope those that its `in:` and `account:` leave. */
  foldersOf({ folders, ids }: SearchScope, query: QueryNode): number[] {
    const places = new Map<QueryLeaf, ReadonlySet<number>>();
    const all = this.#folders.list();
    for (const leaf of leavesOf(query)) {
      if (leaf.kind === 'in') places.set(leaf, new Set(this.#named(leaf.name).map(({ id }) => id)));
      if (leaf.kind !== 'account') continue;
      const accounts = this.#accountsNamed(leaf.name);
      places.set(leaf, new Set(all.flatMap(({ id, accountId }) => (accounts.includes(accountId) ? [id] : []))));
    }
    return all
      .filter(({ id }) => ids.includes(id) === (folders === 'only') && decided(query, (leaf) => places.get(leaf)?.has(id)) !== false)
      .map(({ id }) => id);
  }

  /** Where a query is looked for. */
  scopeOf(request: { accountId?: string; folder?: string; scope?: 'mail' | 'everywhere' }, query: QueryNode | undefined): SearchScope {
    const { accountId, folder } = request;
    const all = this.#folders.list().filter((each) => accountId === undefined || each.accountId === accountId);
    if (folder !== undefined) return { folders: 'only', ids: all.filter(({ path }) => path === folder).map(({ id }) => id) };
    const everywhere = request.scope === 'everywhere' || (query !== undefined && leavesOf(query).some(({ kind }) => kind === 'in'));
    const hidden = everywhere ? [] : all.filter(({ specialUse }) => specialUse !== undefined && HIDDEN.includes(specialUse));
    if (accountId === undefined) return { folders: 'all-but', ids: hidden.map(({ id }) => id) };
    return { folders: 'only', ids: all.filter((each) => !hidden.includes(each)).map(({ id }) => id) };
  }

  #accountsNamed(name: string): readonly string[] {
    const wanted = name.toLowerCase();
    return this.#accounts.list().flatMap(({ id, email }) => (email.toLowerCase().includes(wanted) ? [id] : []));
  }

  #named(name: string) {
    const wanted = name.toLowerCase();
    return this.#folders
      .list()
      .filter((folder) => [folder.path, folder.name, folder.specialUse ?? ''].some((each) => each.toLowerCase() === wanted));
  }
}
