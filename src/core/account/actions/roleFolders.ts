import type { MadeRole } from '../../base/actions.ts';
import { QuMailError } from '../../base/errors.ts';
import type { ActionRequests } from '../../base/requests/actionRequests.ts';
import type { MessageStore } from '../../store/messages.ts';

/** Names that other programs know the role by as well, where the server does not tell it (transport/folderRoles). */
const NAMES: Readonly<Record<MadeRole, string>> = { archive: 'Archive', junk: 'Junk', trash: 'Trash' };

export interface RoleFoldersDeps {
  readonly messages: MessageStore;
  /** @throws QuMailError `account.missing` */
  readonly accountOf: (accountId: string) => {
    readonly handler: { ensureFolder(name: string, signal?: AbortSignal): Promise<unknown> };
    syncFolders(signal?: AbortSignal): Promise<unknown>;
  };
}

/** Makes the folders that some accounts lack: without one nothing can be archived, marked as junk or deleted so that it comes back. */
export class RoleFolders implements Pick<ActionRequests, 'createRoleFolder'> {
  readonly #deps: RoleFoldersDeps;

  constructor(deps: RoleFoldersDeps) {
    this.#deps = deps;
  }

  async createRoleFolder(
    { accountId, role }: { accountId: string; role: MadeRole },
    options: { signal?: AbortSignal } = {},
  ): Promise<{ path: string }> {
    if (!Object.hasOwn(NAMES, role)) throw new QuMailError('engine.bad-request', { field: 'role' });
    const account = this.#deps.accountOf(accountId);
    const here = this.#folderOf(accountId, role);
    if (here !== undefined) return { path: here };
    await account.handler.ensureFolder(NAMES[role], options.signal);
    await account.syncFolders(options.signal);
    const made = this.#folderOf(accountId, role);
    // The server took the name and does not list it, or not as one that may hold mail.
    if (made === undefined) throw new QuMailError('action.no-folder', { role, accountId });
    return { path: made };
  }

  #folderOf(accountId: string, role: MadeRole): string | undefined {
    return this.#deps.messages.listFolders(accountId).find(({ specialUse, selectable }) => specialUse === role && selectable)?.path;
  }
}
