import type { ErrorCode } from '../../core/api.ts';
import type { Localiser } from '../localiser.ts';
import type { Sentence } from '../sentence.ts';

type StoreCode = Extract<ErrorCode, `store.${string}` | `vault.${string}` | `backup.${string}` | `file.${string}`>;

/** The words for the store, the vault and backups. */
export function storeSentences(l10n: Localiser): Record<StoreCode, Sentence> {
  return {
    'store.locked': { say: () => l10n.t('Another program holds the mail database. Close other windows, then try again.'), step: 'retry' },
    'store.full': { say: () => l10n.t('The disk is full. Free some space; nothing is lost.'), step: 'retry' },
    'store.unwritable': {
      say: () => l10n.t('QuMail cannot write to its folder. Check its permissions and that the disk is not read-only.'),
      step: 'retry',
    },
    'store.mail-damaged': {
      say: () =>
        l10n.t(
          'The database of mail kept on this computer is damaged. Restart QuMail in every window: the mail is fetched again. Nothing else was in it.',
        ),
      step: 'restart',
    },
    'store.corrupt': { say: () => l10n.t('The mail database is damaged.'), step: 'log' },
    'store.newer': { say: () => l10n.t('The mail database was written by a newer QuMail. Update QuMail.') },
    'store.secret-missing': {
      say: () => l10n.t('A key that protects stored mail is gone from the secret storage. Sign in again.'),
      step: 'sign-in-again',
    },
    'vault.locked': { say: () => l10n.t('Your mail and keys are locked with your passphrase. Unlock QuMail to go on.'), step: 'unlock' },
    'vault.wrong-passphrase': { say: () => l10n.t('This is not the passphrase. Nothing was changed; try again.') },
    'vault.weak-passphrase': {
      say: (f) => l10n.t('This passphrase is too short. Use at least {0} characters; a few unrelated words are best.', f('minimum', '8')),
    },
    'vault.passphrase-needed': {
      say: () => l10n.t('This desktop has no place to keep secrets, so QuMail cannot do without a passphrase here.'),
      step: 'passphrase',
    },
    'backup.phrase-checksum': {
      say: (f) => {
        const index = f('index', '');
        return index === ''
          ? l10n.t('This recovery phrase was mistyped: it should be 24 words that fit together. Compare it with your copy.')
          : l10n.t('Word {0} of the recovery phrase is not one of its words. Compare it with your copy.', String(Number(index) + 1));
      },
    },
    'backup.wrong-phrase': { say: () => l10n.t('This recovery phrase belongs to another backup.') },
    'backup.truncated': {
      say: () => l10n.t('This backup file is incomplete. Copy it again from where it was kept; nothing was restored.'),
    },
    'backup.newer': { say: () => l10n.t('This backup was written by a newer QuMail. Update QuMail, then restore it.') },
    'backup.malformed': { say: () => l10n.t('This file is not a QuMail backup.') },
    'backup.tampered': { say: () => l10n.t('This backup file was altered or damaged. Use another copy; nothing was restored.') },
    'file.unreadable': { say: (f) => l10n.t('QuMail cannot read {0}. Check that it is there and may be read.', f('path', '?')) },
    'file.unwritable': { say: (f) => l10n.t('The file {0} cannot be written. Choose another place.', f('path', '?')) },
  };
}
