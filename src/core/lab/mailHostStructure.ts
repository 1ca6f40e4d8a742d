import { scanAddressList } from '../mail/address.ts';
import { fieldValue, readHeaderSection } from '../mail/headerSection.ts';
import type { HeaderField } from '../mail/headerField.ts';
import { imapString } from './mailHostGrammar.ts';

const MAX_PARTS = 1_000;
const MAX_DEPTH = 30;

/** A MIME part by its offsets in the message: header [start, body), content [body, end). */
export interface MimePart {
  readonly start: number;
  readonly body: number;
  readonly end: number;
  readonly fields: readonly HeaderField[];
  /** Upper case, as IMAP shows them. */
  readonly type: string;
  readonly subtype: string;
  readonly parameters: readonly (readonly [string, string])[];
  readonly children: readonly MimePart[];
}

/** The MIME tree of a message (RFC 2045, 2046), bounded. */
export function mimeTree(raw: Buffer): MimePart {
  const budget = { parts: MAX_PARTS };
  return readPart(raw, 0, raw.length, budget, 0);
}

function readPart(raw: Buffer, start: number, end: number, budget: { parts: number }, depth: number): MimePart {
  budget.parts--;
  const section = readHeaderSection(raw.subarray(start, end));
  const body = start + section.bodyOffset;
  const contentType = structured(fieldValue(section.fields, 'Content-Type') ?? 'text/plain; charset=us-ascii');
  const [type = 'TEXT', subtype = 'PLAIN'] = contentType.value.toUpperCase().split('/');
  const part = { start, body, end, fields: section.fields, type, subtype, parameters: contentType.parameters, children: [] as MimePart[] };
  const boundary = contentType.parameters.find(([name]) => name === 'BOUNDARY')?.[1];
  if (type !== 'MULTIPART' || !boundary || depth >= MAX_DEPTH) return part;
  let from: number | undefined;
  for (const delimiter of delimiters(raw, body, end, boundary)) {
    if (from !== undefined && budget.parts > 0) part.children.push(readPart(raw, from, Math.max(from, delimiter.start), budget, depth + 1));
    from = delimiter.closing ? undefined : delimiter.next;
    if (delimiter.closing) break;
  }
  if (from !== undefined && budget.parts > 0) part.children.push(readPart(raw, from, end, budget, depth + 1));
  return part;
}

/** Delimiter lines of a multipart; `start` excludes the line break before the delimiter, which belongs to it (RFC 2046 5.1.1). */
function* delimiters(
  raw: Buffer,
  body: number,
  end: number,
  boundary: string,
): Generator<{ start: number; next: number; closing: boolean }> {
  const mark = Buffer.from(`--${boundary}`);
  for (let at = raw.indexOf(mark, body); at >= 0 && at < end; at = raw.indexOf(mark, at + 1)) {
    if (at > body && raw[at - 1] !== 0x0a) continue;
    const lf = raw.indexOf(0x0a, at);
    const next = lf < 0 || lf >= end ? end : lf + 1;
    const rest = raw.toString('latin1', at + mark.length, next).trim();
    if (rest !== '' && rest !== '--') continue;
    const start = at - (raw[at - 1] === 0x0a ? (raw[at - 2] === 0x0d ? 2 : 1) : 0);
    yield { start, next, closing: rest === '--' };
  }
}

/** A structured field such as Content-Type: its value and its parameters, names in upper case. */
function structured(value: string): { value: string; parameters: [string, string][] } {
  const parameters: [string, string][] = [];
  for (const match of value.matchAll(/;\s*([^\s=;"]{1,100})\s*=\s*("(?:[^"\\]|\\.)*"|[^\s;"]*)/g)) {
    const text = match[2] ?? '';
    parameters.push([(match[1] ?? '').toUpperCase(), text.startsWith('"') ? text.slice(1, -1).replace(/\\(.)/g, '$1') : text]);
  }
  return { value: (value.split(';', 1)[0] ?? '').trim(), parameters };
}

const join = (...items: (Buffer | string)[]): Buffer => Buffer.concat(items.map((i) => (typeof i === 'string' ? Buffer.from(i) : i)));
const group = (items: readonly Buffer[]): Buffer => join('(', ...items.flatMap((b, i) => (i === 0 ? [b] : [' ', b])), ')');

/** BODYSTRUCTURE of a part (RFC 9051 7.5.2), extension data included; messages in messages are opened five deep. */
export function bodyStructure(raw: Buffer, part: MimePart, depth = 0): Buffer {
  const field = (name: string): string | undefined => fieldValue(part.fields, name);
  const disposition = field('Content-Disposition');
  const placed = disposition === undefined ? undefined : structured(disposition);
  const placement = placed ? group([imapString(placed.value.toUpperCase()), parameterList(placed.parameters)]) : Buffer.from('NIL');
  if (part.children.length > 0) {
    const children = join(...part.children.map((child) => bodyStructure(raw, child, depth)));
    return join('(', children, ' ', imapString(part.subtype), ' ', parameterList(part.parameters), ' ', placement, ' NIL NIL)');
  }
  const asMessage = part.type === 'MESSAGE' && part.subtype === 'RFC822' && depth < 5;
  // A multipart without parts has no place in the grammar, and a message too deep is not looked into: octets, both.
  const octets = part.type === 'MULTIPART' || (part.type === 'MESSAGE' && part.subtype === 'RFC822' && !asMessage);
  const basic = group([
    imapString(octets ? 'APPLICATION' : part.type),
    imapString(octets ? 'OCTET-STREAM' : part.subtype),
    parameterList(part.parameters),
    imapString(field('Content-ID')),
    imapString(field('Content-Description')),
    imapString((field('Content-Transfer-Encoding') ?? '7BIT').toUpperCase()),
    Buffer.from(String(part.end - part.body)),
  ]).subarray(0, -1);
  const lines = ` ${countLines(raw, part.body, part.end)}`;
  if (!asMessage) return join(basic, part.type === 'TEXT' ? lines : '', ' NIL ', placement, ' NIL NIL)');
  const inner = raw.subarray(part.body, part.end);
  const tree = mimeTree(inner);
  return join(basic, ' ', envelope(tree.fields), ' ', bodyStructure(inner, tree, depth + 1), lines, ' NIL ', placement, ' NIL NIL)');
}

function parameterList(parameters: readonly (readonly [string, string])[]): Buffer {
  return parameters.length === 0 ? Buffer.from('NIL') : group(parameters.flatMap(([name, value]) => [imapString(name), imapString(value)]));
}

function countLines(raw: Buffer, from: number, to: number): number {
  let lines = 0;
  for (let at = raw.indexOf(0x0a, from); at >= 0 && at < to; at = raw.indexOf(0x0a, at + 1)) lines++;
  return lines;
}

/** ENVELOPE (RFC 9051 7.5.2): header values as they stand, addresses taken apart. */
export function envelope(fields: readonly HeaderField[]): Buffer {
  const from = addresses(fieldValue(fields, 'From'));
  const or = (name: string): Buffer => {
    const value = fieldValue(fields, name);
    return value === undefined ? from : addresses(value);
  };
  const text = (name: string): Buffer => imapString(fieldValue(fields, name));
  const list = (name: string): Buffer => addresses(fieldValue(fields, name));
  return group([
    text('Date'),
    text('Subject'),
    from,
    or('Sender'),
    or('Reply-To'),
    list('To'),
    list('Cc'),
    list('Bcc'),
    text('In-Reply-To'),
    text('Message-ID'),
  ]);
}

function addresses(value: string | undefined): Buffer {
  const found: Buffer[] = [];
  for (const { address } of scanAddressList(value ?? '')) {
    if (!address || found.length >= 1_000) continue;
    const at = address.address.lastIndexOf('@');
    const name = address.name === '' ? undefined : address.name;
    found.push(
      group([imapString(name), Buffer.from('NIL'), imapString(address.address.slice(0, at)), imapString(address.address.slice(at + 1))]),
    );
  }
  return found.length === 0 ? Buffer.from('NIL') : join('(', ...found, ')');
}
