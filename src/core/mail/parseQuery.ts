import type { ErrorCode, ErrorDetails } from '../base/errors.ts';
import { allOf, anyOf, QUERY_LIMITS, type QueryNode } from './query.ts';
import { nearestOperator, operatorNamed, textLeaf } from './queryOperators.ts';
import { queryTokens, type QueryToken } from './queryTokens.ts';

/** What is wrong with a query, and where: UTF-16 columns, `to` exclusive. */
export interface QueryProblem {
  readonly code: ErrorCode;
  readonly details: ErrorDetails;
  readonly from: number;
  readonly to: number;
}

export interface ParsedQuery {
  /** What is asked as far as it was understood; undefined where nothing was. */
  readonly node: QueryNode | undefined;
  /** Empty for a query that means what it says. */
  readonly problems: readonly QueryProblem[];
}

/**
 * Reads a query: words, "phrases", prefix*, -negation, OR, parentheses and the operators of queryOperators; words side by side all have
 * to be there. Bounded by QUERY_LIMITS; never throws.
 */
export function parseQuery(text: string): ParsedQuery {
  return new Parser(text).parse();
}

class Parser {
  readonly #text: string;
  readonly #tokens: readonly QueryToken[];
  readonly #problems: QueryProblem[] = [];
  #next = 0;
  #terms = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
    this.#tokens = queryTokens(text);
  }

  parse(): ParsedQuery {
    const { length } = QUERY_LIMITS;
    if (this.#text.length > length) this.#problem('search.too-long', { limit: length }, length, this.#text.length);
    const parts: QueryNode[] = [];
    while (this.#peek()) {
      const node = this.#either();
      if (node) parts.push(node);
      const stray = this.#peek();
      // Only a parenthesis that nobody opened ends a query before its end.
      if (stray) this.#stray(stray);
    }
    if (parts.length === 0 && this.#problems.length === 0) this.#problem('search.empty', {}, 0, this.#text.length);
    return { node: parts.length === 0 ? undefined : allOf(parts), problems: this.#problems };
  }

  #either(): QueryNode | undefined {
    const parts: QueryNode[] = [];
    let or: QueryToken | undefined;
    for (;;) {
      const node = this.#all();
      if (node) parts.push(node);
      else if (or) this.#problem('search.stray', { what: 'OR' }, or.from, or.to);
      const token = this.#peek();
      if (token?.kind !== 'or') return parts.length === 0 ? undefined : anyOf(parts);
      if (!node && !or) this.#problem('search.stray', { what: 'OR' }, token.from, token.to);
      or = token;
      this.#next++;
    }
  }

  #all(): QueryNode | undefined {
    const parts: QueryNode[] = [];
    for (let token = this.#peek(); token && token.kind !== 'or' && token.kind !== 'close'; token = this.#peek()) {
      if (token.kind === 'and') {
        this.#next++;
        const after = this.#peek();
        if (parts.length === 0 || !after || after.kind === 'or' || after.kind === 'and' || after.kind === 'close')
          this.#problem('search.stray', { what: 'AND' }, token.from, token.to);
        continue;
      }
      const node = this.#one(token);
      if (node) parts.push(node);
    }
    return parts.length === 0 ? undefined : allOf(parts);
  }

  #one(token: QueryToken): QueryNode | undefined {
    this.#next++;
    if (token.kind === 'term') return this.#leaf(token);
    if (this.#depth >= QUERY_LIMITS.depth) {
      this.#problem('search.too-deep', { limit: QUERY_LIMITS.depth }, token.from, this.#text.length);
      this.#next = this.#tokens.length;
      return undefined;
    }
    this.#depth++;
    try {
      return token.kind === 'minus' ? this.#negated(token) : this.#group(token);
    } finally {
      this.#depth--;
    }
  }

  #negated(minus: QueryToken): QueryNode | undefined {
    const token = this.#peek();
    if (!token || token.kind === 'or' || token.kind === 'and' || token.kind === 'close') {
      this.#problem('search.stray', { what: '-' }, minus.from, minus.to);
      return undefined;
    }
    const part = this.#one(token);
    if (!part) return undefined;
    return part.kind === 'not' ? part.part : { kind: 'not', part };
  }

  #group(open: QueryToken): QueryNode | undefined {
    const before = this.#problems.length;
    const node = this.#either();
    const close = this.#peek();
    if (close?.kind === 'close') this.#next++;
    else if (this.#problems.length === before) this.#problem('search.unclosed-parenthesis', {}, open.from, open.to);
    if (!node && this.#problems.length === before) this.#problem('search.stray', { what: '()' }, open.from, (close ?? open).to);
    return node;
  }

  #leaf(token: QueryToken): QueryNode | undefined {
    if (++this.#terms > QUERY_LIMITS.terms) {
      if (this.#terms === QUERY_LIMITS.terms + 1)
        this.#problem('search.too-many-terms', { limit: QUERY_LIMITS.terms }, token.from, this.#text.length);
      return undefined;
    }
    if (token.quoted === 'unclosed') {
      this.#problem('search.unclosed-quote', {}, token.valueFrom, token.to);
      return undefined;
    }
    const operator = token.operator === undefined ? undefined : operatorNamed(token.operator);
    if (token.operator !== undefined && !operator) return this.#unknown(token, token.operator);
    if (!operator) return textLeaf('any', token.value, token.quoted) ?? this.#bad(token, '');
    if (token.value.trim() === '') {
      this.#problem('search.value-missing', { name: operator.name }, token.from, token.to);
      return undefined;
    }
    return operator.read(token.value, token.quoted) ?? this.#bad(token, operator.name);
  }

  #bad(token: QueryToken, name: string): undefined {
    this.#problem('search.bad-value', { name, value: token.value.slice(0, 100) }, token.valueFrom, token.to);
  }

  /** `Re: hello` is a text that somebody pasted; `form:alice` is a slip that would find nothing. */
  #unknown(token: QueryToken, name: string): QueryNode | undefined {
    if (token.value === '') return textLeaf('any', `${name}:`, 'bare');
    const nearest = nearestOperator(name);
    this.#problem('search.unknown-operator', { name, ...(nearest !== undefined && { nearest }) }, token.from, token.from + name.length + 1);
    return undefined;
  }

  #stray(token: QueryToken): void {
    this.#problem('search.stray', { what: token.value }, token.from, token.to);
    this.#next++;
  }

  #peek(): QueryToken | undefined {
    return this.#tokens[this.#next];
  }

  #problem(code: ErrorCode, details: ErrorDetails, from: number, to: number): void {
    this.#problems.push({ code, details, from, to });
  }
}
