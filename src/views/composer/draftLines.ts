/** Header lines a draft may have; their names are never translated, as in mail itself. */
const HEADER_NAMES = ['From', 'To', 'Cc', 'Bcc', 'Subject', 'Security', 'Attach'] as const;
export type HeaderName = (typeof HEADER_NAMES)[number];

/** One header line. Columns are UTF-16 units; the value starts after the colon and its blank. */
export interface HeaderLine {
  readonly name: HeaderName;
  readonly line: number;
  readonly nameEnd: number;
  readonly valueFrom: number;
  readonly value: string;
}

/** What a cursor stands in. */
export type DraftPlace = { readonly kind: 'name' } | { readonly kind: 'value'; readonly header: HeaderLine } | { readonly kind: 'body' };

/** A change of one line, or a new line before `line`. */
export type LineEdit =
  | { readonly kind: 'replace'; readonly line: number; readonly from: number; readonly to: number; readonly text: string }
  | { readonly kind: 'insert'; readonly line: number; readonly text: string };

/** Most lines searched for headers: a document without an empty line is all text. */
const MAX_HEADER_LINES = 400;

/** Number of the first line of the body: the one after the empty line, or the line count where there is none. */
export function bodyLineOf(lines: readonly string[]): number {
  const end = Math.min(lines.length, MAX_HEADER_LINES);
  for (let line = 0; line < end; line++) if (lines[line]?.trim() === '') return line + 1;
  return lines.length;
}

/** The header lines of a draft, known names only, in order. */
export function headerLines(lines: readonly string[]): HeaderLine[] {
  const found: HeaderLine[] = [];
  const end = bodyLineOf(lines);
  for (let line = 0; line < end; line++) {
    const header = headerOf(lines[line] ?? '', line);
    if (header) found.push(header);
  }
  return found;
}

function headerOf(text: string, line: number): HeaderLine | undefined {
  const match = /^([A-Za-z]+)[ \t]*:[ \t]*/.exec(text);
  const name = HEADER_NAMES.find((candidate) => candidate.toLowerCase() === match?.[1]?.toLowerCase());
  if (!match || !name) return undefined;
  const colon = text.indexOf(':');
  return { name, line, nameEnd: colon, valueFrom: match[0].length, value: text.slice(match[0].length).trimEnd() };
}

/** What is at a place of the document. */
export function placeAt(lines: readonly string[], line: number, column: number): DraftPlace {
  const bodyLine = bodyLineOf(lines);
  // The empty line that ends the headers is where the next header is typed.
  if (line >= bodyLine) return { kind: 'body' };
  const header = headerOf(lines[line] ?? '', line);
  return header && column > header.nameEnd ? { kind: 'value', header } : { kind: 'name' };
}

/** Names that the draft does not have yet, or may have again. */
export function missingHeaders(lines: readonly string[]): HeaderName[] {
  const present = new Set(headerLines(lines).map(({ name }) => name));
  return HEADER_NAMES.filter((name) => name === 'Attach' || !present.has(name));
}

/** The part of an address list that is being typed: from after the last comma outside quotes to the cursor. */
export function lastAddress(value: string): { readonly from: number; readonly text: string } {
  let from = 0;
  let quoted = false;
  for (let index = 0; index < value.length; index++) {
    const character = value[index];
    if (character === '\\' && quoted) index++;
    else if (character === '"') quoted = !quoted;
    else if (character === ',' && !quoted) from = index + 1;
  }
  while (value[from] === ' ' || value[from] === '\t') from++;
  return { from, text: value.slice(from) };
}

/** Sets a header to a value: changes its line, or adds one at the end of the headers. */
export function setHeader(lines: readonly string[], name: HeaderName, value: string): LineEdit {
  const header = headerLines(lines).find((candidate) => candidate.name === name);
  if (header)
    return {
      kind: 'replace',
      line: header.line,
      from: header.valueFrom,
      to: lines[header.line]?.length ?? header.valueFrom,
      text: needsBlank(lines, header) + value,
    };
  return { kind: 'insert', line: headerEnd(lines), text: `${name}: ${value}\n` };
}

/** Adds lines `Attach: path` after those that are there, else at the end of the headers. */
export function addAttachments(lines: readonly string[], paths: readonly string[]): LineEdit {
  const last = headerLines(lines).findLast(({ name }) => name === 'Attach');
  return { kind: 'insert', line: last ? last.line + 1 : headerEnd(lines), text: paths.map((path) => `Attach: ${path}\n`).join('') };
}

/** Where a further header line goes: before the empty line. */
function headerEnd(lines: readonly string[]): number {
  const headers = headerLines(lines);
  const last = headers.at(-1);
  return last ? last.line + 1 : 0;
}

function needsBlank(lines: readonly string[], header: HeaderLine): string {
  return lines[header.line]?.[header.valueFrom - 1] === ':' ? ' ' : '';
}

/** Where writing goes on in a fresh draft: the first empty To, Subject, else the body. */
export function startPosition(lines: readonly string[]): { readonly line: number; readonly column: number } {
  const headers = headerLines(lines);
  const empty = (['To', 'Subject'] as const)
    .map((name) => headers.find((header) => header.name === name))
    .find((header) => header && header.value === '');
  if (empty) return { line: empty.line, column: lines[empty.line]?.length ?? 0 };
  return { line: Math.min(bodyLineOf(lines), Math.max(lines.length - 1, 0)), column: 0 };
}
