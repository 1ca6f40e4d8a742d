import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import { QuMailError } from '../base/errors.ts';
import { HIDDEN } from './messageWriting.ts';
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
  /** Higher is better; 0 for a query without text. */
  readonly score: number;
}

/** Weights of the columns of SEARCH_TABLE: a word in the subject says more than one in the text. */
const BM25 = '-bm25(search, 8.0, 4.0, 2.0, 1.0, 1.0, 3.0, 1.0)';
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
    return this.#matches(plan, scope, limit, '1', { before: last && searchKey(last) });
  }

  /**
   * The newest `pool` that match, with what they score. BM25 counts every message that has a phrase before it scores the first, and tells little of
   * phrases that most messages have: where more than `pool` match, those count triple that say it in subject or sender.
   */
  scored(plan: SearchPlan, scope: SearchScope, pool: number): Found[] {
    const newest = this.newest(plan, scope, pool);
    const last = newest.at(-1);
    if (plan.match === undefined || !last) return newest;
    if (newest.length < pool) return this.#matches(plan, scope, pool, BM25);
    const prominent = { ...plan, match: `{subject sender} : (${plan.match})` };
    // Not looked for further back than there is something to score.
    const named = new Set(this.#matches(prominent, scope, pool, '1', { from: searchKey(last) }).map(({ id }) => id));
    return newest.map((found) => (named.has(found.id) ? { ...found, score: 3 } : found));
  }

  /** How many match, and how many of those are not read; counted no further than `most`. */
  count(plan: SearchPlan, scope: SearchScope, most: number): { readonly total: number; readonly unread: number } {
    const { match } = plan;
    const matching = (index: string): string =>
      `SELECT m.id, m.flags FROM ${index}.search s CROSS JOIN main.messages m ON m.id = ${ID_OF_KEY} WHERE s.search MATCH ? AND s.rowid BETWEEN ? AND ? AND ${ofIndex(index)}`;
    const values = [...plan.values, JSON.stringify(scope.ids)];
    const keys = [BigInt(plan.keys.first), BigInt(plan.keys.last)];
    const rest = `AND ${plan.where} AND ${inScope(scope)}`;
    const [from, all] =
      match === undefined
        ? [`SELECT m.id, m.flags FROM main.messages m WHERE ${plan.where} AND ${inScope(scope)}`, values]
        : [`${matching('main')} ${rest} UNION ALL ${matching('sealed')} ${rest}`, [match, ...keys, ...values, match, ...keys, ...values]];
    const row = this.#sql.get(`SELECT count(*) AS total, coalesce(sum(flags & 1 = 0), 0) AS unread FROM (${from} LIMIT ?)`, ...all, most)!;
    return { total: row.integer('total'), unread: row.integer('unread') };
  }

  /** Out of both indexes, the newest first. */
  #matches(
    plan: SearchPlan,
    scope: SearchScope,
    limit: number,
    score: '1' | typeof BM25,
    keys: { readonly before?: number | undefined; readonly from?: number } = {},
  ): Found[] {
    const rows = ['main', 'sealed'].flatMap((index) =>
      this.#sql.all(
        `SELECT m.id, m.date, m.gm_msgid, ${score} AS score FROM ${index}.search s CROSS JOIN main.messages m ON m.id = ${ID_OF_KEY}
         WHERE s.search MATCH ? AND s.rowid BETWEEN ? AND ? AND ${ofIndex(index)} AND ${plan.where} AND ${inScope(scope)} ORDER BY s.rowid DESC LIMIT ?`,
        plan.match!,
        BigInt(Math.max(keys.from ?? 0, plan.keys.first)),
        BigInt(Math.min((keys.before ?? Number.MAX_SAFE_INTEGER) - 1, plan.keys.last)),
        ...plan.values,
        JSON.stringify(scope.ids),
        limit,
      ),
    );
    return rows
      .map(foundOf)
      .sort((a, b) => searchKey(b) - searchKey(a))
      .slice(0, limit);
  }

  #rows(plan: SearchPlan, scope: SearchScope, limit: number, last: Place | undefined): Row[] {
    const after: SQLInputValue[] = last ? [last.date, last.id] : [];
    return this.#sql.all(
      `SELECT m.id, m.date, m.gm_msgid, 0 AS score FROM main.messages m WHERE ${plan.where} AND ${inScope(scope)}
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
  // What is said in chats is looked for there.
  return `m.hidden < ${HIDDEN.removing} AND m.folder_id ${scope.folders === 'only' ? 'IN' : 'NOT IN'} (SELECT value FROM json_each(?))`;
}

function foundOf(row: Row): Found {
  return {
    id: row.integer('id'),
    date: row.integer('date'),
    gmailId: row.has('gm_msgid') ? row.text('gm_msgid') : undefined,
    score: row.integer('score'),
  };
}
