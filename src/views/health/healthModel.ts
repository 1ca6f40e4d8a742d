import type { AccountHealth, ConnectionHealth, OutboxEntry, ProviderId, TokenHealth } from '../../core/api.ts';
import { fillingText } from '../mail/fillingText.ts';
import { dateAndTime, type Moment } from '../outbox/outboxText.ts';
import { sentenceOf, type Localiser } from '../present.ts';
import type { WorldName } from '../viewContext.ts';
import type { HealthFact, HealthPage, HealthSection, Toned } from './healthPage.ts';

/** Extensions QuMail makes use of where the server has them; the rest of a server's list says nothing about health. */
const USED = ['IDLE', 'CONDSTORE', 'QRESYNC', 'MOVE', 'UIDPLUS', 'SPECIAL-USE', 'X-GM-EXT-1'];

/** How the accounts are, in words. */
export function healthPage(accounts: readonly AccountHealth[], world: WorldName, moment: Moment, l10n: Localiser): HealthPage {
  return {
    title: world === 'lab' ? `${l10n.t('Account Health')} · SIMULATED` : l10n.t('Account Health'),
    asOf: l10n.t('As of {0}; renews itself while it is on show', dateAndTime(moment.now, moment.locale, moment.timeZone)),
    empty: l10n.t('Nobody is signed in.'),
    sections: accounts.map((account) => sectionOf(account, moment, l10n)),
  };
}

function sectionOf(account: AccountHealth, moment: Moment, l10n: Localiser): HealthSection {
  const { now, locale, timeZone } = moment;
  const connections = account.connections.map((connection) => connectionText(connection, now, l10n));
  const capabilities = USED.filter((name) => account.connections.some((connection) => connection.capabilities?.includes(name)));
  return {
    title: account.email,
    state: stateOf(account, l10n),
    facts: [
      fact(l10n.t('Sign-in'), { text: providerText(account.provider, l10n), tone: 'plain' }),
      ...(account.token ? [{ label: l10n.t('Access token'), values: tokenTexts(account.token, now, l10n) }] : []),
      fact(l10n.t('Last sync'), {
        text: account.lastSync === undefined ? l10n.t('not yet') : l10n.t('{0} ago', durationText(now - account.lastSync, l10n)),
        tone: 'plain',
      }),
      ...(account.offline ? [fact(l10n.t('Offline copy'), offlineText(account.offline, l10n))] : []),
      { label: l10n.t('Connections'), values: connections.length > 0 ? connections : [{ text: l10n.t('none'), tone: 'plain' }] },
      ...(capabilities.length > 0 ? [fact(l10n.t('Server offers'), { text: capabilities.join(', '), tone: 'plain' })] : []),
      { label: l10n.t('Outbox'), values: outboxTexts(account, l10n) },
    ],
    errorsTitle: l10n.t('Last errors'),
    errors: account.errors.toReversed().map(({ at, where, code, status, enhanced }) => ({
      time: dateAndTime(at, locale, timeZone),
      code: where === 'outbox' ? `${code} (${l10n.t('Outbox')})` : code,
      sentence: sentenceOf(
        { code, details: { ...(status === undefined ? {} : { status }), ...(enhanced === undefined ? {} : { enhanced }) } },
        l10n,
      ),
    })),
    noErrors: l10n.t('None since QuMail started.'),
  };
}

function fact(label: string, value: Toned): HealthFact {
  return { label, values: [value] };
}

function stateOf({ state, failure }: AccountHealth, l10n: Localiser): Toned {
  const states: Record<AccountHealth['state'], Toned> = {
    online: { text: l10n.t('online'), tone: 'good' },
    connecting: { text: l10n.t('connecting'), tone: 'plain' },
    offline: { text: l10n.t('offline'), tone: 'bad' },
    'needs-sign-in': { text: l10n.t('sign in again'), tone: 'bad' },
  };
  const known = states[state];
  return failure ? { ...known, text: `${known.text}: ${sentenceOf(failure, l10n)}` } : known;
}

function offlineText(offline: NonNullable<AccountHealth['offline']>, l10n: Localiser): Toned {
  const tone = offline.filling === 'complete' ? 'good' : offline.filling === 'cut' ? 'bad' : 'plain';
  return { text: fillingText(offline, l10n), tone };
}

function providerText(provider: ProviderId, l10n: Localiser): string {
  const texts: Record<ProviderId, string> = {
    google: 'Google (OAuth 2)',
    yahoo: 'Yahoo (OAuth 2)',
    oidc: 'OpenID Connect',
    outlook: l10n.t('Microsoft account of VS Code'),
    qumail_native: l10n.t('password'),
    token_command: l10n.t('token command'),
  };
  return texts[provider];
}

function tokenTexts(token: TokenHealth, now: number, l10n: Localiser): readonly Toned[] {
  const states: Record<TokenHealth['state'], Toned> = {
    valid: { text: l10n.t('valid'), tone: 'good' },
    refreshing: { text: l10n.t('being renewed'), tone: 'plain' },
    'backing-off': { text: l10n.t('not renewed yet'), tone: 'bad' },
    'needs-sign-in': { text: l10n.t('ended: sign in again'), tone: 'bad' },
  };
  const plain = (text: string): Toned => ({ text, tone: 'plain' });
  const { state, obtainedAt, expiresAt, nextTry, failure } = token;
  return [
    states[state],
    ...(obtainedAt === undefined ? [] : [plain(l10n.t('renewed {0} ago', durationText(now - obtainedAt, l10n)))]),
    ...(expiresAt === undefined ? [] : [plain(expiryText(expiresAt - now, l10n))]),
    ...(nextTry === undefined ? [] : [plain(l10n.t('next try in {0}', durationText(nextTry - now, l10n)))]),
    ...(failure ? [plain(`${failure.code}: ${sentenceOf(failure, l10n)}`)] : []),
  ];
}

function expiryText(left: number, l10n: Localiser): string {
  return left > 0 ? l10n.t('good for {0}', durationText(left, l10n)) : l10n.t('ran out {0} ago', durationText(-left, l10n));
}

function connectionText({ kind, since, lastUsed, idleSince }: ConnectionHealth, now: number, l10n: Localiser): Toned {
  const kinds: Record<ConnectionHealth['kind'], string> = {
    'imap-work': l10n.t('IMAP, reading'),
    'imap-watch': l10n.t('IMAP, listening'),
    smtp: l10n.t('SMTP, sending'),
  };
  const parts = [
    kinds[kind],
    l10n.t('open for {0}', durationText(now - since, l10n)),
    l10n.t('last answer {0} ago', durationText(now - lastUsed, l10n)),
    ...(idleSince === undefined ? [] : [l10n.t('IDLE for {0}', durationText(now - idleSince, l10n))]),
  ];
  return { text: parts.join(' · '), tone: 'plain' };
}

/** Counts only: subjects belong into no report. */
function outboxTexts({ outbox }: AccountHealth, l10n: Localiser): readonly Toned[] {
  if (outbox.length === 0) return [{ text: l10n.t('empty'), tone: 'good' }];
  const states: Record<OutboxEntry['state'], (count: number) => string> = {
    queued: (count) => l10n.t('{0} to be sent', count),
    held: (count) => l10n.t('{0} held back for undo', count),
    scheduled: (count) => l10n.t('{0} scheduled', count),
    sending: (count) => l10n.t('{0} being sent', count),
    waiting: (count) => l10n.t('{0} waiting for the server', count),
    rejected: (count) => l10n.t('{0} refused by the server', count),
    'acceptance-unknown': (count) => l10n.t('{0} that may have arrived', count),
  };
  return outbox.map(({ state, count }) => ({
    text: states[state](count),
    tone: state === 'rejected' || state === 'acceptance-unknown' ? 'bad' : 'plain',
  }));
}

/** A span of time in whole minutes, hours or days, as much as helps. */
function durationText(ms: number, l10n: Localiser): string {
  const minutes = Math.floor(Math.max(ms, 0) / 60_000);
  if (minutes < 1) return l10n.t('under a minute');
  if (minutes < 60) return l10n.t('{0} min', minutes);
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? l10n.t('{0} h {1} min', hours, minutes % 60) : l10n.t('{0} days', Math.floor(hours / 24));
}
