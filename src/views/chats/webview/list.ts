import { h } from '../../reader/webview/dom.ts';
import type { ShownLine, Stretch } from '../chatProtocol.ts';
import { ChatLines, contextOf } from './chatLines.ts';
import { Countdowns } from './countdown.ts';
import { Heights } from './heights.ts';
import { lineRow } from './line.ts';
import type { Page } from './page.ts';
import { Ways } from './ways.ts';

/** Drawn above and below what is seen, in CSS pixels. */
const OVERSCAN = 600;
/** This near to the end the list follows what is new. */
const NEAR_END = 48;
/** Older messages are asked for when so many rows are left above. */
const AHEAD = 20;
const SEEN_AFTER_MS = 150;

interface Drawn {
  readonly element: HTMLElement;
  readonly version: string;
}

/** Where the eye is: at the end, or at a row this far above the top edge. */
type Anchor = 'end' | { readonly id: string; readonly above: number };

/** The messages: only what is near the window is drawn, in rows whose heights are measured once they are. */
export class MessageList {
  readonly element: HTMLElement;
  readonly lines = new ChatLines();
  readonly #page: Page;
  readonly #heights = new Heights();
  readonly #scroller: HTMLElement;
  readonly #space: HTMLElement;
  readonly #rows: HTMLElement;
  readonly #ways: Ways;
  readonly #countdowns: Countdowns;
  readonly #drawn = new Map<string, Drawn>();
  readonly #pictures = new Map<string, Record<number, string>>();
  #older: 'some' | 'asked' | 'none' = 'none';
  #unread: string | undefined;
  #focused: string | undefined;
  #seen = '';
  #seenTimer: ReturnType<typeof setTimeout> | undefined;
  #follow: 'end' | 'place' = 'end';
  #width = 0;
  /** Messages that came below what is on screen. */
  #below = 0;

  constructor(page: Page) {
    this.#page = page;
    this.#rows = h('div', { class: 'rows', role: 'list', 'aria-label': page.words.messages });
    this.#space = h('div', { class: 'space' }, this.#rows);
    this.#scroller = h('div', { class: 'scroller', tabindex: '0', 'aria-label': page.words.messages, role: 'region' }, this.#space);
    this.#ways = new Ways(page, { toEnd: () => this.toEnd(), toUnread: () => this.toUnread() });
    this.#countdowns = new Countdowns(this.#rows, page.words);
    this.element = h('section', { class: 'list' }, this.#scroller, ...this.#ways.elements);
    this.#scroller.addEventListener('scroll', () => this.#onScroll(), { passive: true });
    this.#scroller.addEventListener('keydown', (event) => this.#onKey(event));
    this.#rows.addEventListener('focusin', (event) => {
      this.#focused = (event.target as HTMLElement).closest<HTMLElement>('.row')?.dataset['id'];
    });
    new ResizeObserver(() => this.#onResize()).observe(this.#scroller);
  }

  /** The chat as it is opened: at its end, or where reading goes on. */
  open(stretch: Stretch, older: boolean, unread: string | undefined): void {
    this.lines.clear();
    this.#heights.forget();
    this.#unread = unread;
    this.#follow = 'end';
    this.take(stretch, older);
    const at = unread === undefined ? -1 : this.lines.indexOf(unread);
    if (at >= 0 && this.#heights.total - this.#heights.offsetOf(at) > this.#scroller.clientHeight) this.#scrollTo(at, 0.2);
    else this.toEnd();
  }

  /** Takes a stretch of the chat as it is now and keeps the eye where it is. */
  take(stretch: Stretch, older: boolean): void {
    const anchor = this.#anchor();
    const fresh = this.lines.take(stretch);
    this.#noteFresh(fresh.filter(({ kind }) => kind === 'message'));
    this.#older = older ? 'some' : 'none';
    this.#heights.setRows(this.lines.all.map(({ id }) => id));
    this.#draw(anchor);
    this.#ways.tell(fresh);
  }

  /** What came while the eye was elsewhere: where it begins, and how much of it lies below. */
  #noteFresh(fresh: readonly ShownLine[]): void {
    const [first] = fresh;
    if (!first) return;
    const away = this.#follow === 'place' || !document.hasFocus();
    const marked = this.#unread === undefined ? -1 : this.lines.indexOf(this.#unread);
    if (away && (marked < 0 || this.#below === 0)) this.#unread = first.id;
    if (this.#follow === 'place') this.#below += fresh.length;
  }

  /** A picture that was asked for. */
  picture(id: string, index: number, url: string): void {
    this.#pictures.set(id, { ...this.#pictures.get(id), [index]: url });
    this.#draw(this.#anchor());
  }

  /** Shows and marks a message; false where it is not known here yet. */
  reveal(id: string): boolean {
    const at = this.lines.indexOf(id);
    if (at < 0) return false;
    this.#scrollTo(at, 0.3);
    const row = this.#drawn.get(id)?.element;
    row?.focus({ preventScroll: true });
    row?.classList.add('revealed');
    setTimeout(() => row?.classList.remove('revealed'), 2000);
    return true;
  }

  /** To where reading went on when the chat was opened, or to the first line that came meanwhile. */
  toUnread(): void {
    if (this.#unread !== undefined) this.reveal(this.#unread);
  }

  toEnd(): void {
    this.#follow = 'end';
    this.#draw('end');
  }

  #anchor(): Anchor {
    if (this.#follow === 'end') return 'end';
    const top = this.#scroller.scrollTop;
    const at = this.#heights.indexAt(top);
    const line = this.lines.at(at);
    return line ? { id: line.id, above: top - this.#heights.offsetOf(at) } : 'end';
  }

  #scrollTo(index: number, share: number): void {
    const line = this.lines.at(index);
    if (!line) return;
    this.#follow = 'place';
    this.#draw({ id: line.id, above: -this.#scroller.clientHeight * share });
  }

  /** Draws the window around the anchor. Heights that turn out otherwise than guessed move the window, so it is looked at again. */
  #draw(anchor: Anchor): void {
    const scroller = this.#scroller;
    for (let pass = 0; pass < 4; pass++) {
      const room = scroller.clientHeight;
      this.#space.style.height = `${this.#heights.total}px`;
      const top = this.#topOf(anchor, room);
      if (Math.abs(scroller.scrollTop - top) > 0.5) scroller.scrollTop = top;
      const { start, end, offset } = this.#heights.windowOf(scroller.scrollTop - OVERSCAN, scroller.scrollTop + room + OVERSCAN);
      this.#fill(start, end);
      this.#rows.style.transform = `translateY(${offset}px)`;
      let moved = false;
      for (const [id, { element }] of this.#drawn) if (this.#heights.measure(id, element.offsetHeight) === 'moved') moved = true;
      if (!moved) break;
    }
    this.#showWays();
    this.#countdowns.look();
    this.#askOlder();
    this.#tellSeen();
  }

  #showWays(): void {
    if (this.#follow === 'end') this.#below = 0;
    const unread = this.#unread === undefined ? -1 : this.lines.indexOf(this.#unread);
    const above = unread >= 0 && this.#heights.offsetOf(unread + 1) < this.#scroller.scrollTop;
    this.#ways.show({ end: this.#follow === 'end' ? 'here' : 'away', unread: above ? 'above' : 'none', below: this.#below });
  }

  #topOf(anchor: Anchor, room: number): number {
    if (anchor === 'end') return Math.max(0, this.#scroller.scrollHeight - room);
    const at = this.lines.indexOf(anchor.id);
    return Math.max(0, this.#heights.offsetOf(Math.max(0, at)) + anchor.above);
  }

  /** Rows `start`..`end` and no others are in the document; what has not changed stays the same element. */
  #fill(start: number, end: number): void {
    const wanted = new Set<string>();
    const hadFocus = this.#rows.contains(document.activeElement);
    let before: Element | null = null;
    for (let index = start; index < end; index++) {
      const line = this.lines.at(index);
      if (!line) continue;
      wanted.add(line.id);
      const extras = {
        ...contextOf(line, this.lines.at(index - 1)),
        unread: line.id === this.#unread ? ('here' as const) : ('not-here' as const),
        pictures: this.#pictures.get(line.id) ?? {},
      };
      const quoted = line.replyTo === undefined ? undefined : this.lines.byId(line.replyTo);
      const version = JSON.stringify([line, extras, quoted?.text, quoted?.deleted]);
      let drawn = this.#drawn.get(line.id);
      if (drawn?.version !== version) {
        const element = lineRow(line, extras, this.#page);
        drawn?.element.replaceWith(element);
        drawn = { element, version };
        this.#drawn.set(line.id, drawn);
      }
      const { element } = drawn;
      const next: Element | null = before === null ? this.#rows.firstElementChild : before.nextElementSibling;
      if (next !== element) this.#rows.insertBefore(element, next);
      before = element;
    }
    for (const [id, { element }] of this.#drawn) {
      if (wanted.has(id)) continue;
      element.remove();
      this.#drawn.delete(id);
    }
    // A row that was drawn anew, or left the window, takes the focus with it.
    if (hadFocus && !this.#rows.contains(document.activeElement)) {
      (this.#drawn.get(this.#focused ?? '')?.element ?? this.#scroller).focus({ preventScroll: true });
    }
  }

  #askOlder(): void {
    if (this.#older !== 'some' || this.#heights.indexAt(this.#scroller.scrollTop) > AHEAD) return;
    this.#older = 'asked';
    this.#page.ask({ kind: 'older' });
  }

  /** Tells the host what is on screen once it has stood still. */
  #tellSeen(): void {
    clearTimeout(this.#seenTimer);
    this.#seenTimer = setTimeout(() => {
      const { scrollTop, clientHeight } = this.#scroller;
      const visible = this.lines.all
        .slice(Math.max(0, this.#heights.indexAt(scrollTop)), this.#heights.indexAt(scrollTop + clientHeight - 8) + 1)
        .filter(({ kind }) => kind === 'message');
      const [first, last] = [visible[0], visible.at(-1)];
      if (!first || !last || this.#seen === `${first.id} ${last.id}`) return;
      this.#seen = `${first.id} ${last.id}`;
      this.#page.ask({ kind: 'seen', first: first.id, last: last.id });
    }, SEEN_AFTER_MS);
  }

  #onScroll(): void {
    const { scrollTop, clientHeight, scrollHeight } = this.#scroller;
    this.#follow = scrollHeight - clientHeight - scrollTop < NEAR_END ? 'end' : 'place';
    this.#draw(this.#anchor());
  }

  #onResize(): void {
    const anchor = this.#anchor();
    if (this.#width !== this.#scroller.clientWidth) {
      this.#width = this.#scroller.clientWidth;
      this.#heights.forget();
    }
    this.#draw(anchor);
  }

  /** Arrow keys go from message to message, Home and End to the ends; letters act on the message with the focus. */
  #onKey(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.target as HTMLElement;
    if (target !== this.#scroller && !target.classList.contains('row')) {
      if (event.key === 'Escape') target.closest<HTMLElement>('.row')?.focus();
      return;
    }
    const at = target === this.#scroller ? this.lines.length : this.lines.indexOf(target.dataset['id'] ?? '');
    const step: Partial<Record<string, number>> = { ArrowUp: at - 1, ArrowDown: at + 1, Home: 0, End: this.lines.length - 1 };
    const to = step[event.key];
    const line = this.lines.at(at);
    if (to !== undefined) this.#focusLine(Math.min(to, this.lines.length - 1));
    else if (event.key === 'u') this.toUnread();
    else if (
      !line ||
      line.kind !== 'message' ||
      line.deleted ||
      line.elsewhere ||
      this.#page.writable === 'no' ||
      this.#act(event.key, line) === 'no'
    )
      return;
    event.preventDefault();
  }

  #act(key: string, line: ShownLine): 'done' | 'no' {
    if (key === 'r') this.#page.reply(line);
    else if (key === '+') this.#drawn.get(line.id)?.element.querySelector<HTMLElement>('[aria-keyshortcuts="+"]')?.click();
    else if (key === 'e' && line.own) this.#page.edit(line);
    else if (key === 'Delete' && line.own) this.#page.ask({ kind: 'take-back', id: line.id });
    else return 'no';
    return 'done';
  }

  #focusLine(index: number): void {
    const line = this.lines.at(Math.max(0, index));
    if (!line) return;
    const top = this.#heights.offsetOf(Math.max(0, index));
    const { scrollTop, clientHeight } = this.#scroller;
    const height = this.#heights.offsetOf(index + 1) - top;
    if (top < scrollTop || top + height > scrollTop + clientHeight) {
      if (index === this.lines.length - 1) this.toEnd();
      else this.#scrollTo(Math.max(0, index), top < scrollTop ? 0.05 : Math.max(0, 0.95 - height / clientHeight));
    }
    this.#drawn.get(line.id)?.element.focus({ preventScroll: true });
  }
}
