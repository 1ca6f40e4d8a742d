import type { AccountService } from './account/accountService.ts';
import { MutedThreads } from './account/mutedThreads.ts';
import { SavedSearchService } from './account/savedSearchService.ts';
import { SealedIndex } from './account/sealedIndex.ts';
import { SealedThreads } from './account/sealedThreads.ts';
import { SearchNames } from './account/searchNames.ts';
import { SearchPeople } from './account/searchPeople.ts';
import { SearchService } from './account/searchService.ts';
import { SearchUpkeep } from './account/searchUpkeep.ts';
import { ServerSearch } from './account/serverSearch.ts';
import { ThreadService } from './account/threadService.ts';
import { UnifiedThreads } from './account/unifiedThreads.ts';
import type { DisposableStore, Emitter } from './base/lifetime.ts';
import type { Log } from './base/log.ts';
import type { QuMailEvent } from './base/events.ts';
import type { Clock, Random } from './base/ports.ts';
import type { SearchRequests } from './base/requests/searchRequests.ts';
import type { CoreStores } from './coreStores.ts';
import { FolderIds } from './store/folderIds.ts';
import { IndexCoverage } from './store/indexCoverage.ts';
import { MutedStore } from './store/muted.ts';
import { SealedSearch } from './store/sealedSearch.ts';
import { SearchQuery } from './store/searchQuery.ts';
import { ShownMail } from './store/shownMail.ts';
import { ThreadStore } from './store/threads.ts';

export interface CoreSearchOptions {
  readonly stores: Pick<
    CoreStores,
    'vault' | 'accounts' | 'cache' | 'contacts' | 'messages' | 'savedSearches' | 'sealedMail' | 'search' | 'offline'
  >;
  readonly accounts: AccountService;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly events: Emitter<QuMailEvent>;
}

export interface CoreSearch {
  readonly requests: SearchRequests;
  /** Begins to take sealed mail into the index in memory. */
  start(): void;
  /** Forgets what belonged to an account whose mail was erased. */
  erased(): void;
}

/** Kinds of events after which there may be something to index, or the vault may have been unlocked. */
const WAKING: ReadonlySet<QuMailEvent['kind']> = new Set(['messages', 'folders', 'accounts', 'vault']);

/** Searching and conversations. */
export function buildSearch(options: CoreSearchOptions, owned: DisposableStore): CoreSearch {
  const { stores, accounts, clock, random, events } = options;
  const { cache: db, messages, sealedMail, search: index } = stores;
  const log = options.log.scoped('search');
  const sealed = owned.add(new SealedSearch({ db }));
  const sealedIndex = new SealedIndex({ search: sealed, sealedMail, log });
  const threads = new ThreadStore({ db });
  const folders = new FolderIds({ db });
  const query = new SearchQuery({ db });
  const names = new SearchNames({ accounts: stores.accounts, folders, clock });
  const emit = (event: QuMailEvent): void => events.fire(event);
  const saved = new SavedSearchService({ store: stores.savedSearches, query, names, random, emit });
  const upkeep = owned.add(
    new SearchUpkeep({ index, sealed: sealedIndex, threads, room: stores.offline.room, clock, log, settled: () => saved.recount() }),
  );
  owned.add(
    events.event((event) => {
      if (event.kind === 'sync-progress' && event.done < event.total) upkeep.filling();
      else if (WAKING.has(event.kind)) upkeep.wake();
    }),
  );
  const people = new SearchPeople({ accounts: stores.accounts, contacts: stores.contacts, messages, query, names });
  const service = new SearchService({
    names,
    query,
    index,
    coverage: new IndexCoverage({ db }),
    sealed,
    sealedIndex,
    upkeep,
    people,
    folders,
    accounts: stores.accounts,
    messages,
    sealedMail,
    clock,
  });
  const server = new ServerSearch({ accounts, messages, names, search: service, clock });
  const conversations = new ThreadService({
    threads,
    sealedIndex,
    sealedThreads: new SealedThreads({ threads, sealed }),
    messages,
    sealedMail,
    accounts,
  });
  const unified = new UnifiedThreads({
    shown: new ShownMail({ db }),
    threads: conversations,
    firstLook: async (accountId, folder, signal) => {
      const account = accounts.get(accountId);
      if (account.state === 'online' && !messages.cursor(accountId, folder)) await account.syncFolder(folder, signal);
    },
  });
  const muted = new MutedThreads({ muted: new MutedStore({ db: stores.vault }), threads: conversations, messages, sealedMail });
  return {
    requests: {
      search: (request, o) => service.search(request, o),
      checkQuery: (request) => service.checkQuery(request),
      completeQuery: (request) => service.completeQuery(request),
      searchServer: (request, o) => server.searchServer(request, o),
      listSavedSearches: () => saved.listSavedSearches(),
      saveSearch: (request) => saved.saveSearch(request),
      deleteSearch: (request) => saved.deleteSearch(request),
      getThread: (request, o) => conversations.getThread(request, o),
      getThreadList: (request, o) => conversations.getThreadList(request, o),
      listMuted: (o) => muted.listMuted(o),
      getUnifiedThreadList: (request, o) => unified.getUnifiedThreadList(request, o),
    },
    start: () => upkeep.wake(),
    erased() {
      sealed.prune();
      threads.prune();
    },
  };
}
