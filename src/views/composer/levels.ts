import type { DraftCheck, SecurityLevel } from '../../core/api.ts';
import { bitsWords, spanWords } from '../keys/budgetWords.ts';
import { levelName, sizeLabel } from '../labels.ts';
import type { Localiser } from '../present.ts';

/** `L2 (Quantum-aided AES)`: what stands in the Security line. The name is for reading; L1 to L4 alone count, so it stays English. */
export function levelValue(level: SecurityLevel | 'openpgp'): string {
  if (level === 'openpgp') return 'PGP (OpenPGP, not post-quantum)';
  return `${level} (${levelName(level, { t: (message) => message })})`;
}

/** What a level takes from both sides, in one sentence. */
export function whatLevelTakes(level: SecurityLevel, l10n: Localiser): string {
  const texts: Record<SecurityLevel, string> = {
    L1: l10n.t('One byte of quantum key for each byte of the message. For texts up to 64 KiB.'),
    L2: l10n.t('One 256-bit quantum key for the message, of any size.'),
    L3: l10n.t('A post-quantum certificate of each recipient, and no quantum keys. Also signs the message.'),
    L4: l10n.t('Nothing. Every server on the way can read and change the message.'),
  };
  return texts[level];
}

/** Why a level cannot be chosen now. */
export function whyNotLevel(level: SecurityLevel, l10n: Localiser): string {
  if (level === 'L3') return l10n.t('Not possible now: a post-quantum certificate of a recipient is missing or has changed.');
  if (level === 'L4') return l10n.t('Not possible: a recipient is to get nothing below a higher level.');
  return l10n.t('Not possible now: a recipient has no quantum key link to you.');
}

/** `32 B of 340 kB of key`; what sending the message as it stands takes from the key stock, and how long to wait where that is short. */
export function keyCost(check: Pick<DraftCheck, 'level' | 'keyCost' | 'budget'>, l10n: Localiser): string {
  if (check.keyCost === 0) return l10n.t('no key needed');
  const { budget } = check;
  if (budget?.stockBits === undefined) return l10n.t('{0} of key', sizeLabel(check.keyCost));
  // The stock is of the recipient with the least; the cost that is compared with it is that recipient's part.
  const cost = bitsWords(budget.costBits);
  const stock = bitsWords(budget.stockBits);
  if (budget.fits !== 'no') return l10n.t('{0} of {1} of key', cost, stock);
  return budget.waitSeconds === undefined
    ? l10n.t('needs {0} of key, {1} are there', cost, stock)
    : l10n.t('needs {0} of key, {1} are there; enough in about {2}', cost, stock, spanWords(budget.waitSeconds, l10n));
}

/** `L2 Quantum-aided AES · 32 B of key`. */
export function levelAndCost(check: Pick<DraftCheck, 'level' | 'keyCost' | 'possible' | 'budget' | 'openPgp'>, l10n: Localiser): string {
  if (check.openPgp === 'chosen') return l10n.t('OpenPGP · not post-quantum');
  if (!check.possible.includes(check.level)) return l10n.t('{0} {1} · not possible here', check.level, levelName(check.level, l10n));
  return l10n.t('{0} {1} · {2}', check.level, levelName(check.level, l10n), keyCost(check, l10n));
}

/** Codicon of a level. */
export function levelIcon(level: SecurityLevel): string {
  const icons: Record<SecurityLevel, string> = { L1: 'key', L2: 'lock', L3: 'shield', L4: 'mail' };
  return icons[level];
}

/** What `Security: PGP` is. */
export function whatOpenPgpTakes(l10n: Localiser): string {
  return l10n.t(
    'For people without QuMail: encrypted and signed with their OpenPGP certificate. A quantum computer could open it one day.',
  );
}
