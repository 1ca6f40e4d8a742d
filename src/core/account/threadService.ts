import type { CallOptions, QuMailRequests } from '../api.ts';
import type { MessageSummary } from '../base/model.ts';
import { QuMailError, throwIfCancelled } from '../base/errors.ts';
import { othersFirst } from '../base/othersFirst.ts';
import type { ThreadPage, ThreadSummary } from '../base/search.ts';
import type { Address, SpecialUse } from '../base/types.ts';
import type { MessageRow, MessageStore } from '../store/messages.ts';
import type { SealedMailStore } from '../store/sealedMail.ts';
import { nodeKey, type ThreadStore } from '../store/threads.ts';
import type { AccountService } from './accountService.ts';
import { summaryOf } from './readMessage.ts';
import type { SealedIndex } from './sealedIndex.ts';
import type { SealedThreads } from './sealedThreads.ts';

const MAX_PAGE = 200;
/** Messages of one conversation that are looked at. */
const MAX_MESSAGES = 1000;
const MAX_PARTICIPANTS = 10;
/** Rows that are given a thread between two looks at whether somebody else wants something. */
const SLICE = 100;
/** What a request waits for sealed mail that came a moment ago, milliseconds. */
const HURRY_MS = 30;
const HIDDEN: readonly (SpecialUse | undefined)[] = ['junk', 'trash'];

export interface ThreadServiceDeps {
  readonly threads: ThreadStore;
  readonly sealedIndex: SealedIndex;
  readonly sealedThreads: SealedThreads;
  readonly messages: MessageStore;
  readonly sealedMail: SealedMailStore;
  readonly accounts: AccountService;
}

/** Conversations: messages that belong together, over all folders of an account. */
export class ThreadService implements Pick<QuMailRequests, 'getThread' | 'getThreadList'> {
  readonly #deps: ThreadServiceDeps;

  constructor(deps: ThreadServiceDeps) {
    this.#deps = deps;
  }

  async getThread(request: { messageId: number }, options: CallOptions = {}): Promise<readonly MessageSummary[]> {
    await this.assigned(options.signal);
    const row = this.#deps.messages.get(request.messageId);
    if (!row) throw new QuMailError('message.missing');
    return this.#membersOf(row, row.folder).map((member) => summaryOf(member, this.#deps.sealedMail));
  }

  async getThreadList(
    request: { accountId: string; folder: string; limit: number; before?: number },
    options: CallOptions = {},
  ): Promise<ThreadPage> {
    const { accountId, folder } = request;
    const limit = Math.max(1, Math.min(Math.trunc(request.limit) || 1, MAX_PAGE));
    const account = this.#deps.accounts.get(accountId);
    // As getEmailList: the first sight of a folder waits for its newest headers.
    if (!this.#deps.messages.cursor(accountId, folder)) await account.syncFolder(folder, options.signal);
    await this.assigned(options.signal);
    let page = this.#page(accountId, folder, limit, request.before);
    if (page.length <= limit && account.state === 'online' && (await account.fetchOlder(folder, limit, options.signal)) > 0) {
      await this.assigned(options.signal);
      page = this.#page(accountId, folder, limit, request.before);
    }
    const threads = page.slice(0, limit).map((newest) => this.summaryOf(newest));
    const last = threads.at(-1);
    return page.length > limit && last ? { threads, next: last.newest.id } : { threads };
  }

  /** The newest messages of their threads in the folder, one more than `limit` if there are. */
  #page(accountId: string, folder: string, limit: number, before: number | undefined): MessageRow[] {
    const { messages } = this.#deps;
    const newest: MessageRow[] = [];
    for (let cursor = before; ;) {
      const rows = messages.page(accountId, folder, 2 * limit, cursor);
      for (const row of rows) {
        if (this.isNewest(row)) newest.push(row);
        if (newest.length > limit) return newest;
      }
      const last = rows.at(-1);
      if (!last || rows.length < 2 * limit) return newest;
      cursor = last.id;
    }
  }

  /** The messages of the conversations that these Message-IDs belong to, oldest first; `assigned` first. */
  namedBy(accountId: string, rfcMessageIds: readonly string[]): readonly MessageRow[] {
    const { threads, sealedThreads } = this.#deps;
    const found = new Set<number>();
    for (const id of rfcMessageIds) {
      const thread = threads.threadOfNode(nodeKey(accountId, `id:${id}`));
      if (thread !== undefined) for (const each of sealedThreads.groupOf(thread)) found.add(each);
    }
    return threads.messages([...found], MAX_MESSAGES).filter((row) => row.accountId === accountId);
  }

  /** Whether its folder holds no newer message of the same conversation. */
  isNewest(row: MessageRow): boolean {
    return !this.#deps.threads.hasNewer(row, this.#groupOf(row));
  }

  /** The conversation of a message, as a row of a list. */
  summaryOf(newest: MessageRow): ThreadSummary {
    const members = this.#membersOf(newest, newest.folder);
    const participants = new Map<string, Address>();
    for (const { from } of members) if (!participants.has(from.address.toLowerCase())) participants.set(from.address.toLowerCase(), from);
    return {
      threadId: Math.min(...this.#groupOf(newest)),
      newest: summaryOf(newest, this.#deps.sealedMail),
      count: members.length,
      unread: members.filter(({ flags }) => !flags.includes('seen')).length,
      participants: [...participants.values()].slice(0, MAX_PARTICIPANTS),
    };
  }

  /** Oldest first, each message once: the copy in `folder` where there is one. What lies in Junk or Trash counts only when seen from there. */
  #membersOf(row: MessageRow, folder: string): readonly MessageRow[] {
    const { messages, threads } = this.#deps;
    const hidden = messages.listFolders(row.accountId).filter(({ specialUse }) => HIDDEN.includes(specialUse));
    const rows = row.threadId === undefined ? [row] : threads.messages(this.#groupOf(row), MAX_MESSAGES);
    const shown = rows.filter((each) => each.folder === folder || !hidden.some(({ path }) => path === each.folder));
    const members = new Map<string, MessageRow>();
    for (const each of shown) {
      const key = each.rfcMessageId === '' ? `row ${each.id}` : each.rfcMessageId;
      const known = members.get(key);
      if (!known || each.id === row.id || (known.id !== row.id && known.folder !== folder && each.folder === folder))
        members.set(key, each);
    }
    return [...members.values()].sort((a, b) => a.date - b.date || a.id - b.id);
  }

  #groupOf(row: MessageRow): readonly number[] {
    return row.threadId === undefined ? [] : this.#deps.sealedThreads.groupOf(row.threadId);
  }

  /** Waits until every message that is here has its thread; sealed ones that came a moment ago say what they belong to. */
  async assigned(signal: AbortSignal | undefined): Promise<void> {
    this.#deps.sealedIndex.catchUp(HURRY_MS);
    while (this.#deps.threads.assign(SLICE) === SLICE) {
      throwIfCancelled(signal);
      await othersFirst();
    }
  }
}
