import { decodeWords } from 'postal-mime';
import { cleanLine } from './headerField.ts';
import type { HeaderField } from './headerField.ts';

/** Header bytes looked at; what follows is not a header section that any program wrote in good faith. */
const MAX_SECTION = 8 * 1024 * 1024;
const MAX_FIELDS = 10_000;

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const windows1252 = new TextDecoder('windows-1252');

/** The header section of a message or part, and where its body starts. */
interface HeaderSection {
  /** In document order, duplicates included; unfolded, trimmed, encoded words not decoded. */
  readonly fields: readonly HeaderField[];
  readonly bodyOffset: number;
}

/**
 * Reads the header section at the start of `raw` (RFC 5322 2.2), CRLF or LF, leniently: raw 8-bit values are UTF-8 where
 * they are valid UTF-8 and Windows-1252 where not; NULs and lines without a colon are dropped. At most 8 MiB and 10,000
 * fields are read. Linear; never throws.
 */
export function readHeaderSection(raw: Uint8Array): HeaderSection {
  const bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
  const end = Math.min(bytes.length, MAX_SECTION);
  const lines: { name: string; parts: string[] }[] = [];
  let at = 0;
  while (at < end) {
    const lf = bytes.indexOf(0x0a, at);
    const next = lf < 0 ? bytes.length : lf + 1;
    let stop = lf < 0 ? bytes.length : lf;
    while (stop > at && bytes[stop - 1] === 0x0d) stop--;
    if (stop === at) {
      at = next;
      break;
    }
    const line = decode(bytes.subarray(at, stop));
    at = next;
    const last = lines.at(-1);
    if (line[0] === ' ' || line[0] === '\t') {
      last?.parts.push(line);
      continue;
    }
    const colon = line.indexOf(':');
    // Only blanks may stand before the colon (RFC 5322 4.5); anything else is not a field name.
    const name = colon < 0 ? '' : line.slice(0, colon).replace(/[ \t]+$/, '');
    if (!/^[!-9;-~]{1,200}$/.test(name)) continue;
    if (lines.length >= MAX_FIELDS) continue;
    lines.push({ name, parts: [line.slice(colon + 1)] });
  }
  const fields = lines.map(({ name, parts }) => ({ name, value: unfold(parts) }));
  return { fields, bodyOffset: Math.min(at, bytes.length) };
}

/** The first field of this name (any case), or undefined. */
export function fieldValue(fields: readonly HeaderField[], name: string): string | undefined {
  const wanted = name.toLowerCase();
  return fields.find((f) => f.name.toLowerCase() === wanted)?.value;
}

/** A header value as text: encoded words decoded (RFC 2047), on one line. */
export function decodeText(value: string): string {
  return cleanLine(decodeWords(value));
}

function decode(line: Buffer): string {
  try {
    return strictUtf8.decode(line);
  } catch {
    return windows1252.decode(line);
  }
}

function unfold(parts: readonly string[]): string {
  return parts
    .join('')
    .replace(/\p{Cc}+/gu, ' ')
    .trim();
}
