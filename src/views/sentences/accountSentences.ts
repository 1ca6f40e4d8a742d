import type { ErrorCode } from '../../core/api.ts';
import type { Localiser } from '../localiser.ts';
import type { Fact, Sentence } from '../sentence.ts';
import { reasonOf } from './facts.ts';

type AccountCode = Extract<ErrorCode, `auth.${string}` | `account.${string}`>;

/** The words for signing in and for accounts. */
export function accountSentences(l10n: Localiser): Record<AccountCode, Sentence> {
  return {
    'auth.sign-in-again': {
      say: () => l10n.t('The sign-in has ended. Mail and keys stay here; sign in again to go on.'),
      step: 'sign-in-again',
    },
    'auth.refresh-failed': {
      say: (f) => l10n.t('The sign-in could not be renewed ({0}). QuMail tries again by itself.', reasonOf(f, l10n)),
      step: 'retry',
    },
    'auth.wrong-password': {
      say: () => l10n.t('The mail server did not accept this password. Some providers want an app password.'),
      step: 'sign-in-again',
    },
    'auth.token-refused': { say: () => l10n.t('The mail server refused the sign-in. Sign in again to go on.'), step: 'sign-in-again' },
    'auth.state-mismatch': {
      say: () => l10n.t('The answer from the browser belongs to another sign-in and was not used. Start the sign-in again.'),
      step: 'retry',
    },
    'auth.issuer-mismatch': {
      say: () => l10n.t('The answer came from another sign-in service than the one asked and was not used.'),
      step: 'log',
    },
    'auth.denied': { say: (f) => l10n.t('The sign-in page said no: {0}.', reasonOf(f, l10n)), step: 'retry' },
    'auth.cancelled': { say: () => l10n.t('The sign-in was cancelled.') },
    'auth.timeout': { say: () => l10n.t('Nobody came back from the browser in time. Start the sign-in again.'), step: 'retry' },
    'auth.client-missing': {
      say: () => l10n.t('This provider needs an OAuth client ID of your own before anyone can sign in.'),
      step: 'client-id',
    },
    'auth.bad-answer': { say: () => l10n.t('The sign-in service answered something QuMail does not understand.'), step: 'log' },
    'auth.discovery-failed': {
      say: (f) =>
        l10n.t(
          'The sign-in service at {0} does not describe itself. Check the issuer address.',
          f('issuer', f('host', l10n.t('the server'))),
        ),
    },
    'auth.command-failed': {
      say: (f) => l10n.t('The token command of this account gave no access token: {0}.', commandReason(f('reason', ''), f, l10n)),
      step: 'retry',
    },
    'auth.identity-missing': {
      say: () => l10n.t('You are signed in, but the provider told no e-mail address. Allow access to it and try again.'),
      step: 'retry',
    },
    'account.exists': { say: (f) => l10n.t('{0} is signed in already.', f('email', l10n.t('This account'))) },
    'account.missing': { say: () => l10n.t('This account is signed out.') },
    'account.bad-settings': { say: (f) => l10n.t('These settings cannot be right: {0}.', f('field', '?')) },
  };
}

/** What went wrong with a program that should print a token. */
function commandReason(code: string, fact: Fact, l10n: Localiser): string {
  const reasons: Readonly<Record<string, string>> = {
    timeout: l10n.t('it took too long'),
    exit: l10n.t('it ended with status {0}', fact('status', '?')),
    'too-large': l10n.t('it printed too much'),
    empty: l10n.t('it printed nothing'),
    'not-a-token': l10n.t('what it printed is no token'),
    'not-found': l10n.t('it was not found or could not be started'),
  };
  return reasons[code] ?? l10n.t('no reason given');
}
