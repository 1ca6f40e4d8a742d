/** What a reply or a forward to a sealed message started with. */
export interface Quoted {
  readonly subject: string;
  /** The body with the quoted lines; what does not start with `>` is no part of the original. */
  readonly text: string;
}

/** Shorter lines ("Yes.", "Best regards,") stand in anybody's text, so they tell nothing. Characters, blanks not counted. */
const TELLING = 16;

/**
 * Whether a draft still holds something of the sealed message it answers: a line marked as a quote, a line of the original whose mark was
 * taken off, or its subject. Linear. Nothing keeps a person from writing it anew in other words.
 */
export function stillQuotes(draft: { readonly subject: string; readonly body: string }, quoted: Quoted | undefined): boolean {
  if (/^[ \t]*>/m.test(draft.body)) return true;
  if (!quoted) return false;
  const subject = bareSubject(quoted.subject);
  if (subject !== '' && bareSubject(draft.subject) === subject) return true;
  const lines = new Set(draft.body.split('\n').map(bareLine));
  return quoted.text.split('\n').some((line) => line.startsWith('>') && bareLine(line).length >= TELLING && lines.has(bareLine(line)));
}

function bareLine(line: string): string {
  return line.replace(/^[>\s]+/, '').replace(/\s+/g, '');
}

/** Without `Re:` and the like in front, blanks or case. */
function bareSubject(subject: string): string {
  let rest = subject.trim();
  for (let end = prefixEnd(rest); end > 0; end = prefixEnd(rest)) rest = rest.slice(end);
  return rest.replace(/\s+/g, '').toLowerCase();
}

function prefixEnd(text: string): number {
  return /^\s*\p{L}{1,5}(?:\[\d{1,3}\])?\s*:\s*/u.exec(text)?.[0].length ?? 0;
}
