import { decodeWords } from 'postal-mime';
import type { Address } from '../base/types.ts';
import { cleanName, normalizeAddress, scanAddressList } from './address.ts';
import { cleanLine } from './headerField.ts';
import { isPayloadName, PAYLOAD_JSON } from './payloadNames.ts';

/** What a message list shows, read from a source instead of asked of the server. */
export interface SourceSummary {
  /** With angle brackets, '' where the message has none. */
  readonly rfcMessageId: string;
  readonly inReplyTo: string;
  readonly references: readonly string[];
  readonly from: Address;
  readonly to: readonly Address[];
  readonly subject: string;
  /** Milliseconds since the epoch; undefined where the Date field is unusable. */
  readonly date?: number;
  /** Parts of a sealed container do not count. */
  readonly hasAttachments: boolean;
  /** True when a part is named qumail_payload.json: a hint, as it is in a BODYSTRUCTURE. */
  readonly hasPayload: boolean;
  /** True when a part says that another one is an OpenPGP message (RFC 3156). */
  readonly hasPgpMime?: true;
}

const MAX_SECTION = 1024 * 1024;
const MAX_FIELD = 256 * 1024;
const MAX_ADDRESSES = 500;
const MAX_REFERENCES = 100;
const MAX_SUBJECT = 1000;
const MAX_NAME = 200;
const MAX_PARTS = 1000;
const MAX_DEPTH = 20;
/** RFC 2046 5.1.1 allows 70. */
const MAX_BOUNDARY = 200;
const MESSAGE_ID = /<[^<>\s]{1,250}>/g;

const TOP_FIELDS = new Set([
  'from',
  'to',
  'subject',
  'date',
  'message-id',
  'in-reply-to',
  'references',
  'content-type',
  'content-disposition',
]);
const PART_FIELDS = new Set(['content-type', 'content-disposition', 'content-id']);

/**
 * Reads the fields of a message list and the outline of the parts from an RFC 5322 source, CRLF or LF: what ENVELOPE and BODYSTRUCTURE
 * would say, for a fraction of their cost when the source is fetched anyway. Bounded (1 MiB of header, 1000 parts, nesting 20), linear per level
 * of nesting; never throws.
 */
export function summaryOfSource(raw: Buffer): SourceSummary {
  const { fields, bodyOffset } = fieldsAt(raw, 0, raw.length, TOP_FIELDS);
  const text = (name: string): string => utf8(fields.get(name) ?? '');
  const date = Date.parse(cleanLine(text('date')).replace(/\s*\([^)]*\)\s*$/, ''));
  return {
    rfcMessageId: fields.get('message-id')?.match(MESSAGE_ID)?.[0] ?? '',
    inReplyTo: fields.get('in-reply-to')?.match(MESSAGE_ID)?.[0] ?? '',
    references: (fields.get('references')?.match(MESSAGE_ID) ?? []).slice(-MAX_REFERENCES),
    from: addressesOf(text('from'))[0] ?? { name: '', address: '' },
    to: addressesOf(text('to')),
    subject: cleanName(decoded(text('subject'))).slice(0, MAX_SUBJECT),
    ...(Number.isFinite(date) && date >= 0 && { date }),
    ...outlineOf(raw, bodyOffset, fields),
  };
}

/** The wanted fields of the header section at `start`, unfolded, as Latin-1; the first of each name counts. */
function fieldsAt(
  raw: Buffer,
  start: number,
  end: number,
  wanted: ReadonlySet<string>,
): { fields: Map<string, string>; bodyOffset: number } {
  const limit = Math.min(end, start + MAX_SECTION);
  const fields = new Map<string, string>();
  let name: string | undefined;
  let value = '';
  const keep = (): void => {
    if (name !== undefined && !fields.has(name)) fields.set(name, value.slice(0, MAX_FIELD).trim());
    name = undefined;
  };
  let at = start;
  while (at < limit) {
    const lf = raw.indexOf(0x0a, at);
    const next = lf < 0 || lf >= limit ? limit : lf + 1;
    let stop = lf < 0 || lf >= limit ? limit : lf;
    while (stop > at && raw[stop - 1] === 0x0d) stop--;
    if (stop === at) {
      at = next;
      break;
    }
    const first = raw[at];
    if (first === 0x20 || first === 0x09) {
      if (name !== undefined && value.length < MAX_FIELD) value += raw.toString('latin1', at, stop);
    } else {
      keep();
      // No further than a name reaches: a line without a colon must not have the whole message searched for one.
      const length = raw.subarray(at, Math.min(stop, at + 40)).indexOf(0x3a);
      if (length > 0) {
        const candidate = raw
          .toString('latin1', at, at + length)
          .trimEnd()
          .toLowerCase();
        if (wanted.has(candidate)) {
          name = candidate;
          value = raw.toString('latin1', at + length + 1, stop);
        }
      }
    }
    at = next;
  }
  keep();
  return { fields, bodyOffset: Math.min(at, end) };
}

/** Raw 8-bit values are UTF-8 where they are valid UTF-8, and stay Latin-1 where not. */
function utf8(latin1: string): string {
  if (!/[\x80-\xff]/.test(latin1)) return latin1;
  const text = Buffer.from(latin1, 'latin1').toString('utf8');
  return text.includes('\ufffd') ? latin1 : text;
}

function decoded(value: string): string {
  return value.includes('=?') ? decodeWords(value) : value;
}

function addressesOf(value: string): Address[] {
  return scanAddressList(value.slice(0, MAX_FIELD))
    .slice(0, MAX_ADDRESSES)
    .flatMap((entry) => {
      const shown = cleanName(decoded(entry.address?.address ?? entry.text));
      if (shown === '') return [];
      const name = cleanName(decoded(entry.address?.name ?? '')).slice(0, MAX_NAME);
      return [{ name, address: normalizeAddress(shown) ?? shown.slice(0, 320) }];
    });
}

interface Part {
  readonly start: number;
  readonly end: number;
  readonly depth: number;
  readonly fields: ReadonlyMap<string, string>;
}

/** Goes through the tree of parts without recursion: its depth is the sender's doing. */
function outlineOf(
  raw: Buffer,
  bodyOffset: number,
  top: ReadonlyMap<string, string>,
): { hasAttachments: boolean; hasPayload: boolean; hasPgpMime?: true } {
  const open: Part[] = [{ start: bodyOffset, end: raw.length, depth: 0, fields: top }];
  let hasAttachments = false;
  let hasPayload = false;
  let hasPgpMime = false;
  for (let seen = 0; open.length > 0 && seen < MAX_PARTS; seen++) {
    const part = open.pop()!;
    const type = part.fields.get('content-type') ?? '';
    if (/^\s*multipart\//i.test(type)) {
      const boundary = parameter(type, 'boundary');
      if (boundary !== '' && boundary.length <= MAX_BOUNDARY && part.depth < MAX_DEPTH)
        open.push(...partsBetween(raw, part, boundary, MAX_PARTS - seen));
      continue;
    }
    const disposition = part.fields.get('content-disposition') ?? '';
    const name = (parameter(disposition, 'filename') || parameter(type, 'name')).toLowerCase();
    if (name === PAYLOAD_JSON) hasPayload = true;
    if (/^\s*application\/pgp-encrypted\b/i.test(type)) hasPgpMime = true;
    if (isPayloadName(name)) continue;
    if (/^\s*attachment\b/i.test(disposition) || (name !== '' && !part.fields.has('content-id'))) hasAttachments = true;
  }
  return { hasAttachments, hasPayload, ...(hasPgpMime && { hasPgpMime: true }) };
}

function partsBetween(raw: Buffer, whole: Part, boundary: string, most: number): Part[] {
  const mark = Buffer.from(`--${boundary}`, 'latin1');
  const parts: Part[] = [];
  let begun: number | undefined;
  // No further than this part: a thousand of them, each looked for to the end of the message, would take half a minute.
  const inside = raw.subarray(0, whole.end);
  for (let at = inside.indexOf(mark, whole.start); at >= 0 && parts.length < most; at = inside.indexOf(mark, at + mark.length)) {
    if (at > whole.start && raw[at - 1] !== 0x0a) continue;
    if (begun !== undefined) parts.push(partAt(raw, begun, at, whole.depth + 1));
    const after = at + mark.length;
    if (raw[after] === 0x2d && raw[after + 1] === 0x2d) return parts;
    const lf = raw.indexOf(0x0a, after);
    begun = lf < 0 ? whole.end : lf + 1;
  }
  // A message that was cut ends without its last mark.
  if (begun !== undefined && begun < whole.end && parts.length < most) parts.push(partAt(raw, begun, whole.end, whole.depth + 1));
  return parts;
}

function partAt(raw: Buffer, start: number, end: number, depth: number): Part {
  const { fields, bodyOffset } = fieldsAt(raw, start, end, PART_FIELDS);
  return { start: bodyOffset, end, depth, fields };
}

/** A parameter of a structured field, the first section of an RFC 2231 one; what it holds matters less than that it is there. */
function parameter(value: string, name: string): string {
  if (!value.includes(';')) return '';
  const found = new RegExp(`;\\s*${name}(?:\\*0?\\*?)?\\s*=\\s*(?:"((?:[^"\\\\]|\\\\.)*)"|([^\\s;]*))`, 'i').exec(value);
  return (found?.[1] ?? found?.[2] ?? '').trim();
}
