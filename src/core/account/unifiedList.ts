import type { UnifiedFolder } from '../base/actions.ts';
import type { MessagePage, MessageSummary } from '../base/model.ts';
import { QuMailError } from '../base/errors.ts';
import type { ActionRequests } from '../base/requests/actionRequests.ts';
import type { SpecialUse } from '../base/types.ts';
import type { MessageRow } from '../store/messages.ts';
import type { SealedMailStore } from '../store/sealedMail.ts';
import type { ShownMail } from '../store/shownMail.ts';
import { summaryOf } from './readMessage.ts';

/** Roles that folders of all accounts are listed by together. */
export const UNIFIED_ROLES: readonly SpecialUse[] = ['inbox', 'flagged', 'drafts', 'sent', 'archive', 'all', 'junk', 'trash'];
/** Messages in one page, at most. */
const MAX_PAGE = 500;
/** Messages that are asked for by their ids, at most. */
const MAX_NAMED = 2000;

export interface UnifiedListDeps {
  readonly shown: ShownMail;
  readonly sealedMail: SealedMailStore;
  readonly countsPending: (accountId: string) => ReadonlyMap<string, { unread: number; total: number }>;
  /** Has a folder looked at for the first time, where that is still to be done and can be. */
  readonly firstLook: (accountId: string, folder: string, signal: AbortSignal | undefined) => Promise<void>;
}

/** The folders of one role, in all accounts, as one: the unified inbox. */
export class UnifiedList implements Pick<ActionRequests, 'listMessages' | 'getUnifiedList' | 'listUnifiedFolders'> {
  readonly #deps: UnifiedListDeps;

  constructor(deps: UnifiedListDeps) {
    this.#deps = deps;
  }

  async listMessages({ messageIds }: { messageIds: readonly number[] }): Promise<readonly MessageSummary[]> {
    if (messageIds.length > MAX_NAMED) throw new QuMailError('engine.bad-request', { field: 'messageIds', limit: MAX_NAMED });
    return this.#deps.shown.listed(messageIds).map((row) => summaryOf(row, this.#deps.sealedMail));
  }

  /** A page stays right when messages come or go above it: it goes on below a message, not below a number of them. */
  async getUnifiedList(
    request: { role: SpecialUse; limit: number; before?: number },
    options: { signal?: AbortSignal } = {},
  ): Promise<MessagePage> {
    const { shown, sealedMail } = this.#deps;
    if (!UNIFIED_ROLES.includes(request.role)) throw new QuMailError('engine.bad-request', { field: 'role' });
    const limit = Math.max(1, Math.min(request.limit, MAX_PAGE));
    const folders = shown.foldersOf(request.role);
    await Promise.allSettled(folders.map(({ accountId, path }) => this.#deps.firstLook(accountId, path, options.signal)));
    let below: { rank: number; id: number } | undefined;
    if (request.before !== undefined) {
      const rank = shown.rankOf(request.before);
      if (rank === undefined) throw new QuMailError('message.missing');
      below = { rank, id: request.before };
    }
    const rows = folders.flatMap(({ accountId, path }) => shown.pageBelow(accountId, path, limit + 1, below));
    rows.sort((a, b) => b.rank - a.rank || b.id - a.id);
    const page: readonly MessageRow[] = rows.slice(0, limit);
    const last = page.at(-1);
    const messages = page.map((row) => summaryOf(row, sealedMail));
    return rows.length > limit && last ? { messages, next: last.id } : { messages };
  }

  async listUnifiedFolders(): Promise<readonly UnifiedFolder[]> {
    const pending = new Map<string, ReadonlyMap<string, { unread: number; total: number }>>();
    return UNIFIED_ROLES.flatMap((role) => {
      const folders = this.#deps.shown.foldersOf(role);
      if (folders.length === 0) return [];
      let unread = 0;
      let total = 0;
      for (const folder of folders) {
        if (!pending.has(folder.accountId)) pending.set(folder.accountId, this.#deps.countsPending(folder.accountId));
        const change = pending.get(folder.accountId)?.get(folder.path);
        unread += Math.max(0, folder.unread + (change?.unread ?? 0));
        total += Math.max(0, folder.total + (change?.total ?? 0));
      }
      return [{ role, unread, total }];
    });
  }
}
