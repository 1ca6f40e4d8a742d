import type { Mark, MarkedText } from '../base/search.ts';
import { foldText } from './foldText.ts';
import type { QueryLeaf, TextField } from './query.ts';

/** UTF-16 units of a snippet. */
const SNIPPET_LENGTH = 180;
/** What stands before the first mark. */
const LEAD = 50;
const MAX_MARKS = 200;
/** Scripts without spaces between words: a word of them may stand anywhere. */
const UNSPACED = /[\p{scx=Han}\p{scx=Hira}\p{scx=Kana}\p{scx=Hang}\p{scx=Bopo}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmr}\p{sc=Mymr}]/u;

type TextLeaf = QueryLeaf & { kind: 'text' };

/** Finds what was looked for in texts, to mark it. Positions, never markup. */
export class Marker {
  readonly #patterns = new Map<string, RegExp | undefined>();
  readonly #wanted: readonly TextLeaf[];

  /** `wanted`: the texts of a query that are not negated. */
  constructor(wanted: readonly TextLeaf[]) {
    this.#wanted = wanted;
  }

  /** Where the text of this field says what was looked for. */
  marks(text: string, field: TextField): readonly Mark[] {
    const pattern = this.#patternOf(field);
    if (!pattern) return [];
    const folded = foldText(text);
    const place = (at: number): number => (folded.origin ? (folded.origin[at] ?? text.length) : at);
    const marks: Mark[] = [];
    for (const match of folded.text.matchAll(pattern)) {
      if (match[0] === '') continue;
      const end = match.index + match[0].length;
      marks.push({ from: place(match.index), to: Math.max(place(end), place(end - 1) + 1) });
      if (marks.length >= MAX_MARKS) break;
    }
    return marks;
  }

  /** The part of a text where most of what was looked for stands, on one line; its beginning where nothing does. undefined for an empty text. */
  snippet(text: string): MarkedText | undefined {
    const marks = this.marks(text, 'body');
    const start = startOf(text, marks);
    const end = start + SNIPPET_LENGTH;
    const shown = oneLine(text, start, end, marks);
    return shown.text === '' ? undefined : shown;
  }

  #patternOf(field: TextField): RegExp | undefined {
    if (this.#patterns.has(field)) return this.#patterns.get(field);
    const texts = this.#wanted.filter((leaf) => leaf.field === 'any' || leaf.field === field).map(patternOf);
    const sources = [...new Set(texts.filter((source) => source !== ''))].sort((a, b) => b.length - a.length);
    const pattern = sources.length === 0 ? undefined : new RegExp(sources.join('|'), 'gu');
    this.#patterns.set(field, pattern);
    return pattern;
  }
}

function patternOf(leaf: TextLeaf): string {
  const folded = foldText(leaf.text).text;
  const words = folded.match(/[\p{L}\p{N}\p{M}\p{Extended_Pictographic}\p{RI}]+/gu) ?? [];
  if (words.length === 0) return '';
  const joined = words.join(String.raw`[^\p{L}\p{N}\p{M}]{1,8}`);
  const begins = UNSPACED.test(words[0]!) ? '' : String.raw`(?<![\p{L}\p{N}\p{M}])`;
  const ends =
    leaf.match === 'prefix' ? String.raw`[\p{L}\p{N}\p{M}]{0,40}` : UNSPACED.test(words.at(-1)!) ? '' : String.raw`(?![\p{L}\p{N}\p{M}])`;
  return begins + joined + ends;
}

/** The beginning of the stretch with the most marks, a little before its first one, at a word. */
function startOf(text: string, marks: readonly Mark[]): number {
  let best = 0;
  let most = 0;
  for (let first = 0, last = 0; first < marks.length; first++) {
    while (last < marks.length && marks[last]!.to - marks[first]!.from <= SNIPPET_LENGTH - LEAD) last++;
    if (last - first > most) [best, most] = [marks[first]!.from, last - first];
  }
  const start = Math.max(0, best - LEAD);
  if (start === 0) return 0;
  const space = text.slice(start, best).search(/\s/);
  return space < 0 ? start : start + space;
}

/** The stretch with its white space folded, and the marks where they are then. */
function oneLine(text: string, start: number, end: number, marks: readonly Mark[]): MarkedText {
  // A character that begins before the stretch or ends after it is left out.
  const from = isLow(text, start) ? start + 1 : start;
  const to = Math.min(text.length, isLow(text, end) ? end - 1 : end);
  const lead = from > 0 ? '…' : '';
  let line = '';
  const place: number[] = [];
  for (let at = from; at < to; at++) {
    place.push(line.length);
    const unit = text[at]!;
    if (!isBlank(unit)) line += unit;
    else if (line !== '' && !line.endsWith(' ')) line += ' ';
  }
  place.push(line.length);
  const whole = line.trimEnd();
  const shown = marks
    .filter((mark) => mark.from >= from && mark.to <= to)
    .map((mark) => ({ from: lead.length + place[mark.from - from]!, to: lead.length + Math.min(place[mark.to - from]!, whole.length) }))
    .filter((mark) => mark.to > mark.from);
  if (whole === '') return { text: '', marks: [] };
  return { text: `${lead}${whole}${to < text.length ? '…' : ''}`, marks: shown };
}

function isLow(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 0xdc00 && code <= 0xdfff && at > 0 && text.charCodeAt(at - 1) >= 0xd800 && text.charCodeAt(at - 1) <= 0xdbff;
}

function isBlank(unit: string): boolean {
  return unit <= ' ' || (unit >= '\x7f' && /[\s\p{Cc}]/u.test(unit));
}
