import type { Localiser } from '../localiser.ts';
import type { Fact } from '../sentence.ts';

/** Why a server or program refused, in its own words where it gave any. */
export function reasonOf(fact: Fact, l10n: Localiser): string {
  return fact('reason', fact('response', fact('enhanced', fact('status', l10n.t('no reason given')))));
}

/** The first of two details that is there: rooms of the engine name the same thing from their own side. */
export function eitherFact(fact: Fact, first: string, second: string): string {
  return fact(first, fact(second, '?'));
}
