import { button, fill, h } from '../../reader/webview/dom.ts';
import type { ShownLine } from '../chatProtocol.ts';
import { spoken } from './line.ts';
import type { Page } from './page.ts';

/** Lines that came, for screen readers to go back to. */
const MAX_HEARD = 10;

/** The buttons over the list, to its end and to what is unread, and what a screen reader hears of what comes. */
export class Ways {
  readonly elements: readonly HTMLElement[];
  readonly #page: Page;
  readonly #latest: HTMLElement;
  readonly #toUnread: HTMLElement;
  readonly #heard = h('div', { class: 'heard', role: 'log', 'aria-live': 'polite' });

  constructor(page: Page, go: { readonly toEnd: () => void; readonly toUnread: () => void }) {
    this.#page = page;
    const { words } = page;
    this.#latest = button({ icon: 'arrow-down', hint: words.latest, kind: 'latest', onclick: go.toEnd });
    this.#toUnread = button({ icon: 'arrow-up', hint: words.toUnread, kind: 'latest first-unread', onclick: go.toUnread });
    this.#toUnread.setAttribute('aria-keyshortcuts', 'U');
    this.elements = [this.#toUnread, this.#latest, this.#heard];
  }

  /** @param way `below` is how many messages came below what is on screen */
  show(way: { readonly end: 'here' | 'away'; readonly unread: 'above' | 'none'; readonly below: number }): void {
    const { words } = this.#page;
    const hint = way.below > 0 ? fill(words.newBelow, way.below) : words.latest;
    this.#latest.classList.toggle('shown', way.end === 'away');
    this.#toUnread.classList.toggle('shown', way.unread === 'above');
    if (this.#latest.title === hint) return;
    this.#latest.title = hint;
    this.#latest.setAttribute('aria-label', hint);
    this.#latest.dataset['count'] = way.below > 0 ? String(way.below) : '';
  }

  tell(lines: readonly ShownLine[]): void {
    this.#heard.append(...lines.map((line) => h('p', {}, line.kind === 'notice' ? line.text : spoken(line, this.#page))));
    while (this.#heard.childElementCount > MAX_HEARD) this.#heard.firstElementChild?.remove();
  }
}
