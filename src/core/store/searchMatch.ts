import type { QueryLeaf, QueryNode, TextField } from '../mail/query.ts';
import { segmentTerm } from '../mail/segment.ts';

const COLUMNS: Readonly<Record<TextField, string>> = {
  any: '',
  from: 'sender : ',
  to: 'recipients : ',
  cc: 'copies : ',
  subject: 'subject : ',
  body: 'body : ',
  filename: 'files : ',
  list: 'list : ',
};

/** The query without texts that hold no word, such as a dash between words; undefined where nothing is left. */
export function withoutNoise(node: QueryNode): QueryNode | undefined {
  if (node.kind === 'text') return segmentTerm(node.text) ? node : undefined;
  if (node.kind === 'not') {
    const part = withoutNoise(node.part);
    return part && { kind: 'not', part };
  }
  if (node.kind !== 'and' && node.kind !== 'or') return node;
  const parts = node.parts.map(withoutNoise).filter((part) => part !== undefined);
  return parts.length > 1 ? { kind: node.kind, parts } : parts[0];
}

/**
 * The FTS5 expression of a part of a query that is about texts alone, undefined for any other. A negation has one only beside something
 * that is wanted: FTS5 knows `a NOT b`, and no NOT by itself.
 */
export function matchOf(node: QueryNode): string | undefined {
  if (node.kind === 'text') return termOf(node);
  if (node.kind === 'or') {
    const parts = node.parts.map(matchOf);
    return parts.every((part) => part !== undefined) ? `(${parts.join(' OR ')})` : undefined;
  }
  return node.kind === 'and' ? matchOfAll(node.parts) : undefined;
}

/** The same for parts that must all hold. */
export function matchOfAll(parts: readonly QueryNode[]): string | undefined {
  const wanted: string[] = [];
  const unwanted: string[] = [];
  for (const part of parts) {
    const match = matchOf(part.kind === 'not' ? part.part : part);
    if (match === undefined) return undefined;
    (part.kind === 'not' ? unwanted : wanted).push(match);
  }
  if (wanted.length === 0) return undefined;
  const all = wanted.length === 1 ? wanted[0]! : `(${wanted.join(' AND ')})`;
  return unwanted.length === 0 ? all : `(${all} NOT (${unwanted.join(' OR ')}))`;
}

function termOf(leaf: QueryLeaf & { kind: 'text' }): string {
  const term = segmentTerm(leaf.text);
  // A quoted string is never syntax; the tokenizer splits it into words that stand side by side.
  const words = (term?.words ?? '').replaceAll('\0', ' ').replaceAll('"', '""');
  return `${COLUMNS[leaf.field]}"${words}"${leaf.match === 'prefix' || term?.open === 'open' ? ' *' : ''}`;
}
