import { dateFormat } from '../dateFormats.ts';
import type { OutboxEntry } from '../../core/api.ts';
import { shortDate } from '../labels.ts';
import { present, type Localiser } from '../present.ts';

/** Now, and how this person writes dates. */
export interface Moment {
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly locale: string;
  /** Only for tests. */
  readonly timeZone?: string;
}

/** What a person can do about a message in the outbox. */
export type OutboxAction = 'undo' | 'retry' | 'discard' | 'check-sent' | 'send-again' | 'arrived';

const ACTIONS: Readonly<Record<OutboxEntry['state'], readonly OutboxAction[]>> = {
  queued: ['undo'],
  held: ['undo'],
  scheduled: ['undo', 'retry', 'discard'],
  sending: [],
  waiting: ['retry', 'undo', 'discard'],
  rejected: ['undo', 'retry', 'discard'],
  'acceptance-unknown': ['check-sent', 'arrived', 'send-again', 'discard'],
};

/** What can be done about an entry, the likely thing first. Nothing here sends a message twice without a person saying so. */
export function outboxActions({ state, draftId }: Pick<OutboxEntry, 'state' | 'draftId'>): readonly OutboxAction[] {
  return ACTIONS[state].filter((action) => action !== 'undo' || draftId !== undefined);
}

export function actionLabel(action: OutboxAction, state: OutboxEntry['state'], l10n: Localiser): string {
  const labels: Record<OutboxAction, string> = {
    undo: state === 'held' ? l10n.t('Undo') : l10n.t('Back to Draft'),
    retry: state === 'rejected' ? l10n.t('Send Again') : l10n.t('Send Now'),
    discard: l10n.t('Discard'),
    'check-sent': l10n.t('Check Sent'),
    'send-again': l10n.t('Send Again'),
    arrived: l10n.t('It Arrived'),
  };
  return labels[action];
}

/** What becomes of an entry, in a few words for its row. */
export function stateText(entry: OutboxEntry, { now, locale, timeZone }: Moment, l10n: Localiser): string {
  const seconds = Math.max(0, Math.ceil(((entry.notBefore ?? now) - now) / 1000));
  const texts: Record<OutboxEntry['state'], () => string> = {
    queued: () => l10n.t('will be sent'),
    held: () => (seconds > 0 ? l10n.t('held for {0} s', seconds) : l10n.t('will be sent')),
    scheduled: () =>
      entry.notBefore === undefined ? l10n.t('scheduled') : l10n.t('scheduled for {0}', dateAndTime(entry.notBefore, locale, timeZone)),
    sending: () => l10n.t('being sent'),
    waiting: () =>
      entry.nextTry === undefined || entry.nextTry <= now
        ? l10n.t('waiting')
        : l10n.t('waiting until {0}', shortTime(entry.nextTry, now, locale, timeZone)),
    rejected: () => l10n.t('refused by the server'),
    'acceptance-unknown': () => l10n.t('may have arrived'),
  };
  return texts[entry.state]();
}

/** Why an entry is where it is, in whole sentences. */
export function entryDetail(entry: OutboxEntry, moment: Moment, l10n: Localiser): string {
  const sentence =
    entry.state === 'acceptance-unknown'
      ? l10n.t(
          'The connection broke before the server confirmed, so the message may have arrived or not. Look in Sent, or ask the recipient. QuMail never sends it twice by itself.',
        )
      : entry.failure && present(entry.failure, l10n).sentence;
  const tries = entry.attempts > 1 ? l10n.t('Tried {0} times.', entry.attempts) : undefined;
  const state = stateText(entry, moment, l10n);
  return [`${state.charAt(0).toLocaleUpperCase(moment.locale)}${state.slice(1)}.`, sentence, tries].filter(Boolean).join('\n');
}

/** The row of the Mail tree: `2 messages, 1 needs you`. */
export function outboxSummary(entries: readonly Pick<OutboxEntry, 'state'>[], l10n: Localiser): string {
  const stuck = entries.filter(({ state }) => state === 'rejected' || state === 'acceptance-unknown').length;
  return stuck === 0 ? String(entries.length) : l10n.t('{0}, {1} need you', entries.length, stuck);
}

/** Codicon of an entry. */
export function outboxIcon(state: OutboxEntry['state']): { readonly id: string; readonly color?: string } {
  const icons: Record<OutboxEntry['state'], { readonly id: string; readonly color?: string }> = {
    queued: { id: 'send' },
    held: { id: 'history' },
    scheduled: { id: 'calendar' },
    sending: { id: 'sync~spin' },
    waiting: { id: 'clock' },
    rejected: { id: 'error', color: 'list.errorForeground' },
    'acceptance-unknown': { id: 'question', color: 'list.warningForeground' },
  };
  return icons[state];
}

/** `14:05` today, day and time otherwise. */
function shortTime(time: number, now: number, locale: string, timeZone?: string): string {
  const today = shortDate(time, time, locale, timeZone);
  const isToday = shortDate(time, now, locale, timeZone) === today;
  return isToday ? today : dateAndTime(time, locale, timeZone);
}

/** `Tue 24 Nov, 08:00`. */
export function dateAndTime(time: number, locale: string, timeZone?: string): string {
  return dateFormat(locale, {
    ...(timeZone === undefined ? {} : { timeZone }),
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    hour: '2-digit',
    minute: '2-digit',
  }).format(time);
}
