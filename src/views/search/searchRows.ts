import { SECURITY_LEVELS } from '../../core/api.ts';
import type { QuerySuggestion, SavedSearch, SearchHit, SuggestionKind } from '../../core/api.ts';
import { levelName, messageIcon, personLabel, shortDate } from '../labels.ts';
import type { Localiser } from '../localiser.ts';
import { coverageLine } from '../messages/listTitle.ts';
import { sentenceOf } from '../present.ts';
import type { SearchState } from './liveSearch.ts';

/** One row of the search box; what it does when it is picked is in `act`. */
export interface SearchRow {
  readonly label: string;
  readonly description?: string;
  readonly detail?: string;
  readonly icon?: { readonly id: string; readonly color?: string };
  readonly act:
    | { readonly kind: 'open'; readonly messageId: number }
    | { readonly kind: 'complete'; readonly suggestion: QuerySuggestion }
    | { readonly kind: 'saved'; readonly search: SavedSearch }
    | { readonly kind: 'list' }
    | { readonly kind: 'server' }
    | { readonly kind: 'nothing' }
    | { readonly kind: 'separator' };
}

export interface RowFacts {
  readonly now: number;
  readonly locale: string;
  readonly saved: readonly SavedSearch[];
  readonly l10n: Localiser;
}

/** Beside results there is room for few. */
const MAX_SUGGESTIONS = { alone: 20, beside: 4 };

/** The rows for what has been typed: what is wrong with it, what may stand there, what was found, and where else to look. */
export function searchRows(state: SearchState, facts: RowFacts): readonly SearchRow[] {
  const { l10n } = facts;
  const empty = state.query.trim() === '';
  const problems = state.problems.map((problem): SearchRow => ({
    label: sentenceOf(problem, l10n),
    icon: { id: 'warning' },
    act: { kind: 'nothing' },
  }));
  const failure: SearchRow[] = state.failure
    ? [{ label: sentenceOf(state.failure, l10n), icon: { id: 'error' }, act: { kind: 'nothing' } }]
    : [];
  const room = state.hits.length > 0 ? MAX_SUGGESTIONS.beside : MAX_SUGGESTIONS.alone;
  const suggestions = state.suggestions.slice(0, room).map((suggestion) => suggestionRow(suggestion, l10n));
  const saved: SearchRow[] = empty ? facts.saved.map((search) => savedRow(search, l10n)) : [];
  const hits = state.hits.map((hit) => hitRow(hit, facts));
  // Words are looked for as they are; who is in the middle of an operator's value wants to finish that first.
  const first = suggestsValue(state) ? suggestions : [];
  const rows = [...first, ...problems, ...failure];
  if (saved.length > 0) rows.push(separator(l10n.t('saved searches')), ...saved);
  if (hits.length > 0) rows.push(separator(foundLine(state, facts)), ...hits);
  else if (!empty && !state.busy && problems.length === 0 && failure.length === 0)
    rows.push({ label: l10n.t('Nothing found here'), icon: { id: 'circle-slash' }, act: { kind: 'nothing' } });
  if (!empty && problems.length === 0) rows.push(...elsewhere(state, facts));
  if (first.length === 0 && suggestions.length > 0) rows.push(separator(l10n.t('narrow it down')), ...suggestions);
  return rows;
}

/** The text of the box after a suggestion was taken. Values come with what follows them; an operator waits for its value. */
export function completed(text: string, { text: insert, from, to }: QuerySuggestion): string {
  const tail = text.slice(to);
  const space = insert.endsWith(':') || tail.startsWith(' ') ? '' : ' ';
  return `${text.slice(0, from)}${insert}${space}${tail}`;
}

/** How a saved search is called unless somebody calls it otherwise: its query, on one short line. */
export function defaultName(query: string): string {
  const name = query.trim().replaceAll(/\s+/g, ' ');
  return name.length > 40 ? `${name.slice(0, 39)}…` : name;
}

function suggestsValue({ suggestions }: SearchState): boolean {
  return suggestions.some(({ kind }) => kind !== 'operator');
}

function elsewhere({ hits, coverage }: SearchState, { locale, l10n }: RowFacts): SearchRow[] {
  const line = coverage && coverage.indexed < coverage.total ? coverageLine(coverage, locale, l10n) : '';
  const list: SearchRow = { label: l10n.t('Show all results as a list'), icon: { id: 'list-flat' }, act: { kind: 'list' } };
  const server: SearchRow = {
    label: l10n.t('Search on the server'),
    ...(line ? { description: line } : {}),
    icon: { id: 'cloud' },
    act: { kind: 'server' },
  };
  return [separator(''), ...(hits.length > 0 ? [list] : []), server];
}

function foundLine({ coverage, sealedPending }: SearchState, { locale, l10n }: RowFacts): string {
  const partly = coverage && coverage.indexed < coverage.total ? coverageLine(coverage, locale, l10n) : '';
  return [partly || l10n.t('messages'), sealedPending ? l10n.t('sealed mail is still being read in') : ''].filter(Boolean).join(' · ');
}

function hitRow(hit: SearchHit, { now, locale, l10n }: RowFacts): SearchRow {
  return {
    label: hit.subject || l10n.t('(no subject)'),
    description: `${personLabel(hit.from)} · ${shortDate(hit.date, now, locale)}`,
    ...(hit.snippet && hit.snippet.text.trim() !== '' ? { detail: marked(hit.snippet.text, hit.snippet.marks) } : {}),
    icon: messageIcon(hit.level, hit.seal),
    act: { kind: 'open', messageId: hit.id },
  };
}

/** The search box draws plain text only: what was found stands between signs that need no explaining. */
function marked(text: string, marks: readonly { readonly from: number; readonly to: number }[]): string {
  let result = '';
  let at = 0;
  for (const { from, to } of marks) {
    if (from < at || to > text.length) continue;
    result += `${text.slice(at, from)}‹${text.slice(from, to)}›`;
    at = to;
  }
  return (result + text.slice(at)).replaceAll(/\s+/g, ' ').replaceAll('$(', '$ (');
}

function savedRow({ id, name, query, accountId, total, unread }: SavedSearch, l10n: Localiser): SearchRow {
  return {
    label: name,
    description: [query, unread > 0 ? l10n.t('{0} unread', unread) : String(total)].join(' · '),
    icon: { id: 'bookmark' },
    act: { kind: 'saved', search: { id, name, query, total, unread, ...(accountId === undefined ? {} : { accountId }) } },
  };
}

function suggestionRow(suggestion: QuerySuggestion, l10n: Localiser): SearchRow {
  return {
    label: suggestion.text,
    description: suggestion.detail ?? kindName(suggestion, l10n),
    icon: { id: ICONS[suggestion.kind] },
    act: { kind: 'complete', suggestion },
  };
}

const ICONS: Readonly<Record<SuggestionKind, string>> = {
  operator: 'filter',
  state: 'circle-large-outline',
  attachment: 'attach',
  level: 'shield',
  date: 'calendar',
  size: 'dashboard',
  folder: 'folder',
  account: 'account',
  person: 'person',
  tag: 'tag',
};

/** What an operator asks for, and what a level is called; other values say it themselves. */
function kindName({ kind, text }: QuerySuggestion, l10n: Localiser): string {
  const level = kind === 'level' ? SECURITY_LEVELS.find((one) => text.toUpperCase().includes(one)) : undefined;
  if (level) return levelName(level, l10n);
  if (kind !== 'operator') return '';
  const names: Readonly<Record<string, string>> = {
    from: l10n.t('who wrote it'),
    to: l10n.t('who it went to'),
    cc: l10n.t('who got a copy'),
    subject: l10n.t('words of the subject'),
    body: l10n.t('words of the text'),
    filename: l10n.t('name of an attachment'),
    list: l10n.t('from a mailing list'),
    is: l10n.t('unread, flagged, sealed…'),
    has: l10n.t('with an attachment'),
    level: l10n.t('how it is protected'),
    after: l10n.t('on a day or after it'),
    before: l10n.t('before a day'),
    on: l10n.t('on a day'),
    larger: l10n.t('larger than'),
    smaller: l10n.t('smaller than'),
    in: l10n.t('in a folder'),
    account: l10n.t('in an account'),
    tag: l10n.t('with a tag'),
    label: l10n.t('with a tag'),
  };
  return names[text.slice(0, -1)] ?? '';
}

function separator(label: string): SearchRow {
  return { label, act: { kind: 'separator' } };
}
