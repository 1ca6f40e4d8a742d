import { fill, h, icon } from '../../reader/webview/dom.ts';
import type { ChatWords } from '../chatProtocol.ts';
import { remaining } from './remaining.ts';

const TICK_MS = 1000;
/** The last minute looks different. */
const SOON_MS = 60_000;

/** The time until a message disappears. A screen reader is not told each second; the row says when it will be. */
export function countdownView(expiresAt: number, hint: string, words: Pick<ChatWords, 'expiresIn'>): HTMLElement {
  const view = h(
    'span',
    { class: 'expires', role: 'timer', 'aria-live': 'off', title: hint, 'data-at': String(expiresAt) },
    icon('watch'),
    h('span', { class: 'left' }),
  );
  tell(view, words, Date.now());
  return view;
}

function tell(view: HTMLElement, words: Pick<ChatWords, 'expiresIn'>, now: number): void {
  const left = Number(view.dataset['at']) - now;
  const text = fill(words.expiresIn, remaining(left, document.documentElement.lang || 'en'));
  const shown = view.querySelector('.left');
  if (shown && shown.textContent !== text) shown.textContent = text;
  view.classList.toggle('soon', left < SOON_MS);
}

/** Keeps the countdowns among some rows going while there are any, and while anybody can see them. */
export class Countdowns {
  readonly #rows: HTMLElement;
  readonly #words: Pick<ChatWords, 'expiresIn'>;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(rows: HTMLElement, words: Pick<ChatWords, 'expiresIn'>) {
    this.#rows = rows;
    this.#words = words;
  }

  /** The rows are other ones now. */
  look(): void {
    const some = this.#rows.querySelector('.expires') !== null;
    if (some) this.#timer ??= setInterval(() => this.#tick(), TICK_MS);
    else if (this.#timer !== undefined) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
  }

  #tick(): void {
    if (document.hidden) return;
    const now = Date.now();
    for (const view of this.#rows.querySelectorAll<HTMLElement>('.expires')) tell(view, this.#words, now);
  }
}
