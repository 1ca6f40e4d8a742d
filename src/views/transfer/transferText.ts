import type { ExportResult, ImportResult } from '../../core/api.ts';
import type { Localiser } from '../localiser.ts';

/** Longer ones some file systems do not take. */
const MAX_NAME = 80;

export function importedText({ imported, refused }: ImportResult, folder: string, l10n: Localiser): string {
  const done = imported === 1 ? l10n.t('1 message was filed in {0}.', folder) : l10n.t('{0} messages were filed in {1}.', imported, folder);
  if (refused === 0) return done;
  const not = refused === 1 ? l10n.t('1 was not: too large, or no mail.') : l10n.t('{0} were not: too large, or no mail.', refused);
  return `${done} ${not}`;
}

export function exportedText({ exported, missing }: ExportResult, l10n: Localiser): string {
  const done = exported === 1 ? l10n.t('1 message was written.') : l10n.t('{0} messages were written.', exported);
  if (missing === 0) return done;
  const not =
    missing === 1
      ? l10n.t('1 could not be had: gone from the server, or never opened here.')
      : l10n.t('{0} could not be had: gone from the server, or never opened here.', missing);
  return `${done} ${not}`;
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
