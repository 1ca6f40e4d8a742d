import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import { QuMailError } from '../base/errors.ts';
import { ID_OF_KEY, searchKey } from './searchKey.ts';
import type { SearchPlan } from './searchPlan.ts';
import { Statements, type Row } from './statements.ts';

/** Folders a search looks in: these, or all but these. */
export interface SearchScope {
  readonly folders: 'only' | 'all-but';
  readonly ids: readonly number[];
}

export interface Found {
  readonly id: number;
  readonly date: number;
  /** Of Gmail, where one message stands in several folders. */
  readonly gmailId: string | undefined;
  /** BM25, higher is better; 0 for a query without text. */
  readonly score: number;
}

/** Weights of the columns of SEARCH_TABLE: a word in the subject says more than one in the text. */
const SCORE = '-bm25(search, 8.0, 4.0, 2.0, 1.0, 1.0, 3.0, 1.0)';
const DAY = 86_400_000;
/** Days after which a message counts half of what time can make it count. */
const HALF_LIFE = 90;

/** Looks things up in both indexes and the rows they belong to. */
export class SearchQuery {
  readonly #sql: Statements;

  constructor(deps: { db: DatabaseSync }) {
    this.#sql = new Statements(deps.db);
  }

  /** The newest that match, newest first; after message `before` in that order. @throws QuMailError `message.missing` when that one has gone */
  newest(plan: SearchPlan, scope: SearchScope, limit: number, before?: number): Found[] {
    const last = before === undefined ? undefined : this.#placeOf(before);
    if (plan.match === undefined) return this.#rows(plan, scope, limit, last).map(foundOf);
    const key = last ? searchKey(last) : Number.MAX_SAFE_INTEGER;
    const both = ['main', 'sealed'].flatMap((index) => this.#matches(index, plan, scope, limit, key));
    return both
      .map(foundOf)
      .sort((a, b) => searchKey(b) - searchKey(a))
      .slice(0, limit);
  }

  /** How many match, and how many of those are not read; counted no further than `most`. */
  count(plan: SearchPlan, scope: SearchScope, most: number): { readonly total: number; readonly unread: number } {
    const { match } = plan;
    const matching = (index: string): string =>
      `SELECT m.id, m.flags FROM ${index}.search s CROSS JOIN main.messages m ON m.id = ${ID_OF_KEY} WHERE s.search MATCH ? AND ${ofIndex(index)}`;
    const values = [...plan.values, JSON.stringify(scope.ids)];
    const rest = `AND ${plan.where} AND ${inScope(scope)}`;
    const [from, all] =
      match === undefined
        ? [`SELECT m.id, m.flags FROM main.messages m WHERE ${plan.where} AND ${inScope(scope)}`, values]
        : [`${matching('main')} ${rest} UNION ALL ${matching('sealed')} ${rest}`, [match, ...values, match, ...values]];
    const row = this.#sql.get(`SELECT count(*) AS total, coalesce(sum(flags & 1 = 0), 0) AS unread FROM (${from} LIMIT ?)`, ...all, most)!;
    return { total: row.integer('total'), unread: row.integer('unread') };
  }

  #matches(index: string, plan: SearchPlan, scope: SearchScope, limit: number, beforeKey: number): Row[] {
    return this.#sql.all(
      `SELECT m.id, m.date, m.gm_msgid, ${SCORE} AS score FROM ${index}.search s CROSS JOIN main.messages m ON m.id = ${ID_OF_KEY}
       WHERE s.search MATCH ? AND s.rowid < ? AND ${ofIndex(index)} AND ${plan.where} AND ${inScope(scope)} ORDER BY s.rowid DESC LIMIT ?`,
      plan.match!,
      BigInt(beforeKey),
      ...plan.values,
      JSON.stringify(scope.ids),
      limit,
    );
  }

  #rows(plan: SearchPlan, scope: SearchScope, limit: number, last: Place | undefined): Row[] {
    const after: SQLInputValue[] = last ? [last.date, last.id] : [];
    return this.#sql.all(
      `SELECT m.id, m.date, m.gm_msgid, 0.0 AS score FROM main.messages m WHERE ${plan.where} AND ${inScope(scope)}
       ${last ? 'AND (m.date, m.id) < (?, ?)' : ''} ORDER BY m.date DESC, m.id DESC LIMIT ?`,
      ...plan.values,
      JSON.stringify(scope.ids),
      ...after,
      limit,
    );
  }

  #placeOf(id: number): Place {
    const date = this.#sql.get('SELECT date FROM messages WHERE id = ?', id)?.integer('date');
    if (date === undefined) throw new QuMailError('message.missing');
    return { id, date };
  }
}

interface Place {
  readonly id: number;
  readonly date: number;
}

/** The best first: BM25, and what is new counts up to twice what is old. */
export function ranked(found: readonly Found[], now: number): Found[] {
  const value = ({ score, date }: Found): number => score * (1 + 2 ** (-Math.max(0, now - date) / DAY / HALF_LIFE));
  return found
    .map((each) => ({ each, value: value(each) }))
    .sort((a, b) => b.value - a.value || b.each.date - a.each.date)
    .map(({ each }) => each);
}

/** Of one message in several folders of Gmail, the first that was found. */
export function withoutTwins(found: readonly Found[]): Found[] {
  const seen = new Set<string>();
  return found.filter(({ gmailId }) => gmailId === undefined || (!seen.has(gmailId) && seen.add(gmailId)));
}

/** Opened mail is looked for in its own index alone: its words are there, and the outside of it says less. */
function ofIndex(index: string): string {
  return index === 'main' ? "m.seal <> 'opened'" : "m.seal = 'opened'";
}

function inScope(scope: SearchScope): string {
  return `m.folder_id ${scope.folders === 'only' ? 'IN' : 'NOT IN'} (SELECT value FROM json_each(?))`;
}

function foundOf(row: Row): Found {
  return {
    id: row.integer('id'),
    date: row.integer('date'),
    gmailId: row.has('gm_msgid') ? row.text('gm_msgid') : undefined,
    score: row.integer('score'),
  };
}
