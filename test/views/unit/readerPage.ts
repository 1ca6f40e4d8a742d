import type { Frame, Page } from 'playwright-core';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Message } from '../../../src/core/api.ts';
import { readerModel } from '../../../src/views/reader/readerModel.ts';
import { readerShell } from '../../../src/views/reader/readerHtml.ts';
import type { HostMessage, ReaderRequest } from '../../../src/views/reader/readerProtocol.ts';
import { readerWords } from '../../../src/views/reader/readerWords.ts';
import { plain as english } from './plainLocaliser.ts';
import type { ThemeName } from './readerThemes.ts';
import { WebviewPage } from './webviewPage.ts';

/** The reader's page in a real Chromium. */
export class ReaderPage {
  readonly #web: WebviewPage;
  #generation = 0;

  private constructor(web: WebviewPage) {
    this.#web = web;
  }

  /** Skips the suite where no Chromium is installed. */
  static async open(suite: { skip(): never }): Promise<ReaderPage> {
    const web = await WebviewPage.open(suite, 'reader', {
      script: 'src/views/reader/webview/main.ts',
      style: 'media/reader/reader.css',
    });
    return new ReaderPage(web);
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

  /** Loads the page anew, as the host does for a message, and hands the message over. */
  async show(message: Message, remote: 'blocked' | 'allowed' = 'blocked'): Promise<void> {
    const shown = readerModel(message, { l10n: english, language: 'en', timeZone: 'UTC' });
    await this.load(
      { kind: 'message', generation: ++this.#generation, messageId: 7, world: 'real', words: readerWords(english), message: shown, remote },
      remote,
    );
  }

  async load(message: HostMessage, remote: 'blocked' | 'allowed' = 'blocked'): Promise<void> {
    await this.#web.load((shell) => readerShell({ ...shell, remote }), {
      answer: async (route) => {
        if (!/\.png($|\?)/.test(route.request().url())) return false;
        await route.fulfill({ contentType: 'image/png', body: PIXEL });
        return true;
      },
    });
    const body = message.kind === 'message' && message.message.html !== undefined && !message.message.failure;
    await this.#web.say(message);
    await this.page.locator('#reader > *').first().waitFor();
    if (body) await this.page.frameLocator('iframe.mail').locator('.qumail-paper, .qumail-themed').first().waitFor({ state: 'attached' });
    await this.settle();
  }

  settle(): Promise<void> {
    return this.#web.settle();
  }

  /** What the page asked of its host since it was loaded, `ready` left out. */
  async asked(): Promise<ReaderRequest[]> {
    return ((await this.#web.asked()) as ReaderRequest[]).filter((request) => request.kind !== 'ready');
  }

  mailFrame(): Frame {
    const frame = this.page.frames().find((candidate) => candidate !== this.page.mainFrame());
    if (!frame) throw new Error('no mail frame');
    return frame;
  }

  screenshot(name: string, theme: ThemeName): Promise<string> {
    return this.#web.screenshot(name, theme);
  }
}

/** A 40x40 picture. */
const PIXEL = readFileSync(join(import.meta.dirname, '../../data/square.png'));
