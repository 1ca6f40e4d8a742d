import { chromium } from 'playwright-core';
import type { Browser, Page } from 'playwright-core';
import { build } from 'esbuild';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Chat, ChatMessage } from '../../../src/core/api.ts';
import { chatShell } from '../../../src/views/chats/chatHtml.ts';
import { shownChat, shownLine, stretchOf, type Telling } from '../../../src/views/chats/chatModel.ts';
import type { HostWord, PageAsk, ShownLine } from '../../../src/views/chats/chatProtocol.ts';
import { chatWords } from '../../../src/views/chats/chatWords.ts';
import { plain as english } from './plainLocaliser.ts';
import { THEMES, type ThemeName } from './readerThemes.ts';

const ROOT = join(import.meta.dirname, '../../..');
const CHROMIUM = '/usr/bin/chromium';
const ORIGIN = 'https://chat.test';
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-sync'];

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

/** The page of a chat, built as it ships, in a real Chromium under the policy that the host writes. */
export class ChatPage {
  readonly page: Page;
  /** Requests the page let go to the network, other than for its own files. */
  readonly requests: string[] = [];
  readonly #files: string;
  readonly #browser: Browser;

  private constructor(browser: Browser, page: Page, files: string) {
    this.#browser = browser;
    this.page = page;
    this.#files = files;
  }

  /** Undefined where no Chromium is installed. */
  static async open(): Promise<ChatPage | undefined> {
    if (!existsSync(CHROMIUM)) return undefined;
    const files = mkdtempSync(join(tmpdir(), 'qumail-chat-'));
    const shared = { absWorkingDir: ROOT, bundle: true, outdir: files, logLevel: 'warning', target: 'chrome128' } as const;
    await build({ ...shared, platform: 'browser', format: 'iife', entryPoints: [{ in: 'src/views/chats/webview/main.ts', out: 'chat' }] });
    await build({ ...shared, entryPoints: [{ in: 'media/chat/chat.css', out: 'chat' }], loader: { '.ttf': 'file' }, assetNames: '[name]' });
    const browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
    const page = await browser.newPage({ viewport: { width: 900, height: 700 } });
    page.setDefaultTimeout(5000);
    await page.addInitScript(() => {
      const scope = globalThis as unknown as Record<string, unknown>;
      const asked: unknown[] = [];
      let state: unknown;
      scope['asked'] = asked;
      scope['acquireVsCodeApi'] = () => ({
        postMessage: (m: unknown) => asked.push(m),
        getState: () => state,
        setState: (s: unknown) => (state = s),
      });
    });
    return new ChatPage(browser, page, files);
  }

  async dispose(): Promise<void> {
    await this.#browser.close();
    rmSync(this.#files, { recursive: true, force: true });
  }

  /** Loads the page anew with these messages as the newest of the chat. */
  async show(messages: readonly ChatMessage[], more: { older?: boolean; firstUnread?: string; chat?: Partial<Chat> } = {}): Promise<void> {
    this.requests.length = 0;
    await this.page.unrouteAll();
    const shell = chatShell({
      cspSource: ORIGIN,
      nonce: 'n0nce',
      scriptUri: `${ORIGIN}/chat.js`,
      styleUri: `${ORIGIN}/chat.css`,
      language: 'en',
      title: 'QuMail',
    });
    await this.page.route('**/*', async (route) => {
      const url = new URL(route.request().url());
      const name = url.pathname.slice(1);
      if (url.origin === ORIGIN && name === '') return route.fulfill({ contentType: 'text/html', body: shell });
      if (url.origin === ORIGIN && ['chat.js', 'chat.css', 'codicon.ttf'].includes(name))
        return route.fulfill({ path: join(this.#files, name) });
      this.requests.push(route.request().url());
      return route.abort();
    });
    await this.page.goto(`${ORIGIN}/`);
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

  /** What the host says. */
  async say(word: HostWord): Promise<void> {
    await this.page.evaluate(
      (data) => (globalThis as unknown as { postMessage(data: unknown, origin: string): void }).postMessage(data, '*'),
      word,
    );
    await this.settle();
  }

  /** Two frames on screen. */
  async settle(): Promise<void> {
    await this.page.evaluate(
      () =>
        new Promise<void>((resolve) => {
          const frame = (globalThis as unknown as { requestAnimationFrame(run: () => void): void }).requestAnimationFrame;
          frame(() => frame(() => resolve()));
        }),
    );
  }

  /** What the page asked of its host, of one kind. */
  async asked<K extends PageAsk['kind']>(kind: K): Promise<Extract<PageAsk, { kind: K }>[]> {
    const all = await this.page.evaluate(() => (globalThis as unknown as { asked: PageAsk[] }).asked);
    return all.filter((request): request is Extract<PageAsk, { kind: K }> => request.kind === kind);
  }

  /** Keeps a picture as `out/screenshots/chat-<name>-<theme>.png`. */
  async screenshot(name: string, theme: ThemeName): Promise<void> {
    const kinds = { light: 'light', dark: 'dark', 'high-contrast': 'high-contrast', 'high-contrast-light': 'high-contrast-light' };
    await this.page.evaluate(
      ({ variables, className }) => {
        const { document } = globalThis as unknown as {
          document: {
            documentElement: { style: { setProperty(n: string, v: string): void }; removeAttribute(n: string): void };
            body: { className: string };
          };
        };
        document.documentElement.removeAttribute('style');
        for (const [property, value] of Object.entries(variables)) document.documentElement.style.setProperty(property, value);
        document.body.className = className;
      },
      { variables: THEMES[theme], className: `vscode-${kinds[theme]}` },
    );
    await this.settle();
    const folder = join(ROOT, 'out/screenshots');
    mkdirSync(folder, { recursive: true });
    await this.page.screenshot({ path: join(folder, `chat-${name}-${theme}.png`) });
  }
}
