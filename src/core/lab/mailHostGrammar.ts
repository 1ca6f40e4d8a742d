/** A word of an IMAP command (RFC 9051 9): atom, string (quoted or literal), or parenthesized list. */
export type ImapNode =
  | { readonly kind: 'atom'; readonly text: string }
  | { readonly kind: 'string'; readonly bytes: Buffer }
  | { readonly kind: 'list'; readonly items: readonly ImapNode[] };

/** A command line cut at its literals: text, literal, text, … */
export interface ImapCommandLine {
  readonly texts: readonly string[];
  readonly literals: readonly Buffer[];
}

const MAX_NESTING = 20;

/** Splits a command line into words; undefined when it does not follow the grammar. */
export function parseImapWords(line: ImapCommandLine): ImapNode[] | undefined {
  const stack: ImapNode[][] = [[]];
  for (let t = 0; t < line.texts.length; t++) {
    const text = (line.texts[t] ?? '').replace(/\{\d+\+?\}$/, '');
    let at = 0;
    while (at < text.length) {
      const top = stack.at(-1) as ImapNode[];
      const char = text[at];
      if (char === ' ') at++;
      else if (char === '(') {
        if (stack.length > MAX_NESTING) return undefined;
        stack.push([]);
        at++;
      } else if (char === ')') {
        const items = stack.pop() ?? [];
        if (stack.length === 0) return undefined;
        stack.at(-1)?.push({ kind: 'list', items });
        at++;
      } else if (char === '"') {
        const quoted = /^"((?:[^"\\]|\\["\\])*)"/.exec(text.slice(at));
        if (!quoted) return undefined;
        top.push({ kind: 'string', bytes: Buffer.from((quoted[1] ?? '').replace(/\\(.)/g, '$1'), 'latin1') });
        at += quoted[0].length;
      } else {
        // An atom; one with a section, BODY[HEADER.FIELDS (A B)]<0.5>, keeps the blanks inside its brackets.
        const atom = /^[^\s()"{[]+(?:\[[^\]]*\](?:<[\d.]+>)?)?|^\[[^\]]*\]/.exec(text.slice(at));
        if (!atom) return undefined;
        top.push({ kind: 'atom', text: atom[0] });
        at += atom[0].length;
      }
    }
    const literal = line.literals[t];
    if (literal) stack.at(-1)?.push({ kind: 'string', bytes: literal });
  }
  return stack.length === 1 ? stack[0] : undefined;
}

/** The text of an atom or string, UTF-8; undefined for a list or nothing. */
export function textOf(node: ImapNode | undefined): string | undefined {
  if (node === undefined || node.kind === 'list') return undefined;
  return node.kind === 'atom' ? node.text : node.bytes.toString('utf8');
}

/** A sequence set (`1,3:5,*`) as a test; `most` is what `*` stands for. Undefined when malformed. */
export function parseSequenceSet(text: string, most: number): ((n: number) => boolean) | undefined {
  const ranges: [number, number][] = [];
  for (const part of text.split(',')) {
    const match = /^(\d{1,10}|\*)(?::(\d{1,10}|\*))?$/.exec(part);
    if (!match?.[1]) return undefined;
    const [from, to] = [match[1], match[2] ?? match[1]].map((n) => (n === '*' ? most : Number(n))) as [number, number];
    ranges.push([Math.min(from, to), Math.max(from, to)]);
  }
  return (n) => ranges.some(([from, to]) => n >= from && n <= to);
}

/** A string on the wire: quoted where that is allowed, else a literal; NIL for undefined. */
export function imapString(text: string | undefined): Buffer {
  if (text === undefined) return Buffer.from('NIL');
  if (text.length < 1000 && /^[\x20-\x7e]*$/.test(text)) return Buffer.from(`"${text.replace(/["\\]/g, String.raw`\$&`)}"`);
  return imapLiteral(Buffer.from(text));
}

export function imapLiteral(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`{${bytes.length}}\r\n`), bytes]);
}

/** Mailbox names in modified UTF-7 (RFC 3501 5.1.3), which clients use unless they enabled UTF8=ACCEPT. */
export function encodeMailboxName(name: string): string {
  return name.replace(/&|[^\x20-\x7e]+/g, (run) => {
    if (run === '&') return '&-';
    const utf16 = Buffer.from(run, 'utf16le').swap16();
    return `&${utf16.toString('base64').replace(/=+$/, '').replaceAll('/', ',')}-`;
  });
}

export function decodeMailboxName(name: string): string {
  return name.replace(/&([A-Za-z0-9+,]*)-/g, (_, run: string) => {
    if (run === '') return '&';
    const utf16 = Buffer.from(run.replaceAll(',', '/'), 'base64');
    return utf16.length % 2 === 0 ? utf16.swap16().toString('utf16le') : '\ufffd';
  });
}
