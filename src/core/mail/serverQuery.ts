import { QuMailError } from '../base/errors.ts';
import { spanOf, type MailState, type QueryLeaf, type QueryNode, type TextField } from './query.ts';

/** A search as an IMAP server is asked (RFC 9051 section 6.4.4); all members must hold. */
export interface ServerCriteria {
  readonly seen?: boolean;
  readonly flagged?: boolean;
  readonly answered?: boolean;
  readonly draft?: boolean;
  readonly from?: string;
  readonly to?: string;
  readonly cc?: string;
  readonly subject?: string;
  readonly body?: string;
  readonly text?: string;
  readonly header?: Readonly<Record<string, string>>;
  /** By the Date field; the day alone counts. */
  readonly sentBefore?: Date;
  readonly sentSince?: Date;
  readonly larger?: number;
  readonly smaller?: number;
  readonly keyword?: string;
  readonly not?: ServerCriteria;
  readonly or?: ServerCriteria[];
}

const TEXT_KEYS: Partial<Record<TextField, 'text' | 'from' | 'to' | 'cc' | 'subject' | 'body'>> = {
  any: 'text',
  from: 'from',
  to: 'to',
  cc: 'cc',
  subject: 'subject',
  body: 'body',
};

/**
 * A query as an IMAP server understands it; servers look for parts of words too, so they find no less. `in:` beside everything else chooses
 * where to look and is left out here. What `account:` says is to be decided before (`decided`): the server of one account knows of no others.
 *
 * @throws QuMailError `search.server-cannot` (details: name) for what no server can be asked
 */
export function serverCriteria(query: QueryNode, now: number): ServerCriteria {
  const node = withoutFolders(query);
  return node ? criteriaOf(node, now) : {};
}

/** The same as Gmail's own search understands it (X-GM-RAW). */
export function gmailQuery(query: QueryNode, now: number): string {
  const node = withoutFolders(query);
  return node ? gmailText(node, now) : '';
}

/** The folders that a query names beside everything else, so that all hits must be in them. */
export function namedFolders(query: QueryNode): readonly string[] {
  const parts = query.kind === 'and' ? query.parts : [query];
  return parts.flatMap((part) => (part.kind === 'in' ? [part.name] : []));
}

function withoutFolders(query: QueryNode): QueryNode | undefined {
  const parts = (query.kind === 'and' ? query.parts : [query]).filter(({ kind }) => kind !== 'in');
  return parts.length > 1 ? { kind: 'and', parts } : parts[0];
}

function criteriaOf(node: QueryNode, now: number): ServerCriteria {
  if (node.kind === 'not') return { not: criteriaOf(node.part, now) };
  if (node.kind === 'or') return { or: node.parts.map((part) => criteriaOf(part, now)) };
  if (node.kind !== 'and') return leafCriteria(node, now);
  const parts = node.parts.map((part) => criteriaOf(part, now));
  const keys = parts.flatMap((part) => Object.keys(part));
  if (new Set(keys).size === keys.length) return Object.assign({}, ...parts) as ServerCriteria;
  // An object holds each key once: a AND b is NOT (NOT a OR NOT b).
  return { not: { or: parts.map((not) => ({ not })) } };
}

function leafCriteria(leaf: QueryLeaf, now: number): ServerCriteria {
  switch (leaf.kind) {
    case 'text': {
      const key = TEXT_KEYS[leaf.field];
      if (key) return { [key]: leaf.text.trim() };
      if (leaf.field === 'list') return { header: { 'list-id': leaf.text.trim() } };
      throw cannot(leaf.field);
    }
    case 'is':
      return stateCriteria(leaf.state);
    case 'date': {
      const span = spanOf(leaf.day, now);
      if (!span) throw cannot(leaf.relation);
      const from = utcDay(span.from);
      if (leaf.relation === 'before') return { sentBefore: from };
      return leaf.relation === 'after' ? { sentSince: from } : { sentSince: from, sentBefore: utcDay(span.until) };
    }
    case 'size':
      return leaf.relation === 'larger' ? { larger: Math.max(1, leaf.octets) } : { smaller: Math.max(1, leaf.octets) };
    case 'tag':
      if (/^[^\s\p{Cc}(){%*"\\\]\x80-\u{10ffff}]+$/u.test(leaf.name)) return { keyword: leaf.name };
      throw cannot('tag');
    default:
      throw cannot(leaf.kind);
  }
}

function stateCriteria(state: MailState): ServerCriteria {
  switch (state) {
    case 'read':
      return { seen: true };
    case 'unread':
      return { seen: false };
    case 'sealed':
      throw cannot('is');
    default:
      return { [state]: true };
  }
}

/** The calendar day as IMAP's date, which has no time zone. */
function utcDay(local: number): Date {
  const day = new Date(local);
  return new Date(Date.UTC(day.getFullYear(), day.getMonth(), day.getDate()));
}

function gmailText(node: QueryNode, now: number): string {
  if (node.kind === 'not') return `-${gmailGroup(node.part, now)}`;
  if (node.kind === 'or') return `{${node.parts.map((part) => gmailGroup(part, now)).join(' ')}}`;
  if (node.kind === 'and') return node.parts.map((part) => gmailGroup(part, now)).join(' ');
  switch (node.kind) {
    case 'text':
      if (node.field === 'body') throw cannot('body');
      return `${node.field === 'any' ? '' : `${node.field}:`}${quoted(node.text)}`;
    case 'is':
      if (node.state === 'sealed' || node.state === 'answered') throw cannot('is');
      return node.state === 'flagged' ? 'is:starred' : node.state === 'draft' ? 'in:drafts' : `is:${node.state}`;
    case 'has':
      return 'has:attachment';
    case 'date': {
      const span = spanOf(node.day, now);
      if (!span) throw cannot(node.relation);
      const seconds = (at: number): number => Math.trunc(at / 1000);
      if (node.relation === 'before') return `before:${seconds(span.from)}`;
      return node.relation === 'after' ? `after:${seconds(span.from)}` : `after:${seconds(span.from)} before:${seconds(span.until)}`;
    }
    case 'size':
      return `${node.relation}:${node.octets}`;
    case 'tag':
      return `label:${quoted(node.name)}`;
    default:
      throw cannot(node.kind);
  }
}

function gmailGroup(node: QueryNode, now: number): string {
  const text = gmailText(node, now);
  return node.kind === 'and' || node.kind === 'date' ? `(${text})` : text;
}

function quoted(text: string): string {
  return `"${text.replace(/["\s\p{Cc}]+/gu, ' ').trim()}"`;
}

function cannot(name: string): QuMailError {
  return new QuMailError('search.server-cannot', { name });
}
