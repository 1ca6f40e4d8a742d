/**
 * Text made ready for the full-text index, whose tokenizer (unicode61) splits at what is neither letter, digit, mark nor private use and
 * folds case and Latin accents. What it cannot do is done here, to what is indexed and what is looked for alike.
 */

/** Most mail has nothing of what follows, and this tells so with less looking. */
const BEYOND_ASCII = /[\u0080-\uffff]/;
/** Nothing before Hebrew needs more than the tokenizer does, soft hyphens excepted. */
const BEYOND_LATIN = /[\u00ad\u0590-\u{10ffff}]/u;
/** Scripts written without spaces between words, and Korean, whose words carry their grammar with them. */
const UNSPACED_RUN =
  /[[\p{scx=Han}\p{scx=Hira}\p{scx=Kana}\p{scx=Hang}\p{scx=Bopo}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmr}\p{sc=Mymr}]&&[\p{L}\p{N}\p{M}]]+/gv;
/** Joiners, direction marks, soft hyphens: inside words, and no part of how they are looked for. */
const INVISIBLE = /[\p{Default_Ignorable_Code_Point}\p{Cf}]/gu;
/** Vowel points and cantillation of Hebrew, harakat, Koranic signs and tatweel of Arabic: hardly anyone types them. */
const POINTS =
  /[\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed]/gu;
const ARABIC = /[\u0622\u0623\u0625\u0671\u0649\u06cc\u0629\u06a9]/gu;
const ARABIC_FOLDS: Readonly<Record<string, string>> = {
  آ: 'ا',
  أ: 'ا',
  إ: 'ا',
  ٱ: 'ا',
  ى: 'ي',
  ی: 'ي',
  ة: 'ه',
  ک: 'ك',
};
/** Letters that no normalization takes apart into a plain one and its accent; chillus and khanda ta, which are also written with virama and joiner. */
const LETTERS = /[ßæÆœŒøØłŁđĐħĦıþÞ\u09ce\u0d7a-\u0d7f]/gu;
const LETTER_FOLDS: Readonly<Record<string, string>> = {
  ...{ ß: 'ss', æ: 'ae', œ: 'oe', ø: 'o', ł: 'l', đ: 'd', ħ: 'h', ı: 'i', þ: 'th' },
  ...{ ৎ: 'ত্', ൺ: 'ണ്', ൻ: 'ന്', ർ: 'ര്', ൽ: 'ല്', ൾ: 'ള്', ൿ: 'ക്' },
};
const PICTURE = /\p{Extended_Pictographic}\p{Emoji_Modifier}?|\p{RI}\p{RI}/gu;
/** Begins the word that a picture becomes; private use, so that no text brings it along. */
const PICTURE_MARK = '\ue000';
const TOKEN = /[\p{L}\p{N}\p{M}\p{Co}]/u;

/** Text as it is indexed: unspaced scripts as overlapping pairs of characters, each run closed by its last character alone. */
export function segmentText(text: string): string {
  if (!BEYOND_ASCII.test(text)) return text;
  const plain = withPlainLetters(text);
  return BEYOND_LATIN.test(plain) ? folded(plain).replace(UNSPACED_RUN, (run) => ` ${pairs(run).join(' ')} `) : plain;
}

/**
 * What is looked for, as words in the order of the index. The last run of an unspaced script is left open, for the text may go on:
 * `open` says that the last word is to be looked for as the beginning of one. undefined where nothing in it is a word.
 */
export function segmentTerm(term: string): { readonly words: string; readonly open: 'open' | 'closed' } | undefined {
  const text = withPlainLetters(term);
  if (!BEYOND_LATIN.test(text)) return TOKEN.test(text) ? { words: text, open: 'closed' } : undefined;
  const clean = folded(text).replace(/[^\p{L}\p{N}\p{M}\p{Co}]+$/u, '');
  if (!TOKEN.test(clean)) return undefined;
  let open: 'open' | 'closed' = 'closed';
  const words = clean.replace(UNSPACED_RUN, (run, at: number) => {
    const inside = pairs(run);
    if (at + run.length === clean.length) {
      if (inside.length > 1) inside.pop();
      else open = 'open';
    }
    return ` ${inside.join(' ')} `;
  });
  return { words: words.trim(), open };
}

/** Letters with strokes, ligatures and dead consonants as the plain letters that people type for them. */
export function withPlainLetters(text: string): string {
  return text.search(LETTERS) < 0 ? text : text.replace(LETTERS, (letter) => LETTER_FOLDS[letter.toLowerCase()]!);
}

function folded(text: string): string {
  return text
    .replace(PICTURE, (picture) => ` ${PICTURE_MARK}${picture.codePointAt(0)!.toString(16)}${flagEnd(picture)} `)
    .normalize('NFKC')
    .replace(INVISIBLE, '')
    .replace(POINTS, '')
    .replace(ARABIC, (letter) => ARABIC_FOLDS[letter]!);
}

/** Skin tones are folded away, the second letter of a flag is not. */
function flagEnd(picture: string): string {
  return /^\p{RI}/u.test(picture) ? picture.codePointAt(2)!.toString(16) : '';
}

function pairs(run: string): string[] {
  const characters = [...run];
  return characters.map((character, index) => character + (characters[index + 1] ?? ''));
}
