import type { Attachment, ChatMessage, QuMailApi } from '../../core/api.ts';
import { stretchOf } from './chatModel.ts';
import type { Place, ShownLine, Stretch } from './chatProtocol.ts';

/** Messages asked for at once: when a chat is opened or read backwards, when something in it is different, and when a line may have come. */
const PAGE = 100;
const RENEWED = 30;
const NEWEST = 4;

export interface ShownPage {
  readonly messages: readonly ChatMessage[];
  readonly stretch: Stretch;
  readonly older: boolean;
}

interface ReadPage extends ShownPage {
  readonly next: string | undefined;
  /** Something in it was known before. */
  readonly meets: boolean;
}

type Show = (message: ChatMessage) => ShownLine;
/** How messages are told may be asked of the engine in the same breath as the messages. */
type Telling = Show | Promise<Show>;

/** What of one chat has been handed to the page, and how to ask for what is before it or has changed. */
export class ChatPages {
  readonly #api: Pick<QuMailApi, 'getChatMessages'>;
  readonly #chatId: string;
  #known = new Map<string, ChatMessage>();
  /** Where the page before everything known ends; undefined where nothing is before it. */
  #next: string | undefined;
  #first: string | undefined;
  #last: string | undefined;

  constructor(api: Pick<QuMailApi, 'getChatMessages'>, chatId: string) {
    this.#api = api;
    this.#chatId = chatId;
  }

  knows(id: string): boolean {
    return this.#known.has(id);
  }

  attachment(id: string, index: number): Attachment | undefined {
    return this.#known.get(id)?.attachments.find((file) => file.index === index);
  }

  /** The page's first and last message on screen. */
  onScreen(first: string, last: string): void {
    this.#first = first;
    this.#last = last;
  }

  /** The newest page; what was known before counts no more. */
  async latest(show: Telling): Promise<ShownPage> {
    this.#known = new Map();
    const page = await this.#page(show);
    this.#next = page.next;
    return page;
  }

  /** The page before everything known; undefined where there is none. */
  async earlier(show: Show): Promise<ShownPage | undefined> {
    if (this.#next === undefined) return undefined;
    const before = this.#known.get(this.#next);
    const page = await this.#page(show, before);
    this.#next = page.next;
    return page;
  }

  /** The newest lines and as many before them as were not known: few where one line came, and quick. */
  async newest(show: Telling): Promise<readonly ShownPage[]> {
    const pages = await this.#backToKnown(show, NEWEST);
    return this.#asKnown(pages);
  }

  /** What is new, back to what was known already; and where the page shows something older than that, that as it is now. */
  async renewed(show: Telling): Promise<readonly ShownPage[]> {
    const pages = await this.#backToKnown(show, RENEWED);
    const begins = pages.at(-1)?.stretch.from;
    const first = this.#known.get(this.#first ?? '');
    const after = this.#messageAfter(this.#known.get(this.#last ?? ''));
    if (begins && first && after && first.at < begins.at) pages.push(await this.#page(show, after));
    return this.#asKnown(pages);
  }

  async #backToKnown(show: Telling, limit: number): Promise<ReadPage[]> {
    const pages = [await this.#page(show, undefined, limit)];
    for (let last = pages[0]; last && last.next !== undefined && !last.meets; last = pages.at(-1)) {
      pages.push(await this.#page(show, this.#known.get(last.next)));
    }
    // All there is has come: nothing is before it any more.
    if (pages.at(-1)?.next === undefined) this.#next = undefined;
    return pages;
  }

  #asKnown(pages: readonly ReadPage[]): readonly ShownPage[] {
    return pages.map((page) => ({ ...page, older: this.#next !== undefined }));
  }

  /** The message that follows a place, and is not a notice: the engine counts pages by messages. */
  #messageAfter(place: Place | undefined): ChatMessage | undefined {
    if (!place) return undefined;
    const later = [...this.#known.values()].filter(({ at, notice }) => notice === undefined && at > place.at);
    return later.reduce<ChatMessage | undefined>((found, message) => (found && found.at <= message.at ? found : message), undefined);
  }

  async #page(telling: Telling, before?: ChatMessage, limit = PAGE): Promise<ReadPage> {
    const range = before ? { before: before.id } : {};
    const [{ messages, next }, show] = await Promise.all([this.#api.getChatMessages({ chatId: this.#chatId, limit, ...range }), telling]);
    const meets = messages.some(({ id, notice }) => notice === undefined && this.#known.has(id));
    for (const message of messages) this.#known.set(message.id, message);
    const to = before && { at: before.at, id: '' };
    return { messages, stretch: stretchOf(messages.map(show), next !== undefined, to), older: next !== undefined, next, meets };
  }
}
