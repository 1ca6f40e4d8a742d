import type { Disposable, WebviewPanel } from 'vscode';
import { after, type After } from './after.ts';

/**
 * How long a page that is on screen may say nothing until it is loaded anew, in milliseconds, and how long the new one may: longer, for on a slow
 * connection it is still under way. Then it is given up.
 */
export const PATIENCE_MS: readonly number[] = [5000, 10_000];

/** What a page said while this program was busy is heard first: timers that are overdue come before it. */
export const HEARING_MS = 250;

type WatchedPanel = Pick<WebviewPanel, 'visible' | 'options' | 'onDidChangeViewState'>;

/** What to do about a page that does not come up. */
export interface EmptyPage {
  /** Load it anew, then `begin` again. */
  readonly anew: () => void;
  readonly givenUp: () => void;
}

/**
 * Notices a page that does not come up. VS Code loads a page when its panel comes on screen, by way of a service worker of the browser, and
 * where that worker does not start it leaves the panel empty for good and tells the extension nothing (microsoft/vscode#125993). A page says
 * that it is there each time it has been loaded; one that is on screen and does not is loaded anew.
 */
export class PageWatch {
  readonly #acts: EmptyPage;
  readonly #after: After;
  #panel: WatchedPanel | undefined;
  #following: Disposable | undefined;
  #timer: { dispose(): void } | undefined;
  #tries = 0;
  #visible = false;
  #there = false;

  /** @param tries how often the page was loaded in vain before, by somebody else */
  constructor(acts: EmptyPage, { tries = 0, clock = after }: { readonly tries?: number; readonly clock?: After } = {}) {
    this.#acts = acts;
    this.#tries = tries;
    this.#after = clock;
  }

  /** It was given up, and has neither come up nor been loaded anew since. */
  get gaveUp(): boolean {
    return this.#tries >= PATIENCE_MS.length;
  }

  /** The panel's page has been loaded, or the page of another panel in its place. One that was given up is waited for once more. */
  begin(panel: WatchedPanel): void {
    this.#tries = Math.min(this.#tries, PATIENCE_MS.length - 1);
    if (panel !== this.#panel) {
      this.#following?.dispose();
      this.#following = panel.onDidChangeViewState(() => this.#moved());
      this.#panel = panel;
    }
    this.#visible = panel.visible;
    this.#there = false;
    this.#wait();
  }

  /** The page says that it is there. */
  ready(): void {
    this.#timer?.dispose();
    this.#tries = 0;
    this.#there = true;
  }

  dispose(): void {
    this.#timer?.dispose();
    this.#following?.dispose();
    this.#panel = undefined;
  }

  #moved(): void {
    const visible = this.#panel?.visible ?? false;
    if (visible === this.#visible) return;
    this.#visible = visible;
    // VS Code drops the page of a panel that is hidden, and loads it again when the panel is shown; unless it was asked to keep it.
    if (!this.#there || !this.#panel?.options.retainContextWhenHidden) this.#wait();
  }

  #wait(): void {
    this.#timer?.dispose();
    const ms = PATIENCE_MS[this.#tries];
    if (!this.#visible || ms === undefined) return;
    this.#timer = this.#after(ms, () => {
      this.#timer = this.#after(HEARING_MS, () => {
        this.#tries++;
        if (this.gaveUp) this.#acts.givenUp();
        else this.#acts.anew();
      });
    });
  }
}
