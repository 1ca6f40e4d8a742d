import type { FrameLocator, Locator } from 'playwright-core';
import type { Workbench } from './harness/workbench.ts';

/** What the page noted since `startClock`, milliseconds since the epoch. */
interface PageClock {
  pressed: number;
  /** By text; 0 until it is on screen. */
  readonly drawn: Record<string, number>;
}

/** What is used of the browser's own types, which this project's compiler settings leave out. */
interface PageScope {
  clock: PageClock;
  readonly document: { querySelectorAll(selector: string): Iterable<{ readonly textContent: string }> };
  readonly MutationObserver: new (heard: () => void) => { observe(target: unknown, options: object): void };
  requestAnimationFrame(run: () => void): void;
}

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

  /** From now on the page notes when the Enter key goes down, and when a line is first drawn: looking from outside would come late. */
  async startClock(): Promise<void> {
    await this.#page.locator('body').evaluate((body) => {
      const scope = globalThis as unknown as PageScope;
      const clock: PageClock = { pressed: 0, drawn: {} };
      scope.clock = clock;
      body.addEventListener(
        'keydown',
        (event: { readonly key: string }) => {
          if (event.key === 'Enter') clock.pressed = Date.now();
        },
        { capture: true },
      );
      const look = (): void => {
        for (const { textContent } of scope.document.querySelectorAll('.row .rich')) {
          if (clock.drawn[textContent] !== undefined) continue;
          clock.drawn[textContent] = 0;
          scope.requestAnimationFrame(() => (clock.drawn[textContent] = Date.now()));
        }
      };
      new scope.MutationObserver(look).observe(body, { childList: true, subtree: true });
    });
  }

  /** When the Enter key last went down, in milliseconds since the epoch. */
  pressedAt(): Promise<number> {
    return this.#page.locator('body').evaluate(() => (globalThis as unknown as PageScope).clock.pressed);
  }

  /** When the line with exactly this text was first drawn, in milliseconds since the epoch; undefined where it was not. */
  drawnAt(text: string): Promise<number | undefined> {
    return this.#page.locator('body').evaluate((_, line) => (globalThis as unknown as PageScope).clock.drawn[line] || undefined, text);
  }

  /** Waits until the line with this text is marked as the one that was looked for. */
  async revealed(text: string): Promise<void> {
    await this.#page.locator('.row.revealed', { hasText: text }).waitFor({ timeout: 30_000 });
  }

  /** Types without sending. */
  async write(text: string): Promise<void> {
    await this.#box.fill(text);
  }

  async written(): Promise<string> {
    return this.#box.inputValue();
  }

  /** Waits until something says anything else than it did. */
  async changes(element: Locator, before: string): Promise<void> {
    await element.filter({ hasNotText: before.trim() }).waitFor();
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
