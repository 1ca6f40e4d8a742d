/** Written without spaces, so that a word has no beginning to go by. */
const SPACELESS =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Bopomofo}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;

/**
 * A query while it is being typed: its last word may not be whole yet, so it stands for all words that begin so. Leaves alone what is in quotes, what
 * belongs to an operator, single letters, OR, and what a space already ended.
 */
export function asTyped(query: string): string {
  if (query.split('"').length % 2 === 0) return query;
  const [, word = ''] = /(?:^|[\s(]|\b(?:subject|body):)-?([\p{L}\p{N}\p{M}]{2,})$/iu.exec(query) ?? [];
  return word === '' || word === 'OR' || SPACELESS.test(word) ? query : `${query}*`;
}
