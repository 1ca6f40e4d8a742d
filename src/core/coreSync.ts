import { QuMailError } from './base/errors.ts';
import type { Log } from './base/log.ts';
import type { Clock } from './base/ports.ts';
import type { QuMailEvent } from './base/events.ts';
import type { DisposableStore } from './base/lifetime.ts';
import type { AccountService } from './account/accountService.ts';
import { SyncService } from './account/sync/syncService.ts';
import type { CoreStores } from './coreStores.ts';
import type { SyncRequests } from './base/requests/syncRequests.ts';
import { StoreWatch } from './store/storeWatch.ts';

/** The offline copy: its requests, and the watch over what other windows store. */
export function buildSync(
  deps: {
    readonly stores: Pick<CoreStores, 'vault' | 'cache' | 'mailCache' | 'messages' | 'offline' | 'folderChoices'>;
    readonly accounts: AccountService;
    readonly clock: Clock;
    readonly log: Log;
    /** Octets. */
    readonly budget: () => number;
    readonly emit: (event: QuMailEvent) => void;
  },
  owned: DisposableStore,
): { readonly requests: SyncRequests } {
  const { stores, accounts, clock, log, budget, emit } = deps;
  owned.add(
    stores.mailCache.onDamage(() => {
      log.error('mail-cache-damaged');
      const damaged = new QuMailError('store.mail-damaged');
      // Whoever met it goes on first: it may be in the middle of a transaction.
      queueMicrotask(() => accounts.all().forEach((account) => account.noteFailure(damaged)));
    }),
  );
  owned.add(
    new StoreWatch({
      mail: stores.cache,
      vault: stores.vault,
      clock,
      changed: {
        messages: (accountId, folder) => emit({ kind: 'messages', accountId, folder }),
        folders: (accountId) => emit({ kind: 'folders', accountId }),
        accounts: () => accounts.reconcile(),
        vault: () => stores.mailCache.look(),
      },
    }),
  );
  const service = new SyncService({
    accounts,
    messages: stores.messages,
    offline: stores.offline,
    choices: stores.folderChoices,
    budget,
    changed: { folders: (accountId) => emit({ kind: 'folders', accountId }), accounts: () => emit({ kind: 'accounts' }) },
  });
  return {
    requests: {
      getSyncState: (request) => service.getSyncState(request),
      setFolderSync: (request) => service.setFolderSync(request),
      subscribeFolder: (request) => service.subscribeFolder(request),
      cancelSync: (request) => service.cancelSync(request),
    },
  };
}
