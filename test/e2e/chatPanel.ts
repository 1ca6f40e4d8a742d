import type { FrameLocator, Locator } from 'playwright-core';
import type { Workbench } from './harness/workbench.ts';

/** The panel of one chat: what a person reads and does in it. */
export class ChatPanelPage {
  readonly #workbench: Workbench;

  constructor(workbench: Workbench) {
    this.#workbench = workbench;
  }

  /** Waits until the chat with this name is on show. */
  async shows(name: string | RegExp, limitMs = 60_000): Promise<void> {
    await this.#page.locator('header.top .who', { hasText: name }).waitFor({ timeout: limitMs });
  }

  /** Writes a line and presses Enter. */
  async say(text: string): Promise<void> {
    await this.#box.fill(text);
    await this.#box.press('Enter');
  }

  /** The row with this text; waits for it. */
  async line(text: string, limitMs = 30_000): Promise<Locator> {
    const row = this.#page
      .locator('.row')
      .filter({ has: this.#page.locator('.rich, .notice, .gone', { hasText: text }) })
      .last();
    await row.waitFor({ timeout: limitMs });
    return row;
  }

  async reply(to: string, text: string): Promise<void> {
    await this.#act(to, 'Reply');
    await this.say(text);
  }

  async react(to: string, emoji: string): Promise<void> {
    const row = await this.#act(to, 'React');
    await row.locator('.palette button', { hasText: emoji }).click();
  }

  get head(): Locator {
    return this.#page.locator('header.top');
  }

  async #act(text: string, action: string): Promise<Locator> {
    const row = await this.line(text);
    await row.hover();
    await row.getByRole('button', { name: action, exact: true }).click();
    return row;
  }

  get #box(): Locator {
    return this.#page.locator('.composer textarea');
  }

  get #page(): FrameLocator {
    return this.#workbench.webviewFrame();
  }
}
