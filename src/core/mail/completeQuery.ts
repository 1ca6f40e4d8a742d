import type { QuerySuggestion, SuggestionKind } from '../base/search.ts';
import { SECURITY_LEVELS } from '../base/types.ts';
import { MAIL_STATES } from './query.ts';
import { operatorNamed, QUERY_OPERATORS, type ValueKind } from './queryOperators.ts';
import { queryTokens, type QueryToken } from './queryTokens.ts';

/** What somebody may mean by what they have typed so far; asked for only where it is needed. */
export interface CompletionSources {
  folders(): readonly string[];
  accounts(): readonly string[];
  /** People whose name or address begins so, those of late first. */
  people(prefix: string): readonly { readonly name: string; readonly address: string }[];
  tags(): readonly string[];
}

const MAX_SUGGESTIONS = 30;
const DATES = ['today', 'yesterday', '7d', '30d', '1y'];
const SIZES = ['100k', '1M', '10M'];

type Choice = { readonly text: string; readonly detail?: string };

/** What may stand at column `at` of a query (UTF-16), best first: operators where a word begins, values after their colon. */
export function completeQuery(text: string, at: number, sources: CompletionSources): readonly QuerySuggestion[] {
  const cursor = Math.max(0, Math.min(at, text.length));
  const token = queryTokens(text).find(
    ({ kind, from, to }) => kind !== 'open' && kind !== 'close' && kind !== 'minus' && from <= cursor && cursor <= to,
  );
  if (!token || token.operator === undefined) return operators(token, text, cursor);
  const operator = operatorNamed(token.operator);
  if (!operator || cursor < token.valueFrom) return operators(token, text, cursor);
  const typed = text.slice(token.valueFrom, cursor).replace(/^"/, '');
  const kind = suggestionKind(operator.value);
  if (!kind) return [];
  return choicesOf(operator.value, typed, sources)
    .filter(({ text: value }) => operator.value === 'person' || matches(value, typed))
    .slice(0, MAX_SUGGESTIONS)
    .map(({ text: value, detail }) => ({
      kind,
      text: written(value),
      ...(detail !== undefined && { detail }),
      from: token.valueFrom,
      to: token.to,
    }));
}

function operators(token: QueryToken | undefined, text: string, cursor: number): readonly QuerySuggestion[] {
  const from = token?.from ?? cursor;
  if (token?.quoted !== undefined && token.quoted !== 'bare') return [];
  const typed = text.slice(from, cursor).toLowerCase();
  const to = token?.operator === undefined ? (token?.to ?? cursor) : token.valueFrom;
  return QUERY_OPERATORS.filter(({ name }) => name.startsWith(typed)).map(({ name }) => ({ kind: 'operator', text: `${name}:`, from, to }));
}

function choicesOf(kind: ValueKind, typed: string, sources: CompletionSources): readonly Choice[] {
  switch (kind) {
    case 'state':
      return MAIL_STATES.map(plain);
    case 'attachment':
      return [plain('attachment')];
    case 'level':
      return SECURITY_LEVELS.map(plain);
    case 'date':
      return DATES.map(plain);
    case 'size':
      return SIZES.map(plain);
    case 'folder':
      return sources.folders().map(plain);
    case 'account':
      return sources.accounts().map(plain);
    case 'tag':
      return sources.tags().map(plain);
    case 'person':
      return sources.people(typed).map(({ name, address }) => ({ text: address, ...(name !== '' && { detail: name }) }));
    case 'text':
      return [];
  }
}

function suggestionKind(kind: ValueKind): SuggestionKind | undefined {
  return kind === 'text' ? undefined : kind;
}

function plain(text: string): Choice {
  return { text };
}

/** The value begins so, or a part of a path or name does. */
function matches(value: string, typed: string): boolean {
  const wanted = typed.toLowerCase();
  const whole = value.toLowerCase();
  return whole.startsWith(wanted) || whole.split(/[\s/.@]/).some((part) => part.startsWith(wanted));
}

function written(value: string): string {
  return /^[^\s\p{Cc}()"]+$/u.test(value) ? value : `"${value.replaceAll('"', '')}"`;
}
