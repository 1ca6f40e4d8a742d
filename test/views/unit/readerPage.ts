import { chromium } from 'playwright-core';
import type { Browser, Frame, Page } from 'playwright-core';
import { build } from 'esbuild';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Message } from '../../../src/core/api.ts';
import { readerModel } from '../../../src/views/reader/readerModel.ts';
import { readerShell } from '../../../src/views/reader/readerHtml.ts';
import type { HostMessage, ReaderRequest } from '../../../src/views/reader/readerProtocol.ts';
import { readerWords } from '../../../src/views/reader/readerWords.ts';
import { plain as english } from './plainLocaliser.ts';
import { THEMES } from './readerThemes.ts';
import type { ThemeName } from './readerThemes.ts';

const ROOT = join(import.meta.dirname, '../../..');
const CHROMIUM = '/usr/bin/chromium';
const ORIGIN = 'https://reader.test';

/** The reader's page, built as it ships, in a real Chromium with the policy that the host writes. Everything it asks of host and network is recorded. */
export class ReaderPage {
  readonly page: Page;
  /** Requests the page let go to the network, other than for its own three files. */
  readonly requests: string[] = [];
  #generation = 0;
  readonly #files: string;
  readonly #browser: Browser;

  private constructor(browser: Browser, page: Page, files: string) {
    this.#browser = browser;
    this.page = page;
    this.#files = files;
  }

  /** Undefined where no Chromium is installed. */
  static async open(): Promise<ReaderPage | undefined> {
    if (!existsSync(CHROMIUM)) return undefined;
    const files = mkdtempSync(join(tmpdir(), 'qumail-reader-'));
    const shared = { absWorkingDir: ROOT, bundle: true, outdir: files, logLevel: 'warning', target: 'chrome128' } as const;
    await build({
      ...shared,
      platform: 'browser',
      format: 'iife',
      entryPoints: [{ in: 'src/views/reader/webview/main.ts', out: 'reader' }],
    });
    await build({
      ...shared,
      entryPoints: [{ in: 'media/reader/reader.css', out: 'reader' }],
      loader: { '.ttf': 'file' },
      assetNames: '[name]',
    });
    const browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    });
    const page = await browser.newPage({ viewport: { width: 900, height: 760 } });
    page.setDefaultTimeout(5000);
    const reader = new ReaderPage(browser, page, files);
    await page.addInitScript(() => {
      const scope = globalThis as unknown as Record<string, unknown>;
      // A frame of the page must find nothing of the host's.
      if (scope['top'] !== scope['self']) return;
      const asked: unknown[] = [];
      let state: unknown;
      scope['asked'] = asked;
      scope['acquireVsCodeApi'] = () => ({
        postMessage: (m: unknown) => asked.push(m),
        getState: () => state,
        setState: (s: unknown) => (state = s),
      });
    });
    return reader;
  }

  async dispose(): Promise<void> {
    await this.#browser.close();
    rmSync(this.#files, { recursive: true, force: true });
  }

  /** Loads the page anew, as the host does for a message, and hands the message over. */
  async show(message: Message, remote: 'blocked' | 'allowed' = 'blocked'): Promise<void> {
    const shown = readerModel(message, { l10n: english, language: 'en', timeZone: 'UTC' });
    await this.load(
      { kind: 'message', generation: ++this.#generation, messageId: 7, world: 'real', words: readerWords(english), message: shown, remote },
      remote,
    );
  }

  async load(message: HostMessage, remote: 'blocked' | 'allowed' = 'blocked'): Promise<void> {
    this.requests.length = 0;
    await this.page.unrouteAll();
    const shell = readerShell({
      cspSource: ORIGIN,
      nonce: 'n0nce',
      scriptUri: `${ORIGIN}/reader.js`,
      styleUri: `${ORIGIN}/reader.css`,
      language: 'en',
      title: 'QuMail',
      remote,
    });
    await this.page.route('**/*', async (route) => {
      const url = new URL(route.request().url());
      const name = url.pathname.slice(1);
      if (url.origin === ORIGIN && name === '') return route.fulfill({ contentType: 'text/html', body: shell });
      if (url.origin === ORIGIN && ['reader.js', 'reader.css', 'codicon.ttf'].includes(name))
        return route.fulfill({ path: join(this.#files, name) });
      this.requests.push(route.request().url());
      if (/\.png($|\?)/.test(name)) return route.fulfill({ contentType: 'image/png', body: PIXEL });
      return route.abort();
    });
    await this.page.goto(`${ORIGIN}/`);
    const body = message.kind === 'message' && message.message.html !== undefined && !message.message.failure;
    await this.page.evaluate(
      (data) => (globalThis as unknown as { postMessage(data: unknown, origin: string): void }).postMessage(data, '*'),
      message,
    );
    await this.page.locator('#reader > *').first().waitFor();
    if (body) await this.page.frameLocator('iframe.mail').locator('.qumail-paper, .qumail-themed').first().waitFor({ state: 'attached' });
    await this.settle();
  }

  /** Two frames on screen: what would load has asked for it by then. */
  async settle(): Promise<void> {
    await this.page.evaluate(
      () =>
        new Promise<void>((resolve) => {
          const frame = (globalThis as unknown as { requestAnimationFrame(run: () => void): void }).requestAnimationFrame;
          frame(() => frame(() => resolve()));
        }),
    );
  }

  /** What the page asked of its host since it was loaded, `ready` left out. */
  async asked(): Promise<ReaderRequest[]> {
    const all = await this.page.evaluate(() => (globalThis as unknown as { asked: ReaderRequest[] }).asked);
    return all.filter((request) => request.kind !== 'ready');
  }

  mailFrame(): Frame {
    const frame = this.page.frames().find((candidate) => candidate !== this.page.mainFrame());
    if (!frame) throw new Error('no mail frame');
    return frame;
  }

  /** Keeps a picture as `out/screenshots/reader-<name>-<theme>.png`. */
  async screenshot(name: string, theme: ThemeName): Promise<string> {
    const kind = {
      light: 'vscode-light',
      dark: 'vscode-dark',
      'high-contrast': 'vscode-high-contrast',
      'high-contrast-light': 'vscode-high-contrast-light',
    }[theme];
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
      { variables: THEMES[theme], className: kind },
    );
    await this.settle();
    const folder = join(ROOT, 'out/screenshots');
    mkdirSync(folder, { recursive: true });
    const path = join(folder, `reader-${name}-${theme}.png`);
    await this.page.screenshot({ path });
    return path;
  }
}

/** A 40x40 picture. */
const PIXEL = readFileSync(join(import.meta.dirname, '../../data/square.png'));
