import type { AddAccountRequest, MailServers } from '../../core/api.ts';
import type { Localiser } from '../present.ts';
import type { Answers, PickStep, Step } from '../wizard/steps.ts';
import { parseServer, serverAddress, suggestServer } from './serverText.ts';

/** What the wizard's first step offers. */
export type SignInChoice = 'google' | 'yahoo' | 'password' | 'oidc' | 'lab';

/** Providers for which an OAuth client ID has been configured already, so that nobody is asked again. */
export interface KnownClients {
  readonly google: boolean;
  readonly yahoo: boolean;
}

/** The sign-in wizard as a table: which question is asked when. */
export function signInSteps(l10n: Localiser, clients: KnownClients): readonly Step[] {
  const chose =
    (...choices: SignInChoice[]) =>
    (answers: Answers): boolean =>
      choices.some((choice) => choice === answers['provider']);
  const needsClient = (answers: Answers): boolean =>
    answers['provider'] === 'oidc' ||
    (answers['provider'] === 'google' && !clients.google) ||
    (answers['provider'] === 'yahoo' && !clients.yahoo);
  const required = (text: string): string | undefined => (text === '' ? l10n.t('This is needed to go on.') : undefined);
  return [
    providerStep(l10n),
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
      when: needsClient,
      prompt: l10n.t('OAuth client ID, from the developer console of the provider'),
      check: required,
    },
    {
      kind: 'text',
      key: 'clientSecret',
      when: needsClient,
      secret: 'secret',
      prompt: l10n.t('OAuth client secret. Leave empty if there is none. It is kept in the secret storage.'),
    },
    {
      kind: 'text',
      key: 'email',
      when: chose('password', 'oidc'),
      prompt: l10n.t('E-mail address'),
      placeholder: 'you@example.org',
      check: (text) => (/^[^\s@<>]+@[^\s@<>]+$/.test(text) ? undefined : l10n.t('This is not an e-mail address.')),
    },
    { kind: 'text', key: 'name', when: chose('password'), prompt: l10n.t('Your name, as others will see it') },
    {
      kind: 'text',
      key: 'password',
      when: chose('password'),
      secret: 'secret',
      prompt: l10n.t('Password or app password. It is kept in the secret storage.'),
      check: required,
    },
    ...serverSteps('imap', chose('password', 'oidc'), l10n),
    ...serverSteps('smtp', chose('password', 'oidc'), l10n),
  ];
}

function providerStep(l10n: Localiser): PickStep {
  const choices: { value: SignInChoice; label: string; detail: string }[] = [
    { value: 'google', label: '$(account) Google (Gmail)', detail: l10n.t('Sign in on the Google page in your browser') },
    { value: 'yahoo', label: '$(account) Yahoo', detail: l10n.t('Sign in on the Yahoo page in your browser') },
    { value: 'password', label: `$(key) ${l10n.t('Password or app password')}`, detail: l10n.t('Any mail host with IMAP and SMTP') },
    {
      value: 'oidc',
      label: `$(globe) ${l10n.t('Other OAuth provider')}`,
      detail: l10n.t('Any OpenID Connect issuer, with a client ID of your own'),
    },
    { value: 'lab', label: `$(beaker) ${l10n.t('Demo lab')}`, detail: l10n.t('No account needed: two simulated people on this machine') },
  ];
  return { kind: 'pick', key: 'provider', prompt: l10n.t('How do you sign in to your mail?'), choices };
}

function serverSteps(protocol: 'imap' | 'smtp', when: (answers: Answers) => boolean, l10n: Localiser): readonly Step[] {
  const name = protocol.toUpperCase();
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
  if (provider === 'google' || provider === 'yahoo') return { provider };
  const imap = serverAddress(answers['imap'] ?? '', 'imap', answers['imapSecurity']);
  const smtp = serverAddress(answers['smtp'] ?? '', 'smtp', answers['smtpSecurity']);
  if (!imap || !smtp) return undefined;
  const servers: MailServers = { imap, smtp };
  if (provider === 'oidc') return { provider, issuer: answers['issuer'] ?? '', clientId: answers['clientId'] ?? '', servers };
  if (provider !== 'password') return undefined;
  return {
    provider: 'qumail_native',
    email: answers['email'] ?? '',
    displayName: answers['name'] ?? '',
    password: answers['password'] ?? '',
    servers,
  };
}

function isHttps(text: string): boolean {
  return URL.canParse(text) && new URL(text).protocol === 'https:';
}
