import * as vscode from 'vscode';
import type { Draft, MessageSummary, ThreadSummary } from '../../core/api.ts';
import { dateFormat } from '../dateFormats.ts';
import { correspondents, levelLabel, messageIcon, personLabel, shortDate } from '../labels.ts';
import { dateAndTime } from '../outbox/outboxText.ts';
import { sentenceOf } from '../present.ts';
import type { ListRow } from './listRows.ts';
import { foundLabel, marksOf, participantsLabel, recipientsOf, rowContext, threadCounts } from './rowText.ts';
import { rowUri } from './unreadDecorations.ts';

/** How much of a text stands in a row, characters; the view cuts it where it ends. */
const MAX_BEGINNING = 120;

/** What the list on show makes of its rows. */
export interface RowSetting {
  readonly own: 'received' | 'sent';
  readonly junk: boolean;
  readonly now: number;
  /** Whether something done to a message has not reached the server yet. */
  readonly server: (messageId: number) => 'told' | 'waiting';
  /** Whether the conversation of a message is muted. */
  readonly muted?: (messageId: number) => boolean;
  /** The draft that a message is the sealed copy of. */
  readonly draftOf?: (messageId: number) => Draft | undefined;
  /** Whose mailbox a message is in, where the list is of several. */
  readonly accountOf?: (accountId: string) => string;
  /** The folder of a message, where the list does not tell. */
  readonly folder?: string;
}

export function moreItem(): vscode.TreeItem {
  const item = new vscode.TreeItem(vscode.l10n.t('Load more'));
  item.id = 'more';
  item.iconPath = new vscode.ThemeIcon('ellipsis');
  item.command = { command: 'qumail.loadMore', title: vscode.l10n.t('Load More') };
  item.contextValue = 'more';
  return item;
}

/** One row: who, then subject and date; icon for the level, dot for unread. Of a found message: what was found, then who. */
export function messageItem(row: Extract<ListRow, { kind: 'message' }>, setting: RowSetting, parent?: ThreadSummary): vscode.TreeItem {
  const { message, marks, until } = row;
  const draft = setting.draftOf?.(message.id);
  if (draft) return draftRow(message, draft, setting);
  const who = correspondents(message, setting.own, vscode.l10n);
  const unread = !message.flags.includes('seen');
  const failure = message.failure ? sentenceOf(message.failure, vscode.l10n) : '';
  // Of what the server does not hand out the reason is all there is to say.
  const subject = message.subject || (message.seal === 'plain' && failure) || vscode.l10n.t('(no subject)');
  const date = until === undefined ? shortDate(message.date, setting.now, vscode.env.language) : dateAndTime(until, vscode.env.language);
  const server = setting.server(message.id);
  const muted = setting.muted?.(message.id) === true;
  const signs = marksOf(message, server, muted ? 'muted' : 'heard');
  const item = new vscode.TreeItem(marks ? foundLabel(subject, marks.subject, marks.snippet) : who);
  // Below a conversation all have one subject: how each begins tells them apart.
  const about = parent ? [setting.folder ?? '', message.preview.slice(0, MAX_BEGINNING)].filter(Boolean).join(' · ') : subject;
  const rest = marks ? [who, date] : [about, until === undefined ? date : vscode.l10n.t('until {0}', date)];
  item.id = parent ? `thread:${parent.threadId}:${message.id}` : `message:${message.id}`;
  item.description = `${signs}${rest.filter(Boolean).join(' · ')}`;
  item.iconPath = icon(message);
  item.resourceUri = rowUri(message);
  item.contextValue = rowContext('message', {
    unread,
    flagged: message.flags.includes('flagged'),
    junk: setting.junk,
    snoozed: until !== undefined,
  });
  item.command = { command: 'qumail.openMessage', title: vscode.l10n.t('Open Message'), arguments: [message.id] };
  const level = message.seal === 'plain' ? vscode.l10n.t('not sealed') : levelLabel(message.level, vscode.l10n);
  const from = message.from.name ? `${personLabel(message.from)} <${message.from.address}>` : message.from.address;
  const waiting = server === 'waiting' ? vscode.l10n.t('The server has not heard of the last change yet.') : '';
  item.tooltip = [
    subject,
    from,
    setting.accountOf?.(message.accountId),
    dateFormat(vscode.env.language, { dateStyle: 'medium', timeStyle: 'short' }).format(message.date),
    level,
    failure,
    waiting,
    muted ? mutedWords() : '',
    marks?.snippet?.text ?? message.preview,
  ]
    .filter(Boolean)
    .join('\n');
  const state = unread ? vscode.l10n.t('Unread') : vscode.l10n.t('Read');
  item.accessibilityInformation = {
    label: [state, who, subject, date, level, failure, waiting, muted ? mutedWords() : ''].filter(Boolean).join(', '),
  };
  return item;
}

/** The sealed copy of a draft that is here, as the draft it is; opening it goes on writing. */
function draftRow(message: MessageSummary, draft: Draft, setting: RowSetting): vscode.TreeItem {
  const to = recipientsOf(draft.text);
  const subject = draft.subject || vscode.l10n.t('(no subject)');
  const date = shortDate(draft.updatedAt, setting.now, vscode.env.language);
  const item = new vscode.TreeItem(to ? vscode.l10n.t('To {0}', to) : vscode.l10n.t('(no recipient)'));
  item.id = `message:${message.id}`;
  item.description = `${subject} · ${date}`;
  item.iconPath = new vscode.ThemeIcon('edit');
  item.contextValue = 'draft';
  item.command = { command: 'qumail.openDraft', title: vscode.l10n.t('Open Draft'), arguments: [draft.id] };
  item.tooltip = [subject, vscode.l10n.t('A draft of yours, sealed for yourself on the server.')].join('\n');
  item.accessibilityInformation = { label: [vscode.l10n.t('Draft'), to, subject, date].filter(Boolean).join(', ') };
  return item;
}

/** A conversation: who takes part, how many messages, and the subject and date of the newest. */
export function threadItem(thread: ThreadSummary, setting: RowSetting): vscode.TreeItem {
  const { newest } = thread;
  const who = setting.own === 'sent' ? correspondents(newest, 'sent', vscode.l10n) : participantsLabel(thread.participants);
  const subject = newest.subject || vscode.l10n.t('(no subject)');
  const date = shortDate(newest.date, setting.now, vscode.env.language);
  const counts = threadCounts(thread, vscode.l10n);
  const muted = setting.muted?.(newest.id) === true;
  const signs = marksOf(newest, setting.server(newest.id), muted ? 'muted' : 'heard');
  const item = new vscode.TreeItem(who || personLabel(newest.from), vscode.TreeItemCollapsibleState.Collapsed);
  item.id = `thread:${thread.threadId}`;
  item.description = `(${thread.count}) ${signs}${subject} · ${date}`;
  item.iconPath = icon(newest);
  item.resourceUri = rowUri({ id: newest.id, flags: thread.unread > 0 ? [] : ['seen'] });
  item.contextValue = rowContext('thread', {
    unread: thread.unread > 0,
    flagged: newest.flags.includes('flagged'),
    junk: setting.junk,
    snoozed: false,
  });
  item.command = { command: 'qumail.openMessage', title: vscode.l10n.t('Open Message'), arguments: [newest.id] };
  item.tooltip = [
    subject,
    thread.participants.map((one) => personLabel(one)).join(', '),
    setting.accountOf?.(newest.accountId),
    counts,
    muted ? mutedWords() : '',
    newest.preview,
  ]
    .filter(Boolean)
    .join('\n');
  item.accessibilityInformation = {
    label: [vscode.l10n.t('Conversation'), who, subject, counts, date, muted ? mutedWords() : ''].filter(Boolean).join(', '),
  };
  return item;
}

function mutedWords(): string {
  return vscode.l10n.t('Muted: what comes later is marked read');
}

function icon({ level, seal, failure }: MessageSummary): vscode.ThemeIcon {
  if (seal === 'plain' && failure) return new vscode.ThemeIcon('warning', new vscode.ThemeColor('list.warningForeground'));
  const { id, color } = messageIcon(level, seal);
  return color ? new vscode.ThemeIcon(id, new vscode.ThemeColor(color)) : new vscode.ThemeIcon(id);
}
