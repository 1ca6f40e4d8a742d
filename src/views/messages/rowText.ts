import type { Mark, MarkedText, MessageSummary, ThreadSummary } from '../../core/api.ts';
import type { Localiser } from '../localiser.ts';

/** Names of a row that stands for several people. */
const MAX_NAMES = 3;
/** Longer ones are cut in front of the first mark, so that what was found can be seen in a narrow view. */
const LEAD = 8;

/** Characters of a draft that are looked through for its recipients. */
const MAX_HEAD = 10_000;

/** Who takes part in a conversation, the first to write first: `Ada, Bob, Carol +2`. */
export function participantsLabel(participants: ThreadSummary['participants']): string {
  const names = participants.map(({ name, address }) => name.trim() || address);
  const more = names.length - MAX_NAMES;
  return more > 0 ? `${names.slice(0, MAX_NAMES).join(', ')} +${more}` : names.join(', ');
}

/** `5 messages, 2 unread`, for those who hear the row. */
export function threadCounts({ count, unread }: Pick<ThreadSummary, 'count' | 'unread'>, l10n: Localiser): string {
  return unread > 0 ? l10n.t('{0} messages, {1} unread', count, unread) : l10n.t('{0} messages', count);
}

/** A label whose marked parts are drawn strong; ranges are UTF-16, end exclusive. */
export interface MarkedLabel {
  readonly label: string;
  readonly highlights: [number, number][];
}

/** The row of a found message: its subject, then where it says what was looked for. */
export function foundLabel(subject: string, subjectMarks: readonly Mark[], snippet: MarkedText | undefined): MarkedLabel {
  const head = { text: subject, marks: subjectMarks };
  const tail = snippet && snippet.text.trim() !== '' ? nearFirstMark(snippet) : undefined;
  if (!tail) return { label: head.text, highlights: ranges(head.marks, 0, head.text.length) };
  const label = `${head.text} — ${tail.text}`;
  const offset = label.length - tail.text.length;
  return { label, highlights: [...ranges(head.marks, 0, head.text.length), ...ranges(tail.marks, offset, label.length)] };
}

/** A text cut in front so that its first mark comes early; on one line. */
function nearFirstMark({ text, marks }: MarkedText): MarkedText {
  const plain = text.replaceAll(/\s/g, ' ');
  const first = marks[0]?.from ?? 0;
  if (first <= LEAD) return { text: plain, marks };
  const space = plain.indexOf(' ', first - LEAD);
  const cut = space >= 0 && space < first ? space + 1 : first;
  return {
    text: `…${plain.slice(cut)}`,
    marks: marks.filter(({ to }) => to > cut).map(({ from, to }) => ({ from: Math.max(from, cut) - cut + 1, to: to - cut + 1 })),
  };
}

function ranges(marks: readonly Mark[], offset: number, end: number): [number, number][] {
  return marks
    .filter(({ from, to }) => from >= 0 && to > from)
    .map(({ from, to }): [number, number] => [from + offset, Math.min(to + offset, end)])
    .filter(([from, to]) => to > from);
}

/** What menus ask of a row: `message.unread.flagged`, with `junk` and `snoozed` where it is that. */
export function rowContext(
  kind: 'message' | 'thread',
  state: { readonly unread: boolean; readonly flagged: boolean; readonly junk: boolean; readonly snoozed: boolean },
): string {
  return [
    kind,
    state.unread ? 'unread' : 'read',
    ...(state.flagged ? ['flagged'] : []),
    ...(state.junk ? ['junk'] : []),
    ...(state.snoozed ? ['snoozed'] : []),
  ].join('.');
}

/** Signs in front of a subject; `waiting`: something done to it has not reached the server. */
export function marksOf(
  message: Pick<MessageSummary, 'flags' | 'hasAttachments'>,
  server: 'told' | 'waiting',
  conversation: 'muted' | 'heard' = 'heard',
): string {
  const all = [
    server === 'waiting' ? '⟳' : '',
    conversation === 'muted' ? '🔇' : '',
    message.flags.includes('flagged') ? '★' : '',
    message.flags.includes('answered') ? '↩' : '',
    message.hasAttachments ? '📎' : '',
  ].join('');
  return all ? `${all} ` : '';
}

/** What stands after "To:" in a draft, names where there are some; '' where nobody does. */
export function recipientsOf(draftText: string): string {
  const line = /^To:[ \t]*(.*)$/im.exec(draftText.slice(0, MAX_HEAD).split(/\r?\n[ \t]*\r?\n/, 1)[0] ?? '')?.[1] ?? '';
  return line
    .split(',')
    .map((entry) => entry.replace(/<[^<>]*>/, '').trim() || entry.replace(/[<>]/g, '').trim())
    .filter(Boolean)
    .join(', ');
}
