import { draftCopyRows } from './account/draftCopyRows.ts';
import { DraftHistory, type DraftHistoryDeps } from './account/draftHistory.ts';
import { DraftSync, type DraftSyncDeps } from './account/draftSync.ts';
import type { DisposableStore } from './base/lifetime.ts';
import type { WritingRequests } from './base/requests/writingRequests.ts';
import type { CoreStores } from './coreStores.ts';
import { DraftCopyStore } from './store/draftCopies.ts';
import { DraftVersionStore } from './store/draftVersions.ts';

export interface CoreDrafts {
  readonly requests: Pick<
    WritingRequests,
    | 'getDraftState'
    | 'listDraftCopies'
    | 'listDraftVersions'
    | 'loadDraftVersion'
    | 'restoreDraftVersion'
    | 'listDiscardedDrafts'
    | 'bringBackDraft'
  >;
  readonly sync: DraftSync;
}

/** The stores of what belongs to drafts besides their text. */
export function draftStores(stores: Pick<CoreStores, 'vault' | 'storage'>): { versions: DraftVersionStore; copies: DraftCopyStore } {
  const { vault: db, storage: sealer } = stores;
  return { versions: new DraftVersionStore({ db, sealer }), copies: new DraftCopyStore({ db }) };
}

/** Earlier texts of drafts, and their copies on the server. */
export function buildDrafts(deps: DraftSyncDeps & DraftHistoryDeps, owned: DisposableStore): CoreDrafts {
  const history = new DraftHistory(deps);
  const sync = owned.add(new DraftSync(deps));
  return {
    requests: {
      listDraftCopies: async () => draftCopyRows(deps),
      getDraftState: async ({ draftId }) => sync.stateOf(draftId),
      listDraftVersions: (request) => history.listDraftVersions(request),
      loadDraftVersion: (request) => history.loadDraftVersion(request),
      restoreDraftVersion: (request) => history.restoreDraftVersion(request),
      listDiscardedDrafts: () => history.listDiscardedDrafts(),
      bringBackDraft: (request) => history.bringBackDraft(request),
    },
    sync,
  };
}
