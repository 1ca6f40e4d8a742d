import { convert } from 'html-to-text';

const PREVIEW_LENGTH = 200;
/** Characters looked at for a preview. */
const PREVIEW_TEXT = 20_000;
const PREVIEW_HTML = 128 * 1024;
/** Characters of HTML converted; beyond them the text ends. */
const MAX_HTML = 512 * 1024;
/** Open elements at once; the HTML parser's cost per closing tag grows with them. */
const MAX_DEPTH = 1_000;

/** One line of at most 200 characters that tells what a message says: quoted lines, blank runs and hidden padding left out. */
export function previewOf(m: { readonly text: string; readonly html?: string | undefined }): string {
  const text = m.text.trim() === '' && m.html !== undefined ? htmlToPlain(m.html.slice(0, PREVIEW_HTML)) : m.text.slice(0, PREVIEW_TEXT);
  const own = text.split(/\r\n|\r|\n/).filter((line) => !line.startsWith('>'));
  const line = (own.some((l) => l.trim() !== '') ? own.join(' ') : text)
    // Format and control characters, and the joiners that newsletters pad their preview with.
    .replace(/[\p{Cf}\p{Cc}\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0\ufffd]+/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  if (line.length <= PREVIEW_LENGTH) return line;
  return `${line
    .slice(0, PREVIEW_LENGTH - 1)
    .toWellFormed()
    .replace(/\ufffd$/, '')
    .trimEnd()}…`;
}

/** HTML as plain text, without images and link targets' noise. At most 512 Ki characters are looked at; never throws. */
export function htmlToPlain(html: string): string {
  const bounded = html.slice(0, MAX_HTML);
  if (depthOf(bounded) > MAX_DEPTH) return withoutTags(bounded);
  return convert(bounded, {
    wordwrap: false,
    limits: { maxDepth: 200, maxChildNodes: 20_000, maxInputLength: MAX_HTML },
    selectors: [
      { selector: 'img', format: 'skip' },
      { selector: 'a', options: { hideLinkHrefIfSameAsText: true, ignoreHref: true } },
      { selector: 'table', format: 'block' },
      ...['h1', 'h2', 'h3', 'h4', 'h5', 'h6'].map((selector) => ({ selector, options: { uppercase: false } })),
    ],
  }).trim();
}

/** An upper bound for the depth of the element tree, in one pass. */
function depthOf(html: string): number {
  let depth = 0;
  let deepest = 0;
  for (const tag of html.matchAll(/<(\/?)([a-zA-Z][a-zA-Z0-9]{0,20})/g)) {
    if (/^(?:area|base|br|col|embed|hr|img|input|link|meta|p|param|source|track|wbr)$/i.test(tag[2] ?? '')) continue;
    depth = tag[1] === '/' ? Math.max(0, depth - 1) : depth + 1;
    if (depth > deepest) deepest = depth;
  }
  return deepest;
}

/** The text between tags, for HTML that is too deep to be worth parsing. */
function withoutTags(html: string): string {
  let text = '';
  let at = 0;
  while (at < html.length) {
    const open = html.indexOf('<', at);
    if (open < 0) return (text + html.slice(at)).trim();
    text += `${html.slice(at, open)} `;
    const close = html.indexOf('>', open);
    if (close < 0) break;
    at = close + 1;
  }
  return text.replace(/[^\S\n]{2,}/g, ' ').trim();
}
