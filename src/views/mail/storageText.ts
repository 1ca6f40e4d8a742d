import type { AccountSyncState, FolderSyncChoice, FolderSyncState } from '../../core/api.ts';
import { sizeLabel } from '../labels.ts';
import type { Localiser } from '../localiser.ts';
import { fillingText } from './fillingText.ts';

export interface SyncChoiceText {
  readonly sync: FolderSyncChoice;
  readonly label: string;
  readonly detail: string;
  readonly current: boolean;
}

/** The ways to keep a folder, with what each means; the present one is marked. */
export function syncChoices(folder: FolderSyncState | undefined, locale: string, l10n: Localiser): readonly SyncChoiceText[] {
  const number = new Intl.NumberFormat(locale);
  const here = folder ? ` ${l10n.t('{0} of {1} messages are here.', number.format(folder.stored), number.format(folder.known))}` : '';
  const texts: Record<FolderSyncChoice, { label: string; detail: string }> = {
    all: { label: l10n.t('Whole messages'), detail: l10n.t('Can be read and searched without a connection.') },
    headers: { label: l10n.t('Sender and subject'), detail: l10n.t('A message is fetched when it is opened.') },
    off: { label: l10n.t('Nothing'), detail: l10n.t('The folder is looked at only while it is on show.') },
  };
  return (['all', 'headers', 'off'] as const).map((sync) => {
    const current = folder?.sync === sync;
    const { label, detail } = texts[sync];
    return { sync, label, detail: current ? `${detail}${here}` : detail, current };
  });
}

export interface StorageLine {
  readonly icon: string;
  readonly label: string;
  readonly description: string;
  readonly detail: string;
  /** Of an account's line. */
  readonly accountId: string | undefined;
}

/** What all mail takes on this machine, then each account: how much of it is here, and how full its server is. */
export function storageLines(
  accounts: readonly { readonly email: string; readonly state: AccountSyncState }[],
  locale: string,
  l10n: Localiser,
): readonly StorageLine[] {
  const disk = accounts[0]?.state.disk;
  if (!disk) return [];
  const number = new Intl.NumberFormat(locale);
  const total: StorageLine = {
    icon: 'database',
    label: l10n.t('{0} of {1} used', sizeLabel(disk.used), sizeLabel(disk.budget)),
    description: l10n.t('by all mail on this machine'),
    detail: l10n.t('Beyond that the text of the oldest messages is removed here; it stays on the server.'),
    accountId: undefined,
  };
  return [
    total,
    ...accounts.map(({ email, state }): StorageLine => {
      const known = state.folders.reduce((sum, folder) => sum + folder.known, 0);
      const stored = state.folders.reduce((sum, folder) => sum + folder.stored, 0);
      const quota = state.quota ? l10n.t('{0} of {1} on the server', sizeLabel(state.quota.used), sizeLabel(state.quota.limit)) : '';
      const elsewhere = state.holder === 'elsewhere' ? l10n.t('another window keeps it up to date') : '';
      return {
        icon: 'account',
        label: email,
        description: l10n.t('{0} of {1} messages are here', number.format(stored), number.format(known)),
        detail: [fillingText(state, l10n), quota, elsewhere].filter(Boolean).join(' · '),
        accountId: state.accountId,
      };
    }),
  ];
}
