import { parseBounded } from './boundedMime.ts';
import { foldField, type HeaderField } from './headerField.ts';
import { fieldValue, readHeaderSection } from './headerSection.ts';

/** Header fields of a message that say what it is about; they are the entity's own where it protects them. */
const ABOUT = ['From', 'To', 'Cc', 'Reply-To', 'Subject', 'Date', 'Message-ID', 'In-Reply-To', 'References'] as const;
const STRUCTURAL = /^(?:content-[a-z-]{1,40}|mime-version)$/i;
const CR = 0x0d;
const LF = 0x0a;

/** An entity signed as a whole (RFC 3156 section 5): its octets as they were signed, and the signature, armored. */
export interface PgpSigned {
  /** CRLF line ends, without the line break in front of the boundary. */
  readonly signed: Buffer;
  readonly signature: string;
}

/**
 * The OpenPGP message of a PGP/MIME one (RFC 3156 section 4), as text in ASCII armor or as binary; undefined where `raw` is none, or has not
 * exactly the two parts that it is made of. Rejects with `open.limit` beyond MIME_LIMITS.
 */
export async function readPgpEncrypted(raw: Uint8Array): Promise<Buffer | undefined> {
  const { fields } = readHeaderSection(raw);
  if (!isPgpEncrypted(fields)) return undefined;
  const { attachments, text, html } = await parseBounded(raw);
  const [version, message, ...others] = attachments;
  if (!version || !message || others.length > 0 || (text ?? '').trim() !== '' || html !== undefined) return undefined;
  if (version.mimeType !== 'application/pgp-encrypted' || message.mimeType !== 'application/octet-stream') return undefined;
  return typeof message.content === 'string' ? Buffer.from(message.content) : Buffer.from(message.content as ArrayBuffer);
}

/** True for a message whose whole body is encrypted by PGP/MIME, as far as its header says. */
export function isPgpEncrypted(fields: readonly HeaderField[]): boolean {
  return isMultipart(fields, 'encrypted', 'application/pgp-encrypted');
}

/** True for a message whose whole body is signed by PGP/MIME. */
export function isPgpSigned(fields: readonly HeaderField[]): boolean {
  return isMultipart(fields, 'signed', 'application/pgp-signature');
}

/**
 * What is signed and the signature, where the whole body is `multipart/signed` with exactly two parts; undefined otherwise. Linear; never
 * throws.
 */
export function readPgpSigned(raw: Uint8Array): PgpSigned | undefined {
  const { fields, bodyOffset } = readHeaderSection(raw);
  const boundary = parameter(fieldValue(fields, 'Content-Type') ?? '', 'boundary');
  if (!isPgpSigned(fields) || boundary === undefined || boundary === '') return undefined;
  const body = Buffer.from(raw.buffer, raw.byteOffset + bodyOffset, raw.byteLength - bodyOffset);
  const parts = partsBetween(body, boundary);
  if (parts?.length !== 2) return undefined;
  const [content, second] = parts as [Buffer, Buffer];
  const section = readHeaderSection(second);
  if (!/^application\/pgp-signature\b/i.test(fieldValue(section.fields, 'Content-Type') ?? '')) return undefined;
  return { signed: withCrlf(content), signature: second.toString('latin1', section.bodyOffset) };
}

/**
 * A decrypted entity as a message to be read: with its own header fields where it protects them (RFC 9788 `hp`, or the older
 * `protected-headers`), and those of the outside where it has none. `protects` says which.
 */
export function withHeaders(entity: Buffer, outer: readonly HeaderField[]): { message: Buffer; protects: 'own-headers' | 'nothing' } {
  const { fields, bodyOffset } = readHeaderSection(entity);
  const type = fieldValue(fields, 'Content-Type') ?? '';
  const protects = parameter(type, 'hp') !== undefined || parameter(type, 'protected-headers') !== undefined;
  // One that protects its headers and yet has no From would be shown without an author.
  const own = protects && fieldValue(fields, 'From') !== undefined;
  const about = ABOUT.flatMap((name) => {
    const value = fieldValue(own ? fields : outer, name);
    return value === undefined ? [] : [{ name, value }];
  });
  const structural = fields.filter(({ name }) => STRUCTURAL.test(name));
  const header = [...about, ...structural].map(foldField).join('');
  return { message: Buffer.concat([Buffer.from(`${header}\r\n`), entity.subarray(bodyOffset)]), protects: own ? 'own-headers' : 'nothing' };
}

function isMultipart(fields: readonly HeaderField[], subtype: string, protocol: string): boolean {
  const type = fieldValue(fields, 'Content-Type') ?? '';
  if (!new RegExp(`^\\s*multipart/${subtype}\\s*(?:;|$)`, 'i').test(type)) return false;
  return parameter(type, 'protocol')?.toLowerCase() === protocol;
}

/** A parameter of a Content-Type value; quoted strings of others are skipped. */
function parameter(contentType: string, name: string): string | undefined {
  for (const match of contentType.matchAll(/;\s*([^\s=;"]{1,100})\s*=\s*("(?:[^"\\]|\\.)*"|[^\s;"]*)/g)) {
    if (match[1]?.toLowerCase() === name) return match[2]?.replace(/^"|"$/g, '').replace(/\\(.)/g, '$1');
  }
  return undefined;
}

/** The parts between boundary lines, each without the line break in front of the next boundary; undefined without a closing one. */
function partsBetween(body: Buffer, boundary: string): Buffer[] | undefined {
  const mark = Buffer.from(`--${boundary}`, 'latin1');
  const parts: Buffer[] = [];
  let start: number | undefined;
  for (let at = body.indexOf(mark); at >= 0; at = body.indexOf(mark, at + mark.length)) {
    if (at > 0 && body[at - 1] !== LF) continue;
    const after = at + mark.length;
    const closing = body[after] === 0x2d && body[after + 1] === 0x2d;
    const lineEnd = body.indexOf(LF, after);
    const rest = body.toString('latin1', closing ? after + 2 : after, lineEnd < 0 ? body.length : lineEnd);
    if (rest.trim() !== '') continue;
    if (start !== undefined) parts.push(body.subarray(start, Math.max(start, body[at - 2] === CR ? at - 2 : at - 1)));
    if (closing) return parts;
    // Two is what is wanted; a thousand would be somebody's joke.
    if (parts.length > 2 || lineEnd < 0) return undefined;
    start = lineEnd + 1;
  }
  return undefined;
}

/** Canonical line ends (RFC 3156 section 5): mail that was stored with bare LF was signed with CRLF. */
function withCrlf(content: Buffer): Buffer {
  if (!content.includes(LF)) return content;
  const text = content.toString('latin1');
  return /(?<!\r)\n/.test(text) ? Buffer.from(text.replace(/\r?\n/g, '\r\n'), 'latin1') : content;
}
