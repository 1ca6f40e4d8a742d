import type { Localiser } from '../localiser.ts';
import type { Choice } from '../wizard/steps.ts';
import { knownProvider, type KnownProviderId } from './mailDomains.ts';
import type { SignInFlow } from './signInFlow.ts';

/** How somebody can sign in, as the wizard's second step offers it. */
export type SignInWay = 'google' | 'yahoo' | 'outlook' | 'password' | 'command' | 'oidc' | 'lab';

/** The ways that fit a provider, the best first; all others follow. */
const FIRST: Readonly<Record<KnownProviderId, readonly SignInWay[]>> = {
  google: ['google', 'password'],
  yahoo: ['yahoo', 'password'],
  outlook: ['outlook'],
  icloud: ['password'],
  fastmail: ['password'],
};
const ANY: readonly SignInWay[] = ['password', 'google', 'outlook', 'yahoo', 'oidc', 'command', 'lab'];

/** What a way needs to work here; one of these is enough. */
const NEEDS: Readonly<Record<SignInWay, readonly SignInFlow[]>> = {
  google: ['loopback', 'uri'],
  yahoo: ['loopback', 'uri'],
  oidc: ['loopback', 'uri'],
  outlook: ['host'],
  password: ['password'],
  command: ['command'],
  lab: ['password'],
};

/** The ways to sign in to the mailbox of `email` that work here, those that fit its provider first and marked. */
export function signInWays(email: string, flows: readonly SignInFlow[], l10n: Localiser): readonly Choice[] {
  const provider = knownProvider(email);
  const first = provider ? FIRST[provider.id] : [];
  // Microsoft gives its own mailboxes no app passwords: offering one would lead nowhere.
  const others = ANY.filter((way) => !first.includes(way) && !(way === 'password' && provider?.id === 'outlook'));
  return [...first, ...others]
    .filter((way) => NEEDS[way].some((flow) => flows.includes(flow)))
    .map((way) => ({
      ...wayChoice(way, l10n),
      ...(provider && first.includes(way) ? { description: l10n.t('for {0}', provider.label) } : {}),
    }));
}

function wayChoice(way: SignInWay, l10n: Localiser): Choice {
  const choices: Record<SignInWay, Omit<Choice, 'value'>> = {
    google: { label: '$(account) Google (Gmail)', detail: l10n.t('Sign in on the Google page in your browser') },
    yahoo: { label: '$(account) Yahoo', detail: l10n.t('Sign in on the Yahoo page in your browser') },
    outlook: { label: '$(account) Microsoft (Outlook)', detail: l10n.t('Sign in with the Microsoft account of VS Code') },
    password: { label: `$(key) ${l10n.t('Password or app password')}`, detail: l10n.t('Any mail host with IMAP and SMTP') },
    oidc: {
      label: `$(globe) ${l10n.t('Other OAuth provider')}`,
      detail: l10n.t('Any OpenID Connect issuer, with a client ID of your own'),
    },
    command: {
      label: `$(terminal) ${l10n.t('Token command')}`,
      detail: l10n.t('A program of yours prints an access token each time one is needed'),
    },
    lab: { label: `$(beaker) ${l10n.t('Demo lab')}`, detail: l10n.t('No account needed: four simulated people on this machine') },
  };
  return { value: way, ...choices[way] };
}
