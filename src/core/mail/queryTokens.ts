import { QUERY_LIMITS } from './query.ts';

/** One piece of a query with its UTF-16 columns, `to` exclusive. */
export interface QueryToken {
  readonly kind: 'open' | 'close' | 'minus' | 'or' | 'and' | 'term';
  readonly from: number;
  readonly to: number;
  /** Of a term: what stands before the colon, if it reads like the name of an operator. */
  readonly operator?: string;
  /** Of a term: the word or, where quoted, what is between the quotes. */
  readonly value: string;
  readonly quoted: 'quoted' | 'bare' | 'unclosed';
  /** Where the value stands, quotes included. */
  readonly valueFrom: number;
}

const SPACE = /[\s\p{Cc}]/u;

/** A query in pieces. Never throws; no more than QUERY_LIMITS.length units are looked at. */
export function queryTokens(text: string): readonly QueryToken[] {
  const end = Math.min(text.length, QUERY_LIMITS.length);
  const tokens: QueryToken[] = [];
  let at = 0;
  while (at < end) {
    const char = text[at]!;
    if (SPACE.test(char)) at++;
    else {
      const token = char === '(' || char === ')' || isMinus(text, at) ? sign(text, at) : term(text.slice(0, end), at);
      tokens.push(token);
      at = token.to;
    }
  }
  return tokens;
}

/** A minus sign negates only where something follows it at once: `a - b` and `-` are texts. */
function isMinus(text: string, at: number): boolean {
  const next = text[at + 1];
  return text[at] === '-' && next !== undefined && next !== ')' && !SPACE.test(next);
}

function sign(text: string, at: number): QueryToken {
  const value = text[at]!;
  const kind = value === '(' ? 'open' : value === ')' ? 'close' : 'minus';
  return { kind, from: at, to: at + 1, value, quoted: 'bare', valueFrom: at };
}

function term(text: string, from: number): QueryToken {
  const name = /^\p{L}[\p{L}-]{0,19}(?=:)/u.exec(text.slice(from, from + 25))?.[0];
  if (name !== undefined && !text.startsWith('//', from + name.length + 1)) {
    const value = valueAt(text, from + name.length + 1);
    return { kind: 'term', from, operator: name, ...value };
  }
  const value = valueAt(text, from);
  const kind = value.quoted !== 'bare' ? 'term' : value.value === 'OR' ? 'or' : value.value === 'AND' ? 'and' : 'term';
  return { kind, from, ...value };
}

function valueAt(text: string, from: number): { value: string; quoted: QueryToken['quoted']; to: number; valueFrom: number } {
  if (text[from] === '"') {
    const close = text.indexOf('"', from + 1);
    const to = close < 0 ? text.length : close + 1;
    return { value: text.slice(from + 1, close < 0 ? to : close), quoted: close < 0 ? 'unclosed' : 'quoted', to, valueFrom: from };
  }
  let to = from;
  while (to < text.length && !SPACE.test(text[to]!) && text[to] !== '(' && text[to] !== ')' && text[to] !== '"') to++;
  return { value: text.slice(from, to), quoted: 'bare', to, valueFrom: from };
}
