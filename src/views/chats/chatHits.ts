import type { ChatMessage } from '../../core/api.ts';
import { personLabel, shortDate } from '../labels.ts';
import type { Localiser } from '../localiser.ts';

/** A line that was found, in words. */
export interface ChatHit {
  readonly chatId: string;
  readonly messageId: string;
  /** What was said around the first word that was searched for, or the name of a file. */
  readonly excerpt: string;
  /** Who said it, in which chat, when. */
  readonly about: string;
}

export interface HitFacts {
  readonly chatNames: ReadonlyMap<string, string>;
  readonly now: number;
  readonly language: string;
  readonly l10n: Localiser;
}

/** Characters of an excerpt, and how many of them stand before the word. */
const EXCERPT = 120;
const BEFORE = 30;

export function chatHit(message: ChatMessage, text: string, { chatNames, now, language, l10n }: HitFacts): ChatHit {
  const { chatId, id, author, at, own } = message;
  const said = [message.text, ...message.attachments.map(({ name }) => name)].join(' ');
  const who = own ? l10n.t('you') : personLabel(author);
  const chat = chatNames.get(chatId) ?? '';
  return {
    chatId,
    messageId: id,
    excerpt: excerptOf(said, text),
    // A chat of two is called after the other.
    about: [who, chat === who ? '' : chat, shortDate(at, now, language)].filter((part) => part !== '').join(' · '),
  };
}

/** One line of what was said, around the first of the words that stands in it. */
export function excerptOf(said: string, searched: string): string {
  const line = withoutMarks(said).replace(/\s+/g, ' ').trim();
  const found = searched
    .split(/\s+/)
    .filter((word) => word !== '')
    .map((word) => line.toLocaleLowerCase().indexOf(word.toLocaleLowerCase()))
    .filter((at) => at >= 0);
  const first = found.length === 0 ? 0 : Math.min(...found);
  const from = first <= BEFORE ? 0 : line.indexOf(' ', first - BEFORE) + 1;
  const begins = from > first ? first : from;
  const end = begins + EXCERPT;
  return `${begins > 0 ? '…' : ''}${line.slice(begins, end)}${end < line.length ? '…' : ''}`;
}

/** Text without the marks of Markdown that only say how it looks; marks inside of words stay. */
export function withoutMarks(markdown: string): string {
  return markdown.replace(/(?<![\p{L}\p{N}])(?:\*\*|~~|[*_`])(?=\S)|(?<=\S)(?:\*\*|~~|[*_`])(?![\p{L}\p{N}])|^(?:#{1,6}|>+) /gmu, '');
}
