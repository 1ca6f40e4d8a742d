import type { MessageSummary, SearchCoverage } from '../../core/api.ts';
import { rowKey, type ListRow, type ReadRows, type RowPage } from './listRows.ts';

export interface FolderChoice {
  readonly accountId: string;
  readonly path: string;
}

const PAGE = 50;
/** A refresh reads at most so many again; what lies further down is loaded anew when asked for. */
const MAX_RELOAD = 500;

/** The rows of one list as far as they have been loaded, in the order of the list. */
export class MessagePages {
  readonly #readRows: ReadRows;
  readonly #renew: (rows: readonly ListRow[]) => Promise<readonly ListRow[]>;
  #rows: readonly ListRow[] = [];
  /** Rows from elsewhere, which reading the list anew does not bring: what the server found. They are renewed one by one. */
  #added: readonly ListRow[] = [];
  #page: Omit<RowPage, 'rows'> = {};
  #loaded: Promise<void> | undefined;

  constructor(readRows: ReadRows, renew: (rows: readonly ListRow[]) => Promise<readonly ListRow[]> = async (rows) => rows) {
    this.#readRows = readRows;
    this.#renew = renew;
  }

  get rows(): readonly ListRow[] {
    if (this.#added.length === 0) return this.#rows;
    const known = new Set(this.#rows.map(rowKey));
    return [...this.#rows, ...this.#added.filter((row) => !known.has(rowKey(row)))];
  }

  /** Every message that has a row of its own, and the newest one of each conversation. */
  get messages(): readonly MessageSummary[] {
    return this.rows.map((row) => (row.kind === 'thread' ? row.thread.newest : row.message));
  }

  get hasMore(): boolean {
    return this.#page.next !== undefined;
  }

  /** Of a search: how much of the mail was looked through. */
  get coverage(): SearchCoverage | undefined {
    return this.#page.coverage;
  }

  /** The first page, once. */
  load(): Promise<void> {
    this.#loaded ??= this.#read(PAGE).catch((error: unknown) => {
      this.#loaded = undefined;
      throw error;
    });
    return this.#loaded;
  }

  /** Everything loaded so far once more, so that the list does not jump back to its first page. */
  async reload(): Promise<void> {
    const reading = this.#read(Math.min(Math.max(this.#rows.length, PAGE), MAX_RELOAD));
    this.#loaded = reading;
    await Promise.all([reading, this.#renewAdded()]);
  }

  async loadMore(): Promise<void> {
    const { next } = this.#page;
    if (next === undefined) return;
    const { rows, ...page } = await this.#readRows(PAGE, next);
    const known = new Set(this.#rows.map(rowKey));
    this.#rows = [...this.#rows, ...rows.filter((row) => !known.has(rowKey(row)))];
    this.#page = page;
  }

  /** Puts rows at the end that the list does not have. */
  add(rows: readonly ListRow[]): void {
    this.#added = [...this.#added, ...rows];
  }

  async #renewAdded(): Promise<void> {
    const before = this.#added;
    if (before.length === 0) return;
    const renewed = await this.#renew(before);
    if (before === this.#added) this.#added = renewed;
  }

  async #read(limit: number): Promise<void> {
    const { rows, ...page } = await this.#readRows(limit);
    this.#rows = rows;
    this.#page = page;
  }
}
