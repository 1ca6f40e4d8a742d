import type { Address } from '../base/types.ts';
import { formatAddress, normalizeAddress } from './address.ts';
import type { ReadMessage } from './readMime.ts';
import { keptReferences } from './references.ts';

/** Characters of the original that a reply or a forward quotes. */
const MAX_QUOTE = 200_000;

interface ReplyFields {
  readonly to: Address[];
  readonly cc: Address[];
  readonly subject: string;
  /** Starts with the empty lines to write on; then who wrote what. Markdown. */
  readonly body: string;
  /** '' for a forward, which starts a thread of its own. */
  readonly inReplyTo: string;
  readonly references: readonly string[];
}

/**
 * What a reply to `source`, written by `self` (an own address), starts with (RFC 5322 3.6.4). A reply goes to Reply-To
 * or From; a reply to own mail goes to whom that went to. Nobody is named twice, and never `self`. `Re:` and `Fwd:` stand once.
 */
export function replyFields(source: ReadMessage, self: string, kind: 'reply' | 'reply-all' | 'forward'): ReplyFields {
  if (kind === 'forward') {
    return { to: [], cc: [], subject: prefixed(source.subject, 'Fwd'), body: forwardBody(source), inReplyTo: '', references: [] };
  }
  const own = normalizeAddress(self) ?? self;
  const fromSelf = source.from.address === own;
  const author = source.replyTo.length > 0 && !fromSelf ? source.replyTo : [source.from];
  const taken = new Set([own, '']);
  const fresh = (addresses: readonly Address[]): Address[] => addresses.filter((a) => !taken.has(a.address) && taken.add(a.address));
  const to = fresh(kind === 'reply' ? (fromSelf ? source.to : author) : [...author, ...source.to]);
  const cc = kind === 'reply-all' ? fresh(source.cc) : [];
  // Mail to oneself is answered to oneself.
  if (to.length === 0 && cc.length === 0 && fromSelf) to.push(source.from);
  const thread = [...source.references, source.messageId].filter((id) => id !== '');
  return {
    to,
    cc,
    subject: prefixed(source.subject, 'Re'),
    body: `\n\n${attribution(source)}\n${quoted(source.text)}`,
    inReplyTo: source.messageId,
    references: keptReferences([...new Set(thread)]),
  };
}

/** One `Re:`, however many there are and in whichever of the usual languages; `Fwd:` in front of what is there, once. */
function prefixed(subject: string, prefix: 'Re' | 'Fwd'): string {
  const known = prefix === 'Re' ? /^\s*(?:re|aw|sv|antw|odp|rif|res)\s*(?:\[\d{1,3}\])?\s*:\s*/i : /^\s*(?:fwd?|wg|tr|rv|enc)\s*:\s*/i;
  let rest = subject;
  for (let match = known.exec(rest); match; match = known.exec(rest)) rest = rest.slice(match[0].length);
  return `${prefix}: ${rest.trim()}`.trim();
}

/** Who wrote it and when, in no language. */
function attribution(source: ReadMessage): string {
  const when = source.date === undefined ? '' : `, ${timestamp(source.date)}`;
  return `${formatAddress(source.from)}${when}:\n`;
}

function forwardBody(source: ReadMessage): string {
  const lines = [`From: ${formatAddress(source.from)}`];
  if (source.date !== undefined) lines.push(`Date: ${timestamp(source.date)}`);
  lines.push(`Subject: ${source.subject}`);
  if (source.to.length > 0) lines.push(`To: ${source.to.map(formatAddress).join(', ')}`);
  if (source.cc.length > 0) lines.push(`Cc: ${source.cc.map(formatAddress).join(', ')}`);
  return `\n\n${quoted(`${lines.join('\n')}\n\n${source.text}`)}`;
}

function quoted(text: string): string {
  const lines = text.slice(0, MAX_QUOTE).toWellFormed().trimEnd().split('\n');
  return `${lines.map((line) => (line === '' || line.startsWith('>') ? `>${line}` : `> ${line}`)).join('\n')}\n`;
}

function timestamp(date: number): string {
  return `${new Date(date).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
