import { entropyToMnemonic, mnemonicToEntropy } from '@scure/bip39';
import { wordlist } from '@scure/bip39/wordlists/english.js';
import { wipe } from '../base/bytes.ts';
import { QuMailError } from '../base/errors.ts';
import type { Random } from '../base/ports.ts';

const ENTROPY_LENGTH = 32;
const WORDS = 24;
const MAX_PHRASE = 1000;

/** 24 English words of BIP-39: 256 random bits and an 8-bit checksum. */
export function newRecoveryPhrase(random: Random): readonly string[] {
  const entropy = random.bytes(ENTROPY_LENGTH);
  try {
    return entropyToMnemonic(entropy, wordlist).split(' ');
  } finally {
    wipe(entropy);
  }
}

/**
 * The 32 octets behind a phrase as a person types it: any case, any white space. The caller wipes them.
 *
 * @throws QuMailError `backup.phrase-checksum`: details `index` (from 0) of the first word that is none, else `words`, their number
 */
export function entropyOf(phrase: string): Buffer {
  if (phrase.length > MAX_PHRASE) throw new QuMailError('engine.bad-request', { field: 'phrase' });
  const words = phrase.normalize('NFKD').toLowerCase().split(/\s+/).filter(Boolean);
  const index = words.findIndex((word) => !wordlist.includes(word));
  if (index >= 0) throw new QuMailError('backup.phrase-checksum', { index });
  if (words.length !== WORDS) throw new QuMailError('backup.phrase-checksum', { words: words.length });
  try {
    return Buffer.from(mnemonicToEntropy(words.join(' '), wordlist));
  } catch {
    // Its message quotes nothing, but its stack is of no use either.
    throw new QuMailError('backup.phrase-checksum', { words: WORDS });
  }
}
