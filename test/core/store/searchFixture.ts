import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type { SearchCoverage } from '../../../src/core/base/search.ts';
import { parseQuery } from '../../../src/core/mail/parseQuery.ts';
import { summaryOfSource } from '../../../src/core/mail/sourceSummary.ts';
import { openDatabase } from '../../../src/core/store/database.ts';
import { FolderIds } from '../../../src/core/store/folderIds.ts';
import { IndexCoverage } from '../../../src/core/store/indexCoverage.ts';
import { MAIL_MIGRATIONS } from '../../../src/core/store/mailSchema.ts';
import { MessageStore, type NewMessage } from '../../../src/core/store/messages.ts';
import { SealedSearch } from '../../../src/core/store/sealedSearch.ts';
import { SearchIndex } from '../../../src/core/store/searchIndex.ts';
import { planSearch, type QueryNames } from '../../../src/core/store/searchPlan.ts';
import { ranked, SearchQuery } from '../../../src/core/store/searchQuery.ts';
import { SEARCH_MIGRATIONS } from '../../../src/core/store/searchSchema.ts';
import { ThreadStore } from '../../../src/core/store/threads.ts';
import { plainMessage } from './plainMessage.ts';

export const NOW = Date.UTC(2026, 10, 22);
export const ACCOUNT = 'alice';
const EVERYWHERE = { folders: 'all-but', ids: [] } as const;

/** mail.db with everything that searching and conversations need of it. */
export class SearchWorld {
  readonly db: DatabaseSync;
  readonly index: SearchIndex;
  readonly coverage: IndexCoverage;
  readonly sealed: SealedSearch;
  readonly query: SearchQuery;
  readonly messages: MessageStore;
  readonly threads: ThreadStore;
  #uid = 0;

  constructor(dir: string) {
    this.db = openDatabase(join(dir, 'mail.db'), { durability: 'normal', migrations: [...MAIL_MIGRATIONS, ...SEARCH_MIGRATIONS] });
    this.index = new SearchIndex({ db: this.db });
    this.coverage = new IndexCoverage({ db: this.db });
    this.sealed = new SealedSearch({ db: this.db });
    this.query = new SearchQuery({ db: this.db });
    this.messages = new MessageStore({ db: this.db, indexer: this.index });
    this.threads = new ThreadStore({ db: this.db });
  }

  /** A row as the server's list tells it, without a body; returns its id. */
  list(change: Partial<NewMessage> = {}, folder = 'INBOX'): number {
    const uid = ++this.#uid;
    const row = plainMessage(uid, { date: NOW - 86_400_000 + uid * 60_000, ...change });
    return this.messages.insertMessages(ACCOUNT, folder, [row])[0]!;
  }

  /** A message with its source, as it comes when a folder is filled. */
  store(source: string | Buffer, change: Partial<NewMessage> = {}, folder = 'INBOX'): number {
    const raw = Buffer.from(source);
    const { from, to, subject, hasAttachments } = summaryOfSource(raw);
    const id = this.list({ from, to, subject, hasAttachments, size: raw.length, ...change }, folder);
    this.messages.putBody(id, raw);
    return id;
  }

  names(): QueryNames {
    const folders = new FolderIds({ db: this.db }).list();
    return {
      now: NOW,
      folderIds: (name) => folders.filter(({ path }) => path === name).map(({ id }) => id),
      accountIds: (name) => (name === ACCOUNT ? [ACCOUNT] : []),
    };
  }

  /** Ids of what a query finds, the newest first or the best. */
  find(text: string, order: 'newest' | 'best' = 'newest', pool = 1000): number[] {
    const { node, problems } = parseQuery(text);
    if (!node || problems.length > 0) throw new Error(`not a query: ${text}`);
    const plan = planSearch(node, this.names());
    if (!plan) return [];
    const found = order === 'best' ? ranked(this.query.scored(plan, EVERYWHERE, pool), NOW) : this.query.newest(plan, EVERYWHERE, 1000);
    return found.map(({ id }) => id);
  }

  /** How much of these folders, or of all, can be found. */
  covered(...paths: string[]): SearchCoverage {
    const folders = new FolderIds({ db: this.db }).list();
    return this.coverage.of(folders.filter(({ path }) => paths.length === 0 || paths.includes(path)).map(({ id }) => id));
  }

  /** How many a query counts. */
  count(text: string): { total: number; unread: number } {
    return this.query.count(planSearch(parseQuery(text).node!, this.names())!, EVERYWHERE, 10_000);
  }

  dispose(): void {
    this.sealed.dispose();
    this.db.close();
  }
}

/** A plain RFC 5322 source. */
export function source(fields: Readonly<Record<string, string>>, body: string): Buffer {
  const lines = Object.entries({ From: 'Bob <bob@example.test>', To: 'alice@example.test', ...fields }).map(
    ([name, value]) => `${name}: ${value}`,
  );
  return Buffer.from(`${lines.join('\r\n')}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n${body}`);
}
