import { h } from '../../reader/webview/dom.ts';
import { square, type RawPicture } from './square.ts';

/** Pixels of a side: enough for a screen with three to a CSS pixel. */
const SIDE = 96;

/** What stands for a chat: the picture of its group, drawn anew as pixels, or the first letter of its name. Says nothing that the name does not. */
export class Avatar {
  readonly element = h('span', { class: 'avatar', 'aria-hidden': 'true' });
  #letter = '';
  #turn = 0;

  rename(name: string): void {
    this.#letter = firstLetter(name);
    if (!this.element.querySelector('canvas')) this.element.textContent = this.#letter;
  }

  /** What cannot be decoded is no picture. */
  async show(picture: RawPicture | undefined): Promise<void> {
    const turn = ++this.#turn;
    const canvas = picture && (await square(picture, SIDE).catch(() => undefined));
    if (turn === this.#turn) this.element.replaceChildren(canvas ?? this.#letter);
  }
}

function firstLetter(name: string): string {
  const [first] = new Intl.Segmenter(undefined, { granularity: 'grapheme' }).segment(name.trim());
  return (first?.segment ?? '').toLocaleUpperCase();
}
