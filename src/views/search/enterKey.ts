import type { SavedSearch } from '../../core/api.ts';
import { asTyped } from './asTyped.ts';
import type { LiveSearch } from './liveSearch.ts';
import type { SearchRow } from './searchRows.ts';

/** What becomes of what was typed and found. */
export interface SearchOutcomes {
  open(messageId: number): unknown;
  list(query: string): unknown;
  server(query: string): unknown;
  save(query: string): unknown;
  openSaved(search: SavedSearch): unknown;
}

type Act = SearchRow['act'];

/**
 * What Enter asks for: what the chosen row says, as long as the rows answer what was typed. Rows of an earlier text are nobody's choice: then
 * everything that the typed text finds is listed, once it is known to be a query; what is wrong with it is on show by then.
 */
export async function entered(search: Pick<LiveSearch, 'state' | 'answered'>, chosen: Act | undefined): Promise<Act> {
  if (!search.state.busy) return chosen ?? { kind: 'nothing' };
  const state = await search.answered();
  const isQuery = state !== undefined && state.query.trim() !== '' && state.problems.length === 0 && state.failure === undefined;
  return { kind: isQuery ? 'list' : 'nothing' };
}

/** What a row does that leaves the search box; undefined for one that does not. The query is the one whose hits were shown. */
export function outcomeOf(act: Act, typed: string, outcomes: SearchOutcomes): (() => unknown) | undefined {
  switch (act.kind) {
    case 'open':
      return () => outcomes.open(act.messageId);
    case 'saved':
      return () => outcomes.openSaved(act.search);
    case 'list':
      return () => outcomes.list(asTyped(typed));
    case 'server':
      return () => outcomes.server(asTyped(typed));
    default:
      return undefined;
  }
}
