import { readFile, stat } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { FrameLocator, Locator } from 'playwright-core';
import type { Workbench } from './harness/workbench.ts';

/** The panel that shows one message: what a person reads in it. */
export class Reader {
  readonly #workbench: Workbench;

  constructor(workbench: Workbench) {
    this.#workbench = workbench;
  }

  /** Waits until the message with this subject is on show (or has failed to open). */
  async shows(subject: string, limitMs = 20_000): Promise<void> {
    await this.#page.locator('header.head h1', { hasText: subject }).waitFor({ timeout: limitMs });
  }

  /** The banner's level, e.g. `L2`, and all its words. */
  async banner(): Promise<{ readonly level: string; readonly text: string }> {
    const banner = this.#page.locator('section.banner');
    return { level: (await banner.getAttribute('data-level')) ?? '', text: oneLine(await banner.innerText()) };
  }

  /** Unfolds the banner's details and gives the key IDs it names. */
  async keyIds(): Promise<readonly string[]> {
    const details = this.#page.locator('section.banner details');
    if ((await details.getAttribute('open')) === null) await details.locator('summary').click();
    return details.locator('.key-ids code').allInnerTexts();
  }

  /** The text of the message, as it is drawn. */
  async body(): Promise<string> {
    const formatted = this.#page.locator('iframe.mail');
    const plain = this.#page.locator('section.body .text');
    await formatted.or(plain).first().waitFor();
    if ((await formatted.count()) === 0) return plain.innerText();
    const body = formatted.contentFrame().locator('body');
    await body.locator(':scope > *').first().waitFor();
    return body.innerText();
  }

  /** Names of the attachments. */
  async attachments(): Promise<readonly string[]> {
    return this.#page.locator('section.attachments .file').allInnerTexts();
  }

  /** Saves an attachment of so many octets under `path` through VS Code's own dialog and gives back what was written. */
  async saveAttachment({ name, octets }: { name: string; octets: number }, path: string): Promise<Buffer> {
    await this.#page.getByRole('button', { name: `Save ${name}`, exact: true }).click();
    await this.#workbench.quickInput.answerPath(name, path);
    return fileOf(octets, path);
  }

  /** Presses one of the buttons of the message, e.g. `Reply`. */
  async press(label: string): Promise<void> {
    await this.#page.getByRole('button', { name: label, exact: true }).click();
  }

  /** Why the message could not be opened; waits for that to be said. */
  async failure(): Promise<string> {
    return oneLine(await this.#found('.state.failure').innerText());
  }

  #found(selector: string): Locator {
    return this.#page.locator(selector).first();
  }

  get #page(): FrameLocator {
    return this.#workbench.webviewFrame();
  }
}

/** The editor writes a large file piece by piece. */
async function fileOf(octets: number, path: string): Promise<Buffer> {
  const limit = Date.now() + 20_000;
  for (;;) {
    const size = (await stat(path).catch(() => undefined))?.size ?? 0;
    if (size >= octets || Date.now() > limit) return readFile(path);
    await delay(50);
  }
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim();
}
