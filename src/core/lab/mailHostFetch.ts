import { imapLiteral } from './mailHostGrammar.ts';
import type { ImapNode } from './mailHostGrammar.ts';
import type { StoredMessage } from './mailHostStore.ts';
import { bodyStructure, envelope, mimeTree } from './mailHostStructure.ts';
import type { MimePart } from './mailHostStructure.ts';

/** One thing to fetch: its answer, and whether fetching it sets \Seen (RFC 9051 6.4.5). */
interface FetchItem {
  readonly name: string;
  readonly setsSeen: boolean;
  read(message: StoredMessage): Buffer;
}

const MACROS: Readonly<Record<string, readonly string[]>> = {
  ALL: ['FLAGS', 'INTERNALDATE', 'RFC822.SIZE', 'ENVELOPE'],
  FAST: ['FLAGS', 'INTERNALDATE', 'RFC822.SIZE'],
  FULL: ['FLAGS', 'INTERNALDATE', 'RFC822.SIZE', 'ENVELOPE', 'BODYSTRUCTURE'],
};

/** The items of a FETCH command; undefined when one is not known. */
export function parseFetchItems(node: ImapNode | undefined): FetchItem[] | undefined {
  if (!node || node.kind === 'string') return undefined;
  const words = node.kind === 'list' ? node.items : [node];
  const items: FetchItem[] = [];
  for (const word of words) {
    if (word.kind !== 'atom') return undefined;
    for (const name of MACROS[word.text.toUpperCase()] ?? [word.text]) {
      const item = fetchItem(name);
      if (!item) return undefined;
      items.push(item);
    }
  }
  return items;
}

function fetchItem(text: string): FetchItem | undefined {
  const name = text.toUpperCase();
  const plain = (read: (m: StoredMessage) => Buffer | string): FetchItem => ({ name, setsSeen: false, read: (m) => Buffer.from(read(m)) });
  switch (name) {
    case 'UID':
      return plain((m) => String(m.uid));
    case 'FLAGS':
      return plain((m) => `(${[...m.flags].join(' ')})`);
    case 'INTERNALDATE':
      return plain((m) => `"${imapDate(m.internalDate)}"`);
    case 'RFC822.SIZE':
      return plain((m) => String(m.raw.length));
    case 'ENVELOPE':
      return plain((m) => envelope(mimeTree(m.raw).fields));
    case 'BODYSTRUCTURE':
    case 'BODY':
      return plain((m) => bodyStructure(m.raw, mimeTree(m.raw)));
    case 'RFC822':
      return { name, setsSeen: true, read: (m) => imapLiteral(m.raw) };
    case 'RFC822.HEADER':
      return plain((m) => imapLiteral(sectionOf(m.raw, 'HEADER')));
    case 'RFC822.TEXT':
      return { name, setsSeen: true, read: (m) => imapLiteral(sectionOf(m.raw, 'TEXT')) };
    default:
      return bodyItem(text);
  }
}

/** `BODY[section]<from.count>` and `BODY.PEEK[…]`. */
function bodyItem(text: string): FetchItem | undefined {
  const match = /^BODY(\.PEEK)?\[([^\]]*)\](?:<(\d{1,10})\.(\d{1,10})>)?$/i.exec(text);
  if (!match) return undefined;
  const section = match[2] ?? '';
  const origin = match[3] === undefined ? undefined : Number(match[3]);
  const count = Number(match[4] ?? 0);
  return {
    name: `BODY[${section}]${origin === undefined ? '' : `<${origin}>`}`,
    setsSeen: match[1] === undefined,
    read(message) {
      const bytes = sectionOf(message.raw, section);
      return imapLiteral(origin === undefined ? bytes : bytes.subarray(origin, origin + count));
    },
  };
}

/** The bytes of a section (RFC 9051 6.4.5.1); empty where there is no such part. */
function sectionOf(raw: Buffer, section: string): Buffer {
  if (section === '') return raw;
  const match = /^((?:\d{1,5}\.)*\d{1,5})?\.?(.*)$/.exec(section);
  const path = match?.[1]?.split('.').map(Number) ?? [];
  const what = (match?.[2] ?? '').toUpperCase();
  const part = partAt(mimeTree(raw), path);
  if (!part) return Buffer.alloc(0);
  if (what === '') return raw.subarray(part.body, part.end);
  if (what === 'TEXT') return raw.subarray(part.body, part.end);
  if (what === 'HEADER' || what === 'MIME') return raw.subarray(part.start, part.body);
  const fields = /^HEADER\.FIELDS(\.NOT)? \((.*)\)$/.exec(what);
  if (!fields) return Buffer.alloc(0);
  const names = new Set((fields[2] ?? '').replaceAll('"', '').split(' '));
  return headerFields(raw.subarray(part.start, part.body), (name) => names.has(name) === (fields[1] === undefined));
}

function partAt(root: MimePart, path: readonly number[]): MimePart | undefined {
  let part: MimePart | undefined = root;
  for (const [depth, n] of path.entries()) {
    // Part 1 of a message that is not multipart is its body.
    if (part?.children.length === 0 && n === 1 && depth === path.length - 1) return part;
    part = part?.children[n - 1];
  }
  return part;
}

/** The fields, as they stand, whose upper-case name is wanted, and the empty line. */
function headerFields(section: Buffer, wanted: (name: string) => boolean): Buffer {
  const kept: string[] = [];
  let keep = false;
  for (const line of section.toString('latin1').split(/(?<=\n)/)) {
    if (!/^[ \t]/.test(line)) keep = wanted((line.split(':', 1)[0] ?? '').trim().toUpperCase());
    if (keep && line.trim() !== '') kept.push(line);
  }
  return Buffer.from(`${kept.join('')}\r\n`, 'latin1');
}

/** `date-time` of RFC 9051 9, in UTC. */
function imapDate(date: Date): string {
  const [, day, month, year, time] = /^\w+, (\d+) (\w+) (\d+) ([\d:]+)/.exec(date.toUTCString()) ?? [];
  return `${day}-${month}-${year} ${time} +0000`;
}
