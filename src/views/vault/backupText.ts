import type { BackupCounts, BackupSummary, Omitted, RestoreResult } from '../../core/api.ts';
import { sizeLabel } from '../labels.ts';
import type { Localiser } from '../present.ts';

/** `3 contacts, 120 mail`; the names of the kinds are the file's own. */
function countWords(counts: BackupCounts, l10n: Localiser): string {
  const some = Object.entries(counts).filter(([, count]) => count > 0);
  return some.length === 0 ? l10n.t('nothing') : some.map(([kind, count]) => `${count} ${kind}`).join(', ');
}

function omittedWords(omitted: readonly Omitted[], l10n: Localiser): string {
  const words: Record<Omitted, string> = {
    pads: l10n.t('pads'),
    keys: l10n.t('quantum keys'),
    tokens: l10n.t('sign-ins and passwords'),
  };
  return omitted.map((one) => words[one]).join(', ');
}

/** What a backup holds, before anything is restored. */
export function summaryText(summary: BackupSummary, dateOf: (time: number) => string, l10n: Localiser): string {
  return [
    l10n.t('Made on {0}, {1}', dateOf(summary.createdAt), sizeLabel(summary.size)),
    l10n.t('Accounts: {0}', summary.accounts.map(({ email }) => email).join(', ') || l10n.t('none')),
    l10n.t('Holds: {0}', countWords(summary.counts, l10n)),
    l10n.t('Never in a backup: {0}', omittedWords(summary.omitted, l10n)),
  ].join('\n');
}

/** What restoring changed. */
export function resultText(result: RestoreResult, l10n: Localiser): string {
  return [
    l10n.t('Added: {0}', countWords(result.added, l10n)),
    l10n.t('Here already and left as it is: {0}', countWords(result.kept, l10n)),
    ...(result.conflicts.length > 0
      ? [l10n.t('Another certificate is here for {0}; it stays until you decide.', result.conflicts.join(', '))]
      : []),
    ...(result.signInAgain.length > 0 ? [l10n.t('Sign in again: {0}', result.signInAgain.join(', '))] : []),
  ].join('\n');
}
