import { button, fill, h, icon } from '../../reader/webview/dom.ts';
import { REACTIONS, type ShownFile, type ShownLine } from '../chatProtocol.ts';
import type { LineContext } from './chatLines.ts';
import { countdownView } from './countdown.ts';
import type { Page } from './page.ts';
import { richText } from './richText.ts';

export interface LineExtras extends LineContext {
  /** Reading goes on here. */
  readonly unread: 'here' | 'not-here';
  /** Addresses of the blobs of pictures that were asked for, by file index. */
  readonly pictures: Readonly<Record<number, string>>;
}

/** One row of the list: what stands above it, and the message or the notice itself. */
export function lineRow(line: ShownLine, extras: LineExtras, page: Page): HTMLElement {
  const { words } = page;
  const row = h(
    'div',
    { class: `row ${line.kind} ${line.own ? 'own' : 'other'} ${extras.author}`, role: 'listitem', tabindex: '-1', 'data-id': line.id },
    extras.day === 'new' ? h('div', { class: 'day', role: 'separator' }, h('span', {}, line.day)) : undefined,
    extras.unread === 'here' ? h('div', { class: 'day unread', role: 'separator' }, h('span', {}, words.unread)) : undefined,
    line.kind === 'notice' ? noticeView(line, page) : messageBody(line, extras, page),
  );
  if (line.kind === 'message') row.setAttribute('aria-label', spoken(line, page));
  return row;
}

/** A message as a screen reader says it. */
export function spoken(line: ShownLine, { words }: Pick<Page, 'words'>): string {
  const text = line.deleted ? words.takenBack : line.text;
  const seal = line.sealed ? `${line.level}, ${line.levelName}` : words.notSealed;
  const files = line.files.map(({ name }) => name).join(', ');
  return [line.author, text, files, line.time, seal, line.stateWord, line.failure ?? '', line.expires?.words ?? '']
    .filter(Boolean)
    .join('. ');
}

/** What happened to the group; a change that is not with the others yet says what keeps it, with a way out. */
function noticeView(line: ShownLine, { words, ask }: Page): HTMLElement {
  const text = h('p', { class: 'notice', title: line.dateTime }, line.text);
  if (line.state !== 'queued' && line.state !== 'sending' && line.state !== 'failed') return text;
  text.append(' · ', h('span', { class: `state ${line.state}` }, line.stateWord));
  const ways = [
    button({ icon: 'refresh', label: words.retry, hint: words.retry, onclick: () => ask({ kind: 'retry', id: line.id }) }),
    button({ icon: 'discard', label: words.discard, hint: words.discard, onclick: () => ask({ kind: 'discard', id: line.id }) }),
  ];
  const why = line.failure === undefined ? undefined : h('span', {}, line.failure);
  return h('div', { class: 'unsent' }, text, line.state === 'sending' ? undefined : h('div', { class: 'failure' }, why, ...ways));
}

function messageBody(line: ShownLine, extras: LineExtras, page: Page): HTMLElement {
  const { words, ask } = page;
  const bubble = h('div', { class: `bubble ${line.state}` });
  if (line.replyTo !== undefined) bubble.append(quote(line.replyTo, page));
  if (line.deleted) bubble.append(h('p', { class: 'gone' }, icon('circle-slash'), words.takenBack));
  else if (line.elsewhere) bubble.append(h('p', { class: 'gone' }, icon('device-desktop'), line.text));
  else if (line.text !== '') bubble.append(richText(line.text, (url, text) => ask({ kind: 'open-link', url, text })));
  for (const file of line.files) bubble.append(fileView(line, file, extras.pictures[file.index], page));
  bubble.append(meta(line, page));
  if (line.failure !== undefined) bubble.append(failure(line, page));
  return h(
    'div',
    { class: 'message-box' },
    extras.author === 'new' ? h('div', { class: 'author', title: line.address }, line.author) : undefined,
    h('div', { class: 'line' }, bubble, line.deleted || line.elsewhere ? undefined : actions(line, page)),
    line.reactions.length > 0 ? reactions(line, page) : undefined,
  );
}

/** Time, level with its word, and what became of it. */
function meta(line: ShownLine, { words }: Page): HTMLElement {
  const seal = line.sealed
    ? h('span', { class: 'seal', title: `${line.level} · ${line.levelName}` }, icon(line.levelIcon), `${line.level} · ${line.levelName}`)
    : h('span', { class: 'seal open', title: words.notSealedHint }, icon('unlock'), words.notSealed);
  const states: Record<ShownLine['state'], string | undefined> = {
    queued: 'clock',
    sending: 'sync',
    sent: 'check',
    delivered: 'check-all',
    read: 'check-all',
    failed: 'error',
    received: undefined,
  };
  const stateIcon = states[line.state];
  return h(
    'div',
    { class: 'meta' },
    seal,
    line.edited && !line.deleted ? h('span', {}, words.edited) : undefined,
    line.expires === undefined ? undefined : countdownView(line.expires.at, line.expires.words, words),
    h('time', { title: line.dateTime }, line.time),
    stateIcon === undefined
      ? undefined
      : h(
          'span',
          { class: `state ${line.state}`, title: line.stateWord },
          icon(stateIcon),
          h('span', { class: 'state-word' }, line.stateWord),
        ),
  );
}

function failure(line: ShownLine, { words, ask }: Page): HTMLElement {
  return h(
    'div',
    { class: 'failure' },
    h('span', {}, line.failure),
    line.state === 'failed'
      ? button({ icon: 'refresh', label: words.retry, hint: words.retry, onclick: () => ask({ kind: 'retry', id: line.id }) })
      : undefined,
  );
}

function quote(id: string, page: Page): HTMLElement {
  const quoted = page.lineOf(id);
  return h(
    'button',
    { type: 'button', class: 'quoted', onclick: () => page.jump(id) },
    h('strong', {}, quoted?.author ?? page.words.earlier),
    quoted
      ? h('span', {}, quoted.deleted ? page.words.takenBack : (quoted.text || (quoted.files[0]?.name ?? '')).slice(0, 200))
      : undefined,
  );
}

function fileView(line: ShownLine, file: ShownFile, picture: string | undefined, { words, ask }: Page): HTMLElement {
  const about = { id: line.id, index: file.index };
  return h(
    'div',
    { class: 'file' },
    picture === undefined ? undefined : h('img', { src: picture, alt: file.name }),
    h(
      'div',
      { class: 'file-row' },
      icon(file.icon),
      h('span', { class: 'file-name', title: file.name }, file.name),
      h('span', { class: 'quiet' }, file.size),
      file.picture && picture === undefined
        ? button({ icon: 'eye', label: words.show, hint: `${words.show}: ${file.name}`, onclick: () => ask({ kind: 'picture', ...about }) })
        : undefined,
      button({ icon: 'go-to-file', hint: fill(words.open, file.name), onclick: () => ask({ kind: 'open-file', ...about }) }),
      button({ icon: 'save', hint: fill(words.save, file.name), onclick: () => ask({ kind: 'save-file', ...about }) }),
    ),
  );
}

function reactions(line: ShownLine, { ask }: Page): HTMLElement {
  const chips = line.reactions.map(({ emoji, count, own, names }) =>
    h(
      'button',
      {
        type: 'button',
        class: 'reaction',
        'aria-pressed': String(own),
        title: names,
        'aria-label': `${emoji} ${count}: ${names}`,
        onclick: () => ask({ kind: 'react', id: line.id, emoji: own ? '' : emoji }),
      },
      `${emoji} ${count}`,
    ),
  );
  return h('div', { class: 'reactions' }, ...chips);
}

/** Shown at the line under the pointer or with the focus. */
function actions(line: ShownLine, page: Page): HTMLElement {
  const { words, ask } = page;
  const bar = h('div', { class: 'actions', role: 'toolbar', 'aria-label': words.actions });
  const reply = keyed(button({ icon: 'reply', hint: words.reply, onclick: () => page.reply(line) }), 'R');
  const copy = button({ icon: 'copy', hint: words.copy, onclick: () => ask({ kind: 'copy', text: line.text }) });
  if (page.writable === 'no') {
    bar.append(copy);
    return bar;
  }
  bar.append(...reacting(line, page), reply, copy);
  if (line.own) {
    bar.append(
      keyed(button({ icon: 'edit', hint: words.edit, onclick: () => page.edit(line) }), 'E'),
      keyed(button({ icon: 'discard', hint: words.takeBack, onclick: () => ask({ kind: 'take-back', id: line.id }) }), 'Delete'),
    );
  }
  return bar;
}

/** The button that opens the emoji on offer, and these before it: made when they are wanted, for there are many rows. */
function reacting(line: ShownLine, { words, ask }: Page): readonly [HTMLElement, HTMLElement] {
  const palette = h('span', { class: 'palette', role: 'group', 'aria-label': words.react, hidden: '' });
  const mine = line.reactions.find(({ own }) => own)?.emoji;
  const choose = (emoji: string): void => ask({ kind: 'react', id: line.id, emoji: mine === emoji ? '' : emoji });
  const open = keyed(button({ icon: 'reactions', hint: words.react, onclick: () => show(palette.hidden ? 'open' : 'closed') }), '+');
  const show = (state: 'open' | 'closed'): void => {
    palette.hidden = state === 'closed';
    open.setAttribute('aria-expanded', String(state === 'open'));
    if (state === 'closed') return open.focus();
    palette.replaceChildren(...REACTIONS.map((emoji) => button({ label: emoji, hint: emoji, onclick: () => choose(emoji) })));
    palette.querySelector('button')?.focus();
  };
  open.setAttribute('aria-expanded', 'false');
  palette.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape') return;
    event.stopPropagation();
    show('closed');
  });
  return [palette, open];
}

/** The key that does the same at the line with the focus (list.ts). */
function keyed(action: HTMLButtonElement, key: string): HTMLButtonElement {
  action.title = `${action.title} (${key})`;
  action.setAttribute('aria-keyshortcuts', key);
  return action;
}
