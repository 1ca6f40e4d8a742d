import { button, h, icon } from '../../reader/webview/dom.ts';
import type { ChatWords, Upload } from '../chatProtocol.ts';

export interface PendingMessage {
  readonly text: string;
  readonly files: readonly Upload[];
  readonly replyTo?: string;
}

/** Messages that are being sealed, and those that could not be: they are nowhere else, so they stay until somebody decides. */
export class Pending {
  readonly element: HTMLElement;
  readonly #words: ChatWords;
  readonly #putBack: (message: PendingMessage) => void;
  readonly #waiting = new Map<number, { readonly message: PendingMessage; readonly element: HTMLElement }>();
  #last = 0;

  constructor(words: ChatWords, putBack: (message: PendingMessage) => void) {
    this.#words = words;
    this.#putBack = putBack;
    this.element = h('div', { class: 'pending', 'aria-live': 'polite' });
  }

  /** Returns the number under which the host answers. */
  add(message: PendingMessage): number {
    const ref = ++this.#last;
    const text = message.text || (message.files[0]?.name ?? '');
    const element = h(
      'div',
      { class: 'waiting' },
      icon('loading'),
      h('span', { class: 'what' }, text),
      h('span', { class: 'quiet' }, this.#words.sealing),
    );
    element.firstElementChild?.classList.add('spin');
    this.#waiting.set(ref, { message, element });
    this.element.append(element);
    return ref;
  }

  done(ref: number): void {
    this.#waiting.get(ref)?.element.remove();
    this.#waiting.delete(ref);
  }

  refused(ref: number, sentence: string): void {
    const waiting = this.#waiting.get(ref);
    if (!waiting) return;
    const { element, message } = waiting;
    const again = button({
      icon: 'edit',
      label: this.#words.putBack,
      hint: this.#words.putBack,
      onclick: () => {
        this.done(ref);
        this.#putBack(message);
      },
    });
    element.className = 'waiting failure';
    element.replaceChildren(
      icon('error'),
      h('span', { class: 'what' }, message.text),
      h('span', {}, `${this.#words.notSent}: ${sentence}`),
      again,
    );
  }
}
