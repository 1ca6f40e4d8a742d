import type { CallOptions, QuMailRequests } from '../api.ts';
import { throwIfCancelled } from '../base/errors.ts';
import type { Clock } from '../base/ports.ts';
import type { ServerSearchPage } from '../base/search.ts';
import { gmailQuery, namedFolders, serverCriteria } from '../mail/serverQuery.ts';
import type { FolderRow, MessageStore } from '../store/messages.ts';
import type { AccountService } from './accountService.ts';
import type { MailAccount } from './mailAccount.ts';
import type { SearchNames } from './searchNames.ts';
import { understood, type SearchService } from './searchService.ts';
import { newRow } from './sync/newRow.ts';

const MAX_HITS = 200;
/** Folders that are asked in turn where the server has none that holds all mail. */
const MAX_FOLDERS = 50;
/** Everything. */
const ALL = { criteria: () => ({}), gmail: () => '' };

/** Searching on the server what is not here: what it finds becomes rows like any other. */
export class ServerSearch implements Pick<QuMailRequests, 'searchServer'> {
  readonly #deps: { accounts: AccountService; messages: MessageStore; names: SearchNames; search: SearchService; clock: Clock };

  constructor(deps: { accounts: AccountService; messages: MessageStore; names: SearchNames; search: SearchService; clock: Clock }) {
    this.#deps = deps;
  }

  async searchServer(request: Parameters<QuMailRequests['searchServer']>[0], options: CallOptions = {}): Promise<ServerSearchPage> {
    const node = understood(request.query);
    const account = this.#deps.accounts.get(request.accountId);
    const now = this.#deps.clock.now();
    const here = this.#deps.names.within(account.id, node);
    if (here === false) return { messages: [], complete: true };
    const query = here === true ? ALL : { criteria: () => serverCriteria(here, now), gmail: () => gmailQuery(here, now) };
    // Told before anybody is asked, where no server could be.
    query.criteria();
    const limit = Math.max(1, Math.min(Math.trunc(request.limit) || 1, MAX_HITS));
    const ids: number[] = [];
    let complete = true;
    const named = here === true ? [] : namedFolders(here);
    for (const folder of this.#foldersOf(account.id, request.folder, named)) {
      throwIfCancelled(options.signal);
      if (ids.length >= limit) {
        complete = false;
        break;
      }
      const { uidValidity, uids } = await account.handler.search(folder, query, options.signal);
      complete &&= uids.length <= limit - ids.length;
      ids.push(...(await this.#rows(account, folder, uidValidity, uids.slice(0, limit - ids.length), options.signal)));
    }
    return { messages: this.#deps.search.hitsOf(ids, node), complete };
  }

  #foldersOf(accountId: string, folder: string | undefined, named: readonly string[]): readonly string[] {
    const folders = this.#deps.messages.listFolders(accountId).filter(({ selectable }) => selectable);
    if (folder !== undefined) return [folder];
    if (named.length > 0) return folders.filter((each) => named.every((name) => isCalled(each, name))).map(({ path }) => path);
    const all = folders.find(({ specialUse }) => specialUse === 'all');
    if (all) return [all.path];
    const shown = folders.filter(({ specialUse }) => specialUse !== 'junk' && specialUse !== 'trash');
    const inbox = shown.filter(({ specialUse }) => specialUse === 'inbox');
    return [...inbox, ...shown.filter((each) => !inbox.includes(each))].slice(0, MAX_FOLDERS).map(({ path }) => path);
  }

  /** The ids of these messages, those added that were not here. */
  async #rows(
    account: MailAccount,
    folder: string,
    uidValidity: number,
    uids: readonly number[],
    signal: AbortSignal | undefined,
  ): Promise<number[]> {
    const { messages } = this.#deps;
    if (uids.length === 0) return [];
    const cursor = messages.cursor(account.id, folder);
    // A folder nobody has looked into yet gets its cursor, and with it its newest messages, the usual way.
    if (cursor?.uidValidity !== uidValidity) await account.syncFolder(folder, signal);
    const missing = uids.filter((uid) => !messages.byUid(account.id, folder, uid));
    if (missing.length > 0) {
      const remote = await account.handler.fetchSummaries(folder, uidValidity, missing, signal);
      messages.insertMessages(account.id, folder, remote.map(newRow));
    }
    return uids.flatMap((uid) => messages.byUid(account.id, folder, uid)?.id ?? []);
  }
}

function isCalled(folder: FolderRow, name: string): boolean {
  return [folder.path, folder.name, folder.specialUse ?? ''].some((each) => each.toLowerCase() === name.toLowerCase());
}
