import type { ErrorCode } from '../../core/api.ts';
import type { Localiser } from '../localiser.ts';
import type { Sentence } from '../sentence.ts';
import { reasonOf } from './facts.ts';

type ActionCode = Extract<ErrorCode, `action.${string}` | `unsubscribe.${string}` | `import.${string}` | `export.${string}`>;

/** The words for what is done with messages, and for import and export. */
export function actionSentences(l10n: Localiser): Record<ActionCode, Sentence> {
  return {
    'action.missing': { say: () => l10n.t('This is too long ago to be undone.') },
    'action.final': { say: () => l10n.t('What was deleted for good cannot be brought back.') },
    'action.no-folder': {
      say: (f) => l10n.t('This account has no folder for that ({0}). QuMail can create one on the server.', f('role', l10n.t('its role'))),
      step: 'create-folder',
    },
    'action.other-account': {
      say: () => l10n.t('Messages can only be moved to folders of the account they are in. Choose one of those.'),
    },
    'unsubscribe.none': {
      say: () => l10n.t('This message offers no safe way to unsubscribe. Mark it as junk if you do not want more of it.'),
    },
    'unsubscribe.refused': {
      say: (f) =>
        l10n.t(
          '{0} did not accept the request to unsubscribe ({1}). Try again later.',
          f('host', l10n.t('The other side')),
          f('status', '?'),
        ),
      step: 'retry',
    },
    'import.unreadable': { say: (f) => l10n.t('Mail in {0} could not be read: {1}.', f('path', '?'), reasonOf(f, l10n)) },
    'import.no-mail': {
      say: (f) =>
        l10n.t('There is no mail in {0}. QuMail reads EML files, mbox files and folders of them.', f('path', l10n.t('this place'))),
    },
    'export.unwritable': {
      say: (f) => l10n.t('Mail could not be written to {0}: {1}. Choose another place.', f('path', '?'), reasonOf(f, l10n)),
    },
  };
}
