import PostalMime from 'postal-mime';
import type { Attachment, Email, PostalMimeOptions } from 'postal-mime';
import { QuMailError } from '../base/errors.ts';

/** What a message may cost to read. 64 MiB holds a 25 MiB attachment sealed (base64 of base64); no provider takes more. */
export const MIME_LIMITS = {
  /** Octets of the whole source. */
  message: 64 * 1024 * 1024,
  /** Lines of the whole source: every line costs an object while it is parsed. 64 MiB of base64 has 860,000. */
  lines: 1_000_000,
  /** Parts of the MIME tree. */
  parts: 1_000,
  /** Depth of the MIME tree. */
  nesting: 50,
  /** Octets of all header sections together, and lines of them: every field is decoded and kept in several forms. */
  headers: 2 * 1024 * 1024,
  headerLines: 100_000,
} as const;

/** The part of postal-mime 4.0.0 that is typed as internal; the version is pinned and readMime.test.ts watches over it. */
interface MimeNode {
  readonly state: 'header' | 'body' | 'finished';
  readonly depth: number;
  readonly content: ArrayBuffer | null;
  contentDecoder: { update(line: Uint8Array): void; finalize(): Promise<ArrayBuffer> } | null;
  setupContentDecoder(encoding: string): void;
  readonly contentType: { readonly multipart: string | false; readonly parsed: { value: string; params: Record<string, string> } };
}
interface PostalMimeInternals {
  readonly currentNode: MimeNode;
  readonly headerSize: number;
  readonly attachments: Attachment[];
  processLine(line: Uint8Array, isFinal: boolean): Promise<void>;
  collectNode(node: MimeNode, alternative: MimeNode | false, related: boolean): Promise<void>;
  collectAttachment(node: MimeNode, content: ArrayBuffer, related: boolean, depthExceeded: boolean): void;
  parse(raw: Uint8Array): Promise<Email>;
}
const Parser = PostalMime as unknown as new (options: PostalMimeOptions) => PostalMimeInternals;

/** postal-mime with a limit on parts and depth, attachments exactly as they were attached, and a better guess at charsets. */
class BoundedParser extends Parser {
  #lastNode: MimeNode | undefined;
  #parts = 0;
  #headerLines = 0;

  // Not async: it runs once a line, and a promise of its own would double the time. Looking before each line finds a
  // part one line after it began, and means that the parser's own errors, which have no codes, are never met.
  override processLine(line: Uint8Array, isFinal: boolean): Promise<void> {
    if (this.currentNode.state === 'header') {
      if (this.headerSize + line.length > MIME_LIMITS.headers) throw limit('headers');
      if (++this.#headerLines > MIME_LIMITS.headerLines) throw limit('headerLines');
    }
    if (this.currentNode !== this.#lastNode) {
      this.#lastNode = this.currentNode;
      if (++this.#parts > MIME_LIMITS.parts) throw limit('parts');
      if (this.currentNode.depth > MIME_LIMITS.nesting) throw limit('nesting');
      gatherLines(this.currentNode);
    }
    return super.processLine(line, isFinal);
  }

  override async collectNode(node: MimeNode, alternative: MimeNode | false, related: boolean): Promise<void> {
    if (!node.contentType.multipart && node.content && /^text\/(?:plain|html)$/.test(node.contentType.parsed.value)) {
      const { params } = node.contentType.parsed;
      params['charset'] = likelyCharset(params['charset'] ?? '', new Uint8Array(node.content));
    }
    await super.collectNode(node, alternative, related);
  }

  override collectAttachment(node: MimeNode, content: ArrayBuffer, related: boolean, depthExceeded: boolean): void {
    super.collectAttachment(node, content, related, depthExceeded);
    // Calendar parts would come back re-encoded; what was attached is what is saved.
    const attachment = this.attachments.at(-1);
    if (attachment) attachment.content = content;
  }
}

/** Bodies that need no decoding are gathered in one buffer; the parser's own way, two objects a line, takes a gigabyte for a million lines. */
function gatherLines(node: MimeNode): void {
  const standard = node.setupContentDecoder.bind(node);
  node.setupContentDecoder = (encoding) => {
    if (/base64|quoted-printable/i.test(encoding)) standard(encoding);
    else node.contentDecoder = new LineBuffer();
  };
}

/** Lines one after another, each with a line feed. */
class LineBuffer {
  #bytes = new Uint8Array(4096);
  #length = 0;

  update(line: Uint8Array): void {
    const end = this.#length + line.length + 1;
    if (end > this.#bytes.length) {
      const larger = new Uint8Array(2 * end);
      larger.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = larger;
    }
    this.#bytes.set(line, this.#length);
    this.#bytes[end - 1] = 0x0a;
    this.#length = end;
  }

  async finalize(): Promise<ArrayBuffer> {
    return this.#bytes.buffer.slice(0, this.#length);
  }
}

/**
 * Parses a message with postal-mime 4 within MIME_LIMITS. Attached messages stay attachments. Rejects with `open.limit`
 * (details: what, limit) when a limit is passed, and `open.malformed` when the parser gives up for another reason.
 */
export async function parseBounded(raw: Uint8Array): Promise<Email> {
  if (raw.byteLength > MIME_LIMITS.message) throw limit('message');
  if (countLines(raw, MIME_LIMITS.lines) > MIME_LIMITS.lines) throw limit('lines');
  const parser = new BoundedParser({
    forceRfc822Attachments: true,
    maxHeadersSize: MIME_LIMITS.headers * 2,
    maxNestingDepth: MIME_LIMITS.nesting + 1,
  });
  try {
    return await parser.parse(raw);
  } catch (error) {
    throw QuMailError.from(error, 'open.malformed', { what: 'mime' });
  }
}

function limit(what: keyof typeof MIME_LIMITS): QuMailError {
  return new QuMailError('open.limit', { what, limit: MIME_LIMITS[what] });
}

/** Line feeds in `raw`, counted no further than one beyond `most`. */
function countLines(raw: Uint8Array, most: number): number {
  let count = 0;
  for (let at = raw.indexOf(0x0a); at >= 0 && count <= most; at = raw.indexOf(0x0a, at + 1)) count++;
  return count;
}

/**
 * The charset to read a text part with: what it says, except that text which says nothing, or us-ascii, or a name nobody
 * knows, is UTF-8 where it is valid UTF-8 and Windows-1252 where not.
 */
function likelyCharset(declared: string, content: Uint8Array): string {
  const label = declared.trim().toLowerCase();
  if (label !== '' && !/^(?:us-?ascii|ascii|unknown|unknown-8bit|x-unknown|default|none|8bit)$/.test(label)) return declared;
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(content);
    return 'utf-8';
  } catch {
    return 'windows-1252';
  }
}
