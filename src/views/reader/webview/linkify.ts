/** A run of plain text, or a link with the words that stand for it. */
export type Segment = { readonly text: string; readonly url?: string };

/** A web address or an e-mail address. One linear pass: no part of it can match the same text in two ways. */
const LINK =
  /\b(?:https?:\/\/[^\s<>"'`|\\^{}\u200b-\u200f\u2028-\u202f]{1,2000}|mailto:[^\s<>"']{1,300})|(?<![\w.+@-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}/giu;

/** Splits plain text into text and links. Joined again, the segments are the text. */
export function linkify(text: string): Segment[] {
  const segments: Segment[] = [];
  let from = 0;
  for (const match of text.matchAll(LINK)) {
    const shown = trimLink(match[0]);
    if (!shown) continue;
    if (match.index > from) segments.push({ text: text.slice(from, match.index) });
    segments.push({ text: shown, url: /^(https?|mailto):/i.test(shown) ? shown : `mailto:${shown}` });
    from = match.index + shown.length;
  }
  if (from < text.length) segments.push({ text: text.slice(from) });
  return segments;
}

/** Leaves out what ends the sentence rather than the address: punctuation, and a bracket that was opened before it. */
function trimLink(found: string): string {
  let link = found;
  for (;;) {
    const last = link.at(-1);
    if (last === undefined) return '';
    if ('.,;:!?*_~'.includes(last)) link = link.slice(0, -1);
    else if (last === ')' && count(link, ')') > count(link, '(')) link = link.slice(0, -1);
    else if (last === ']' && count(link, ']') > count(link, '[')) link = link.slice(0, -1);
    else return /^https?:\/\/?$/i.test(link) ? '' : link;
  }
}

function count(text: string, character: string): number {
  return text.split(character).length - 1;
}

/** Lines of one quoting depth (RFC 3676: leading `>`), without their marks. */
export interface QuotedBlock {
  readonly depth: number;
  readonly text: string;
}

/** Plain text as blocks of equal quoting depth, at most 8 deep. */
export function quoteBlocks(text: string): QuotedBlock[] {
  const blocks: { depth: number; lines: string[] }[] = [];
  for (const line of text.replace(/\r\n?/g, '\n').split('\n')) {
    const marks = /^(?:> ?){1,8}/.exec(line)?.[0] ?? '';
    const depth = count(marks, '>');
    const current = blocks.at(-1);
    const rest = line.slice(marks.length);
    if (current && current.depth === depth) current.lines.push(rest);
    else blocks.push({ depth, lines: [rest] });
  }
  return blocks.map(({ depth, lines }) => ({ depth, text: lines.join('\n') }));
}
