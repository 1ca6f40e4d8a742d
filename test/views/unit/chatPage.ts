import type { Page } from 'playwright-core';
import type { Chat, ChatMessage } from '../../../src/core/api.ts';
import { chatShell } from '../../../src/views/chats/chatHtml.ts';
import { shownChat, shownLine, stretchOf, type Telling } from '../../../src/views/chats/chatModel.ts';
import type { HostWord, PageAsk, ShownLine } from '../../../src/views/chats/chatProtocol.ts';
import { chatWords } from '../../../src/views/chats/chatWords.ts';
import { plain as english } from './plainLocaliser.ts';
import type { ThemeName } from './readerThemes.ts';
import { WebviewPage } from './webviewPage.ts';

export const ALICE = { name: 'Alice', address: 'alice@example.test' };
export const BOB = { name: 'Bob', address: 'bob@other.test' };
export const CAROL = { name: 'Carol', address: 'carol@example.test' };
/** Sunday, 22 November 2026, 12:00 UTC. */
export const NOON = Date.UTC(2026, 10, 22, 12);

const TELLING: Telling = {
  l10n: english,
  language: 'en-GB',
  now: NOON,
  timeZone: 'UTC',
  self: ALICE.address,
  others: [BOB.address, CAROL.address],
  nameOf: (address) => [ALICE, BOB, CAROL].find((person) => person.address === address)?.name ?? address,
};

const CHAT: Chat = {
  id: 'a:AAAAAAAAAAAAAAAAAAAAAA',
  accountId: 'a',
  kind: 'group',
  name: 'Laser team',
  unread: 0,
  minimumLevel: 'L2',
  verified: 'some',
  member: true,
  hasPicture: false,
  members: [ALICE, BOB, CAROL].map((person, index) => ({
    ...person,
    admin: index === 0,
    self: index === 0,
    fingerprint: 'F'.repeat(64),
    verified: index === 1 ? 'verified' : 'no',
  })),
  timer: 0,
  receipts: 'on',
  draft: '',
  incomplete: false,
  simulated: false,
};

/** A message of Bob's unless told otherwise, `minutes` before noon. */
export function message(id: string, minutes: number, change: Partial<ChatMessage> = {}): ChatMessage {
  const own = change.author === ALICE;
  return {
    id,
    chatId: CHAT.id,
    author: BOB,
    own,
    at: NOON - minutes * 60_000,
    text: `message ${id}`,
    attachments: [],
    level: 'L2',
    sealed: true,
    edited: false,
    deleted: false,
    reactions: [],
    delivered: [],
    read: [],
    state: own ? 'sent' : 'received',
    ...change,
  };
}

export const lineOf = (each: ChatMessage): ShownLine => shownLine(each, TELLING);

interface Opened {
  readonly older?: boolean;
  readonly firstUnread?: string;
  readonly chat?: Partial<Chat>;
  /** `kept` where the panel was hidden or the window reloaded. */
  readonly state?: 'none' | 'kept';
  /** What the page's own clock shows; it stands still then until the test moves it. */
  readonly clock?: number;
}

/** The page of a chat in a real Chromium. */
export class ChatPage {
  readonly #web: WebviewPage;

  private constructor(web: WebviewPage) {
    this.#web = web;
  }

  /** Skips the suite where no Chromium is installed. */
  static async open(suite: { skip(): never }): Promise<ChatPage> {
    const web = await WebviewPage.open(suite, 'chat', { script: 'src/views/chats/webview/main.ts', style: 'media/chat/chat.css' });
    return new ChatPage(web);
  }

  get page(): Page {
    return this.#web.page;
  }

  get requests(): readonly string[] {
    return this.#web.requests;
  }

  dispose(): Promise<void> {
    return this.#web.dispose();
  }

  /** Loads the page anew with these messages as the newest of the chat. */
  async show(messages: readonly ChatMessage[], more: Opened = {}): Promise<void> {
    if (more.clock !== undefined) await this.page.clock.setFixedTime(more.clock);
    await this.#web.load(chatShell, { state: more.state ?? 'none' });
    const chat = { ...CHAT, ...more.chat };
    await this.say({
      kind: 'chat',
      chat: shownChat(chat, undefined, english),
      words: chatWords(english),
      draft: chat.draft,
      stretch: stretchOf(messages.map(lineOf), more.older ?? false),
      older: more.older ?? false,
      world: 'real',
      ...(more.firstUnread !== undefined && { firstUnread: more.firstUnread }),
    });
    await this.page.locator('.composer').waitFor({ state: 'attached' });
    await this.settle();
  }

  /** The head of the chat once more, as after every event. */
  sayHead(): Promise<void> {
    return this.say({ kind: 'header', chat: shownChat(CHAT, undefined, english) });
  }

  say(word: HostWord): Promise<void> {
    return this.#web.say(word);
  }

  settle(): Promise<void> {
    return this.#web.settle();
  }

  /** What the page asked of its host, of one kind. */
  async asked<K extends PageAsk['kind']>(kind: K): Promise<Extract<PageAsk, { kind: K }>[]> {
    const all = (await this.#web.asked()) as PageAsk[];
    return all.filter((request): request is Extract<PageAsk, { kind: K }> => request.kind === kind);
  }

  screenshot(name: string, theme: ThemeName): Promise<string> {
    return this.#web.screenshot(name, theme);
  }
}
