import type { MessageSummary } from '../model.ts';
import type {
  MutedThread,
  QuerySuggestion,
  SavedSearch,
  SearchPage,
  SearchProblem,
  SearchRequest,
  ServerSearchPage,
  ThreadPage,
} from '../search.ts';
import type { SpecialUse } from '../types.ts';
import { type CallOptions, namesOf } from './requestNames.ts';

/** Searching and conversations. Every request may reject with a QuMailError and with nothing else. */
export interface SearchRequests {
  /** What is here: ordinary mail, and sealed mail that was opened. A query with mistakes rejects with the first of them, `search.*`. */
  search(request: SearchRequest, options?: CallOptions): Promise<SearchPage>;
  /**
   * What the server finds, also where the text is not here; what it finds becomes rows of the offline copy. Sealed mail is found by its outside
   * alone. Nothing, and nobody is asked, where the query's `account:` leaves the account out. `search.server-cannot` for what no server can be
   * asked. At most 200.
   */
  searchServer(
    request: { query: string; accountId: string; folder?: string; limit: number },
    options?: CallOptions,
  ): Promise<ServerSearchPage>;
  /** What is wrong with a query, all of it; empty when nothing is. */
  checkQuery(request: { query: string }): Promise<readonly SearchProblem[]>;
  /** What may stand at column `at` (UTF-16) of a query, best first. */
  completeQuery(request: { text: string; at: number }): Promise<readonly QuerySuggestion[]>;
  /** In the order they were made. */
  listSavedSearches(): Promise<readonly SavedSearch[]>;
  /** With `id`, in the place of that one. */
  saveSearch(request: { id?: string; name: string; query: string; accountId?: string }): Promise<SavedSearch>;
  deleteSearch(request: { id: string }): Promise<void>;
  /** The conversation a message belongs to, over all folders, oldest first, each message once. */
  getThread(request: { messageId: number }, options?: CallOptions): Promise<readonly MessageSummary[]>;
  /** The conversations of a folder, the one with the newest message first. */
  getThreadList(request: { accountId: string; folder: string; limit: number; before?: number }, options?: CallOptions): Promise<ThreadPage>;
  /** The conversations that are muted (`muteThread`) and of which there is mail here, the one with the newest message first. */
  listMuted(options?: CallOptions): Promise<readonly MutedThread[]>;
  /** The conversations of all folders of one role, e.g. of all inboxes, as one list. One in which two accounts take part is one in each. */
  getUnifiedThreadList(request: { role: SpecialUse; limit: number; before?: number }, options?: CallOptions): Promise<ThreadPage>;
}

export const SEARCH_REQUESTS = namesOf<SearchRequests>({
  search: 1,
  searchServer: 1,
  checkQuery: 1,
  completeQuery: 1,
  listSavedSearches: 1,
  saveSearch: 1,
  deleteSearch: 1,
  getThread: 1,
  getThreadList: 1,
  listMuted: 1,
  getUnifiedThreadList: 1,
});
