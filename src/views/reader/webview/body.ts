import type { BodyMode, HostMessage } from '../readerProtocol.ts';
import { button, h, icon } from './dom.ts';
import { linkify, quoteBlocks } from './linkify.ts';
import { mailFrame } from './mailFrame.ts';
import type { Page } from './page.ts';
import { cleanMail } from './sanitize.ts';

type Shown = Extract<HostMessage, { kind: 'message' }>;

/** Longest text in which addresses become links, in UTF-16 units. */
const MAX_LINKIFIED = 500_000;

/** The text of the message, formatted or plain, with the switch between them and the strip about remote content. */
export function bodyView(shown: Shown, page: Page): HTMLElement {
  const { html } = shown.message;
  const holder = h('section', { class: 'body', 'aria-label': page.words.mailBody });
  const draw = (mode: BodyMode): void => {
    holder.replaceChildren();
    if (html !== undefined) holder.append(modeSwitch(mode, page, draw));
    if (mode === 'html' && html !== undefined) holder.append(...htmlBody(html, shown, page));
    else holder.append(textBody(shown.message.text, page));
  };
  draw(html === undefined ? 'text' : page.mode);
  return holder;
}

function modeSwitch(mode: BodyMode, page: Page, draw: (mode: BodyMode) => void): HTMLElement {
  const choices: readonly BodyMode[] = ['html', 'text'];
  const group = h('div', { class: 'modes', role: 'radiogroup', 'aria-label': page.words.bodyView });
  const choose = (choice: BodyMode): void => {
    page.setMode(choice);
    const parent = group.parentElement;
    draw(choice);
    parent?.querySelector<HTMLElement>('.modes [aria-checked="true"]')?.focus();
  };
  for (const choice of choices) {
    const checked = choice === mode;
    group.append(
      h(
        'button',
        {
          type: 'button',
          role: 'radio',
          'aria-checked': String(checked),
          tabindex: checked ? '0' : '-1',
          onclick: () => choose(choice),
          onkeydown: (event) => {
            if ((event as KeyboardEvent).key.startsWith('Arrow')) choose(choice === 'html' ? 'text' : 'html');
          },
        },
        page.words[choice],
      ),
    );
  }
  return group;
}

function htmlBody(html: string, shown: Shown, page: Page): HTMLElement[] {
  const mail = cleanMail(html, shown.remote);
  const { words, generation } = page;
  const parts: HTMLElement[] = [];
  if (mail.remote > 0) {
    parts.push(
      h(
        'div',
        { class: 'strip', role: 'note' },
        icon(shown.remote === 'allowed' ? 'eye' : 'eye-closed'),
        h('span', {}, shown.remote === 'allowed' ? words.remoteLoaded : words.remoteBlocked),
        shown.remote === 'blocked' && mail.images > 0
          ? button({ label: words.loadRemote, hint: words.loadRemote, onclick: () => page.ask({ kind: 'load-remote', generation }) })
          : undefined,
      ),
    );
  }
  parts.push(
    mailFrame({
      mail,
      remote: shown.remote,
      title: words.mailBody,
      onLink: (url, text) => page.ask({ kind: 'open-link', generation, url, text }),
      onHover: (url) => page.showTarget(url),
    }),
  );
  return parts;
}

/** Plain text as it was written, quotes set apart by depth, addresses as links. */
function textBody(text: string, page: Page): HTMLElement {
  if (text.trim() === '') return h('p', { class: 'none' }, page.words.emptyBody);
  const holder = h('div', { class: 'text', dir: 'auto' });
  for (const block of quoteBlocks(text)) {
    const quote = h('div', block.depth > 0 ? { class: 'quote', style: `--depth: ${block.depth}` } : {});
    const segments = text.length > MAX_LINKIFIED ? [{ text: block.text }] : linkify(block.text);
    for (const segment of segments) quote.append('url' in segment ? link(segment.url, segment.text, page) : segment.text);
    holder.append(quote);
  }
  return holder;
}

function link(url: string, text: string, page: Page): HTMLElement {
  const show = (): void => page.showTarget(url);
  const hide = (): void => page.showTarget('');
  const ask = (event: Event): void => {
    event.preventDefault();
    page.ask({ kind: 'open-link', generation: page.generation, url, text: text.slice(0, 300) });
  };
  return h(
    'a',
    {
      role: 'link',
      tabindex: '0',
      onclick: ask,
      onkeydown: (event) => ((event as KeyboardEvent).key === 'Enter' ? ask(event) : undefined),
      onpointerenter: show,
      onpointerleave: hide,
      onfocus: show,
      onblur: hide,
    },
    text,
  );
}
