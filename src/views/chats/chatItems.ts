import * as vscode from 'vscode';
import type { ChatSummary } from '../../core/api.ts';
import { personLabel, shortDate } from '../labels.ts';
import { withoutMarks, type ChatHit } from './chatHits.ts';
import type { GroupPicture } from './chatPictures.ts';
import { safetyOf } from './chatText.ts';
import { pictureIcon } from './pictureIcon.ts';

const SCHEME = 'qumail-chat';

interface ItemExtras {
  /** '' where there is but one. */
  readonly account: string;
  readonly picture: GroupPicture | undefined;
}

/** One row of the chats: name, last line, time; its icon tells how sure it is who the others are, and what the group looks like. */
export function chatItem(chat: ChatSummary, { account, picture }: ItemExtras): vscode.TreeItem {
  const item = new vscode.TreeItem(chat.name);
  const { lastMessage } = chat;
  const safety = safetyOf(chat.verified, vscode.l10n);
  const time = lastMessage ? shortDate(lastMessage.at, Date.now(), vscode.env.language) : '';
  const line = lastMessage ? `${personLabel(lastMessage.author)}: ${withoutMarks(lastMessage.text)}` : vscode.l10n.t('nothing said yet');
  item.id = chat.id;
  item.description = [account, time, line].filter(Boolean).join(' · ');
  const pictured = picture && chat.member ? pictureIcon(picture, safety.tone) : undefined;
  item.iconPath = pictured === undefined ? iconOf(chat) : vscode.Uri.parse(pictured);
  item.tooltip = [
    chat.name,
    safety.word,
    vscode.l10n.t('Never below {0}', chat.minimumLevel),
    account,
    chat.member ? '' : vscode.l10n.t('You are no longer a member.'),
  ]
    .filter(Boolean)
    .join('\n');
  const unread = chat.unread > 0 ? vscode.l10n.t('{0} unread', chat.unread) : '';
  item.accessibilityInformation = { label: [chat.name, unread, safety.word, line, time].filter(Boolean).join(', ') };
  item.contextValue = `chat.${chat.kind}.${chat.member ? 'member' : 'left'}`;
  item.command = { command: 'qumail.openChat', title: vscode.l10n.t('Open Chat'), arguments: [chat.id] };
  // It names no document; the decoration hangs on it.
  item.resourceUri = vscode.Uri.from({
    scheme: SCHEME,
    path: `/${encodeURIComponent(chat.id)}`,
    query: String(Math.min(chat.unread, 100)),
  });
  return item;
}

function iconOf({ member, verified }: ChatSummary): vscode.ThemeIcon {
  if (!member) return new vscode.ThemeIcon('circle-slash');
  const { icon, tone } = safetyOf(verified, vscode.l10n);
  return tone === 'good' ? new vscode.ThemeIcon(icon, new vscode.ThemeColor('charts.green')) : new vscode.ThemeIcon(icon);
}

/** The row above the chats that stands for a search in all of them. */
export function resultsItem(text: string, count: number): vscode.TreeItem {
  const item = new vscode.TreeItem(`"${text}"`, vscode.TreeItemCollapsibleState.Expanded);
  item.id = `results ${text}`;
  item.iconPath = new vscode.ThemeIcon('search');
  item.description = count === 0 ? vscode.l10n.t('Nothing found') : vscode.l10n.t('{0} found', count);
  item.contextValue = 'chatResults';
  return item;
}

/** One line that was found; choosing it opens the chat there. */
export function hitItem({ chatId, messageId, excerpt, about }: ChatHit): vscode.TreeItem {
  const item = new vscode.TreeItem(excerpt);
  item.description = about;
  item.tooltip = `${excerpt}\n${about}`;
  item.iconPath = new vscode.ThemeIcon('comment');
  item.accessibilityInformation = { label: `${excerpt}, ${about}` };
  item.contextValue = 'chatHit';
  item.command = { command: 'qumail.openChat', title: vscode.l10n.t('Open Chat'), arguments: [chatId, messageId] };
  return item;
}

/** How many messages of a chat are unread, at the end of its row. */
export class ChatDecorations implements vscode.FileDecorationProvider {
  provideFileDecoration(uri: vscode.Uri): vscode.FileDecoration | undefined {
    if (uri.scheme !== SCHEME) return undefined;
    const unread = Number(uri.query);
    if (!(unread > 0)) return undefined;
    // Two characters are all there is room for.
    const badge = unread > 99 ? '99' : String(unread);
    return new vscode.FileDecoration(badge, vscode.l10n.t('{0} unread', unread), new vscode.ThemeColor('list.highlightForeground'));
  }
}
