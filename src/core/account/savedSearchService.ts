import type { QuMailRequests } from '../api.ts';
import { QuMailError } from '../base/errors.ts';
import type { QuMailEvent } from '../base/events.ts';
import type { Random } from '../base/ports.ts';
import type { SavedSearch } from '../base/search.ts';
import { parseQuery } from '../mail/parseQuery.ts';
import type { SavedSearchRecord, SavedSearchStore } from '../store/savedSearches.ts';
import { planSearch } from '../store/searchPlan.ts';
import type { SearchQuery } from '../store/searchQuery.ts';
import type { SearchNames } from './searchNames.ts';
import { understood } from './searchService.ts';

/** Matches are counted no further. */
const MAX_COUNTED = 10_000;
const MAX_SAVED = 100;
const MAX_NAME = 100;

export interface SavedSearchDeps {
  readonly store: SavedSearchStore;
  readonly query: SearchQuery;
  readonly names: SearchNames;
  readonly random: Random;
  readonly emit: (event: QuMailEvent) => void;
}

/** Queries somebody keeps, with how many messages match them now. */
export class SavedSearchService implements Pick<QuMailRequests, 'listSavedSearches' | 'saveSearch' | 'deleteSearch'> {
  readonly #deps: SavedSearchDeps;
  #told = '';

  constructor(deps: SavedSearchDeps) {
    this.#deps = deps;
  }

  async listSavedSearches(): Promise<readonly SavedSearch[]> {
    const searches = this.#counted();
    this.#told = countsOf(searches);
    return searches;
  }

  async saveSearch(request: { id?: string; name: string; query: string; accountId?: string }): Promise<SavedSearch> {
    const { store, random, emit } = this.#deps;
    understood(request.query);
    const name = request.name.trim().slice(0, MAX_NAME);
    if (name === '') throw new QuMailError('engine.bad-request', { field: 'name' });
    const known = store.list();
    if (request.id !== undefined && !known.some(({ id }) => id === request.id)) throw new QuMailError('search.missing');
    if (request.id === undefined && known.length >= MAX_SAVED) throw new QuMailError('engine.bad-request', { field: 'searches' });
    const { query, accountId } = request;
    const record: SavedSearchRecord = { id: request.id ?? random.uuid(), name, query, ...(accountId !== undefined && { accountId }) };
    store.put(record);
    emit({ kind: 'saved-searches' });
    return this.#count(record);
  }

  async deleteSearch(request: { id: string }): Promise<void> {
    if (!this.#deps.store.delete(request.id)) throw new QuMailError('search.missing');
    this.#deps.emit({ kind: 'saved-searches' });
  }

  /** Tells when the counts are others than those that were asked for last. */
  recount(): void {
    if (this.#told === '') return;
    const counts = countsOf(this.#counted());
    if (counts === this.#told) return;
    this.#told = counts;
    this.#deps.emit({ kind: 'saved-searches' });
  }

  #counted(): SavedSearch[] {
    return this.#deps.store.list().map((record) => this.#count(record));
  }

  #count(record: SavedSearchRecord): SavedSearch {
    const { query, names } = this.#deps;
    // What an earlier version could read and this one cannot matches nothing, and says why when it is run.
    const { node, problems } = parseQuery(record.query);
    const plan = node && problems.length === 0 ? planSearch(node, names.now()) : undefined;
    const { total, unread } = plan ? query.count(plan, names.scopeOf(record, node), MAX_COUNTED) : { total: 0, unread: 0 };
    return { ...record, total, unread };
  }
}

function countsOf(searches: readonly SavedSearch[]): string {
  return JSON.stringify(searches.map(({ id, total, unread }) => [id, total, unread]));
}
