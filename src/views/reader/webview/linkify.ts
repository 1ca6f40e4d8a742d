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

/** Leaves out what ends the sentence rather than the address: punctuation, and a bracket that was opened before it. Linear. */
function trimLink(found: string): string {
  let end = found.length;
  // How many closing brackets of each kind are more than were opened.
  let round = count(found, ')') - count(found, '(');
  let square = count(found, ']') - count(found, '[');
  for (; end > 0; end--) {
    const last = found[end - 1] ?? '';
    if (last === ')' && round > 0) round--;
    else if (last === ']' && square > 0) square--;
    else if (!'.,;:!?*_~'.includes(last)) break;
  }
  const link = found.slice(0, end);
  return /^https?:\/\/?$/i.test(link) ? '' : link;
}

function count(text: string, character: string): number {
  return text.split(character).length - 1;
}

/** Blocks made of one text. Every one is an element of the page, and no letter changes its depth so often. */
const MAX_BLOCKS = 5_000;

/** Lines of one quoting depth (RFC 3676: leading `>`), without their marks. */
export interface QuotedBlock {
  readonly depth: number;
  readonly text: string;
}

/** Plain text as blocks of equal quoting depth, at most 8 deep; what is beyond 5,000 blocks is one more, as it was written. */
export function quoteBlocks(text: string): QuotedBlock[] {
  const blocks: { depth: number; lines: string[] }[] = [];
  const lines = text.replace(/\r\n?/g, '\n').split('\n');
  for (const [index, line] of lines.entries()) {
    if (blocks.length >= MAX_BLOCKS) {
      blocks.push({ depth: 0, lines: lines.slice(index) });
      break;
    }
    const marks = /^(?:> ?){1,8}/.exec(line)?.[0] ?? '';
    const depth = count(marks, '>');
    const current = blocks.at(-1);
    const rest = line.slice(marks.length);
    if (current && current.depth === depth) current.lines.push(rest);
    else blocks.push({ depth, lines: [rest] });
  }
  return blocks.map(({ depth, lines }) => ({ depth, text: lines.join('\n') }));
}
