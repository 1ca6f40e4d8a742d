import type { ErrorCode, ErrorDetails } from '../base/errors.ts';
import type { Address, SecurityLevel } from '../base/types.ts';
import { cleanName, formatAddress, scanAddressList } from './address.ts';

/** Characters a draft may hold; its text is stored, checked on every key stroke and quoted from. */
const MAX_DRAFT = 4 * 1024 * 1024;
/** Header lines read; a draft names at most 100 recipients and as many files. */
const MAX_HEADER_LINES = 2_000;

/** How each level is called after its code in a draft's `Security:` line (DESIGN 1); fixed, like the header names. */
const LEVEL_NAMES: Readonly<Record<SecurityLevel, string>> = {
  L1: 'Quantum one-time pad',
  L2: 'Quantum-aided AES',
  L3: 'Post-quantum',
  L4: 'None',
};

/** The word for mail to classic OpenPGP certificates. It is no level: it promises nothing against quantum computers. */
const OPENPGP = 'PGP';
const OPENPGP_NAME = 'OpenPGP, not post-quantum';

/** A value and where it stands: zero-based line, UTF-16 columns, end exclusive. */
export interface Ranged<T> {
  readonly value: T;
  readonly line: number;
  readonly from: number;
  readonly to: number;
}

export interface DraftIssue {
  readonly code: ErrorCode;
  readonly details: ErrorDetails;
  readonly line: number;
  readonly from: number;
  readonly to: number;
}

export interface ParsedDraft {
  readonly from?: Ranged<Address>;
  readonly to: Ranged<Address>[];
  readonly cc: Ranged<Address>[];
  readonly bcc: Ranged<Address>[];
  readonly subject: string;
  readonly level?: Ranged<SecurityLevel>;
  /** `Security: PGP`: encrypted with classic certificates, at L4. */
  readonly protection?: 'openpgp';
  readonly attach: Ranged<string>[];
  /** Exactly what follows the blank line. */
  readonly body: string;
  /** The line the body starts on; the number of lines where there is no blank line. */
  readonly bodyLine: number;
  /** The first `To:` line, 0 where there is none. */
  readonly toLine: number;
  readonly problems: DraftIssue[];
}

/** A header field of the draft: its name, and its value over one or more lines. */
interface Field {
  readonly name: string;
  readonly line: number;
  /** The value with continuation lines appended after a line feed, which every reader of it treats as a blank. */
  value: string;
  readonly segments: { readonly offset: number; readonly line: number; readonly column: number; end: number }[];
}

/**
 * Reads a draft document: header lines `Name: value` (From, To, Cc, Bcc, Subject, Security, Attach; any case; a line that
 * starts with a blank continues the one before), a blank line, the Markdown body. Never throws; linear. What is wrong
 * comes back in `problems` with its exact range: `draft.bad-address`, `draft.bad-header`, `draft.bad-level`,
 * `draft.too-large`. That nobody is addressed is not a problem of the text: see `noRecipientIssue`.
 */
export function parseDraft(text: string): ParsedDraft {
  const { fields, problems, body, bodyLine } = splitDraft(text);
  const draft = { to: [] as Ranged<Address>[], cc: [] as Ranged<Address>[], bcc: [] as Ranged<Address>[], attach: [] as Ranged<string>[] };
  const once = new Set<string>();
  let from: Ranged<Address> | undefined;
  let level: (Ranged<SecurityLevel> & { protection?: 'openpgp' }) | undefined;
  let subject = '';
  let toLine = 0;
  for (const field of fields) {
    const name = field.name.toLowerCase();
    const nameRange = { line: field.line, from: 0, to: field.name.length };
    if ((name === 'from' || name === 'subject' || name === 'security') && once.has(name)) {
      problems.push({ code: 'draft.bad-header', details: { name: field.name }, ...nameRange });
      continue;
    }
    if (name === 'to' && !once.has(name)) toLine = field.line;
    once.add(name);
    if (name === 'to' || name === 'cc' || name === 'bcc') for (const a of readAddresses(field, problems)) draft[name].push(a);
    else if (name === 'from') from = readSender(field, problems);
    else if (name === 'subject') subject = cleanName(field.value);
    else if (name === 'security') level = readLevel(field, problems);
    else if (name === 'attach') {
      if (field.value.trim() !== '') draft.attach.push(range(field, field.value.trim().replaceAll('\n', '')));
    } else problems.push({ code: 'draft.bad-header', details: { name: field.name.slice(0, 80) }, ...nameRange });
  }
  problems.sort((a, b) => a.line - b.line || a.from - b.from);
  const protection = level?.protection;
  return {
    ...draft,
    subject,
    ...(from && { from }),
    ...(level && { level }),
    ...(protection && { protection }),
    body,
    bodyLine,
    toLine,
    problems,
  };
}

/** `draft.no-recipient` at the draft's To line when nobody is addressed, else undefined. Sending asks this, typing does not. */
export function noRecipientIssue(draft: ParsedDraft): DraftIssue | undefined {
  if (draft.to.length + draft.cc.length + draft.bcc.length > 0) return undefined;
  return { code: 'draft.no-recipient', details: {}, line: draft.toLine, from: 0, to: 3 };
}

/** The document that `parseDraft` reads back to the same fields. Every header line is there, also an empty one, to be filled in. */
export function writeDraftText(fields: {
  readonly from: Address;
  readonly to: readonly Address[];
  readonly cc: readonly Address[];
  readonly bcc: readonly Address[];
  readonly subject: string;
  /** Absent: the line stays open, and the level follows the recipients. */
  readonly level?: SecurityLevel;
  readonly protection?: 'openpgp';
  readonly attach: readonly string[];
  readonly body: string;
}): string {
  const list = (addresses: readonly Address[]): string => addresses.map(formatAddress).join(', ');
  const lines = [
    `From: ${formatAddress(fields.from)}`,
    `To: ${list(fields.to)}`,
    `Cc: ${list(fields.cc)}`,
    `Bcc: ${list(fields.bcc)}`,
    `Subject: ${cleanName(fields.subject)}`,
    securityLine(fields.level, fields.protection),
    // A path with a line break cannot be written on a line; no such file can be attached through a draft.
    ...fields.attach.filter((path) => !/[\r\n]/.test(path)).map((path) => `Attach: ${path}`),
  ];
  return `${lines.join('\n')}\n\n${fields.body}`;
}

function securityLine(level: SecurityLevel | undefined, protection: 'openpgp' | undefined): string {
  if (protection === 'openpgp') return `Security: ${OPENPGP} (${OPENPGP_NAME})`;
  return level ? `Security: ${level} (${LEVEL_NAMES[level]})` : 'Security: ';
}

function splitDraft(text: string): { fields: Field[]; problems: DraftIssue[]; body: string; bodyLine: number } {
  const fields: Field[] = [];
  const problems: DraftIssue[] = [];
  if (text.length > MAX_DRAFT) {
    problems.push({ code: 'draft.too-large', details: { limit: MAX_DRAFT, size: text.length }, line: 0, from: 0, to: 0 });
  }
  const lineEnd = /\r\n|\n|\r/g;
  let line = 0;
  for (let at = 0; ; line++) {
    const end = lineEnd.exec(text);
    const content = text.slice(at, end?.index ?? text.length);
    const next = end ? end.index + end[0].length : text.length;
    if (content.trim() === '') {
      if (end || content !== '') return { fields, problems, body: text.slice(next), bodyLine: line + 1 };
    } else if (line < MAX_HEADER_LINES) readHeaderLine(content, line, fields, problems);
    // What is not read must not be passed over in silence: it could be the line that names the level.
    else if (line === MAX_HEADER_LINES)
      problems.push({ code: 'draft.bad-header', details: { name: content.trim().slice(0, 80) }, line, from: 0, to: content.length });
    if (!end) return { fields, problems, body: '', bodyLine: line + 1 };
    at = next;
  }
}

function readHeaderLine(content: string, line: number, fields: Field[], problems: DraftIssue[]): void {
  const last = fields.at(-1);
  if (/^[ \t]/.test(content) && last) {
    last.segments.push({ offset: last.value.length + 1, line, column: 0, end: content.length });
    last.value += `\n${content}`;
    return;
  }
  const name = /^([A-Za-z][A-Za-z-]{0,79})[ \t]*:/.exec(content);
  if (!name?.[1]) {
    problems.push({ code: 'draft.bad-header', details: { name: content.trim().slice(0, 80) }, line, from: 0, to: content.length });
    return;
  }
  const column = name[0].length;
  const value = content.slice(column);
  fields.push({ name: name[1], line, value, segments: [{ offset: 0, line, column, end: content.length }] });
}

function readAddresses(field: Field, problems: DraftIssue[]): Ranged<Address>[] {
  const found: Ranged<Address>[] = [];
  const locate = locator(field);
  for (const entry of scanAddressList(field.value)) {
    const where = locate(entry.from, entry.to);
    if (entry.address) found.push({ value: entry.address, ...where });
    else problems.push({ code: 'draft.bad-address', details: { address: cleanName(entry.text).slice(0, 254) }, ...where });
  }
  return found;
}

function readSender(field: Field, problems: DraftIssue[]): Ranged<Address> | undefined {
  const [sender, ...others] = readAddresses(field, problems);
  for (const { value, ...where } of others) problems.push({ code: 'draft.bad-address', details: { address: value.address }, ...where });
  return sender;
}

function readLevel(field: Field, problems: DraftIssue[]): (Ranged<SecurityLevel> & { protection?: 'openpgp' }) | undefined {
  const ranged = range(field, field.value.trim());
  // An open line is no mistake: the level follows the recipients until one is chosen.
  if (ranged.value === '') return undefined;
  if (/^PGP(?:\s*\([^()]*\))?$/i.test(ranged.value)) return { ...ranged, value: 'L4', protection: 'openpgp' };
  const code = /^(L[1-4])(?:\s*\([^()]*\))?$/i.exec(ranged.value)?.[1]?.toUpperCase();
  if (code === 'L1' || code === 'L2' || code === 'L3' || code === 'L4') return { ...ranged, value: code };
  const { value, ...where } = ranged;
  problems.push({ code: 'draft.bad-level', details: { level: cleanName(value).slice(0, 80) }, ...where });
  return undefined;
}

/** `value` with the range of the field's trimmed text. */
function range<T>(field: Field, value: T): Ranged<T> {
  const start = field.value.length - field.value.trimStart().length;
  return { value, ...locator(field)(start, Math.max(start, field.value.trimEnd().length)) };
}

/** Maps offsets in a field's value to lines and columns; offsets must be asked for in ascending order. Ranges end with their line. */
function locator(field: Field): (from: number, to: number) => { line: number; from: number; to: number } {
  let at = 0;
  return (from, to) => {
    while (at + 1 < field.segments.length && (field.segments[at + 1]?.offset ?? 0) <= from) at++;
    const segment = field.segments[at] ?? { offset: 0, line: field.line, column: 0, end: 0 };
    const shift = segment.column - segment.offset;
    return { line: segment.line, from: from + shift, to: Math.min(to + shift, segment.end) };
  };
}
