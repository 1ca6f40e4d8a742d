import type { Localiser } from '../present.ts';
import type { ReaderWords } from './readerProtocol.ts';

/** Every word the reader's page shows, handed over with each message: a page has no access to vscode.l10n. */
export function readerWords(l10n: Localiser): ReaderWords {
  return {
    loading: l10n.t('Opening the message…'),
    failedTitle: l10n.t('This message could not be opened'),
    retry: l10n.t('Try Again'),
    from: l10n.t('From'),
    to: l10n.t('To'),
    cc: l10n.t('Cc'),
    bcc: l10n.t('Bcc'),
    replyTo: l10n.t('Replies go to'),
    noSubject: l10n.t('(no subject)'),
    noRecipients: l10n.t('(no recipients named)'),
    more: l10n.t('{0} more'),
    reply: l10n.t('Reply'),
    replyAll: l10n.t('Reply All'),
    forward: l10n.t('Forward'),
    delete: l10n.t('Delete'),
    move: l10n.t('Move to…'),
    markUnread: l10n.t('Mark as Unread'),
    viewSource: l10n.t('View Source'),
    toolbar: l10n.t('Message actions'),
    details: l10n.t('Details'),
    keyIds: l10n.t('Key IDs'),
    copy: l10n.t('Copy Key IDs'),
    simulated: l10n.t('SIMULATED'),
    simulatedHint: l10n.t('The demo lab makes these keys itself. No quantum hardware took part.'),
    attachments: l10n.t('Attachments'),
    save: l10n.t('Save {0}'),
    saveAll: l10n.t('Save All'),
    open: l10n.t('Open {0}'),
    text: l10n.t('Text'),
    html: l10n.t('Formatted'),
    bodyView: l10n.t('Show the message as'),
    remoteBlocked: l10n.t('Remote content was blocked, so the sender does not learn that you read this.'),
    loadRemote: l10n.t('Load for this message'),
    remoteLoaded: l10n.t('Remote images are shown for this message.'),
    emptyBody: l10n.t('This message has no text.'),
    mailBody: l10n.t('Message text'),
  };
}
