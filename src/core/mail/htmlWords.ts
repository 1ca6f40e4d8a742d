/** Tags that stand inside words; every other tag parts them. */
const INLINE = new Set([
  'a',
  'abbr',
  'b',
  'bdi',
  'bdo',
  'big',
  'code',
  'em',
  'font',
  'i',
  'ins',
  'mark',
  's',
  'small',
  'span',
  'strong',
  'sub',
  'sup',
  'tt',
  'u',
  'wbr',
]);
/** Elements whose content nobody reads. */
const SILENT = new Set(['head', 'script', 'style', 'template', 'title']);
const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
  shy: '',
  zwnj: '',
  zwj: '',
  copy: '©',
  reg: '®',
  hellip: '…',
  ndash: '–',
  mdash: '—',
  lsquo: '‘',
  rsquo: '’',
  ldquo: '“',
  rdquo: '”',
  euro: '€',
  auml: 'ä',
  ouml: 'ö',
  uuml: 'ü',
  Auml: 'Ä',
  Ouml: 'Ö',
  Uuml: 'Ü',
  szlig: 'ß',
  eacute: 'é',
  egrave: 'è',
  ecirc: 'ê',
  agrave: 'à',
  aacute: 'á',
  acirc: 'â',
  ccedil: 'ç',
  ntilde: 'ñ',
  oacute: 'ó',
  iacute: 'í',
  uacute: 'ú',
  oslash: 'ø',
  aring: 'å',
  aelig: 'æ',
};

/**
 * The words of an HTML text for the search index, in one pass without a tree: linear, at most `limit` characters of HTML, never throws.
 * Not for showing.
 */
export function htmlWords(html: string, limit: number): string {
  const end = Math.min(html.length, limit);
  let text = '';
  let at = 0;
  while (at < end) {
    const open = html.indexOf('<', at);
    if (open < 0 || open >= end) return withEntities(text + html.slice(at, end));
    text += html.slice(at, open);
    if (html.startsWith('<!--', open)) at = after(html, '-->', open + 4, end);
    else {
      const name = tagName(html, open + 1);
      const close = html.indexOf('>', open);
      // A sign in the text rather than a tag, or a tag that never ends.
      if (name === '' && !/[/!?]/.test(html[open + 1] ?? '')) {
        text += '<';
        at = open + 1;
        continue;
      }
      if (close < 0) break;
      if (!INLINE.has(name)) text += ' ';
      at = SILENT.has(name) ? endOf(html, name, close + 1, end) : close + 1;
    }
  }
  return withEntities(text);
}

function tagName(html: string, at: number): string {
  const from = html[at] === '/' ? at + 1 : at;
  let to = from;
  while (to - from < 12 && isNameChar(html.charCodeAt(to))) to++;
  return html.slice(from, to).toLowerCase();
}

function isNameChar(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || (code >= 48 && code <= 57);
}

/** After the closing tag of a silent element; an element that is never closed is passed over alone, so that this stays linear. */
function endOf(html: string, name: string, at: number, end: number): number {
  if (html[at - 2] === '/') return at;
  const limit = Math.min(end, at + 262_144);
  for (let close = html.indexOf('</', at); close >= 0 && close < limit; close = html.indexOf('</', close + 2)) {
    if (tagName(html, close + 1) === name) return after(html, '>', close, end);
  }
  return name === 'head' ? at : limit;
}

function after(html: string, sign: string, at: number, end: number): number {
  const found = html.indexOf(sign, at);
  return found < 0 ? end : found + sign.length;
}

function withEntities(text: string): string {
  if (!text.includes('&')) return text;
  return text.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]{2,8}));?/gi, (all, decimal?: string, hex?: string, name?: string) => {
    if (name !== undefined) return ENTITIES[name] ?? all;
    const code = Number.parseInt(decimal ?? hex!, decimal === undefined ? 16 : 10);
    return code > 0x1f && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff) ? String.fromCodePoint(code) : ' ';
  });
}
