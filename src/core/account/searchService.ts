import type { CallOptions, QuMailRequests } from '../api.ts';
import { QuMailError } from '../base/errors.ts';
import type { Clock } from '../base/ports.ts';
import type { QuerySuggestion, SearchHit, SearchPage, SearchProblem, SearchRequest } from '../base/search.ts';
import { completeQuery } from '../mail/completeQuery.ts';
import { parseQuery } from '../mail/parseQuery.ts';
import { wantedTexts, type QueryNode } from '../mail/query.ts';
import { searchTextOf } from '../mail/searchText.ts';
import { Marker } from '../mail/snippet.ts';
import type { AccountStore } from '../store/accounts.ts';
import type { FolderIds } from '../store/folderIds.ts';
import type { IndexCoverage } from '../store/indexCoverage.ts';
import type { MessageRow, MessageStore } from '../store/messages.ts';
import type { SealedMailStore } from '../store/sealedMail.ts';
import type { SealedSearch } from '../store/sealedSearch.ts';
import type { SearchIndex } from '../store/searchIndex.ts';
import { planSearch, type SearchPlan } from '../store/searchPlan.ts';
import { ranked, withoutTwins, type SearchQuery, type SearchScope } from '../store/searchQuery.ts';
import { summaryOf } from './readMessage.ts';
import type { SealedIndex } from './sealedIndex.ts';
import type { SearchNames } from './searchNames.ts';
import type { SearchPeople } from './searchPeople.ts';
import type { SearchUpkeep } from './searchUpkeep.ts';

const MAX_PAGE = 500;
/** The newest that match, of which the best come first. */
const POOL = 200;
/** Octets of a source that are read for a snippet. */
const SNIPPET_OCTETS = 48 * 1024;
const SNIPPET_TEXT = 16 * 1024;
/** What a search waits for mail that came a moment ago, milliseconds. */
const HURRY_MS = 30;

export interface SearchServiceDeps {
  readonly names: SearchNames;
  readonly query: SearchQuery;
  readonly index: SearchIndex;
  readonly coverage: IndexCoverage;
  readonly sealed: SealedSearch;
  readonly sealedIndex: SealedIndex;
  readonly upkeep: SearchUpkeep;
  readonly people: SearchPeople;
  readonly folders: FolderIds;
  readonly accounts: AccountStore;
  readonly messages: MessageStore;
  readonly sealedMail: SealedMailStore;
  readonly clock: Clock;
}

/** Searching what is here: ordinary mail and sealed mail as one. */
export class SearchService implements Pick<QuMailRequests, 'search' | 'checkQuery' | 'completeQuery'> {
  readonly #deps: SearchServiceDeps;

  constructor(deps: SearchServiceDeps) {
    this.#deps = deps;
  }

  async search(request: SearchRequest, options: CallOptions = {}): Promise<SearchPage> {
    const node = understood(request.query);
    const { upkeep, coverage, sealedIndex, names } = this.#deps;
    options.signal?.throwIfAborted();
    upkeep.hurry(HURRY_MS);
    const scope = names.scopeOf(request, node);
    const plan = planSearch(node, names.now());
    const limit = Math.max(1, Math.min(Math.trunc(request.limit) || 1, MAX_PAGE));
    const { ids, next } = plan ? this.#find(plan, scope, limit, request) : { ids: [], next: undefined };
    return {
      messages: this.hitsOf(ids, node),
      coverage: coverage.of(names.foldersOf(scope, node)),
      sealedPending: sealedIndex.pending,
      ...(next !== undefined && { next }),
    };
  }

  async checkQuery(request: { query: string }): Promise<readonly SearchProblem[]> {
    return parseQuery(request.query).problems;
  }

  async completeQuery(request: { text: string; at: number }): Promise<readonly QuerySuggestion[]> {
    const { folders, accounts, people } = this.#deps;
    return completeQuery(request.text, request.at, {
      folders: () => [...new Set(folders.list().map(({ path }) => path))],
      accounts: () => accounts.list().map(({ email }) => email),
      people: (prefix) => people.beginningWith(prefix),
      tags: () => folders.labels(200).toSorted(),
    });
  }

  /** Rows as they are shown among results; those that have gone meanwhile are left out. */
  hitsOf(ids: readonly number[], node: QueryNode): readonly SearchHit[] {
    const marker = new Marker(wantedTexts(node));
    return ids.flatMap((id) => {
      const row = this.#deps.messages.get(id);
      return row ? [this.#hitOf(row, marker)] : [];
    });
  }

  #find(plan: SearchPlan, scope: SearchScope, limit: number, request: SearchRequest): { ids: number[]; next: number | undefined } {
    const { query, clock } = this.#deps;
    if (plan.match === undefined || request.order === 'newest') {
      const found = query.newest(plan, scope, limit + 1, request.before);
      const ids = withoutTwins(found.slice(0, limit)).map(({ id }) => id);
      return { ids, next: found.length > limit ? found[limit - 1]?.id : undefined };
    }
    // Cut into pages by rank: the pool is found anew for each, which costs less than keeping it.
    const first = Math.max(0, Math.trunc(request.before ?? 0));
    const pool = withoutTwins(ranked(query.scored(plan, scope, POOL), clock.now()));
    const ids = pool.slice(first, first + limit).map(({ id }) => id);
    return { ids, next: first + limit < pool.length ? first + limit : undefined };
  }

  #hitOf(row: MessageRow, marker: Marker): SearchHit {
    const summary = summaryOf(row, this.#deps.sealedMail);
    const text = this.#textOf(row);
    const snippet = text === undefined ? undefined : marker.snippet(text);
    return { ...summary, subjectMarks: marker.marks(summary.subject, 'subject'), ...(snippet && { snippet }) };
  }

  #textOf(row: MessageRow): string | undefined {
    if (row.seal === 'opened') return this.#deps.sealed.textOf(row.id);
    const raw = row.seal === 'plain' ? this.#deps.index.beginningOf(row.id, SNIPPET_OCTETS) : undefined;
    return raw && searchTextOf(raw).text.slice(0, SNIPPET_TEXT);
  }
}

/** The query as a tree. @throws QuMailError `search.*` (details: from, to) for the first of its mistakes */
export function understood(query: string): QueryNode {
  const { node, problems } = parseQuery(query);
  const [problem] = problems;
  if (problem) throw new QuMailError(problem.code, { ...problem.details, from: problem.from, to: problem.to });
  if (!node) throw new QuMailError('search.empty', { from: 0, to: query.length });
  return node;
}
