import type { MarkedText, MessageSummary, Mark, QuMailRequests, SearchCoverage, SearchHit, ThreadSummary } from '../../core/api.ts';
import type { ListLayout, ListSource } from './listSource.ts';

/** Where a found message says what was looked for. */
export interface RowMarks {
  readonly subject: readonly Mark[];
  readonly snippet?: MarkedText;
}

export type ListRow =
  | { readonly kind: 'message'; readonly message: MessageSummary; readonly marks?: RowMarks; readonly until?: number }
  | { readonly kind: 'thread'; readonly thread: ThreadSummary };

export interface RowPage {
  readonly rows: readonly ListRow[];
  readonly next?: number;
  readonly coverage?: SearchCoverage;
  readonly sealedPending?: boolean;
}

export type ReadRows = (limit: number, before?: number) => Promise<RowPage>;

type Requests = Pick<
  QuMailRequests,
  'getEmailList' | 'getThreadList' | 'getUnifiedList' | 'getUnifiedThreadList' | 'search' | 'listSnoozed' | 'listMuted'
>;

/** Reads a source page by page. Folders know conversations, alone or all of one role; anything else is a list of messages. */
export function rowReader(source: ListSource, layout: ListLayout, api: () => Requests): ReadRows {
  switch (source.kind) {
    case 'folder':
      return layout === 'threads' ? readThreads(source, api) : readMessages(source, api);
    case 'unified':
      return layout === 'threads' ? readUnifiedThreads(source, api) : readUnified(source, api);
    case 'search':
      return readHits(source, api);
    case 'snoozed':
      return async () => ({
        rows: (await api().listSnoozed()).map(({ message, until }) => ({ kind: 'message', message, until })),
      });
    case 'muted':
      return async () => ({ rows: (await api().listMuted()).map(({ newest }) => messageRow(newest)) });
  }
}

/** Reads rows of messages once more by their ids: what has left its folder, or is gone, is not among the answers. */
export function rowRenewer(api: () => Pick<QuMailRequests, 'listMessages'>): (rows: readonly ListRow[]) => Promise<readonly ListRow[]> {
  return async (rows) => {
    const messageIds = rows.flatMap((row) => (row.kind === 'message' ? [row.message.id] : []));
    const now = new Map((await api().listMessages({ messageIds })).map((message) => [message.id, message]));
    return rows.flatMap((row) => {
      const message = row.kind === 'message' ? now.get(row.message.id) : undefined;
      return row.kind === 'message' && message?.folder === row.message.folder ? [{ ...row, message }] : [];
    });
  };
}

/** A found message as a row. */
export function hitRow(hit: SearchHit): ListRow {
  return { kind: 'message', message: hit, marks: { subject: hit.subjectMarks, ...(hit.snippet ? { snippet: hit.snippet } : {}) } };
}

/** What tells rows apart. */
export function rowKey(row: ListRow): string {
  return row.kind === 'thread' ? `thread:${row.thread.threadId}` : `message:${row.message.id}`;
}

function readMessages({ accountId, path }: Extract<ListSource, { kind: 'folder' }>, api: () => Requests): ReadRows {
  return async (limit, before) =>
    paged(await api().getEmailList({ accountId, folder: path, limit, ...(before === undefined ? {} : { before }) }), (page) =>
      page.messages.map(messageRow),
    );
}

function readThreads({ accountId, path }: Extract<ListSource, { kind: 'folder' }>, api: () => Requests): ReadRows {
  return async (limit, before) =>
    paged(await api().getThreadList({ accountId, folder: path, limit, ...(before === undefined ? {} : { before }) }), (page) =>
      page.threads.map(threadRow),
    );
}

function readUnified({ role }: Extract<ListSource, { kind: 'unified' }>, api: () => Requests): ReadRows {
  return async (limit, before) =>
    paged(await api().getUnifiedList({ role, limit, ...(before === undefined ? {} : { before }) }), (page) =>
      page.messages.map(messageRow),
    );
}

function readUnifiedThreads({ role }: Extract<ListSource, { kind: 'unified' }>, api: () => Requests): ReadRows {
  return async (limit, before) =>
    paged(await api().getUnifiedThreadList({ role, limit, ...(before === undefined ? {} : { before }) }), (page) =>
      page.threads.map(threadRow),
    );
}

function readHits({ query, accountId }: Extract<ListSource, { kind: 'search' }>, api: () => Requests): ReadRows {
  return async (limit, before) => {
    const account = accountId === undefined ? {} : { accountId };
    const page = await api().search({ query, limit, order: 'newest', ...account, ...(before === undefined ? {} : { before }) });
    return { ...paged(page, ({ messages }) => messages.map(hitRow)), coverage: page.coverage, sealedPending: page.sealedPending };
  };
}

/** A conversation of one is a message like any other. */
function threadRow(thread: ThreadSummary): ListRow {
  return thread.count > 1 ? { kind: 'thread', thread } : messageRow(thread.newest);
}

function messageRow(message: MessageSummary): ListRow {
  return { kind: 'message', message };
}

function paged<T extends { readonly next?: number }>(page: T, rows: (page: T) => readonly ListRow[]): RowPage {
  return { rows: rows(page), ...(page.next === undefined ? {} : { next: page.next }) };
}
