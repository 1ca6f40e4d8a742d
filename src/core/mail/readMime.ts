import type { Attachment as ParsedAttachment } from 'postal-mime';
import { QuMailError } from '../base/errors.ts';
import type { Address } from '../base/types.ts';
import { cleanName, normalizeAddress, scanAddressList } from './address.ts';
import type { AddressEntry } from './address.ts';
import { parseBounded } from './boundedMime.ts';
import { safeFileName } from './fileName.ts';
import type { HeaderField } from './headerField.ts';
import { decodeText, fieldValue, readHeaderSection } from './headerSection.ts';
import { endingOf } from './mimeTypes.ts';
import { isPgpSigned } from './pgpMime.ts';
import { CARD_NAME, CARD_TYPE, isPayloadName, PAYLOAD_JSON } from './payloadNames.ts';
import { htmlToPlain } from './preview.ts';

/** Characters of text or HTML handed on; nobody reads more, and every view would suffer. */
const MAX_BODY = 2 * 1024 * 1024;
/** Addresses handed on per field. */
const MAX_ADDRESSES = 1_000;
const MAX_ADDRESS_FIELD = 256 * 1024;
const MAX_SUBJECT = 10_000;
const MAX_REFERENCES = 200;
/** Fields, and characters of each, that `headers` keeps. */
const MAX_FIELDS = 1_000;
const MAX_FIELD = 32 * 1024;
/** PROTOCOL 2: at most this many octets of qumail_payload.json. */
const MAX_PAYLOAD_JSON = 1024 * 1024;
/** Characters of source shown when the body's structure is beyond the limits. */
const MAX_SOURCE_SHOWN = 256 * 1024;

export interface ReadAttachment {
  /** A safe file name, never empty. */
  readonly name: string;
  readonly mimeType: string;
  readonly content: Buffer;
  /** Without angle brackets. */
  readonly contentId?: string;
  /** True for a part that the HTML shows by its Content-ID. */
  readonly inline: boolean;
}

export interface ReadMessage {
  /** The first author; `address` is '' where the field holds no well-formed one. */
  readonly from: Address;
  readonly to: Address[];
  readonly cc: Address[];
  readonly bcc: Address[];
  readonly replyTo: Address[];
  readonly subject: string;
  /** Milliseconds since the epoch. */
  readonly date?: number;
  /** With angle brackets, '' where there is none. */
  readonly messageId: string;
  readonly inReplyTo: string;
  readonly references: string[];
  /** The plain text; made from the HTML where the message has no text of its own. Lines end with LF, the last with one at most. */
  readonly text: string;
  /** Unsanitised. */
  readonly html?: string;
  /** Inline parts included; of ordinary mail, qumail payload parts are not. */
  readonly attachments: ReadAttachment[];
  /** The contact card that came along, as it came: not among the attachments, and worth nothing unless the message was sealed. */
  readonly card?: Buffer;
  /** The top header section in order: unfolded, not decoded. */
  readonly headers: readonly HeaderField[];
}

/** The inner entity of a sealed message. */
export interface ProtectedMessage extends ReadMessage {
  readonly protection: { readonly hp: 'cipher'; readonly hpOuter: readonly HeaderField[] };
}

/**
 * Reads any message as well as it can be read. Never hangs, never throws for what is in the message: beyond the limits on
 * structure (MIME_LIMITS) it comes back with its header fields and its body as source. Only a source of more than 64 MiB
 * is refused, with `open.limit`.
 */
export async function readMessage(raw: Uint8Array): Promise<ReadMessage> {
  const section = readHeaderSection(raw);
  try {
    const isSigned = isPgpSigned(section.fields);
    const isShown = (a: ParsedAttachment): boolean =>
      !isPayloadName(a.filename ?? '') && !(isSigned && a.mimeType === 'application/pgp-signature');
    return await readWhole(raw, section.fields, isShown);
  } catch (error) {
    if (!QuMailError.is(error) || error.details['what'] === 'message') throw error;
    return { ...readFields(section.fields), text: sourceText(raw), attachments: [] };
  }
}

/** What people call "has attachments": files of its own, neither pictures inside the text nor payload parts. */
export function hasAttachments(message: ReadMessage): boolean {
  return message.attachments.some((a) => !a.inline);
}

/**
 * Reads the inner entity of a sealed message (RFC 9788): its own header fields count, and nothing outside. Throws
 * `open.malformed` unless Content-Type carries `hp="cipher"` and the fields that may stand once stand once, and
 * `open.limit` beyond MIME_LIMITS.
 */
export async function readProtected(inner: Uint8Array): Promise<ProtectedMessage> {
  const { fields } = readHeaderSection(inner);
  if (hpParameter(fieldValue(fields, 'Content-Type') ?? '') !== 'cipher') throw new QuMailError('open.malformed', { what: 'hp' });
  const names = fields.map((f) => f.name.toLowerCase());
  for (const name of ['from', 'to', 'cc', 'subject', 'date', 'message-id', 'content-type']) {
    if (names.indexOf(name) !== names.lastIndexOf(name)) throw new QuMailError('open.malformed', { what: name });
  }
  const hpOuter = fields.filter((f) => f.name.toLowerCase() === 'hp-outer').flatMap(outerField);
  // Sealed mail is written by QuMail: what cannot be parsed as a whole is refused, not shown in part.
  // Whatever was attached inside was attached by a person, also a payload that is handed on as a file; the card alone was not.
  return { ...(await readWhole(inner, fields, () => true)), protection: { hp: 'cipher', hpOuter } };
}

/**
 * Finds the payload of a sealed message anywhere in its MIME tree, also below what mailing lists wrap around it.
 * Resolves to undefined when there is none. Rejects with `open.two-payloads` for a second part of one payload name, and
 * `open.limit` beyond MIME_LIMITS or 1 MiB of JSON. The content is as received: hashes and tags tell whether it is whole.
 */
export async function readPayloads(raw: Uint8Array): Promise<{ json: Buffer; parts: ReadonlyMap<string, Buffer> } | undefined> {
  const bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
  // The name travels as it is (it is ASCII and short), so most mail need not be parsed at all.
  if (!bytes.includes('qumail_payload')) return undefined;
  const { attachments } = await parseBounded(bytes);
  const parts = new Map<string, Buffer>();
  for (const attachment of attachments) {
    const name = (attachment.filename ?? '').trim();
    if (!isPayloadName(name)) continue;
    if (parts.has(name)) throw new QuMailError('open.two-payloads', { name });
    parts.set(name, contentOf(attachment));
  }
  const json = parts.get(PAYLOAD_JSON);
  if (!json) return undefined;
  if (json.length > MAX_PAYLOAD_JSON) throw new QuMailError('open.limit', { what: 'payload', limit: MAX_PAYLOAD_JSON });
  parts.delete(PAYLOAD_JSON);
  return { json, parts };
}

/** The value of an HP-Outer field, `Name: value`, as a field (RFC 9788 section 2.2); malformed ones are ignored. */
function outerField(field: HeaderField): HeaderField[] {
  const match = /^([!-9;-~]{1,200}):\s*([^]*)$/.exec(field.value);
  return match?.[1] === undefined ? [] : [{ name: match[1], value: match[2] ?? '' }];
}

function hpParameter(contentType: string): string | undefined {
  // Quoted strings of other parameters are skipped, so that a file name cannot pose as the parameter.
  for (const match of contentType.matchAll(/;\s*([^\s=;"]{1,100})\s*=\s*("(?:[^"\\]|\\.)*"|[^\s;"]*)/g)) {
    if (match[1]?.toLowerCase() === 'hp') return match[2]?.replace(/^"|"$/g, '').toLowerCase();
  }
  return undefined;
}

async function readWhole(
  raw: Uint8Array,
  fields: readonly HeaderField[],
  isShown: (attachment: ParsedAttachment) => boolean,
): Promise<ReadMessage> {
  const parsed = await parseBounded(raw);
  const html = parsed.html === undefined ? undefined : cleanBody(parsed.html);
  // A structure that yields nothing at all (a multipart without its boundary) is shown as source.
  const bare = html === undefined && parsed.text === undefined && parsed.attachments.length === 0;
  const text = bare ? sourceText(raw) : cleanBody(parsed.text ?? htmlToPlain(html ?? ''));
  const shownIds = new Set(Array.from((html ?? '').matchAll(/\bcid:([^"'<>\s)]{1,998})/gi), ([, id]) => id));
  const isCard = (a: ParsedAttachment): boolean => a.filename === CARD_NAME && a.mimeType === CARD_TYPE;
  const card = parsed.attachments.find(isCard);
  const attachments = parsed.attachments.filter((a) => isShown(a) && !isCard(a)).map((a, i) => readAttachment(a, i, shownIds));
  return { ...readFields(fields), text, ...(html === undefined ? {} : { html }), attachments, ...(card && { card: contentOf(card) }) };
}

/** The start of the body as it stands in the source. */
function sourceText(raw: Uint8Array): string {
  const start = readHeaderSection(raw).bodyOffset;
  return cleanBody(Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength).toString('utf8', start, start + MAX_SOURCE_SHOWN));
}

function readFields(fields: readonly HeaderField[]): Omit<ReadMessage, 'text' | 'html' | 'attachments'> {
  const date = readDate(fieldValue(fields, 'Date') ?? '');
  return {
    from: readAddresses(fields, 'From', 'with-malformed')[0] ?? { name: '', address: '' },
    to: readAddresses(fields, 'To'),
    cc: readAddresses(fields, 'Cc'),
    bcc: readAddresses(fields, 'Bcc'),
    replyTo: readAddresses(fields, 'Reply-To'),
    subject: decodeText((fieldValue(fields, 'Subject') ?? '').slice(0, MAX_FIELD)).slice(0, MAX_SUBJECT),
    ...(date === undefined ? {} : { date }),
    messageId: messageIds(fieldValue(fields, 'Message-ID'))[0] ?? '',
    inReplyTo: messageIds(fieldValue(fields, 'In-Reply-To'))[0] ?? '',
    references: messageIds(fieldValue(fields, 'References')).slice(-MAX_REFERENCES),
    headers: fields
      .slice(0, MAX_FIELDS)
      .map((f) => (f.value.length > MAX_FIELD ? { name: f.name, value: f.value.slice(0, MAX_FIELD) } : f)),
  };
}

function readAddresses(fields: readonly HeaderField[], name: string, malformed?: 'with-malformed'): Address[] {
  const found: Address[] = [];
  for (const field of fields) {
    if (field.name.toLowerCase() !== name.toLowerCase()) continue;
    for (const entry of scanAddressList(field.value.slice(0, MAX_ADDRESS_FIELD))) {
      if (found.length >= MAX_ADDRESSES) return found;
      const mailbox = entry.address ?? salvage(entry);
      // Encoded words are decoded after the syntax has been read, so that no decoded character acts as syntax.
      if (mailbox.address !== '' || malformed) found.push({ name: cleanName(decodeText(mailbox.name)), address: mailbox.address });
    }
  }
  return found;
}

/** What a malformed entry shows: the address in its last angle brackets, or its text as a name alone. */
function salvage(entry: AddressEntry): Address {
  const text = entry.text.slice(0, 2_000);
  const open = text.lastIndexOf('<');
  const address = open >= 0 && text.endsWith('>') ? normalizeAddress(text.slice(open + 1, -1)) : undefined;
  return address === undefined ? { name: text, address: '' } : { name: text.slice(0, open).replaceAll('"', ''), address };
}

function readDate(value: string): number | undefined {
  // Comments and blanks around the colons are legal (RFC 5322 4.3) and unknown to Date.parse.
  const plain = value
    .slice(0, 200)
    .replace(/\([^()]*\)/g, ' ')
    .replace(/\s*:\s*/g, ':')
    .trim();
  const time = plain === '' ? Number.NaN : Date.parse(plain);
  return Number.isFinite(time) && time >= 0 && time < 253_402_300_800_000 ? time : undefined;
}

/** Every `<…>` of a Message-ID list, spaces inside removed (RFC 5322 4.5.4 lets old mail have some). */
function messageIds(value: string | undefined): string[] {
  const ids = (value ?? '').slice(-MAX_FIELD).match(/<[^<>]{1,998}>/g) ?? [];
  return ids.map((id) => id.replace(/\s+/g, '')).filter((id) => id.length > 2);
}

/** Line ends as LF, one at most at the end, no NULs or other controls a view cannot show, cut at 2 Mi characters. */
function cleanBody(body: string): string {
  const clean = body
    .slice(0, MAX_BODY)
    .replace(/\r\n?/g, '\n')
    .replace(/[\x00-\x08\x0b\x0e-\x1f\x7f]/g, '\ufffd');
  let end = clean.length;
  while (end > 1 && clean[end - 1] === '\n' && clean[end - 2] === '\n') end--;
  return clean.slice(0, end);
}

function readAttachment(a: ParsedAttachment, index: number, shownIds: ReadonlySet<string | undefined>): ReadAttachment {
  const mimeType = /^[a-z0-9!#$&^_.+-]{1,100}\/[a-z0-9!#$&^_.+-]{1,100}$/.test(a.mimeType) ? a.mimeType : 'application/octet-stream';
  const ending = mimeType === 'message/rfc822' ? 'eml' : endingOf(mimeType);
  const contentId = a.contentId?.replace(/^\s*<?|>?\s*$/g, '');
  return {
    name: safeFileName(a.filename ?? '', `attachment-${index + 1}.${ending}`),
    mimeType,
    content: contentOf(a),
    ...(contentId ? { contentId } : {}),
    inline: contentId !== undefined && contentId !== '' && shownIds.has(contentId),
  };
}

function contentOf(a: ParsedAttachment): Buffer {
  if (typeof a.content === 'string') return Buffer.from(a.content);
  return a.content instanceof Uint8Array ? Buffer.from(a.content) : Buffer.from(a.content);
}
