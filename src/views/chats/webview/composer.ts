import { button, fill, h, icon } from '../../reader/webview/dom.ts';
import { MAX_TEXT, type ShownChat, type ShownLine, type Upload } from '../chatProtocol.ts';
import { readFiles } from './files.ts';
import type { Page } from './page.ts';

/** A draft is saved when the hands have rested this long. */
const DRAFT_AFTER_MS = 400;

export interface ComposerActions {
  send(message: { text: string; files: readonly Upload[]; replyTo?: string }): void;
  /** The newest own message, for ArrowUp. */
  lastOwn(): ShownLine | undefined;
  /** Remembered by the page itself, so that hiding it loses nothing. */
  remember(text: string): void;
}

/** Markdown's marks by the keys that every editor has for them. */
const MARKS: Readonly<Partial<Record<string, string>>> = { b: '**', i: '*', e: '`' };

type About = { readonly kind: 'reply' | 'edit'; readonly line: ShownLine };

/** Where messages are written: text, files, what it answers or changes. Enter sends, Shift+Enter begins a line. */
export class Composer {
  readonly element: HTMLElement;
  readonly #page: Page;
  readonly #actions: ComposerActions;
  readonly #text: HTMLTextAreaElement;
  readonly #aboutBar: HTMLElement;
  readonly #fileBar: HTMLElement;
  readonly #level: HTMLElement;
  readonly #picker: HTMLInputElement;
  #about: About | undefined;
  #files: readonly Upload[] = [];
  #kept = '';
  #shownLevel = '';
  /** Runs while there is something that no draft has. */
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(page: Page, actions: ComposerActions) {
    this.#page = page;
    this.#actions = actions;
    const { words } = page;
    this.#text = h('textarea', {
      rows: '1',
      maxlength: String(MAX_TEXT),
      placeholder: words.write,
      'aria-label': words.write,
      dir: 'auto',
    });
    this.#aboutBar = h('div', { class: 'about', 'aria-live': 'polite' });
    this.#fileBar = h('div', { class: 'picked' });
    this.#level = h('span', { class: 'level' });
    this.#picker = h('input', { type: 'file', multiple: '', hidden: '', 'aria-hidden': 'true', tabindex: '-1' });
    this.element = h(
      'footer',
      { class: 'composer' },
      this.#aboutBar,
      this.#fileBar,
      h(
        'div',
        { class: 'compose-row' },
        button({ icon: 'attach', hint: words.attach, onclick: () => this.#picker.click() }),
        this.#text,
        button({ icon: 'send', hint: words.send, kind: 'action primary', onclick: () => this.#send() }),
      ),
      h('div', { class: 'compose-foot' }, this.#level),
      this.#picker,
    );
    this.#text.addEventListener('input', () => this.#onInput());
    this.#text.addEventListener('keydown', (event) => this.#onKey(event));
    this.#text.addEventListener('paste', (event) => this.#onPaste(event));
    this.#picker.addEventListener('change', () => {
      void this.add([...(this.#picker.files ?? [])]);
      this.#picker.value = '';
    });
    // Whoever leaves the box may be about to leave the page, which then has no time for it.
    this.#text.addEventListener('blur', () => {
      if (this.#timer !== undefined) this.#saveDraft();
    });
    addEventListener('pagehide', () => this.#saveDraft());
  }

  show(chat: ShownChat): void {
    this.element.hidden = !chat.writable;
    const shown = `${chat.levelIcon} ${chat.level} ${chat.levelName}`;
    // What is the same stays, with the focus in it.
    if (shown === this.#shownLevel) return;
    this.#shownLevel = shown;
    this.#level.replaceChildren(
      button({
        icon: chat.levelIcon,
        label: `${chat.level} · ${chat.levelName}`,
        hint: this.#page.words.level,
        onclick: () => this.#page.ask({ kind: 'command', command: 'level' }),
      }),
    );
  }

  focus(): void {
    this.#text.focus();
  }

  setText(text: string): void {
    this.#text.value = text;
    this.#grow();
  }

  reply(line: ShownLine): void {
    this.#setAbout({ kind: 'reply', line });
  }

  /** The text of the message takes the place of what is being written, which comes back afterwards. */
  edit(line: ShownLine): void {
    if (this.#about?.kind !== 'edit') this.#kept = this.#text.value;
    this.setText(line.text);
    this.#setAbout({ kind: 'edit', line });
  }

  async add(picked: readonly File[]): Promise<void> {
    if (picked.length === 0) return;
    const read = await readFiles(picked, this.#files);
    if (read === 'too-large') this.#fileBar.append(h('p', { class: 'failure', role: 'alert' }, this.#page.words.tooLarge));
    else this.#setFiles([...this.#files, ...read]);
    this.focus();
  }

  /** Puts back what could not be sent. */
  putBack(text: string, files: readonly Upload[]): void {
    this.setText(this.#text.value === '' ? text : `${this.#text.value}\n${text}`);
    this.#setFiles([...files, ...this.#files]);
    this.#onInput();
    this.focus();
  }

  #send(): void {
    const text = this.#text.value.trim();
    const about = this.#about;
    if (about?.kind === 'edit') {
      if (text !== '' && text !== about.line.text) this.#page.ask({ kind: 'edit', id: about.line.id, text });
      return this.#cancel();
    }
    if (text === '' && this.#files.length === 0) return;
    this.#actions.send({ text, files: this.#files, ...(about && { replyTo: about.line.id }) });
    this.setText('');
    this.#setFiles([]);
    this.#setAbout(undefined);
    // That the draft is gone is written down a moment later: nothing delays what was said.
    this.#onInput();
  }

  #cancel(): void {
    if (this.#about?.kind === 'edit') this.setText(this.#kept);
    this.#setAbout(undefined);
  }

  #setAbout(about: About | undefined): void {
    const { words } = this.#page;
    this.#about = about;
    this.#aboutBar.replaceChildren(
      ...(about
        ? [
            icon(about.kind),
            h('strong', {}, about.kind === 'reply' ? fill(words.replyingTo, about.line.author) : words.editing),
            h('span', { class: 'quiet' }, about.line.text.slice(0, 200)),
            button({ icon: 'close', hint: words.cancel, onclick: () => this.#cancel() }),
          ]
        : []),
    );
    this.focus();
  }

  #setFiles(files: readonly Upload[]): void {
    this.#files = files;
    const { words } = this.#page;
    this.#fileBar.replaceChildren(
      ...files.map((file) =>
        h(
          'span',
          { class: 'chip' },
          icon('file'),
          file.name,
          button({
            icon: 'close',
            hint: fill(words.remove, file.name),
            onclick: () => this.#setFiles(this.#files.filter((one) => one !== file)),
          }),
        ),
      ),
    );
  }

  #onInput(): void {
    this.#grow();
    if (this.#about?.kind === 'edit') return;
    this.#actions.remember(this.#text.value);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#saveDraft(), DRAFT_AFTER_MS);
  }

  #saveDraft(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#page.ask({ kind: 'draft', text: this.#about?.kind === 'edit' ? this.#kept : this.#text.value });
  }

  #grow(): void {
    this.#text.style.height = 'auto';
    this.#text.style.height = `${Math.min(this.#text.scrollHeight + 2, 200)}px`;
  }

  #onKey(event: KeyboardEvent): void {
    if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) this.#send();
    else if (event.key === 'Escape' && this.#about) this.#cancel();
    else if ((event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey && MARKS[event.key] !== undefined)
      this.#mark(MARKS[event.key] ?? '');
    else if (event.key === 'ArrowUp' && this.#text.value === '' && !this.#about) {
      const line = this.#actions.lastOwn();
      if (!line) return;
      this.edit(line);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** Puts Markdown's mark around what is selected, or takes it away where it is there. `insertText` keeps undo working. */
  #mark(mark: string): void {
    const { value, selectionStart: from, selectionEnd: to } = this.#text;
    const marked = value.slice(from - mark.length, from) === mark && value.slice(to, to + mark.length) === mark;
    const selected = value.slice(from, to);
    const start = marked ? from - mark.length : from;
    this.#text.setSelectionRange(start, marked ? to + mark.length : to);
    // The only way that the browser can undo; typing is never more than this either.
    document.execCommand('insertText', false, marked ? selected : `${mark}${selected}${mark}`);
    const begins = marked ? start : from + mark.length;
    this.#text.setSelectionRange(begins, begins + selected.length);
  }

  #onPaste(event: ClipboardEvent): void {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length === 0) return;
    event.preventDefault();
    void this.add(files);
  }
}
