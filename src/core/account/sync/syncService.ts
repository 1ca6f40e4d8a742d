import type { SyncRequests } from '../../base/requests/syncRequests.ts';
import { QuMailError } from '../../base/errors.ts';
import { FOLDER_SYNCS, type AccountSyncState, type FolderSyncState } from '../../base/sync.ts';
import type { FolderRow, MessageStore } from '../../store/messages.ts';
import type { FolderChoices } from '../../store/folderChoices.ts';
import type { OfflineStore } from '../../store/offline.ts';
import type { AccountService } from '../accountService.ts';
import { fillingOf } from './fillingOf.ts';

export interface SyncServiceDeps {
  readonly accounts: Pick<AccountService, 'get'>;
  readonly messages: MessageStore;
  readonly offline: OfflineStore;
  readonly choices: FolderChoices;
  readonly budget: () => number;
  readonly changed: { folders(accountId: string): void; accounts(): void };
}

/** The requests about the offline copy. */
export class SyncService implements SyncRequests {
  readonly #deps: SyncServiceDeps;

  constructor(deps: SyncServiceDeps) {
    this.#deps = deps;
  }

  async getSyncState({ accountId }: { accountId: string }): Promise<AccountSyncState> {
    const { messages, offline, budget } = this.#deps;
    const account = this.#deps.accounts.get(accountId);
    const choices = offline.choices(accountId);
    const counts = offline.counts(accountId);
    const quota = offline.state(accountId)?.quota;
    const folders = messages
      .listFolders(accountId)
      .filter(({ selectable }) => selectable)
      .map((folder): FolderSyncState => {
        const { known = 0, stored = 0, sealed = 0 } = counts.get(folder.path) ?? {};
        return {
          path: folder.path,
          sync: account.background.choiceOf(folder, choices),
          chosen: choices.has(folder.path),
          ...(folder.subscribed !== undefined && { subscribed: folder.subscribed }),
          known,
          stored,
          sealed,
        };
      });
    return {
      accountId,
      active: account.background.active,
      holder: account.leads ? 'here' : 'elsewhere',
      ...fillingOf(account, offline, budget()),
      folders,
      ...(quota && { quota }),
      disk: { used: offline.room.usedOctets(), budget: budget() },
    };
  }

  async setFolderSync(request: Parameters<SyncRequests['setFolderSync']>[0]): Promise<void> {
    const { accountId, folder, sync } = request;
    const account = this.#deps.accounts.get(accountId);
    if (!FOLDER_SYNCS.includes(sync)) throw new QuMailError('engine.bad-request', { field: 'sync' });
    this.#folder(accountId, folder);
    this.#deps.choices.choose(accountId, folder, sync);
    account.background.goOn();
    this.#deps.changed.folders(accountId);
  }

  async subscribeFolder(request: Parameters<SyncRequests['subscribeFolder']>[0]): Promise<void> {
    const { accountId, folder, subscribed } = request;
    const account = this.#deps.accounts.get(accountId);
    if (subscribed !== 'subscribed' && subscribed !== 'unsubscribed') throw new QuMailError('engine.bad-request', { field: 'subscribed' });
    this.#folder(accountId, folder);
    await account.handler.subscribeFolder(folder, subscribed);
    await account.syncFolders();
  }

  async cancelSync({ accountId }: { accountId: string }): Promise<void> {
    await this.#deps.accounts.get(accountId).background.stop();
    this.#deps.changed.accounts();
  }

  #folder(accountId: string, path: string): FolderRow {
    const found = this.#deps.messages.listFolders(accountId).find((folder) => folder.path === path);
    if (!found) throw new QuMailError('imap.mailbox-missing');
    return found;
  }
}
