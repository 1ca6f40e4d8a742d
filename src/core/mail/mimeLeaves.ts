/** A part of a message that has no parts of its own, as octets of the source. */
export interface MimeLeaf {
  /** Lower case, `text/plain` where nothing usable is said. */
  readonly type: string;
  readonly charset: string;
  readonly encoding: string;
  /** As written, encoded words not decoded; '' where there is none. */
  readonly fileName: string;
  readonly attached: boolean;
  /** Number of the multipart/alternative that it stands in, 0 for none. */
  readonly alternative: number;
  readonly from: number;
  readonly to: number;
}

export interface MimeOutline {
  /** The header section of the message as Latin-1 text. */
  readonly header: string;
  readonly leaves: readonly MimeLeaf[];
}

const OUTLINE_LIMITS = {
  /** Octets of one header section; the rest of it is passed over. */
  header: 256 * 1024,
  /** Octets looked through for boundaries. */
  octets: 128 * 1024 * 1024,
  /** Lines that begin with two hyphens. */
  marks: 200_000,
  parts: 500,
  depth: 20,
} as const;

interface Open {
  readonly boundary: Buffer;
  readonly alternative: number;
}

const MARK = Buffer.from('\n--');
const LF = 0x0a;

/**
 * The outline of an RFC 5322 message in one pass over its octets, whatever its depth (RFC 2046 5.1): leaf parts with what is needed to
 * decode them. Lenient and bounded by OUTLINE_LIMITS; never throws. Attached messages are looked into.
 */
export function mimeLeaves(raw: Buffer): MimeOutline {
  const walk = new Walk(raw);
  return { header: walk.header, leaves: walk.leaves };
}

class Walk {
  readonly header: string;
  readonly leaves: MimeLeaf[] = [];
  readonly #raw: Buffer;
  readonly #end: number;
  readonly #open: Open[] = [];
  #alternatives = 0;
  /** The leaf that is being passed through, its end not known yet. */
  #leaf: Omit<MimeLeaf, 'to'> | undefined;

  constructor(raw: Buffer) {
    this.#raw = raw;
    this.#end = Math.min(raw.length, OUTLINE_LIMITS.octets);
    const bodyAt = headerEnd(raw, 0, this.#end);
    this.header = raw.toString('latin1', 0, Math.min(bodyAt, OUTLINE_LIMITS.header));
    this.#enter(this.header, bodyAt);
    this.#pass(bodyAt);
    this.#close(this.#end);
  }

  #pass(start: number): void {
    let marks = 0;
    // The line break before a boundary belongs to it, and the one that ends the header section may be that line break.
    let at = this.#raw.indexOf(MARK, Math.max(0, start - 1));
    while (
      this.#open.length > 0 &&
      at >= 0 &&
      at < this.#end &&
      ++marks <= OUTLINE_LIMITS.marks &&
      this.leaves.length < OUTLINE_LIMITS.parts
    ) {
      at = this.#raw.indexOf(MARK, this.#mark(at));
    }
  }

  /** A line that begins with two hyphens, `at` its preceding line feed; returns where to look on. */
  #mark(at: number): number {
    const raw = this.#raw;
    for (let level = this.#open.length - 1; level >= 0; level--) {
      const { boundary } = this.#open[level]!;
      const after = at + MARK.length + boundary.length;
      if (after > this.#end || raw.compare(boundary, 0, boundary.length, at + MARK.length, after) !== 0) continue;
      const last = raw[after] === 0x2d && raw[after + 1] === 0x2d;
      if (!last && !endsLine(raw, after, this.#end)) continue;
      this.#close(raw[at - 1] === 0x0d ? at - 1 : at);
      this.#open.length = last ? level : level + 1;
      if (last) return after;
      const lineEnd = raw.indexOf(LF, after);
      if (lineEnd < 0) return this.#end;
      const bodyAt = headerEnd(raw, lineEnd + 1, this.#end);
      this.#enter(raw.toString('latin1', lineEnd + 1, Math.min(bodyAt, lineEnd + 1 + OUTLINE_LIMITS.header)), bodyAt);
      return Math.max(after, bodyAt - 1);
    }
    return at + MARK.length;
  }

  #enter(header: string, bodyAt: number, attachedDepth = 0): void {
    const type = fieldOf(header, 'content-type');
    const kind = /^\s*([a-z0-9!#$&^_.+-]+\/[a-z0-9!#$&^_.+-]+)/i.exec(type)?.[1]?.toLowerCase() ?? 'text/plain';
    const alternative = this.#open.at(-1)?.alternative ?? 0;
    if (kind.startsWith('multipart/') && this.#open.length < OUTLINE_LIMITS.depth) {
      const boundary = parameterOf(type, 'boundary').replace(/\s+$/, '');
      if (boundary !== '' && boundary.length <= 200) {
        const own = kind === 'multipart/alternative' ? ++this.#alternatives : alternative;
        this.#open.push({ boundary: Buffer.from(boundary, 'latin1'), alternative: own });
        return;
      }
    }
    const disposition = fieldOf(header, 'content-disposition');
    const encoding = fieldOf(header, 'content-transfer-encoding').trim().toLowerCase();
    const attached = /^\s*attachment/i.test(disposition);
    const fileName = parameterOf(disposition, 'filename') || parameterOf(type, 'name');
    // A message in a message opens no boundary, so its depth is counted apart.
    if (kind === 'message/rfc822' && !attached && encoding !== 'base64' && this.#open.length + attachedDepth < OUTLINE_LIMITS.depth) {
      const innerAt = headerEnd(this.#raw, bodyAt, this.#end);
      this.#enter(this.#raw.toString('latin1', bodyAt, Math.min(innerAt, bodyAt + OUTLINE_LIMITS.header)), innerAt, attachedDepth + 1);
      return;
    }
    // A multipart that names no usable boundary is read as the text that it is.
    this.#leaf = {
      type: kind.startsWith('multipart/') ? 'text/plain' : kind,
      charset: parameterOf(type, 'charset'),
      encoding,
      fileName,
      attached,
      alternative,
      from: bodyAt,
    };
  }

  #close(to: number): void {
    if (this.#leaf && this.leaves.length < OUTLINE_LIMITS.parts) this.leaves.push({ ...this.#leaf, to: Math.max(to, this.#leaf.from) });
    this.#leaf = undefined;
  }
}

/** Where the header section at `start` ends and the body begins: after the first empty line. */
function headerEnd(raw: Buffer, start: number, end: number): number {
  for (let at = start; at < end;) {
    if (raw[at] === LF) return at + 1;
    if (raw[at] === 0x0d && raw[at + 1] === LF) return at + 2;
    const next = raw.indexOf(LF, at);
    if (next < 0) break;
    at = next + 1;
  }
  return end;
}

function endsLine(raw: Buffer, at: number, end: number): boolean {
  while (at < end && (raw[at] === 0x20 || raw[at] === 0x09)) at++;
  return at >= end || raw[at] === LF || raw[at] === 0x0d;
}

const FIELDS = new Map<string, RegExp>();

/** The first field of this name in a header section, unfolded; '' where there is none. */
export function fieldOf(header: string, name: string): string {
  let pattern = FIELDS.get(name);
  if (!pattern) {
    pattern = new RegExp(String.raw`(?:^|\n)${name}[ \t]*:([^\n]*(?:\n[ \t][^\n]*)*)`, 'i');
    FIELDS.set(name, pattern);
  }
  const value = pattern.exec(header)?.[1] ?? '';
  return value.includes('\n') ? value.replace(/\r?\n[ \t]+/g, ' ').trim() : value.trim();
}

const PARAMETERS = new Map<string, RegExp>();

/** A parameter of a structured field, RFC 2231 pieces put together and percent-decoded, as Latin-1; '' where there is none. */
export function parameterOf(field: string, name: string): string {
  if (!field.toLowerCase().includes(name)) return '';
  let pattern = PARAMETERS.get(name);
  if (!pattern) {
    pattern = new RegExp(String.raw`;\s*${name}(\*\d{0,2}\*?)?\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s]*))`, 'gi');
    PARAMETERS.set(name, pattern);
  }
  let value = '';
  for (const match of field.slice(0, 8192).matchAll(pattern)) {
    const piece = match[2] !== undefined ? match[2].replace(/\\(.)/g, '$1') : (match[3] ?? '');
    if (match[1] === undefined) return piece;
    value += match[1].endsWith('*') ? percentDecoded(piece.replace(/^[^']*'[^']*'/, '')) : piece;
  }
  return value;
}

function percentDecoded(text: string): string {
  return text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
