import type { ReaderAction, ShownAddress, ShownAttachment, ShownMessage } from '../readerProtocol.ts';
import { button, fill, h, icon } from './dom.ts';
import type { Page } from './page.ts';

/** Recipients shown before the rest folds away. */
const SHOWN_RECIPIENTS = 6;

/** Subject, people, date and the actions. */
export function headerView(message: ShownMessage, page: Page): HTMLElement {
  const { words } = page;
  return h(
    'header',
    { class: 'head' },
    h('h1', { dir: 'auto', class: message.subject ? undefined : 'none' }, message.subject || words.noSubject),
    h(
      'div',
      { class: 'who' },
      h('span', { class: 'avatar', 'aria-hidden': 'true' }, initialOf(message.from)),
      h(
        'dl',
        { class: 'people' },
        ...people(words.from, [message.from], page, 'sender'),
        ...people(words.to, message.to, page, message.to.length === 0 ? 'none' : ''),
        ...(message.cc.length > 0 ? people(words.cc, message.cc, page, '') : []),
        ...(message.bcc.length > 0 ? people(words.bcc, message.bcc, page, '') : []),
        ...(message.replyTo.length > 0 ? people(words.replyTo, message.replyTo, page, 'elsewhere') : []),
      ),
      message.date.iso ? h('time', { datetime: message.date.iso, title: message.date.iso }, message.date.long) : undefined,
    ),
    message.place === 'file' ? fileToolbar(page) : toolbar(page),
  );
}

function people(label: string, addresses: readonly ShownAddress[], { words }: Page, kind: string): HTMLElement[] {
  const list = h('dd', { class: kind || undefined });
  if (addresses.length === 0) list.append(words.noRecipients);
  const shown = addresses.slice(0, SHOWN_RECIPIENTS);
  const folded = addresses.slice(SHOWN_RECIPIENTS);
  for (const address of shown) list.append(person(address));
  if (folded.length > 0) {
    const more = button({
      label: fill(words.more, folded.length),
      hint: fill(words.more, folded.length),
      kind: 'link',
      onclick: () => more.replaceWith(...folded.map(person)),
    });
    list.append(more);
  }
  return [h('dt', {}, label), list];
}

/** Name and address, always both: a name is whatever its sender likes it to be. */
function person({ name, address }: ShownAddress): HTMLElement {
  const shown = name.trim();
  return h(
    'span',
    { class: 'person' },
    shown ? h('bdi', { class: 'name' }, shown) : undefined,
    h('bdi', { class: shown ? 'address' : 'name' }, address),
  );
}

function initialOf({ name, address }: ShownAddress): string {
  const found = /[\p{L}\p{N}]/u.exec(name || address);
  return (found?.[0] ?? '?').toLocaleUpperCase();
}

function toolbar({ words, ask, generation }: Page): HTMLElement {
  const act = (action: ReaderAction) => () => ask({ kind: 'action', generation, action });
  return h(
    'div',
    { class: 'toolbar', role: 'toolbar', 'aria-label': words.toolbar },
    button({ icon: 'reply', label: words.reply, hint: words.reply, kind: 'action primary', onclick: act('reply') }),
    button({ icon: 'organization', label: words.replyAll, hint: words.replyAll, onclick: act('reply-all') }),
    button({ icon: 'arrow-right', label: words.forward, hint: words.forward, onclick: act('forward') }),
    h('span', { class: 'gap' }),
    button({ icon: 'trash', hint: words.delete, onclick: act('delete') }),
    button({ icon: 'folder', hint: words.move, onclick: act('move') }),
    button({ icon: 'mail', hint: words.markUnread, onclick: act('mark-unread') }),
    button({ icon: 'code', hint: words.viewSource, onclick: act('view-source') }),
  );
}

function fileToolbar({ words, ask, generation }: Page): HTMLElement {
  const act = (action: ReaderAction) => () => ask({ kind: 'action', generation, action });
  return h(
    'div',
    { class: 'toolbar', role: 'toolbar', 'aria-label': words.toolbar },
    button({ icon: 'cloud-upload', label: words.importFile, hint: words.importFile, kind: 'action primary', onclick: act('import') }),
    h('span', { class: 'gap' }),
    button({ icon: 'code', hint: words.viewSource, onclick: act('view-source') }),
  );
}

/** The attachments, each with its size; the name opens, the arrow saves. */
export function attachmentsView(attachments: readonly ShownAttachment[], { words, ask, generation }: Page): HTMLElement {
  return h(
    'section',
    { class: 'attachments', 'aria-label': words.attachments },
    h(
      'ul',
      {},
      ...attachments.map((attachment) =>
        h(
          'li',
          {},
          h(
            'button',
            {
              type: 'button',
              class: 'attachment',
              title: fill(words.open, attachment.name),
              'aria-label': `${fill(words.open, attachment.name)}, ${attachment.size}`,
              onclick: () => ask({ kind: 'open-attachment', generation, index: attachment.index }),
            },
            icon(attachment.guarded ? 'warning' : attachment.icon),
            h('bdi', { class: 'file' }, attachment.name),
            h('span', { class: 'size' }, attachment.size),
          ),
          button({
            icon: 'desktop-download',
            hint: fill(words.save, attachment.name),
            onclick: () => ask({ kind: 'save-attachment', generation, index: attachment.index }),
          }),
        ),
      ),
    ),
    attachments.length > 1
      ? button({ icon: 'save-all', label: words.saveAll, hint: words.saveAll, onclick: () => ask({ kind: 'save-all', generation }) })
      : undefined,
  );
}
