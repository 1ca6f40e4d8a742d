import type { Account, SearchCoverage, SpecialUse } from '../../core/api.ts';
import type { Localiser } from '../localiser.ts';
import type { ListSource } from './listSource.ts';

export interface TitleFacts {
  readonly accounts: readonly Pick<Account, 'id' | 'email'>[];
  readonly world: 'real' | 'lab';
  readonly coverage?: SearchCoverage | undefined;
  readonly locale: string;
  readonly l10n: Localiser;
}

/** What stands beside the name of the Messages view, and above its rows. `folderName`: of a folder or of a role over all accounts. */
export function listTitle(
  source: ListSource | undefined,
  folderName: string,
  { accounts, world, coverage, locale, l10n }: TitleFacts,
): { readonly description: string; readonly message: string | undefined } {
  const accountId = source && 'accountId' in source ? source.accountId : undefined;
  const email = accounts.find(({ id }) => id === accountId)?.email ?? '';
  const what = source ? nameOf(source, folderName, l10n) : '';
  const description = [world === 'lab' ? 'SIMULATED' : '', what, email].filter(Boolean).join(' · ');
  const partly = source?.kind === 'search' && coverage !== undefined && coverage.indexed < coverage.total;
  return { description, message: partly ? coverageLine(coverage, locale, l10n) : undefined };
}

/** `12,400 of 20,000 messages searched by text`. */
export function coverageLine({ indexed, total }: SearchCoverage, locale: string, l10n: Localiser): string {
  const number = new Intl.NumberFormat(locale);
  return l10n.t('{0} of {1} messages searched by text', number.format(indexed), number.format(total));
}

/** A role over all accounts. */
export function roleName(role: SpecialUse, l10n: Localiser): string {
  const names: Record<SpecialUse, string> = {
    inbox: l10n.t('All inboxes'),
    sent: l10n.t('All sent'),
    drafts: l10n.t('All drafts'),
    trash: l10n.t('All trash'),
    junk: l10n.t('All junk'),
    archive: l10n.t('All archives'),
    all: l10n.t('All mail'),
    flagged: l10n.t('All flagged'),
  };
  return names[role];
}

function nameOf(source: ListSource, folderName: string, l10n: Localiser): string {
  if (source.kind === 'snoozed') return l10n.t('Snoozed');
  if (source.kind === 'muted') return l10n.t('Muted conversations');
  if (source.kind === 'search') return source.name ?? l10n.t('Search: {0}', source.query);
  return folderName;
}
