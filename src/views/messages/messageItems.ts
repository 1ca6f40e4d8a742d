import * as vscode from 'vscode';
import type { MessageSummary, ThreadSummary } from '../../core/api.ts';
import { dateFormat } from '../dateFormats.ts';
import { correspondents, levelLabel, messageIcon, personLabel, shortDate } from '../labels.ts';
import { dateAndTime } from '../outbox/outboxText.ts';
import { sentenceOf } from '../present.ts';
import type { ListRow } from './listRows.ts';
import { foundLabel, marksOf, participantsLabel, rowContext, threadCounts } from './rowText.ts';
import { rowUri } from './unreadDecorations.ts';

/** What the list on show makes of its rows. */
export interface RowSetting {
  readonly own: 'received' | 'sent';
  readonly junk: boolean;
  readonly now: number;
  /** Whether something done to a message has not reached the server yet. */
  readonly server: (messageId: number) => 'told' | 'waiting';
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
  const who = correspondents(message, setting.own, vscode.l10n);
  const unread = !message.flags.includes('seen');
  const subject = message.subject || vscode.l10n.t('(no subject)');
  const date = until === undefined ? shortDate(message.date, setting.now, vscode.env.language) : dateAndTime(until, vscode.env.language);
  const server = setting.server(message.id);
  const signs = marksOf(message, server);
  const item = new vscode.TreeItem(marks ? foundLabel(subject, marks.subject, marks.snippet) : who);
  const about = parent ? (setting.folder ?? '') : subject;
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
  const failure = message.failure ? sentenceOf(message.failure, vscode.l10n) : '';
  const waiting = server === 'waiting' ? vscode.l10n.t('The server has not heard of the last change yet.') : '';
  item.tooltip = [
    subject,
    from,
    dateFormat(vscode.env.language, { dateStyle: 'medium', timeStyle: 'short' }).format(message.date),
    level,
    failure,
    waiting,
    marks?.snippet?.text ?? message.preview,
  ]
    .filter(Boolean)
    .join('\n');
  const state = unread ? vscode.l10n.t('Unread') : vscode.l10n.t('Read');
  item.accessibilityInformation = { label: [state, who, subject, date, level, failure, waiting].filter(Boolean).join(', ') };
  return item;
}

/** A conversation: who takes part, how many messages, and the subject and date of the newest. */
export function threadItem(thread: ThreadSummary, setting: RowSetting): vscode.TreeItem {
  const { newest } = thread;
  const who = setting.own === 'sent' ? correspondents(newest, 'sent', vscode.l10n) : participantsLabel(thread.participants);
  const subject = newest.subject || vscode.l10n.t('(no subject)');
  const date = shortDate(newest.date, setting.now, vscode.env.language);
  const counts = threadCounts(thread, vscode.l10n);
  const item = new vscode.TreeItem(who || personLabel(newest.from), vscode.TreeItemCollapsibleState.Collapsed);
  item.id = `thread:${thread.threadId}`;
  item.description = `(${thread.count}) ${marksOf(newest, setting.server(newest.id))}${subject} · ${date}`;
  item.iconPath = icon(newest);
  item.resourceUri = rowUri({ id: newest.id, flags: thread.unread > 0 ? [] : ['seen'] });
  item.contextValue = rowContext('thread', {
    unread: thread.unread > 0,
    flagged: newest.flags.includes('flagged'),
    junk: setting.junk,
    snoozed: false,
  });
  item.command = { command: 'qumail.openMessage', title: vscode.l10n.t('Open Message'), arguments: [newest.id] };
  item.tooltip = [subject, thread.participants.map((one) => personLabel(one)).join(', '), counts, newest.preview]
    .filter(Boolean)
    .join('\n');
  item.accessibilityInformation = { label: [vscode.l10n.t('Conversation'), who, subject, counts, date].join(', ') };
  return item;
}

function icon({ level, seal }: MessageSummary): vscode.ThemeIcon {
  const { id, color } = messageIcon(level, seal);
  return color ? new vscode.ThemeIcon(id, new vscode.ThemeColor(color)) : new vscode.ThemeIcon(id);
}
