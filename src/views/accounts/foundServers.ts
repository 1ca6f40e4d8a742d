import type { DiscoveredServers, MailServers, ServerAddress } from '../../core/api.ts';
import type { Localiser } from '../localiser.ts';
import type { Answers, Choice } from '../wizard/steps.ts';
import type { KnownProvider } from './mailDomains.ts';
import { serverText } from './serverText.ts';

/** More than these tell nobody anything new. */
const MAX_SHOWN = 6;

/** What discovery found as choices, best first, with everything that would be used: source, hosts, ports, encryption. */
export function foundChoices(found: readonly DiscoveredServers[], l10n: Localiser): readonly Choice[] {
  const shown = found.slice(0, MAX_SHOWN);
  const choices = shown.map((one, index): Choice => ({
    value: `found${index}`,
    label: `$(check) ${hosts(one.servers)}`,
    description: [l10n.t('Use these'), one.displayName ?? ''].filter(Boolean).join(' · '),
    detail: [
      serverLine('IMAP', one.servers.imap),
      serverLine('SMTP', one.servers.smtp),
      sourceText(one.source, l10n),
      ...(one.passwordKind === 'oauth2' ? [l10n.t('wants the sign-in page of the provider')] : []),
    ].join(' · '),
    answers: answersOf(one.servers),
  }));
  const [best] = shown;
  return best ? [...choices, editChoice(best.servers, l10n)] : [];
}

/** The servers of a provider QuMail knows by itself: nobody needs to be asked for them. */
export function knownChoices({ imap, smtp, label }: KnownProvider, l10n: Localiser): readonly Choice[] {
  const servers = { imap, smtp, imapSecurity: '', smtpSecurity: '', userName: '' };
  return [
    {
      value: 'found0',
      label: `$(check) ${imap.split(':')[0]}, ${smtp.split(':')[0]}`,
      description: l10n.t('Use these'),
      detail: `IMAP ${imap} TLS · SMTP ${smtp} ${smtp.endsWith(':587') ? 'STARTTLS' : 'TLS'} · ${l10n.t('the servers of {0}', label)}`,
      answers: servers,
    },
  ];
}

/** Said in the place of results when there are none, or when looking for them failed. */
export function nothingFound(domain: string, l10n: Localiser): Choice {
  return {
    value: 'hand',
    label: `$(info) ${l10n.t('{0} does not say where its mail is', domain)}`,
    detail: l10n.t('Enter the servers by hand; the names that are proposed are a guess'),
  };
}

function editChoice(servers: MailServers, l10n: Localiser): Choice {
  return {
    value: 'edit',
    label: `$(pencil) ${l10n.t('Edit the first ones')}`,
    detail: l10n.t('Start from them and change what is different'),
    answers: answersOf(servers),
  };
}

function hosts({ imap, smtp }: MailServers): string {
  return imap.host === smtp.host ? imap.host : `${imap.host}, ${smtp.host}`;
}

function serverLine(protocol: string, server: ServerAddress): string {
  return `${protocol} ${serverText(server)} ${server.security === 'tls' ? 'TLS' : 'STARTTLS'}`;
}

function answersOf({ imap, smtp, userName }: MailServers): Answers {
  return {
    imap: serverText(imap),
    imapSecurity: imap.security,
    smtp: serverText(smtp),
    smtpSecurity: smtp.security,
    // Written even where it is empty: an earlier choice may have named one.
    userName: userName ?? '',
  };
}

function sourceText(source: DiscoveredServers['source'], l10n: Localiser): string {
  const texts: Record<DiscoveredServers['source'], string> = {
    autoconfig: l10n.t('announced by the provider'),
    central: l10n.t('from the public database of Thunderbird'),
    srv: l10n.t('from the DNS records of the domain'),
    'well-known': l10n.t('usual names, found to exist'),
  };
  return texts[source];
}
