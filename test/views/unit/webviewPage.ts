import { chromium } from 'playwright-core';
import type { Browser, Page, Route } from 'playwright-core';
import { build } from 'esbuild';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PageShell } from '../../../src/views/emptyPage.ts';
import { QUIET_FLAGS } from '../../e2e/harness/browser.ts';
import { THEMES, type ThemeName } from './readerThemes.ts';

const ROOT = join(import.meta.dirname, '../../..');
const CHROMIUM = '/usr/bin/chromium';

/** What is used of the browser's own types, which this project's compiler settings leave out. */
interface BrowserScope {
  readonly document: {
    readonly documentElement: { readonly style: { setProperty(name: string, value: string): void }; removeAttribute(name: string): void };
    readonly body: { className: string };
  };
  readonly asked: readonly unknown[];
  postMessage(data: unknown, origin: string): void;
  requestAnimationFrame(run: () => void): void;
}

/**
 * The page of one of our panels, built as it ships, in a real Chromium under the policy that the host writes. Everything it asks of host and
 * network is recorded.
 */
export class WebviewPage {
  readonly page: Page;
  /** Requests the page let go to the network, other than for its own files. */
  readonly requests: string[] = [];
  readonly #name: string;
  readonly #origin: string;
  readonly #files: string;
  readonly #browser: Browser;

  private constructor(name: string, parts: { browser: Browser; page: Page; files: string }) {
    this.#name = name;
    this.#origin = `https://${name}.test`;
    this.#browser = parts.browser;
    this.page = parts.page;
    this.#files = parts.files;
  }

  /**
   * Builds a page's script and style from their sources, and opens a browser. Skips the suite where no Chromium is installed; with CI=true that
   * is a failure.
   * @param name of the built files and of the pictures
   */
  static async open(suite: { skip(): never }, name: string, sources: { script: string; style: string }): Promise<WebviewPage> {
    if (!existsSync(CHROMIUM)) {
      if (process.env['CI'] === 'true') throw new Error(`${CHROMIUM} is missing`);
      console.log(`      skipped: no ${CHROMIUM}`);
      return suite.skip();
    }
    const files = mkdtempSync(join(tmpdir(), `qumail-${name}-`));
    const shared = { absWorkingDir: ROOT, bundle: true, outdir: files, logLevel: 'warning', target: 'chrome128' } as const;
    await build({ ...shared, platform: 'browser', format: 'iife', entryPoints: [{ in: sources.script, out: name }] });
    await build({ ...shared, entryPoints: [{ in: sources.style, out: name }], loader: { '.ttf': 'file' }, assetNames: '[name]' });
    const browser = await chromium.launch({ executablePath: CHROMIUM, args: [...QUIET_FLAGS] });
    const page = await browser.newPage({ viewport: { width: 900, height: 730 } });
    page.setDefaultTimeout(5000);
    await page.addInitScript(() => {
      const scope = globalThis as unknown as Record<string, unknown>;
      // A frame of the page must find nothing of the host's.
      if (scope['top'] !== scope['self']) return;
      const storage = scope['sessionStorage'] as { getItem(name: string): string | null; setItem(name: string, value: string): void };
      const asked: unknown[] = [];
      scope['asked'] = asked;
      scope['acquireVsCodeApi'] = () => ({
        postMessage: (message: unknown) => asked.push(message),
        getState: () => JSON.parse(storage.getItem('state') ?? 'null') ?? undefined,
        setState: (state: unknown) => storage.setItem('state', JSON.stringify(state)),
      });
    });
    return new WebviewPage(name, { browser, page, files });
  }

  async dispose(): Promise<void> {
    await this.#browser.close();
    rmSync(this.#files, { recursive: true, force: true });
  }

  /**
   * Loads the page anew, as its panel does.
   * @param answer what else may be asked for; answers true where it took the request
   * @param state `kept` where the panel was hidden or the window reloaded
   */
  async load(
    shellOf: (shell: PageShell) => string,
    { answer, state = 'none' }: { answer?: (route: Route) => Promise<boolean>; state?: 'none' | 'kept' } = {},
  ): Promise<void> {
    const origin = this.#origin;
    const own = [`${this.#name}.js`, `${this.#name}.css`, 'codicon.ttf'];
    const html = shellOf({
      cspSource: origin,
      nonce: 'n0nce',
      scriptUri: `${origin}/${this.#name}.js`,
      styleUri: `${origin}/${this.#name}.css`,
      language: 'en',
      title: 'QuMail',
    });
    if (state === 'none') await this.#forgetState();
    this.requests.length = 0;
    await this.page.unrouteAll();
    await this.page.route('**/*', async (route) => {
      const url = new URL(route.request().url());
      const file = url.pathname.slice(1);
      if (url.origin === origin && file === '') return route.fulfill({ contentType: 'text/html', body: html });
      if (url.origin === origin && own.includes(file)) return route.fulfill({ path: join(this.#files, file) });
      this.requests.push(route.request().url());
      if (await answer?.(route)) return;
      await route.abort();
    });
    await this.page.goto(`${origin}/`);
  }

  /** What the host says. */
  async say(word: unknown): Promise<void> {
    await this.page.evaluate((data) => (globalThis as unknown as BrowserScope).postMessage(data, '*'), word);
    await this.settle();
  }

  /** Everything the page asked of its host since it was loaded. */
  async asked(): Promise<readonly unknown[]> {
    return this.page.evaluate(() => (globalThis as unknown as BrowserScope).asked);
  }

  /** Two frames on screen: what would load has asked for it by then. */
  async settle(): Promise<void> {
    await this.page.evaluate(
      () =>
        new Promise<void>((resolve) => {
          const { requestAnimationFrame: frame } = globalThis as unknown as BrowserScope;
          frame(() => frame(() => resolve()));
        }),
    );
  }

  /** Keeps a picture as `out/screenshots/<page>-<name>-<theme>.png`; returns its path. */
  async screenshot(name: string, theme: ThemeName): Promise<string> {
    await this.page.evaluate(
      ({ variables, className }) => {
        const { document } = globalThis as unknown as BrowserScope;
        document.documentElement.removeAttribute('style');
        for (const [property, value] of Object.entries(variables)) document.documentElement.style.setProperty(property, value);
        document.body.className = className;
      },
      { variables: THEMES[theme], className: `vscode-${theme}` },
    );
    await this.settle();
    const folder = join(ROOT, 'out/screenshots');
    mkdirSync(folder, { recursive: true });
    const path = join(folder, `${this.#name}-${name}-${theme}.png`);
    await this.page.screenshot({ path });
    return path;
  }

  async #forgetState(): Promise<void> {
    if (!this.page.url().startsWith(this.#origin)) return;
    await this.page.evaluate(() => (globalThis as unknown as { sessionStorage: { clear(): void } }).sessionStorage.clear());
  }
}
