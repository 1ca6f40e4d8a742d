import type { CallOptions } from '../api.ts';
import type { MutedThread } from '../base/search.ts';
import type { SearchRequests } from '../base/requests/searchRequests.ts';
import type { SpecialUse } from '../base/types.ts';
import type { MessageRow, MessageStore } from '../store/messages.ts';
import type { MutedStore } from '../store/muted.ts';
import type { SealedMailStore } from '../store/sealedMail.ts';
import { summaryOf } from './readMessage.ts';
import type { ThreadService } from './threadService.ts';

const ASIDE: readonly (SpecialUse | undefined)[] = ['junk', 'trash'];

export interface MutedThreadsDeps {
  readonly muted: MutedStore;
  readonly threads: Pick<ThreadService, 'assigned' | 'namedBy'>;
  readonly messages: MessageStore;
  readonly sealedMail: SealedMailStore;
}

/** What is muted as the conversations it is, so that a person sees it and can end it. */
export class MutedThreads implements Pick<SearchRequests, 'listMuted'> {
  readonly #deps: MutedThreadsDeps;

  constructor(deps: MutedThreadsDeps) {
    this.#deps = deps;
  }

  async listMuted(options: CallOptions = {}): Promise<readonly MutedThread[]> {
    const muted = this.#deps.muted.list();
    if (muted.length === 0) return [];
    await this.#deps.threads.assigned(options.signal);
    return muted
      .flatMap(({ accountId, rule, ids }) => {
        const rows = this.#deps.threads.namedBy(accountId, ids);
        const newest = this.#newest(accountId, rows);
        if (!newest) return [];
        return [{ newest: summaryOf(newest, this.#deps.sealedMail), rule, messageIds: rows.map(({ id }) => id) }];
      })
      .toSorted((a, b) => b.newest.date - a.newest.date || b.newest.id - a.newest.id);
  }

  #newest(accountId: string, rows: readonly MessageRow[]): MessageRow | undefined {
    const aside = this.#deps.messages.listFolders(accountId).filter(({ specialUse }) => ASIDE.includes(specialUse));
    return rows.findLast(({ folder }) => !aside.some(({ path }) => path === folder)) ?? rows.at(-1);
  }
}
