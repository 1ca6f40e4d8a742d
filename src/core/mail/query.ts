import type { SecurityLevel } from '../base/types.ts';

/** What is asked of a mail search, as a tree. `and` and `or` have at least two parts and are never nested in their own kind. */
export type QueryNode = QueryGroup | { readonly kind: 'not'; readonly part: QueryNode } | QueryLeaf;

export type QueryGroup =
  | { readonly kind: 'and'; readonly parts: readonly QueryNode[] }
  | { readonly kind: 'or'; readonly parts: readonly QueryNode[] };

export type QueryLeaf =
  /** `word`: all of it as it stands; `phrase`: several words in this order; `prefix`: words that begin so. */
  | { readonly kind: 'text'; readonly field: TextField; readonly match: 'word' | 'phrase' | 'prefix'; readonly text: string }
  | { readonly kind: 'is'; readonly state: MailState }
  | { readonly kind: 'has'; readonly what: 'attachment' }
  | { readonly kind: 'level'; readonly level: SecurityLevel }
  | { readonly kind: 'date'; readonly relation: 'before' | 'after' | 'on'; readonly day: QueryDay }
  | { readonly kind: 'size'; readonly relation: 'larger' | 'smaller'; readonly octets: number }
  /** A folder by its path or its last name, an account by its address, a label; any case. */
  | { readonly kind: 'in' | 'account' | 'tag'; readonly name: string };

/** Where a text is looked for; `any` is every one of the others. */
export type TextField = 'any' | 'from' | 'to' | 'cc' | 'subject' | 'body' | 'filename' | 'list';

export const MAIL_STATES = ['unread', 'read', 'flagged', 'answered', 'draft', 'sealed'] as const;
export type MailState = (typeof MAIL_STATES)[number];

/** A day, month or year of the calendar where the person is, as ISO 8601 writes it, or that many days ago. */
export type QueryDay = { readonly iso: string } | { readonly daysAgo: number };

export const QUERY_LIMITS = {
  /** UTF-16 units of a query. */
  length: 2000,
  /** Leaves of the tree. */
  terms: 64,
  /** Parentheses and negations open at once. */
  depth: 16,
} as const;

/** All of `parts`; one part stands for itself. */
export function allOf(parts: readonly QueryNode[]): QueryNode {
  return joined('and', parts);
}

/** Any of `parts`. */
export function anyOf(parts: readonly QueryNode[]): QueryNode {
  return joined('or', parts);
}

/** Every leaf, left to right. */
export function leavesOf(node: QueryNode): readonly QueryLeaf[] {
  if (node.kind === 'and' || node.kind === 'or') return node.parts.flatMap(leavesOf);
  if (node.kind === 'not') return leavesOf(node.part);
  return [node];
}

/** What is left of a query of which some leaves are known to hold or not; `known` answers undefined for the others. */
export function decided(node: QueryNode, known: (leaf: QueryLeaf) => boolean | undefined): QueryNode | boolean {
  if (node.kind === 'not') {
    const part = decided(node.part, known);
    return typeof part === 'boolean' ? !part : { kind: 'not', part };
  }
  if (node.kind !== 'and' && node.kind !== 'or') return known(node) ?? node;
  const parts = node.parts.map((part) => decided(part, known));
  const settles = node.kind === 'or';
  if (parts.includes(settles)) return settles;
  const open = parts.filter((part) => typeof part !== 'boolean');
  return open.length === 0 ? !settles : joined(node.kind, open);
}

/** The texts that a hit may contain, which are what a snippet marks: everything that is not negated. */
export function wantedTexts(node: QueryNode): readonly (QueryLeaf & { kind: 'text' })[] {
  if (node.kind === 'and' || node.kind === 'or') return node.parts.flatMap(wantedTexts);
  return node.kind === 'text' ? [node] : [];
}

/**
 * When a calendar value begins and ends, milliseconds since the epoch, `until` exclusive, in the time zone of this machine. undefined for
 * what is no date, such as 2026-02-30.
 */
export function spanOf(day: QueryDay, now: number): { readonly from: number; readonly until: number } | undefined {
  if ('daysAgo' in day) {
    const today = new Date(now);
    const from = new Date(today.getFullYear(), today.getMonth(), today.getDate() - day.daysAgo);
    return { from: from.getTime(), until: new Date(from.getFullYear(), from.getMonth(), from.getDate() + 1).getTime() };
  }
  const match = /^(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?$/.exec(day.iso);
  if (!match) return undefined;
  const [year, month, date] = [Number(match[1]), Number(match[2] ?? 1) - 1, Number(match[3] ?? 1)];
  const from = new Date(year, month, date);
  if (year < 1000 || from.getMonth() !== month || from.getDate() !== date) return undefined;
  const until =
    match[3] !== undefined
      ? new Date(year, month, date + 1)
      : match[2] !== undefined
        ? new Date(year, month + 1, 1)
        : new Date(year + 1, 0, 1);
  return { from: from.getTime(), until: until.getTime() };
}

function joined(kind: 'and' | 'or', parts: readonly QueryNode[]): QueryNode {
  const flat = parts.flatMap((part) => (part.kind === kind ? part.parts : [part]));
  return flat.length === 1 ? flat[0]! : { kind, parts: flat };
}
