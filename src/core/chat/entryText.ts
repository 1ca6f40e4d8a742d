import { MAX_CHAT_TEXT } from './chatPart.ts';

/** Where ordinary mail programs begin to quote what they answer. */
const QUOTE = /^(?:>|-{2,}\s*Original|_{5,}$|On .{5,200} wrote:$)/;

/** The text of an answer from an ordinary mail program, without what it quotes; cut where it is longer than a chat message can be. */
export function enterable(text: string): string {
  const lines = text.replaceAll('\r\n', '\n').split('\n');
  const end = lines.findIndex((line) => QUOTE.test(line));
  const own = lines
    .slice(0, end === -1 ? lines.length : end)
    .join('\n')
    .trim();
  return (own === '' ? text.trim() : own).slice(0, MAX_CHAT_TEXT);
}
