/**
 * Which three of the words a person is asked for, to see that they were written down: one of each third, so that nobody gets away with the
 * first line.
 *
 * @param random numbers in [0, 1)
 */
export function quizPositions(count: number, random: () => number): readonly number[] {
  const third = Math.floor(count / 3);
  return [0, 1, 2].map((part) => part * third + Math.floor(random() * third));
}

/** Whether `typed` is the word, however it was spaced or capitalised. */
export function sameWord(typed: string, word: string): boolean {
  return typed.trim().toLowerCase() === word;
}

/** A phrase as it was typed or pasted: lower case, single spaces, numbers and dots of a list taken out. */
export function phraseOf(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z]+/g, ' ')
    .trim();
}
