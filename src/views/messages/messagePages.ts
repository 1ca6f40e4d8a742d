import type { MessageSummary, QuMailRequests } from '../../core/api.ts';

export interface FolderChoice {
  readonly accountId: string;
  readonly path: string;
}

const PAGE = 50;
/** A refresh reads at most so many again; what lies further down is loaded anew when asked for. */
const MAX_RELOAD = 500;

/** The messages of one folder as far as they have been loaded, newest first. */
export class MessagePages {
  readonly folder: FolderChoice;
  readonly #list: () => Pick<QuMailRequests, 'getEmailList'>;
  #messages: readonly MessageSummary[] = [];
  #next: number | undefined;
  #loaded: Promise<void> | undefined;

  constructor(folder: FolderChoice, list: () => Pick<QuMailRequests, 'getEmailList'>) {
    this.folder = folder;
    this.#list = list;
  }

  get messages(): readonly MessageSummary[] {
    return this.#messages;
  }

  get hasMore(): boolean {
    return this.#next !== undefined;
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
    const reading = this.#read(Math.min(Math.max(this.#messages.length, PAGE), MAX_RELOAD));
    this.#loaded = reading;
    await reading;
  }

  async loadMore(): Promise<void> {
    if (this.#next === undefined) return;
    const page = await this.#list().getEmailList({
      accountId: this.folder.accountId,
      folder: this.folder.path,
      limit: PAGE,
      before: this.#next,
    });
    const known = new Set(this.#messages.map((message) => message.id));
    this.#messages = [...this.#messages, ...page.messages.filter((message) => !known.has(message.id))];
    this.#next = page.next;
  }

  async #read(limit: number): Promise<void> {
    const page = await this.#list().getEmailList({ accountId: this.folder.accountId, folder: this.folder.path, limit });
    this.#messages = page.messages;
    this.#next = page.next;
  }
}
