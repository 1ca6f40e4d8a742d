import type { ShownBanner } from '../readerProtocol.ts';
import { button, h, icon } from './dom.ts';
import type { Page } from './page.ts';

const ICONS: Readonly<Record<ShownBanner['tone'], string>> = { sealed: 'lock', plain: 'mail', waiting: 'lock', failed: 'error' };

/** The line that tells how the message is protected; details and key IDs unfold below it. */
export function bannerView(banner: ShownBanner, page: Page): HTMLElement {
  const { words } = page;
  const hasDetails = banner.facts.length > 0 || banner.keyIds.length > 0;
  return h(
    'section',
    { class: `banner ${banner.tone}`, 'aria-label': banner.title, 'data-level': banner.level },
    h(
      'span',
      { class: 'banner-icon' },
      icon(
        banner.tone === 'sealed' && banner.level === 'L1'
          ? 'key'
          : banner.tone === 'sealed' && banner.level === 'L3'
            ? 'shield'
            : ICONS[banner.tone],
      ),
    ),
    h(
      'div',
      { class: 'banner-words' },
      h(
        'div',
        { class: 'banner-title' },
        h('strong', {}, banner.title),
        banner.simulated ? h('span', { class: 'badge', title: words.simulatedHint }, words.simulated) : undefined,
      ),
      h('p', {}, banner.sentence),
      banner.button
        ? button({
            label: banner.button,
            hint: banner.button,
            kind: 'action',
            onclick: () => page.ask({ kind: 'next-step', generation: page.generation }),
          })
        : undefined,
      hasDetails ? details(banner, page) : undefined,
    ),
  );
}

function details(banner: ShownBanner, { words, ask, generation }: Page): HTMLElement {
  const list = h('dl', { class: 'facts' });
  for (const fact of banner.facts) list.append(h('dt', {}, fact.label), h('dd', {}, fact.value));
  if (banner.keyIds.length > 0) {
    list.append(
      h('dt', {}, words.keyIds),
      h(
        'dd',
        { class: 'key-ids' },
        h('ul', {}, ...banner.keyIds.map((id) => h('li', {}, h('code', {}, id)))),
        button({ icon: 'copy', hint: words.copy, kind: 'small', onclick: () => ask({ kind: 'copy-key-ids', generation }) }),
      ),
    );
  }
  return h('details', {}, h('summary', {}, words.details), list);
}
