import { SECURITY_LEVELS } from '../base/types.ts';
import { MAIL_STATES, spanOf, type QueryDay, type QueryLeaf, type TextField } from './query.ts';

/** What stands after an operator's colon, for completion. */
export type ValueKind = 'text' | 'person' | 'state' | 'attachment' | 'level' | 'date' | 'size' | 'folder' | 'account' | 'tag';

interface Operator {
  readonly name: string;
  readonly value: ValueKind;
  /** The leaf that a value stands for; undefined where the value does not fit. */
  readonly read: (value: string, quoted: 'quoted' | 'bare') => QueryLeaf | undefined;
}

const DAY_WORDS: Readonly<Record<string, number>> = { today: 0, yesterday: 1 };
const DAYS_OF: Readonly<Record<string, number>> = { d: 1, w: 7, m: 30, y: 365 };
const OCTETS_OF: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 1024,
  kb: 1024,
  m: 1024 ** 2,
  mb: 1024 ** 2,
  g: 1024 ** 3,
  gb: 1024 ** 3,
};
const MAX_DAYS = 36_500;

/** The operators of the query language, in the order completion offers them. */
export const QUERY_OPERATORS: readonly Operator[] = [
  textOperator('from', 'person'),
  textOperator('to', 'person'),
  textOperator('cc', 'person'),
  textOperator('subject', 'text'),
  textOperator('body', 'text'),
  textOperator('filename', 'text'),
  textOperator('list', 'text'),
  { name: 'is', value: 'state', read: (value) => oneOf(MAIL_STATES, value.toLowerCase(), (state) => ({ kind: 'is', state })) },
  { name: 'has', value: 'attachment', read: (value) => (/^attachments?$/i.test(value) ? { kind: 'has', what: 'attachment' } : undefined) },
  { name: 'level', value: 'level', read: (value) => oneOf(SECURITY_LEVELS, value.toUpperCase(), (level) => ({ kind: 'level', level })) },
  dateOperator('after'),
  dateOperator('before'),
  dateOperator('on'),
  sizeOperator('larger'),
  sizeOperator('smaller'),
  { name: 'in', value: 'folder', read: (name) => ({ kind: 'in', name }) },
  { name: 'account', value: 'account', read: (name) => ({ kind: 'account', name }) },
  { name: 'tag', value: 'tag', read: (name) => ({ kind: 'tag', name }) },
  { name: 'label', value: 'tag', read: (name) => ({ kind: 'tag', name }) },
];

/** The operator of this name in any case. */
export function operatorNamed(name: string): Operator | undefined {
  const wanted = name.toLowerCase();
  return QUERY_OPERATORS.find((operator) => operator.name === wanted);
}

/** The operator whose name is at most two slips away from a word that is none. */
export function nearestOperator(name: string): string | undefined {
  const ranked = QUERY_OPERATORS.map((operator) => ({ name: operator.name, slips: slips(name.toLowerCase(), operator.name) }));
  const best = ranked.sort((a, b) => a.slips - b.slips)[0]!;
  return best.slips <= Math.min(2, name.length - 1) ? best.name : undefined;
}

/** A text leaf out of what was written; a star at the end of a bare word makes a prefix of it. */
export function textLeaf(field: TextField, text: string, quoted: 'quoted' | 'bare'): QueryLeaf | undefined {
  if (quoted === 'quoted') return text.trim() === '' ? undefined : { kind: 'text', field, match: 'phrase', text };
  const word = text.replace(/\*+$/, '');
  if (word === '') return undefined;
  return { kind: 'text', field, match: word === text ? 'word' : 'prefix', text: word };
}

function textOperator(field: TextField & string, value: ValueKind): Operator {
  return { name: field, value, read: (text, quoted) => textLeaf(field, text, quoted) };
}

function dateOperator(relation: 'before' | 'after' | 'on'): Operator {
  const read = (value: string): QueryLeaf | undefined => {
    const day = dayOf(value.toLowerCase());
    return day && spanOf(day, 0) ? { kind: 'date', relation, day } : undefined;
  };
  return { name: relation, value: 'date', read };
}

function dayOf(value: string): QueryDay | undefined {
  const word = DAY_WORDS[value];
  if (word !== undefined) return { daysAgo: word };
  const relative = /^(\d{1,5})([dwmy])$/.exec(value);
  if (!relative) return { iso: value.replaceAll('/', '-') };
  const daysAgo = Number(relative[1]) * DAYS_OF[relative[2]!]!;
  return daysAgo > MAX_DAYS ? undefined : { daysAgo };
}

function sizeOperator(relation: 'larger' | 'smaller'): Operator {
  const read = (value: string): QueryLeaf | undefined => {
    const match = /^(\d{1,12}(?:\.\d{1,3})?)([kmg]?b?)$/i.exec(value);
    if (!match) return undefined;
    const octets = Math.round(Number(match[1]) * OCTETS_OF[match[2]!.toLowerCase()]!);
    return Number.isSafeInteger(octets) ? { kind: 'size', relation, octets } : undefined;
  };
  return { name: relation, value: 'size', read };
}

function oneOf<T extends string>(members: readonly T[], value: string, leaf: (member: T) => QueryLeaf): QueryLeaf | undefined {
  const member = members.find((each) => each === value);
  return member === undefined ? undefined : leaf(member);
}

/** Levenshtein distance of two short words. */
function slips(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= Math.min(a.length, 20); i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length]!;
}
