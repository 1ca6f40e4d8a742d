import type { Address } from '../base/types.ts';
import { keptReferences } from './references.ts';

/** What decides which conversation a message belongs to. */
export interface Threaded {
  /** '' where the message has none. */
  readonly rfcMessageId: string;
  readonly inReplyTo: string;
  readonly references: readonly string[];
  /** Gmail's X-GM-THRID. */
  readonly gmailThread?: string | undefined;
  readonly subject: string;
  readonly from: Address;
  readonly to: readonly Address[];
  /** Milliseconds since the epoch. */
  readonly date: number;
}

/** How far apart two messages may be that only their subject joins, milliseconds. */
export const SUBJECT_WINDOW_MS = 14 * 86_400_000;

/** Prefixes of answers and of forwarded mail as programs write them, in the languages that have their own. */
const ANSWER = /^(?:re|aw|antw?|sv|vs|vá|odp|ynt|ref|rif|res|r|回复|回覆|答复|返信|답장|ответ|отв)\s*(?:\[\d+\]|\(\d+\))?\s*[:：]\s*/iu;
const FORWARD = /^(?:fwd?|wg|tr|doorst|vb|vl|enc|rv|i|转发|轉寄|転送|전달)\s*(?:\[\d+\]|\(\d+\))?\s*[:：]\s*/iu;
/** A subject shorter than this says too little to join anything. */
const SHORTEST_SUBJECT = 4;

/** Names of what a message is tied to: messages that share one belong together. */
export function threadNodes(message: Pick<Threaded, 'rfcMessageId' | 'inReplyTo' | 'references' | 'gmailThread'>): readonly string[] {
  const ids = [message.rfcMessageId, message.inReplyTo, ...keptReferences(message.references)].filter((id) => id !== '');
  const nodes = ids.map((id) => `id:${id}`);
  if (message.gmailThread !== undefined) nodes.push(`gmail:${message.gmailThread}`);
  return [...new Set(nodes)];
}

/** The subject without reply and forward prefixes, folded; '' where it is too short to tell messages apart. */
export function threadSubject(subject: string): string {
  let rest = subject.slice(0, 1000).normalize('NFKC').trim();
  for (let shorter = withoutPrefix(rest); shorter !== rest; shorter = withoutPrefix(rest)) rest = shorter;
  const key = rest.toLowerCase().replace(/\s+/gu, ' ');
  return key.length < SHORTEST_SUBJECT ? '' : key;
}

/** A reply by its subject that does not say to what, as some programs write them. */
export function isBareReply(message: Pick<Threaded, 'inReplyTo' | 'references' | 'subject'>): boolean {
  return message.inReplyTo === '' && message.references.length === 0 && ANSWER.test(message.subject.trimStart());
}

/**
 * Whether two messages belong together for want of anything better than their subject: it is the same, one of them is a bare reply, they
 * are at most a fortnight apart, and each was written by somebody the other one names. Says the same of (b, a), and depends on nothing
 * but the two, so that conversations do not depend on the order in which messages arrive.
 */
export function joinedBySubject(a: Threaded, b: Threaded): boolean {
  const subject = threadSubject(a.subject);
  if (subject === '' || subject !== threadSubject(b.subject)) return false;
  if (!isBareReply(a) && !isBareReply(b)) return false;
  return Math.abs(a.date - b.date) <= SUBJECT_WINDOW_MS && names(a, b.from) && names(b, a.from);
}

function names(message: Threaded, person: Address): boolean {
  const wanted = person.address.toLowerCase();
  return wanted !== '' && [message.from, ...message.to].some(({ address }) => address.toLowerCase() === wanted);
}

function withoutPrefix(subject: string): string {
  return subject.replace(ANSWER, '').replace(FORWARD, '');
}
