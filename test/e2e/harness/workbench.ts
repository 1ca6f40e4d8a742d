/**
 * Page objects for VS Code's own interface: what a person would press, type and read. Nothing in here knows QuMail.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { FrameLocator, Locator, Page } from 'playwright-core';

const SCREENSHOTS = join(import.meta.dirname, '../../../out/screenshots');

/** Time for one step of the interface. Starting up has its own, longer limit. */
const STEP_MS = 20_000;
const START_MS = 90_000;
/** How long a step may take before it is done again. */
const AGAIN_MS = 4000;

/** One step of the interface that takes no longer than the milliseconds it is given. */
type Step<T> = (limitMs: number) => Promise<T>;

/**
 * Does a step again, twice at most. VS Code gives a panel the focus by a word to its frame, which may arrive only when a menu or a box of its own
 * is open already, and closes it: a person opens it again. QuMail's own boxes stay open.
 */
async function again<T>(step: Step<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await step(tries < 3 ? AGAIN_MS : STEP_MS);
    } catch (error) {
      if (tries === 3) throw error;
    }
  }
}

/** What screenshots of the same step are called. */
type Theme = 'Default Dark Modern' | 'Default Light Modern' | 'Default High Contrast';

const THEME_CLASS: Readonly<Record<Theme, string>> = {
  'Default Dark Modern': 'vs-dark',
  'Default Light Modern': 'vs',
  'Default High Contrast': 'hc-black',
};

/** What pictures in each are called; the last is the one that a window starts in. */
const PICTURED: readonly { readonly theme: Theme; readonly name: string }[] = [
  { theme: 'Default Light Modern', name: 'light' },
  { theme: 'Default High Contrast', name: 'high-contrast' },
  { theme: 'Default Dark Modern', name: 'dark' },
];

export class Workbench {
  readonly page: Page;
  readonly quickInput: QuickInput;
  readonly notifications: Notifications;
  readonly dialog: ModalDialog;
  readonly editor: TextEditor;
  readonly #name: string;
  #shots = 0;
  #canLeaveEmpty = false;

  constructor(page: Page, name: string) {
    this.page = page;
    this.#name = name;
    page.setDefaultTimeout(STEP_MS);
    this.quickInput = new QuickInput(page);
    this.notifications = new Notifications(page);
    this.dialog = new ModalDialog(page);
    this.editor = new TextEditor(page);
  }

  /** Resolves when the window is drawn and its extension host answers. */
  async ready(): Promise<void> {
    await this.page.locator('.monaco-workbench .part.statusbar .statusbar-item').first().waitFor({ timeout: START_MS });
    await this.page.locator('.monaco-workbench .part.sidebar').waitFor({ state: 'attached', timeout: START_MS });
  }

  /** Reloads the window by VS Code's own command, which keeps what is open. */
  async reload(): Promise<void> {
    const loaded = this.page.waitForEvent('load', { timeout: START_MS });
    await this.runCommand('Developer: Reload Window');
    await loaded;
    await this.ready();
  }

  /** Runs a command by its whole title, category included: `QuMail: Fetch Mail`. */
  async runCommand(title: string): Promise<void> {
    await again(async (limitMs) => {
      await this.page.keyboard.press('F1');
      await this.quickInput.type(`>${title}`, limitMs);
      await this.quickInput.pick(title, limitMs);
    });
  }

  /** Runs a command that asks which one, in the words of `asked` where they are given, and chooses `label`. */
  async runAndPick(title: string, label: string, asked?: string): Promise<void> {
    await this.runCommand(title);
    await this.quickInput.shown(asked);
    await this.quickInput.pick(label);
  }

  /** Opens a view container from the activity bar by its title. */
  async openContainer(title: string): Promise<void> {
    const tab = this.page.locator('.activitybar .action-item').filter({ has: this.page.locator(`.action-label[aria-label^="${title}"]`) });
    const heading = this.page.locator('.part.sidebar .composite.title', { hasText: new RegExp(title, 'i') });
    // A press hides a container that is on show, which one that is just being restored becomes a moment later.
    for (let attempt = 0; attempt < 5 && !(await heading.isVisible()); attempt++) {
      await tab.first().click();
      await heading.waitFor({ timeout: 4000 }).catch(() => {});
    }
    await heading.waitFor();
  }

  /** A view of the open side bar, by the title in its header. */
  view(title: string): View {
    return new View(this.page, title);
  }

  /**
   * The next panels that open, as many as `count`, stay empty, as VS Code leaves one now and then: its frame waits for a service worker and is
   * never told that it runs.
   */
  async leaveNextPanelsEmpty(count: number): Promise<void> {
    if (!this.#canLeaveEmpty) {
      await this.page.addInitScript(() => {
        const { location, navigator, sessionStorage } = globalThis as unknown as FrameScope;
        const left = Number(sessionStorage.getItem('leave-empty') ?? 0);
        if (!location.pathname.endsWith('/webview/browser/pre/index.html') || left === 0) return;
        sessionStorage.setItem('leave-empty', String(left - 1));
        navigator.serviceWorker.register = () => new Promise(() => {});
      });
      this.#canLeaveEmpty = true;
    }
    await this.page.evaluate((left) => (globalThis as unknown as FrameScope).sessionStorage.setItem('leave-empty', String(left)), count);
  }

  /** The panel on show takes the focus as soon as the box that asks for `placeholder` has it, as VS Code has it do on a slow machine. */
  async panelTakesFocusFrom(placeholder: string): Promise<void> {
    await this.page.evaluate((words) => {
      const { document, MutationObserver } = globalThis as unknown as FocusScope;
      const observer = new MutationObserver(() => {
        if (!document.activeElement?.placeholder?.startsWith(words)) return;
        observer.disconnect();
        [...document.querySelectorAll('iframe.webview.ready')].at(-1)?.contentWindow.focus();
      });
      observer.observe(document.body, { subtree: true, attributeFilter: ['placeholder'] });
    }, placeholder);
  }

  /** How many panels are still to open that stay empty. */
  async panelsToLeaveEmpty(): Promise<number> {
    return this.page.evaluate(() => Number((globalThis as unknown as FrameScope).sessionStorage.getItem('leave-empty') ?? 0));
  }

  /** The content of the visible webview panel whose document contains `selector`. */
  webview(selector = 'body'): Locator {
    return this.webviewFrame().locator(selector);
  }

  /** The frame of the visible webview panel, for locators inside it. */
  webviewFrame(): FrameLocator {
    return this.page.locator('iframe.webview.ready').last().contentFrame().locator('iframe#active-frame').contentFrame();
  }

  /** A button in the title bar of the active editor, by its tooltip or label. */
  async clickEditorAction(label: string): Promise<void> {
    await this.page.locator(`.editor-group-container.active .editor-actions .action-label[aria-label^="${label}"]`).first().click();
  }

  /** The titles of the open editor tabs. */
  async tabs(): Promise<string[]> {
    return this.page.locator('.tabs-container .tab .monaco-icon-label-container').allInnerTexts();
  }

  /** Waits for an editor tab whose title contains `title` and gives it back. */
  async tab(title: string): Promise<Locator> {
    const tab = this.page.locator('.tabs-container .tab', { hasText: title }).first();
    await tab.waitFor();
    return tab;
  }

  /** The texts of the status-bar items. */
  async statusBar(): Promise<string[]> {
    return this.page.locator('.part.statusbar .statusbar-item:visible').allInnerTexts();
  }

  async #setTheme(theme: Theme): Promise<void> {
    await this.runCommand('Preferences: Color Theme');
    await this.quickInput.type(theme.replace('Default ', ''));
    await this.quickInput.accept();
    await this.page.locator(`.monaco-workbench.${THEME_CLASS[theme]}`).waitFor();
    await this.page.locator('.quick-input-widget').waitFor({ state: 'hidden' });
  }

  /** Keeps a picture in light, high contrast and dark; `prepare` brings about what a change of theme takes away. */
  async inEveryTheme(step: string, prepare: () => Promise<void> = async () => {}): Promise<void> {
    for (const { theme, name } of PICTURED) {
      await this.#setTheme(theme);
      await prepare();
      await this.screenshot(`${step}-${name}`);
    }
  }

  /** Keeps a picture of the window as `out/screenshots/<instance>-<nn>-<step>.png`; returns its path. */
  async screenshot(step: string): Promise<string> {
    return this.screenshotOf(this.page, step);
  }

  /** The same of another page that the window opened in the browser. */
  async screenshotOf(page: Page, step: string): Promise<string> {
    mkdirSync(SCREENSHOTS, { recursive: true });
    this.#shots += 1;
    const path = join(SCREENSHOTS, `${this.#name}-${String(this.#shots).padStart(2, '0')}-${step}.png`);
    await page.screenshot({ path, animations: 'disabled' });
    return path;
  }
}

/** The box at the top: command palette, quick picks, input boxes. */
export class QuickInput {
  readonly #page: Page;

  constructor(page: Page) {
    this.#page = page;
  }

  get #widget(): Locator {
    return this.#page.locator('.quick-input-widget:visible');
  }

  get #input(): Locator {
    return this.#widget.locator('.quick-input-box input');
  }

  /** Waits until it shows; with `title`, until the one with this title (or placeholder or prompt) shows. */
  async shown(title?: string, limitMs = STEP_MS): Promise<void> {
    await (title === undefined ? this.#widget : this.asking(title)).first().waitFor({ timeout: limitMs });
  }

  /** The box, where it shows this title, placeholder or prompt. */
  asking(title: string): Locator {
    const named = this.#page.locator(`.quick-input-box input[placeholder*="${title}"], .quick-input-box input[aria-label*="${title}"]`);
    return this.#widget.filter({ hasText: title }).or(this.#widget.filter({ has: named }));
  }

  async type(text: string, limitMs = STEP_MS): Promise<void> {
    await this.#input.fill(text, { timeout: limitMs });
  }

  async accept(): Promise<void> {
    await this.#input.press('Enter');
  }

  async cancel(): Promise<void> {
    await this.#input.press('Escape');
  }

  /** The labels on offer. */
  async choices(): Promise<string[]> {
    await this.#widget.locator('.monaco-list-row').first().waitFor();
    return this.#widget.locator('.monaco-list-row .label-name').allInnerTexts();
  }

  /** Chooses the first entry whose label is `label`, or contains it where none is equal. */
  async pick(label: string, limitMs = STEP_MS): Promise<void> {
    const rows = this.#widget.locator('.monaco-list-row');
    const exact = rows.filter({ has: this.#page.getByText(label, { exact: true }) });
    const containing = rows.filter({ hasText: label });
    await containing.first().waitFor({ timeout: limitMs });
    await ((await exact.count()) > 0 ? exact : containing).first().click({ timeout: limitMs });
  }

  /** Waits for the message under the box, e.g. why an input is refused. */
  async message(): Promise<string> {
    return this.#widget.locator('.quick-input-message').innerText();
  }

  /** Answers the file dialog that proposes `proposed` with another path. */
  async answerPath(proposed: string, path: string, limitMs = STEP_MS): Promise<void> {
    await this.#page.waitForFunction(
      ([selector, name]) =>
        (globalThis as unknown as InputDocument).document.querySelector(selector as string)?.value.endsWith(name as string),
      ['.quick-input-widget .quick-input-box input', proposed],
      { timeout: limitMs },
    );
    await this.type(path);
    // The dialog looks at each folder on the way and takes no answer meanwhile.
    const limit = Date.now() + STEP_MS;
    while (await this.#widget.isVisible()) {
      if (Date.now() > limit) throw new Error(`the file dialog does not take ${path}`);
      await this.#page.keyboard.press('Enter');
      await this.#page
        .locator('.quick-input-widget')
        .waitFor({ state: 'hidden', timeout: 1000 })
        .catch(() => {});
    }
  }

  /** Fills in the input box titled `title` and accepts. */
  async answer(title: string, text: string): Promise<void> {
    await this.shown(title);
    await this.type(text);
    await this.accept();
  }
}

/** Toasts and the notification centre. */
export class Notifications {
  readonly #page: Page;

  constructor(page: Page) {
    this.#page = page;
  }

  get #items(): Locator {
    return this.#page.locator('.notifications-toasts .notification-list-item:visible');
  }

  /** Messages of the toasts on screen. */
  async messages(): Promise<string[]> {
    return this.#items.locator('.notification-list-item-message').allInnerTexts();
  }

  /** Waits for a toast containing `text`; returns its whole message. */
  async expect(text: string | RegExp, limitMs = STEP_MS): Promise<string> {
    const item = this.#items.filter({ hasText: text }).first();
    await item.waitFor({ timeout: limitMs });
    return item.locator('.notification-list-item-message').innerText();
  }

  /** Presses a button of the toast containing `text`. */
  async click(text: string | RegExp, button: string): Promise<void> {
    await this.#items.filter({ hasText: text }).first().getByRole('button', { name: button }).click();
  }

  async clear(): Promise<void> {
    for (const close of await this.#items.locator('.codicon-notifications-clear').all()) await close.click({ force: true });
  }
}

/** A modal dialog. */
export class ModalDialog {
  readonly #page: Page;

  constructor(page: Page) {
    this.#page = page;
  }

  /** Waits for a dialog containing `text`; returns all its text. */
  async expect(text: string | RegExp, limitMs = STEP_MS): Promise<string> {
    const box = this.#box(text);
    await box.waitFor({ timeout: limitMs });
    return box.innerText();
  }

  /** Presses a button of the dialog containing `text`. */
  async click(text: string | RegExp, button: string): Promise<void> {
    await this.#box(text).getByRole('button', { name: button, exact: true }).click();
  }

  #box(text: string | RegExp): Locator {
    return this.#page.locator('.monaco-dialog-box', { hasText: text });
  }
}

/** What is used of the browser's own types, which this project's compiler settings leave out. */
interface ClipboardNavigator {
  readonly clipboard: { writeText(text: string): Promise<void> };
}

interface InputDocument {
  readonly document: { querySelector(selector: string): { readonly value: string } | null };
}

interface FrameScope {
  readonly location: { readonly pathname: string };
  readonly sessionStorage: {
    getItem(name: string): string | null;
    setItem(name: string, value: string): void;
  };
  readonly navigator: { readonly serviceWorker: { register: () => Promise<never> } };
}

interface FocusScope {
  readonly document: {
    readonly body: unknown;
    readonly activeElement: { readonly placeholder?: string } | null;
    querySelectorAll(selector: string): Iterable<{ readonly contentWindow: { focus(): void } }>;
  };
  readonly MutationObserver: new (heard: () => void) => { observe(target: unknown, options: object): void; disconnect(): void };
}

interface DrawnLine {
  readonly style: { readonly top: string };
  readonly textContent: string;
}

/** The active text editor. */
export class TextEditor {
  readonly #page: Page;

  constructor(page: Page) {
    this.#page = page;
  }

  get #editor(): Locator {
    return this.#page.locator('.editor-group-container.active .editor-instance .monaco-editor').first();
  }

  async focus(): Promise<void> {
    await this.#editor.locator('.view-lines').click();
  }

  /** Types at the cursor, key by key. Completion and automatic closing of brackets take part, as for a person. */
  async type(text: string): Promise<void> {
    await this.#page.keyboard.type(text);
  }

  /** Replaces the whole document in one paste, which no completion can change, and shows its beginning; the cursor stays at the end. */
  async setText(text: string): Promise<void> {
    await this.focus();
    await this.#page.keyboard.press('ControlOrMeta+a');
    await this.#page.evaluate((value) => (navigator as unknown as ClipboardNavigator).clipboard.writeText(value), text);
    await this.#page.keyboard.press('ControlOrMeta+v');
    // VS Code may have followed the cursor while it was still measuring the editor.
    await this.#page.mouse.wheel(0, -10_000);
  }

  /** The lines on screen (VS Code draws only those), no-break spaces as spaces. */
  async visibleText(): Promise<string> {
    const lines = await this.#editor.locator('.view-line').evaluateAll((elements) =>
      (elements as unknown as DrawnLine[])
        .map((line) => ({ top: Number.parseFloat(line.style.top), text: line.textContent }))
        .toSorted((a, b) => a.top - b.top)
        .map((line) => line.text),
    );
    return lines.join('\n').replaceAll('\u00A0', ' ');
  }

  /** How many squiggles of this severity are on screen. */
  async squiggles(severity: 'error' | 'warning' | 'info'): Promise<number> {
    return this.#editor.locator(`.squiggly-${severity}`).count();
  }
}

/** A tree view (or welcome text) in the side bar. */
export class View {
  readonly #page: Page;
  readonly #title: string;

  constructor(page: Page, title: string) {
    this.#page = page;
    this.#title = title;
  }

  get #pane(): Locator {
    return this.#page.locator('.part.sidebar .pane').filter({ has: this.#page.locator(`.pane-header[aria-label^="${this.#title}"]`) });
  }

  get #rows(): Locator {
    return this.#pane.locator('.monaco-list-row');
  }

  /** Waits until the view is there, and unfolds it. */
  async open(): Promise<void> {
    const header = this.#pane.locator('.pane-header');
    await header.waitFor();
    if ((await header.getAttribute('aria-expanded')) !== 'true') await header.click();
  }

  /** Labels of the rows on screen, with their descriptions: `Inbox 3`. */
  async items(): Promise<string[]> {
    const texts = await this.#rows.allInnerTexts();
    return texts.map((text) => text.replaceAll(/\s+/g, ' ').trim());
  }

  /** Waits for the first row containing `text`. */
  async item(text: string | RegExp): Promise<Locator> {
    const row = this.#rows.filter({ hasText: text }).first();
    await row.waitFor();
    return row;
  }

  async select(text: string | RegExp): Promise<void> {
    await (await this.item(text)).click();
  }

  /** Unfolds a row by its twistie. */
  async expand(text: string | RegExp): Promise<void> {
    const row = await this.item(text);
    if ((await row.getAttribute('aria-expanded')) === 'false') await row.locator('.monaco-tl-twistie').click();
  }

  /** Presses an inline action of a row, by its tooltip. */
  async clickItemAction(text: string | RegExp, action: string): Promise<void> {
    const row = await this.item(text);
    await row.hover();
    await row.locator(`.action-label[aria-label^="${action}"]`).click();
  }

  /** Chooses from a row's context menu, then answers what that asks. */
  async chooseFromMenu<T = void>(text: string | RegExp, entry: string, answer?: Step<T>): Promise<T | undefined> {
    return again(async (limitMs) => {
      await (await this.item(text)).click({ button: 'right' });
      // VS Code takes no mouse click in the first tenth of a second of a menu, but a key at any time.
      await this.#page.locator('.context-view .action-item', { hasText: entry }).first().hover({ timeout: limitMs });
      await this.#page.keyboard.press('Enter');
      return answer?.(limitMs);
    });
  }

  /** Presses a button in the view's title bar, by its tooltip. */
  async clickTitleAction(action: string): Promise<void> {
    await this.#pane.locator('.pane-header').hover();
    await this.#pane.locator(`.pane-header .action-label[aria-label^="${action}"]`).click();
  }

  /** The welcome text of an empty view. */
  async welcome(): Promise<string> {
    const welcome = this.#pane.locator('.welcome-view-content');
    await welcome.waitFor();
    return welcome.innerText();
  }

  /** Presses a button of the welcome text. */
  async clickWelcome(label: string): Promise<void> {
    await this.#pane.locator('.welcome-view-content .monaco-button', { hasText: label }).click();
  }
}
