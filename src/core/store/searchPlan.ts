import type { SQLInputValue } from 'node:sqlite';
import { MAIL_FLAGS, type MailFlag } from '../base/types.ts';
import { spanOf, type MailState, type QueryLeaf, type QueryNode } from '../mail/query.ts';
import { firstKeyAt, ID_OF_KEY, LAST_KEY, lastKeyAt } from './searchKey.ts';
import { matchOf, matchOfAll, withoutNoise } from './searchMatch.ts';

/** What names in a query stand for; resolved by who knows folders and accounts. */
export interface QueryNames {
  readonly now: number;
  folderIds(name: string): readonly number[];
  accountIds(name: string): readonly string[];
}

/** A query as SQL over `messages m`. Texts are constants, values go in as parameters. */
export interface SearchPlan {
  /** What the index is asked for; undefined where the query has no text that must be there. */
  readonly match: string | undefined;
  /** Conditions on the rest, '1' for none. */
  readonly where: string;
  readonly values: readonly SQLInputValue[];
  /** Rowids of the index (searchKey.ts): outside of them lies nothing that `where` lets through, so that the index need not look there. */
  readonly keys: KeySpan;
}

interface KeySpan {
  readonly first: number;
  readonly last: number;
}

interface Condition {
  readonly sql: string;
  readonly values: readonly SQLInputValue[];
}

/** Both indexes, of ordinary mail and of sealed mail. */
const MATCHING = `m.id IN (
  SELECT ${ID_OF_KEY} FROM main.search s WHERE s.search MATCH ? UNION ALL SELECT ${ID_OF_KEY} FROM sealed.search s WHERE s.search MATCH ?)`;

const STATES: Readonly<Record<MailState, Condition>> = {
  unread: without('seen'),
  read: having('seen'),
  flagged: having('flagged'),
  answered: having('answered'),
  draft: having('draft'),
  sealed: { sql: "m.seal <> 'plain'", values: [] },
};

/** How a query is looked up; undefined where it has nothing in it that can be looked up. */
export function planSearch(query: QueryNode, names: QueryNames): SearchPlan | undefined {
  const node = withoutNoise(query);
  if (!node) return undefined;
  const parts = node.kind === 'and' ? node.parts : [node];
  const texts = parts.filter((part) => matchOf(part.kind === 'not' ? part.part : part) !== undefined);
  const match = matchOfAll(texts);
  const rest = match === undefined ? parts : parts.filter((part) => !texts.includes(part));
  const conditions = rest.map((part) => conditionOf(part, names));
  const spans = rest.map((part) => keysOf(part, names));
  return {
    match,
    where: conditions.length === 0 ? '1' : conditions.map(({ sql }) => sql).join(' AND '),
    values: conditions.flatMap(({ values }) => values),
    keys: {
      first: Math.max(0, ...spans.map(({ first }) => first)),
      last: Math.min(LAST_KEY, ...spans.map(({ last }) => last)),
    },
  };
}

/** The minutes that a date asks for; of the first and the last one the condition itself decides. */
function keysOf(node: QueryNode, { now }: QueryNames): KeySpan {
  const span = node.kind === 'date' ? spanOf(node.day, now) : undefined;
  const all = { first: 0, last: LAST_KEY };
  if (node.kind !== 'date' || !span) return all;
  if (node.relation === 'before') return { ...all, last: lastKeyAt(span.from) };
  if (node.relation === 'after') return { ...all, first: firstKeyAt(span.from) };
  return { first: firstKeyAt(span.from), last: lastKeyAt(span.until) };
}

function conditionOf(node: QueryNode, names: QueryNames): Condition {
  const match = matchOf(node);
  if (match !== undefined) return { sql: MATCHING, values: [match, match] };
  if (node.kind === 'not') {
    const { sql, values } = conditionOf(node.part, names);
    return { sql: `NOT (${sql})`, values };
  }
  if (node.kind !== 'and' && node.kind !== 'or') return leafCondition(node, names);
  const parts = node.parts.map((part) => conditionOf(part, names));
  return {
    sql: `(${parts.map(({ sql }) => sql).join(node.kind === 'and' ? ' AND ' : ' OR ')})`,
    values: parts.flatMap(({ values }) => values),
  };
}

function leafCondition(leaf: QueryLeaf, names: QueryNames): Condition {
  switch (leaf.kind) {
    case 'is':
      return STATES[leaf.state];
    case 'has':
      // What is inside sealed mail is known in memory alone.
      return {
        sql: "CASE m.seal WHEN 'opened' THEN m.id IN (SELECT message_id FROM sealed.facts WHERE attachments = 1) ELSE m.has_attachments = 1 END",
        values: [],
      };
    case 'level':
      return { sql: 'm.level = ?', values: [leaf.level] };
    case 'date':
      return dateCondition(leaf, names.now);
    case 'size':
      return { sql: leaf.relation === 'larger' ? 'm.size > ?' : 'm.size < ?', values: [leaf.octets] };
    case 'in':
      return { sql: 'm.folder_id IN (SELECT value FROM json_each(?))', values: [JSON.stringify(names.folderIds(leaf.name))] };
    case 'account':
      return {
        sql: 'm.folder_id IN (SELECT id FROM folders WHERE account_id IN (SELECT value FROM json_each(?)))',
        values: [JSON.stringify(names.accountIds(leaf.name))],
      };
    case 'tag':
      return { sql: 'EXISTS (SELECT 1 FROM json_each(m.labels) WHERE value = ? COLLATE NOCASE)', values: [leaf.name] };
    default:
      return { sql: '0', values: [] };
  }
}

function dateCondition(leaf: QueryLeaf & { kind: 'date' }, now: number): Condition {
  const span = spanOf(leaf.day, now);
  if (!span) return { sql: '0', values: [] };
  if (leaf.relation === 'before') return { sql: 'm.date < ?', values: [span.from] };
  if (leaf.relation === 'after') return { sql: 'm.date >= ?', values: [span.from] };
  return { sql: 'm.date >= ? AND m.date < ?', values: [span.from, span.until] };
}

function having(flag: MailFlag): Condition {
  return { sql: `m.flags & ${1 << MAIL_FLAGS.indexOf(flag)} <> 0`, values: [] };
}

function without(flag: MailFlag): Condition {
  return { sql: `m.flags & ${1 << MAIL_FLAGS.indexOf(flag)} = 0`, values: [] };
}
