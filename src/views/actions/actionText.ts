import type { ActionPurpose, PendingAction } from '../../core/api.ts';
import type { Localiser } from '../localiser.ts';
import type { LeftBehind } from './deletion.ts';
import type { DonePurpose } from './recentActions.ts';

/** What was done, for the moment after it: `Archived 3 messages`. */
export function doneText(purpose: DonePurpose, count: number, l10n: Localiser): string {
  const one = count === 1;
  const texts: Record<DonePurpose, () => string> = {
    flags: () => (one ? l10n.t('Marked 1 message') : l10n.t('Marked {0} messages', count)),
    move: () => (one ? l10n.t('Moved 1 message') : l10n.t('Moved {0} messages', count)),
    archive: () => (one ? l10n.t('Archived 1 message') : l10n.t('Archived {0} messages', count)),
    delete: () => (one ? l10n.t('Deleted 1 message') : l10n.t('Deleted {0} messages', count)),
    junk: () => (one ? l10n.t('Moved 1 message to Junk') : l10n.t('Moved {0} messages to Junk', count)),
    'not-junk': () => (one ? l10n.t('Moved 1 message to the inbox') : l10n.t('Moved {0} messages to the inbox', count)),
    expunge: () => (one ? l10n.t('Deleted 1 message for ever') : l10n.t('Deleted {0} messages for ever', count)),
    undo: () => (one ? l10n.t('Took back an action on 1 message') : l10n.t('Took back an action on {0} messages', count)),
    snooze: () => (one ? l10n.t('Snoozed 1 message') : l10n.t('Snoozed {0} messages', count)),
    unsnooze: () => (one ? l10n.t('Brought back 1 message') : l10n.t('Brought back {0} messages', count)),
    mute: () => l10n.t('Conversation muted'),
    unmute: () => l10n.t('Conversation not muted any more'),
  };
  return texts[purpose]();
}

/** What is asked about messages that could not be moved to Trash. */
export function questionText({ why, messages }: LeftBehind, l10n: Localiser): { readonly question: string; readonly detail: string } {
  const question = messages === 1 ? l10n.t('Delete this message for ever?') : l10n.t('Delete {0} messages for ever?', messages);
  const reason =
    why === 'no-trash'
      ? l10n.t('This account has no Trash folder. QuMail can create one, so that what is deleted can be brought back.')
      : messages === 1
        ? l10n.t('It is in Trash already.')
        : l10n.t('They are in Trash already.');
  return { question, detail: `${reason} ${l10n.t('Deleting for ever removes from the server, and cannot be undone.')}` };
}

/** How a pending action is called in a list: `Archive 3 messages`. */
export function pendingTitle(
  { purpose, messages, target }: Pick<PendingAction, 'purpose' | 'messages' | 'target'>,
  l10n: Localiser,
): string {
  const texts: Record<ActionPurpose, () => string> = {
    flags: () => l10n.t('Mark {0}', messages),
    move: () => (target === undefined ? l10n.t('Move {0}', messages) : l10n.t('Move {0} to {1}', messages, target)),
    archive: () => l10n.t('Archive {0}', messages),
    delete: () => l10n.t('Delete {0}', messages),
    junk: () => l10n.t('Mark {0} as junk', messages),
    'not-junk': () => l10n.t('Mark {0} as not junk', messages),
    expunge: () => l10n.t('Delete {0} for ever', messages),
    undo: () => l10n.t('Take back an action on {0}', messages),
  };
  return texts[purpose]();
}

/** How it stands, without the reason of a failure. */
export function pendingState({ state, vanished }: Pick<PendingAction, 'state' | 'vanished'>, l10n: Localiser): string {
  const texts: Record<PendingAction['state'], () => string> = {
    waiting: () => l10n.t('waiting for the server'),
    running: () => l10n.t('being told to the server'),
    failed: () => l10n.t('refused by the server'),
    dropped: () => l10n.t('{0} were gone from the server', vanished),
  };
  return texts[state]();
}

/** The row that stands for all of them: what went wrong comes before what only takes its time. */
export function pendingSummary(
  actions: readonly Pick<PendingAction, 'state'>[],
  l10n: Localiser,
): { readonly text: string; readonly troubled: boolean } {
  const troubled = actions.filter(({ state }) => state === 'failed' || state === 'dropped').length;
  if (troubled > 0) return { text: troubled === 1 ? l10n.t('1 not done') : l10n.t('{0} not done', troubled), troubled: true };
  return { text: actions.length === 1 ? l10n.t('1 waiting') : l10n.t('{0} waiting', actions.length), troubled: false };
}
