import MailComposer from 'nodemailer/lib/mail-composer';
import { domainToASCII } from 'node:url';
import { QuMailError } from '../base/errors.ts';
import type { Random } from '../base/ports.ts';
import type { Address } from '../base/types.ts';
import { safeFileName } from './fileName.ts';
import { encodeAddresses, encodeDate, encodeText, foldField, isMessageId } from './headerField.ts';
import type { HeaderField } from './headerField.ts';
import { fieldValue, readHeaderSection } from './headerSection.ts';
import { markdownToHtml } from './markdown.ts';
import { PAYLOAD_BIN, PAYLOAD_JSON } from './payloadNames.ts';
import { keptReferences } from './references.ts';

/** What stands outside a sealed message in place of its subject (PROTOCOL 1). */
export const OUTER_SUBJECT = 'QuMail Secure Message';

/** The fixed text of PROTOCOL 2, for programs that cannot open the message; QuMail itself never shows it. */
const NOTICE =
  'This message is sealed with QuMail (quantum key distribution). Its subject, text and attachments\r\n' +
  'travel encrypted in the attached qumail_payload files. Open it with QuMail to read it.\r\n';

export interface OutgoingAttachment {
  readonly name: string;
  readonly mimeType: string;
  readonly content: Uint8Array;
}

/** A message as written by its author. There is no Bcc here: blind copies are envelopes of their own (PROTOCOL 1). */
export interface OutgoingMessage {
  readonly from: Address;
  readonly to: readonly Address[];
  readonly cc: readonly Address[];
  readonly subject: string;
  readonly date: Date;
  /** With angle brackets; see `newMessageId`. */
  readonly messageId: string;
  readonly inReplyTo?: string;
  readonly references: readonly string[];
  readonly markdown: string;
  readonly body: 'text' | 'text+html';
  readonly attachments: readonly OutgoingAttachment[];
  /** Further fields, all of them named `Chat-...`. */
  readonly chatFields?: readonly HeaderField[];
}

/** All that a sealed message shows to the network, besides what its payload says. */
export interface OuterHeaders {
  readonly from: Address;
  readonly to: readonly Address[];
  readonly date: Date;
  readonly messageId: string;
  /** Absent: the subject of PROTOCOL 1. */
  readonly subject?: string;
}

/** A Message-ID for a message from `fromAddress`: 128 random bits, then the sender's domain. */
export function newMessageId(random: Random, fromAddress: string): string {
  const domain = domainToASCII(fromAddress.slice(fromAddress.lastIndexOf('@') + 1));
  const right = /^[a-z0-9.-]{1,190}$/i.test(domain) ? domain : 'localhost';
  return `<${random.bytes(16).toString('hex')}@${right}>`;
}

/**
 * The whole message in the clear (L4). CRLF, 7-bit transfer encodings. Throws `engine.bad-request` for a malformed
 * Message-ID or address.
 */
export async function writePlain(m: OutgoingMessage): Promise<Buffer> {
  return assemble(authorFields(m), await bodyOf(m), '');
}

/**
 * The inner entity of a sealed message (PROTOCOL 1, RFC 9788): the author's header fields, `hp="cipher"` on its
 * Content-Type, and one `HP-Outer` field for every non-structural field that `writeOuter(outer, …)` will show
 * (RFC 9788 section 2.2). CRLF, 7-bit transfer encodings; attachments come back byte for byte.
 */
export async function writeInner(m: OutgoingMessage, outer: OuterHeaders): Promise<Buffer> {
  const hpOuter = outerFields(outer).map(({ name, value }) => ({ name: 'HP-Outer', value: `${name}: ${value}` }));
  return assemble([...authorFields(m), ...hpOuter], await bodyOf(m), '; hp="cipher"');
}

/**
 * What a sealed message shows outside: the addresses of From, To and Cc without their display names, Date, Message-ID.
 * Cc recipients stand in To, so that the outside does not tell who was merely copied.
 */
export function outerHeadersOf(m: OutgoingMessage): OuterHeaders {
  const addresses = [...new Set([...m.to, ...m.cc].map((a) => a.address))];
  return {
    from: { name: '', address: m.from.address },
    to: addresses.map((address) => ({ name: '', address })),
    date: m.date,
    messageId: m.messageId,
  };
}

/** The container of PROTOCOL 2 around a sealed payload: notice, qumail_payload.json, and qumail_payload.bin where there is one. */
export async function writeOuter(o: OuterHeaders, payload: { readonly json: Buffer; readonly bin?: Buffer }): Promise<Buffer> {
  const attachments = [{ name: PAYLOAD_JSON, mimeType: 'application/octet-stream', content: payload.json }];
  if (payload.bin) attachments.push({ name: PAYLOAD_BIN, mimeType: 'application/octet-stream', content: payload.bin });
  return assemble(outerFields(o), await composeBody({ text: NOTICE, attachments }), '');
}

/** The header fields a sealed message shows outside. */
export function outerFields(o: OuterHeaders): HeaderField[] {
  return [
    { name: 'From', value: encodeAddresses([o.from]) },
    { name: 'To', value: encodeAddresses(o.to) },
    { name: 'Subject', value: o.subject ?? OUTER_SUBJECT },
    { name: 'Date', value: encodeDate(o.date) },
    { name: 'Message-ID', value: checkedId(o.messageId) },
  ];
}

const CHAT_FIELD = /^Chat-[A-Za-z-]{1,40}$/;

function authorFields(m: OutgoingMessage): HeaderField[] {
  const fields = [
    { name: 'From', value: encodeAddresses([m.from]) },
    { name: 'To', value: encodeAddresses(m.to) },
  ];
  if (m.cc.length > 0) fields.push({ name: 'Cc', value: encodeAddresses(m.cc) });
  fields.push(
    { name: 'Subject', value: encodeText(m.subject) },
    { name: 'Date', value: encodeDate(m.date) },
    { name: 'Message-ID', value: checkedId(m.messageId) },
  );
  // These two come from foreign mail: what is not a Message-ID is left out rather than refused.
  if (m.inReplyTo !== undefined && isMessageId(m.inReplyTo)) fields.push({ name: 'In-Reply-To', value: m.inReplyTo });
  const kept = keptReferences(m.references.filter(isMessageId));
  if (kept.length > 0) fields.push({ name: 'References', value: kept.join(' ') });
  for (const { name, value } of m.chatFields ?? []) if (CHAT_FIELD.test(name)) fields.push({ name, value: encodeText(value) });
  return fields;
}

function checkedId(id: string): string {
  if (!isMessageId(id)) throw new QuMailError('engine.bad-request', { field: 'messageId' });
  return id;
}

function bodyOf(m: OutgoingMessage): Promise<Buffer> {
  const text = `${m.markdown.replace(/\r\n|\r|\n/g, '\n').replace(/\n?$/, '\n')}`.replaceAll('\n', '\r\n');
  const html = m.body === 'text+html' ? markdownToHtml(m.markdown).replace(/\r?\n/g, '\r\n') : undefined;
  return composeBody({ text, ...(html === undefined ? {} : { html }), attachments: m.attachments });
}

/** Content-* fields and body as nodemailer composes them; every part in a 7-bit transfer encoding. */
function composeBody(b: { text: string; html?: string; attachments: readonly OutgoingAttachment[] }): Promise<Buffer> {
  const composer = new MailComposer({
    text: b.text,
    ...(b.html === undefined ? {} : { html: b.html }),
    attachments: b.attachments.map((a, index) => ({
      filename: safeFileName(a.name, `attachment-${index + 1}`),
      contentType: transferableType(a.mimeType),
      contentDisposition: 'attachment',
      contentTransferEncoding: 'base64',
      content: Buffer.from(a.content.buffer, a.content.byteOffset, a.content.byteLength),
    })),
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return composer.compile().build();
}

/**
 * Composite types must not be base64-encoded (RFC 2046 5.2.1), and a message that travels as itself is rewritten on its
 * way; as plain octets it arrives byte for byte. A type that is not a media type at all is octets, too.
 */
function transferableType(mimeType: string): string {
  const type = mimeType.toLowerCase();
  const simple = /^[a-z0-9][a-z0-9!#$&^_.+-]{0,100}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,100}$/.test(type);
  return !simple || /^(?:message|multipart)\//.test(type) ? 'application/octet-stream' : type;
}

/** Our header fields in front of a composed body; `parameter` is appended to its Content-Type. */
function assemble(fields: readonly HeaderField[], composed: Buffer, parameter: string): Buffer {
  const section = readHeaderSection(composed);
  const structural = [
    { name: 'MIME-Version', value: '1.0' },
    { name: 'Content-Type', value: `${fieldValue(section.fields, 'Content-Type') ?? 'text/plain'}${parameter}` },
  ];
  const encoding = fieldValue(section.fields, 'Content-Transfer-Encoding');
  if (encoding !== undefined) structural.push({ name: 'Content-Transfer-Encoding', value: encoding });
  const header = [...fields, ...structural].map(foldField).join('');
  return Buffer.concat([Buffer.from(`${header}\r\n`), composed.subarray(section.bodyOffset)]);
}
