import type { QueryDay, QueryNode } from './query.ts';

/** The query that `parseQuery` reads back as the same tree. Texts must be of the kind that can be written: no quotes in phrases. */
export function printQuery(node: QueryNode): string {
  switch (node.kind) {
    case 'or':
      return node.parts.map((part) => printQuery(part)).join(' OR ');
    case 'and':
      return node.parts.map((part) => grouped(part, ['or'])).join(' ');
    case 'not':
      return `-${grouped(node.part, ['or', 'and'])}`;
    case 'text':
      return `${node.field === 'any' ? '' : `${node.field}:`}${textOf(node.match, node.text)}`;
    case 'is':
      return `is:${node.state}`;
    case 'has':
      return `has:${node.what}`;
    case 'level':
      return `level:${node.level}`;
    case 'date':
      return `${node.relation}:${dayText(node.day)}`;
    case 'size':
      return `${node.relation}:${node.octets}`;
    default:
      return `${node.kind}:${quotedName(node.name)}`;
  }
}

function grouped(node: QueryNode, kinds: readonly string[]): string {
  return kinds.includes(node.kind) ? `(${printQuery(node)})` : printQuery(node);
}

function textOf(match: 'word' | 'phrase' | 'prefix', text: string): string {
  if (match === 'phrase') return `"${text}"`;
  return match === 'prefix' ? `${text}*` : text;
}

function dayText(day: QueryDay): string {
  return 'iso' in day ? day.iso : `${day.daysAgo}d`;
}

function quotedName(name: string): string {
  return /^(?!\/\/)[^\s\p{Cc}()"]+$/u.test(name) ? name : `"${name}"`;
}
