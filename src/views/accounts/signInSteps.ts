import type { AddAccountRequest, MailServers } from '../../core/api.ts';
import type { Localiser } from '../present.ts';
import type { Answers, Choice, Help, Search, Step, TextStep } from '../wizard/steps.ts';
import { commandOf, commandSteps } from './commandSteps.ts';
import { domainOf, knownProvider } from './mailDomains.ts';
import { parseServer, serverAddress, suggestServer } from './serverText.ts';
import type { SignInFlow } from './signInFlow.ts';
import { signInWays, type SignInWay } from './signInWays.ts';

/** What decides, besides the answers, which questions there are. */
export interface SignInSituation {
  /** Providers for which an OAuth client ID has been configured already, so that nobody is asked again. */
  readonly clients: { readonly google: boolean; readonly yahoo: boolean };
  /** What works where this window is (signInFlow.ts). */
  readonly flows: readonly SignInFlow[];
  /** Looks for the servers of an address, as choices. */
  readonly servers: Search['run'];
}

/** The sign-in wizard as a table: which question is asked when. */
export function signInSteps(l10n: Localiser, situation: SignInSituation): readonly Step[] {
  const { clients, flows } = situation;
  const chose =
    (...ways: SignInWay[]) =>
    (answers: Answers): boolean =>
      ways.some((way) => way === answers['provider']);
  const byPassword = chose('password');
  const withServers = chose('password', 'oidc', 'command');
  const withoutClient = (answers: Answers): boolean =>
    (answers['provider'] === 'google' && !clients.google) || (answers['provider'] === 'yahoo' && !clients.yahoo);
  const asksClient = (answers: Answers): boolean =>
    answers['provider'] === 'oidc' || (withoutClient(answers) && answers['client'] === 'have');
  const required = (text: string): string | undefined => (text === '' ? l10n.t('This is needed to go on.') : undefined);
  return [
    emailStep(l10n),
    {
      kind: 'pick',
      key: 'provider',
      prompt: l10n.t('How do you sign in to your mail?'),
      choices: (answers) => signInWays(answers['email'] ?? '', flows, l10n),
    },
    {
      kind: 'pick',
      key: 'client',
      when: withoutClient,
      prompt: l10n.t('This provider lets programs in by an OAuth client ID. Everybody uses one of their own.'),
      choices: (answers) => clientChoices(answers, l10n),
    },
    {
      kind: 'text',
      key: 'issuer',
      when: chose('oidc'),
      prompt: l10n.t('Address of the sign-in service (OpenID Connect issuer)'),
      placeholder: 'https://login.example.org',
      check: (text) => (isHttps(text) ? undefined : l10n.t('This must be an https address.')),
    },
    {
      kind: 'text',
      key: 'clientId',
      when: asksClient,
      prompt: l10n.t('OAuth client ID, from the developer console of the provider'),
      check: required,
      help: (answers) => (answers['provider'] === 'google' ? googleHelp(l10n) : undefined),
    },
    {
      kind: 'text',
      key: 'clientSecret',
      when: asksClient,
      secret: 'secret',
      prompt: l10n.t('OAuth client secret. Leave empty if there is none. It is kept in the secret storage.'),
    },
    { kind: 'text', key: 'name', when: chose('password', 'command'), prompt: l10n.t('Your name, as others will see it') },
    {
      kind: 'text',
      key: 'password',
      when: byPassword,
      secret: 'secret',
      prompt: l10n.t('Password or app password. It is kept in the secret storage.'),
      check: required,
      help: (answers) => passwordHelp(answers, l10n),
    },
    ...commandSteps(chose('command'), l10n),
    {
      kind: 'pick',
      key: 'found',
      when: withServers,
      prompt: l10n.t('Which servers is the mail on? Nothing is sent to them before you choose.'),
      choices: [
        {
          value: 'hand',
          label: `$(edit) ${l10n.t('Enter the servers by hand')}`,
          detail: l10n.t('Host and port of IMAP and SMTP, one by one'),
        },
      ],
      search: {
        prompt: (answers) => l10n.t('Looking up the mail servers of {0}', domainOf(answers['email'] ?? '')),
        run: situation.servers,
      },
    },
    ...serverSteps('imap', withServers, l10n),
    ...serverSteps('smtp', withServers, l10n),
  ];
}

function emailStep(l10n: Localiser): TextStep {
  return {
    kind: 'text',
    key: 'email',
    prompt: l10n.t('E-mail address'),
    placeholder: 'you@example.org',
    check: (text) => (/^[^\s@<>]+@[^\s@<>]+$/.test(text) ? undefined : l10n.t('This is not an e-mail address.')),
  };
}

function clientChoices(answers: Answers, l10n: Localiser): readonly Choice[] {
  const guide: Choice = {
    value: 'guide',
    label: `$(book) ${l10n.t('Show me how to get one')}`,
    detail: l10n.t('Ten minutes in the Google Cloud console, with pictures of what to click'),
  };
  const have: Choice = { value: 'have', label: `$(key) ${l10n.t('I have a client ID')}`, detail: l10n.t('Enter it now, and its secret') };
  const password: Choice = {
    value: 'password',
    label: `$(lock) ${l10n.t('Use an app password instead')}`,
    detail: l10n.t('Two minutes on the account page of the provider'),
    answers: { provider: 'password' },
  };
  return answers['provider'] === 'google' ? [guide, have, password] : [have, password];
}

function googleHelp(l10n: Localiser): Help {
  return { tooltip: l10n.t('Show what to click'), command: 'qumail.setUpGoogle', args: [] };
}

function passwordHelp(answers: Answers, l10n: Localiser): Help | undefined {
  const provider = knownProvider(answers['email'] ?? '');
  if (!provider?.appPasswords) return undefined;
  return { tooltip: l10n.t('How to get an app password from {0}', provider.label), command: 'qumail.appPasswords', args: [provider.id] };
}

function serverSteps(protocol: 'imap' | 'smtp', withServers: (answers: Answers) => boolean, l10n: Localiser): readonly Step[] {
  const name = protocol.toUpperCase();
  const when = (answers: Answers): boolean => withServers(answers) && (answers['found'] === 'hand' || answers['found'] === 'edit');
  return [
    {
      kind: 'text',
      key: protocol,
      when,
      prompt: l10n.t('{0} server as host:port', name),
      suggest: (answers) => suggestServer(answers['email'] ?? '', protocol),
      check: (text) =>
        parseServer(text, protocol) ? undefined : l10n.t('Write host:port, for example {0}.', suggestServer('you@example.org', protocol)),
    },
    {
      kind: 'pick',
      key: `${protocol}Security`,
      when: (answers) => when(answers) && parseServer(answers[protocol] ?? '', protocol)?.security === undefined,
      prompt: l10n.t('How is the connection to the {0} server encrypted?', name),
      choices: [
        { value: 'tls', label: 'TLS', detail: l10n.t('Encrypted from the first byte') },
        { value: 'starttls', label: 'STARTTLS', detail: l10n.t('Starts open and must switch to TLS before anything is said') },
      ],
    },
  ];
}

/** The finished answers as a request; undefined where they do not make one, which the checks of the steps prevent. */
export function requestOf(answers: Answers): AddAccountRequest | undefined {
  const provider = answers['provider'];
  if (provider === 'outlook') return { provider };
  if (provider === 'google' || provider === 'yahoo') return { provider, ...(answers['email'] ? { loginHint: answers['email'] } : {}) };
  const servers = serversOf(answers);
  if (!servers) return undefined;
  if (provider === 'oidc') return { provider, issuer: answers['issuer'] ?? '', clientId: answers['clientId'] ?? '', servers };
  const who = { email: answers['email'] ?? '', displayName: answers['name'] ?? '' };
  if (provider === 'command') return { provider: 'token_command', ...who, command: commandOf(answers), servers };
  if (provider !== 'password') return undefined;
  return { provider: 'qumail_native', ...who, password: answers['password'] ?? '', servers };
}

function serversOf(answers: Answers): MailServers | undefined {
  const imap = serverAddress(answers['imap'] ?? '', 'imap', answers['imapSecurity']);
  const smtp = serverAddress(answers['smtp'] ?? '', 'smtp', answers['smtpSecurity']);
  if (!imap || !smtp) return undefined;
  return { imap, smtp, ...(answers['userName'] ? { userName: answers['userName'] } : {}) };
}

function isHttps(text: string): boolean {
  return URL.canParse(text) && new URL(text).protocol === 'https:';
}
