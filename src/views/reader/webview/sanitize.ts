import DOMPurify from 'dompurify';
import { cleanDeclarations, cleanStyleSheet } from './mailStyles.ts';
import type { Colours } from './mailStyles.ts';

/** A mail's HTML made harmless: a tree in a document without a window, where nothing loads and nothing runs. */
export interface CleanMail {
  readonly body: HTMLElement;
  readonly css: string;
  /** Targets of the links, by the number in their `data-link` attribute. */
  readonly links: readonly string[];
  /** Remote references found, loaded or not. */
  readonly remote: number;
  /** Of those, images that may load once the person asks. */
  readonly images: number;
  readonly colours: Colours;
}

const TAGS = (
  'a abbr address article aside b bdi bdo big blockquote body br caption center cite code col colgroup dd del details dfn div dl dt em figcaption figure font ' +
  'footer h1 h2 h3 h4 h5 h6 head header hr html i img ins kbd li main mark ol p pre q rp rt ruby s samp section small span strike strong style sub summary sup ' +
  'table tbody td tfoot th thead time tr tt u ul var wbr'
).split(' ');

const ATTRIBUTES = (
  'abbr align alt bgcolor border cellpadding cellspacing class clear color colspan dir face headers height href hspace id lang noshade nowrap open reversed role ' +
  'rowspan scope size span src start style summary title type valign value vspace width'
).split(' ');

/** What is left of addresses: web and mail links, places in the mail itself, pictures that are part of it. */
const ADDRESSES = /^(?:https?:\/\/|mailto:|#)/i;
const INLINE_PICTURE = /^data:image\/(?:png|jpe?g|gif|webp|avif|bmp);base64,/i;
const REMOTE = /^\s*(?:https?:)?\/\//i;
const REMOTE_CSS = /(?:url\(|@import)\s*['"]?\s*(?:https?:)?\/\//gi;

/**
 * Sanitises the HTML of a mail. DOMPurify leaves an allow-list of tags and attributes; then every link loses its `href`
 * (so nothing in the frame can navigate, not even by accident), every remote image its `src` unless `remote` is
 * `allowed`, and styles everything that loads. One image source is ever loaded: `<img src="https:…">`; `srcset`,
 * `<picture>`, CSS backgrounds, SVG, video posters and prefetches stay out even then. This is the second of three
 * walls: the page's policy and the frame's sandbox hold without it.
 */
export function cleanMail(html: string, remote: 'blocked' | 'allowed'): CleanMail {
  const root = DOMPurify(window).sanitize(html, {
    ALLOWED_TAGS: TAGS,
    ALLOWED_ATTR: ATTRIBUTES,
    ALLOWED_URI_REGEXP: ADDRESSES,
    // DOMPurify holds every value against that pattern, sizes and alignments too, unless told that it is no address.
    ADD_URI_SAFE_ATTR: ATTRIBUTES.filter((name) => name !== 'href' && name !== 'src'),
    ALLOW_DATA_ATTR: false,
    ALLOW_ARIA_ATTR: false,
    WHOLE_DOCUMENT: true,
    FORCE_BODY: false,
    RETURN_DOM: true,
  }) as HTMLElement;
  const body = root.querySelector('body') ?? root;
  const links: string[] = [];
  let colours: Colours = 'none';
  let images = 0;
  const sheets: string[] = [];
  for (const element of [root, ...root.querySelectorAll<HTMLElement>('*')]) {
    if (element.localName === 'style') {
      const clean = cleanStyleSheet(element.textContent ?? '');
      sheets.push(clean.css);
      if (clean.colours === 'own') colours = 'own';
      element.remove();
      continue;
    }
    if (element.hasAttribute('style') && cleanDeclarations(element.style) === 'own') colours = 'own';
    if (element.hasAttribute('bgcolor') || element.hasAttribute('color')) colours = 'own';
    if (element.hasAttribute('role') && !/^(?:presentation|none)$/.test(element.getAttribute('role') ?? ''))
      element.removeAttribute('role');
    if (element.localName === 'a') disarmLink(element, links);
    else if (element.localName === 'img') images += disarmImage(element, remote);
    else element.removeAttribute('src');
    if (element.localName !== 'a') element.removeAttribute('href');
  }
  return { body, css: sheets.join('\n'), links, remote: countRemote(html), images, colours };
}

/** The target moves out of the document; the title tells it, so that words and target can be compared before a click. */
function disarmLink(element: HTMLElement, links: string[]): void {
  const href = element.getAttribute('href')?.trim();
  element.removeAttribute('href');
  if (!href) return;
  element.setAttribute('data-link', String(links.length));
  element.setAttribute('role', 'link');
  element.setAttribute('tabindex', '0');
  if (!href.startsWith('#')) element.setAttribute('title', href.slice(0, 300));
  links.push(href);
}

/** Returns 1 for a remote image that may load when asked for, 0 for any other. */
function disarmImage(element: HTMLElement, remote: 'blocked' | 'allowed'): 0 | 1 {
  const source = element.getAttribute('src')?.trim() ?? '';
  if (INLINE_PICTURE.test(source)) return 0;
  element.removeAttribute('src');
  if (!/^https?:\/\//i.test(source)) return 0;
  // A picture of a pixel or less is there to report that the mail was read.
  const tiny = ['width', 'height'].some((side) => /^[01](?:px)?$/.test(element.getAttribute(side)?.trim() ?? ''));
  if (tiny) {
    element.remove();
    return 0;
  }
  if (remote === 'allowed') {
    element.setAttribute('referrerpolicy', 'no-referrer');
    element.setAttribute('src', source.replace(/^http:/i, 'https:'));
  } else {
    element.setAttribute('data-blocked', '');
  }
  return 1;
}

/** How many references to other servers the mail has as it came. Only told, never relied on. */
function countRemote(html: string): number {
  const parsed = new DOMParser().parseFromString(html, 'text/html');
  let found = 0;
  for (const element of parsed.querySelectorAll('[src], [srcset], [poster], [background], [data], link[href], image, [style], style')) {
    for (const name of ['src', 'srcset', 'poster', 'background', 'data', 'xlink:href']) {
      if (REMOTE.test(element.getAttribute(name) ?? '')) found++;
    }
    if ((element.localName === 'link' || element.localName === 'image') && REMOTE.test(element.getAttribute('href') ?? '')) found++;
    const css = `${element.getAttribute('style') ?? ''} ${element.localName === 'style' ? (element.textContent ?? '') : ''}`;
    found += css.match(REMOTE_CSS)?.length ?? 0;
  }
  return found;
}
