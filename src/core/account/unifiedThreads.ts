import { QuMailError } from '../base/errors.ts';
import type { SearchRequests } from '../base/requests/searchRequests.ts';
import type { ThreadPage } from '../base/search.ts';
import type { SpecialUse } from '../base/types.ts';
import type { MessageRow } from '../store/messages.ts';
import type { ShownMail } from '../store/shownMail.ts';
import type { ThreadService } from './threadService.ts';
import { UNIFIED_ROLES } from './unifiedList.ts';

/** Conversations in one page, at most. */
const MAX_PAGE = 200;

export interface UnifiedThreadsDeps {
  readonly shown: ShownMail;
  readonly threads: Pick<ThreadService, 'assigned' | 'isNewest' | 'summaryOf'>;
  /** Has a folder looked at for the first time, where that is still to be done and can be. */
  readonly firstLook: (accountId: string, folder: string, signal: AbortSignal | undefined) => Promise<unknown>;
}

/** The conversations of the folders of one role, in all accounts, as one list. One that two accounts take part in is one in each. */
export class UnifiedThreads implements Pick<SearchRequests, 'getUnifiedThreadList'> {
  readonly #deps: UnifiedThreadsDeps;

  constructor(deps: UnifiedThreadsDeps) {
    this.#deps = deps;
  }

  async getUnifiedThreadList(
    request: { role: SpecialUse; limit: number; before?: number },
    options: { signal?: AbortSignal } = {},
  ): Promise<ThreadPage> {
    const { shown, threads } = this.#deps;
    if (!UNIFIED_ROLES.includes(request.role)) throw new QuMailError('engine.bad-request', { field: 'role' });
    const limit = Math.max(1, Math.min(Math.trunc(request.limit) || 1, MAX_PAGE));
    const folders = shown.foldersOf(request.role);
    await Promise.allSettled(folders.map(({ accountId, path }) => this.#deps.firstLook(accountId, path, options.signal)));
    await threads.assigned(options.signal);
    let below: { rank: number; id: number } | undefined;
    if (request.before !== undefined) {
      const rank = shown.rankOf(request.before);
      if (rank === undefined) throw new QuMailError('message.missing');
      below = { rank, id: request.before };
    }
    const page = this.#page(folders, limit, below);
    const summaries = page.slice(0, limit).map((newest) => threads.summaryOf(newest));
    const last = summaries.at(-1);
    // An account with two folders of one role may have a conversation in both.
    const listed = [...new Map(summaries.toReversed().map((summary) => [summary.threadId, summary])).values()].toReversed();
    return page.length > limit && last ? { threads: listed, next: last.newest.id } : { threads: listed };
  }

  /** The newest messages of their conversations in their folders, one more than `limit` if there are. */
  #page(
    folders: readonly { readonly accountId: string; readonly path: string }[],
    limit: number,
    from: { rank: number; id: number } | undefined,
  ): MessageRow[] {
    const { shown, threads } = this.#deps;
    const most = 2 * limit;
    const newest: MessageRow[] = [];
    for (let below = from; ;) {
      const rows = folders.flatMap(({ accountId, path }) => shown.pageBelow(accountId, path, most, below));
      // Of each folder the highest are here, so the highest of all are too; what is further down comes with the next round.
      const highest = rows.sort((a, b) => b.rank - a.rank || b.id - a.id).slice(0, most);
      for (const row of highest) {
        if (threads.isNewest(row)) newest.push(row);
        if (newest.length > limit) return newest;
      }
      const last = highest.at(-1);
      if (!last || highest.length < most) return newest;
      below = { rank: last.rank, id: last.id };
    }
  }
}
