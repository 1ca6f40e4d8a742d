import { button, fill, h, icon } from '../../reader/webview/dom.ts';
import type { ShownChat, ShownLine } from '../chatProtocol.ts';
import { Avatar } from './avatar.ts';
import type { Page } from './page.ts';

/** Who is in the chat, how safe that is, and the search. */
export class ChatHeader {
  readonly element: HTMLElement;
  readonly #page: Page;
  readonly #bar: HTMLElement;
  readonly #note: HTMLElement;
  readonly #search: HTMLElement;
  readonly #box: HTMLInputElement;
  readonly #found: HTMLElement;
  readonly #leave: () => void;
  readonly #avatar = new Avatar();
  #shown = '';

  /** @param leave where the focus goes when the search is closed */
  constructor(page: Page, leave: () => void) {
    this.#page = page;
    this.#leave = leave;
    const { words } = page;
    this.#bar = h('div', { class: 'bar' });
    this.#note = h('p', { class: 'note', role: 'status' });
    this.#box = h('input', { type: 'search', maxlength: '500', placeholder: words.search, 'aria-label': words.search });
    this.#found = h('div', { class: 'found', 'aria-live': 'polite' });
    this.#search = h(
      'div',
      { class: 'search', role: 'search', hidden: '' },
      h(
        'div',
        { class: 'search-row' },
        this.#box,
        button({ icon: 'search', hint: words.searchFor, onclick: () => this.#ask() }),
        button({ icon: 'close', hint: words.close, onclick: () => this.closeSearch() }),
      ),
      this.#found,
    );
    this.#box.addEventListener('keydown', (event) => {
      if (event.key === 'Enter') this.#ask();
      else if (event.key === 'Escape') this.closeSearch();
    });
    this.element = h('header', { class: 'top' }, this.#bar, this.#note, this.#search);
  }

  show(chat: ShownChat): void {
    const { words, ask } = this.#page;
    const shown = JSON.stringify(chat);
    // What is the same stays, with the focus in it.
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.#avatar.rename(chat.name);
    const { safety } = chat;
    this.#bar.replaceChildren(
      this.#avatar.element,
      h(
        'div',
        { class: 'who' },
        h('h1', { title: chat.name }, chat.name),
        h('span', { class: 'quiet', title: chat.members }, chat.members),
      ),
      ...(chat.simulated ? [h('span', { class: 'badge' }, words.simulated)] : []),
      ...(chat.timer === '' ? [] : [h('span', { class: 'quiet timer', title: chat.timer }, icon('watch'), chat.timer)]),
      button({
        icon: safety.icon,
        label: safety.word,
        hint: words.members,
        kind: `action safety ${safety.tone}`,
        onclick: () => ask({ kind: 'command', command: 'members' }),
      }),
      button({ icon: 'search', hint: words.search, onclick: () => this.openSearch() }),
      button({ icon: 'ellipsis', hint: words.more, onclick: () => ask({ kind: 'command', command: 'more' }) }),
    );
    this.#note.textContent = chat.note;
    this.#note.hidden = chat.note === '';
  }

  picture(picture: Parameters<Avatar['show']>[0]): void {
    void this.#avatar.show(picture);
  }

  openSearch(): void {
    this.#search.hidden = false;
    this.#box.focus();
    this.#box.select();
  }

  closeSearch(): void {
    this.#search.hidden = true;
    this.#found.replaceChildren();
    this.#leave();
  }

  found(lines: readonly ShownLine[]): void {
    const { words } = this.#page;
    this.#found.replaceChildren(
      h('p', { class: 'quiet' }, lines.length === 0 ? words.notFound : fill(words.found, lines.length)),
      ...lines.map((line) =>
        h(
          'button',
          { type: 'button', class: 'hit', onclick: () => this.#page.jump(line.id) },
          h('strong', {}, line.author),
          h('span', {}, (line.text || (line.files[0]?.name ?? '')).slice(0, 200)),
          h('time', {}, `${line.day} ${line.time}`),
        ),
      ),
    );
  }

  #ask(): void {
    const text = this.#box.value.trim();
    if (text !== '') this.#page.ask({ kind: 'search', text });
  }
}
