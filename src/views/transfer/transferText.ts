import type { ErrorDetails, ExportResult, ImportResult } from '../../core/api.ts';
import type { Localiser } from '../localiser.ts';

/** Longer ones some file systems do not take. */
const MAX_NAME = 80;

export function importedText({ imported, refused, present }: ImportResult, folder: string, l10n: Localiser): string {
  const done = imported === 1 ? l10n.t('1 message was filed in {0}.', folder) : l10n.t('{0} messages were filed in {1}.', imported, folder);
  const there = present === 1 ? l10n.t('1 was there already.') : l10n.t('{0} were there already.', present);
  const not = refused === 1 ? l10n.t('1 was not: too large, or no mail.') : l10n.t('{0} were not: too large, or no mail.', refused);
  return [done, ...(present > 0 ? [there] : []), ...(refused > 0 ? [not] : [])].join(' ');
}

/** The same where it ended early, with `share` of everything done, 0 to 1. */
export function halfImportedText(result: ImportResult, folder: string, share: number, locale: string, l10n: Localiser): string {
  const percent = progressText(Math.floor(share * 100), 100, locale);
  const rest = l10n.t('It ended at {0}. Import the same again to file the rest: what is there already is passed over.', percent);
  return `${importedText(result, folder, l10n)} ${rest}`;
}

/** What was filed before an import failed or was cancelled, as its error tells. */
export function importedBefore({ details }: { readonly details: ErrorDetails }): ImportResult {
  const count = (name: string): number => (typeof details[name] === 'number' ? details[name] : 0);
  return { imported: count('imported'), refused: count('refused'), present: count('present') };
}

export function exportedText({ exported, missing, offline }: ExportResult, l10n: Localiser): string {
  const done = exported === 1 ? l10n.t('1 message was written.') : l10n.t('{0} messages were written.', exported);
  if (missing === 0) return done;
  return `${done} ${offline ? onServerText(missing, l10n) : goneText(missing, l10n)}`;
}

function onServerText(missing: number, l10n: Localiser): string {
  return missing === 1
    ? l10n.t('1 is not on this machine, and there is no connection: export again when there is one.')
    : l10n.t('{0} are not on this machine, and there is no connection: export again when there is one.', missing);
}

function goneText(missing: number, l10n: Localiser): string {
  return missing === 1
    ? l10n.t('1 could not be had: gone from the server, or never opened here.')
    : l10n.t('{0} could not be had: gone from the server, or never opened here.', missing);
}

/** A subject or a folder's path as the name of a file that every system takes. */
export function fileName(name: string, otherwise: string): string {
  const clean = name
    .normalize('NFC')
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}/\\:*?"<>|]/gu, ' ')
    .replace(/\s+/g, ' ')
    .replace(/^[. ]+/, '')
    .slice(0, MAX_NAME)
    .replace(/[. ]+$/, '');
  return /^(con|prn|aux|nul|com\d|lpt\d)?$/i.test(clean) ? otherwise : clean;
}

/** Progress in percent of the whole, or the count where the whole is not known. */
export function progressText(done: number, total: number, locale: string): string {
  return total > 0 ? `${Math.min(100, Math.floor((done / total) * 100))} %` : new Intl.NumberFormat(locale).format(done);
}
