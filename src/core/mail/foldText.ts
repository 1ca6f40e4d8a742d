import { withPlainLetters } from './segment.ts';

/** Text in which spelling differences are gone that a search passes over, and where each of its UTF-16 units stood in the original. */
export interface FoldedText {
  readonly text: string;
  /** Absent where every unit stands where it stood. */
  readonly origin?: readonly number[];
}

const BEYOND_ASCII = /[^\0-\x7f]/;
const ACCENTS =
  /[\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed\p{Default_Ignorable_Code_Point}\p{Cf}]/gu;
const ARABIC: Readonly<Record<string, string>> = { ٱ: 'ا', ى: 'ي', ی: 'ي', ة: 'ه', ک: 'ك' };

/** Folds case, accents, compatibility forms, points and harakat: close to what the index does, for marking what it found. */
export function foldText(text: string): FoldedText {
  if (!BEYOND_ASCII.test(text)) return { text: text.toLowerCase() };
  let folded = '';
  const origin: number[] = [];
  let at = 0;
  for (const character of text) {
    const plain = character < '\x80' ? character.toLowerCase() : foldCharacter(character);
    for (let unit = 0; unit < plain.length; unit++) origin.push(at);
    folded += plain;
    at += character.length;
  }
  origin.push(at);
  return { text: folded, origin };
}

const known = new Map<string, string>();

function foldCharacter(character: string): string {
  let plain = known.get(character);
  if (plain === undefined) {
    plain = character.normalize('NFKD').toLowerCase().replace(ACCENTS, '');
    // Decomposing takes the madda and hamza off an alef already.
    plain = ARABIC[plain] ?? withPlainLetters(plain);
    if (known.size < 20_000) known.set(character, plain);
  }
  return plain;
}
