import * as vscode from 'vscode';
import type { Account, Draft, PendingAction, SavedSearch } from '../../core/api.ts';
import { storeTrouble } from '../accounts/storeTroubles.ts';
import { pendingIcon } from '../actions/mailActions.ts';
import { pendingState, pendingSummary, pendingTitle } from '../actions/actionText.ts';
import { roleName } from '../messages/listTitle.ts';
import { dateAndTime } from '../outbox/outboxText.ts';
import { sentenceOf } from '../present.ts';
import { folderIcon } from './folderNesting.ts';
import type { MailNode } from './mailNodes.ts';
import type { Progress } from './fillProgress.ts';

const { Collapsed, Expanded, None } = vscode.TreeItemCollapsibleState;

export function simulatedItem(): vscode.TreeItem {
  const item = new vscode.TreeItem(vscode.l10n.t('Demo lab'));
  item.id = 'simulated';
  item.description = 'SIMULATED';
  item.iconPath = new vscode.ThemeIcon('beaker', new vscode.ThemeColor('list.warningForeground'));
  item.tooltip = vscode.l10n.t(
    'Everything here is SIMULATED: the people, the mail servers and the quantum keys. Nothing leaves this machine.',
  );
  item.contextValue = 'lab';
  return item;
}

/** @param progress how far its offline copy is filled, while it is */
export function accountItem(account: Account, progress: Progress | undefined): vscode.TreeItem {
  const item = new vscode.TreeItem(account.email, Expanded);
  item.id = `account:${account.id}`;
  const states: Record<Account['state'], { text: string; icon: vscode.ThemeIcon }> = {
    connecting: { text: vscode.l10n.t('connecting'), icon: new vscode.ThemeIcon('sync~spin') },
    online: storeTrouble(account)
      ? { text: vscode.l10n.t('cannot keep mail'), icon: new vscode.ThemeIcon('warning', new vscode.ThemeColor('list.warningForeground')) }
      : { text: '', icon: new vscode.ThemeIcon('account') },
    offline: { text: vscode.l10n.t('offline'), icon: new vscode.ThemeIcon('debug-disconnect') },
    'needs-sign-in': {
      text: vscode.l10n.t('sign in again'),
      icon: new vscode.ThemeIcon('warning', new vscode.ThemeColor('list.warningForeground')),
    },
  };
  const { text, icon } = states[account.state];
  const number = new Intl.NumberFormat(vscode.env.language);
  const filled = progress ? vscode.l10n.t('{0} of {1}', number.format(progress.done), number.format(progress.total)) : '';
  item.description = [account.simulated ? 'SIMULATED' : '', text, filled].filter(Boolean).join(' · ');
  item.iconPath = icon;
  const about = account.failure ? sentenceOf(account.failure, vscode.l10n) : account.displayName || account.email;
  item.tooltip = progress ? `${about}\n${vscode.l10n.t('Taking mail in for reading offline: {0}', filled)}` : about;
  item.contextValue = progress ? `account.${account.state}.syncing` : `account.${account.state}`;
  if (account.state === 'needs-sign-in') {
    item.command = { command: 'qumail.signIn', title: vscode.l10n.t('Sign In Again'), arguments: [account.id] };
  }
  return item;
}

export function folderItem({ folder, branch }: Extract<MailNode, { kind: 'folder' }>): vscode.TreeItem {
  const name = folder.specialUse === 'inbox' ? vscode.l10n.t('Inbox') : folder.name;
  const item = new vscode.TreeItem(name, branch.children.length > 0 ? Collapsed : None);
  item.id = `folder:${folder.accountId}:${folder.path}`;
  item.iconPath = new vscode.ThemeIcon(folderIcon(folder.specialUse));
  if (folder.unread > 0) item.description = String(folder.unread);
  item.tooltip = vscode.l10n.t('{0}: {1} unread of {2}', folder.path, folder.unread, folder.total);
  item.accessibilityInformation = { label: vscode.l10n.t('{0}, {1} unread', name, folder.unread) };
  item.contextValue = folder.selectable ? 'folder' : 'folder.closed';
  if (folder.selectable) {
    item.command = {
      command: 'qumail.openFolder',
      title: vscode.l10n.t('Open Folder'),
      arguments: [{ accountId: folder.accountId, path: folder.path }],
    };
  }
  return item;
}

export function unifiedItem({ folder, others }: Extract<MailNode, { kind: 'unified' }>): vscode.TreeItem {
  const name = roleName(folder.role, vscode.l10n);
  const item = new vscode.TreeItem(name, others.length > 0 ? Collapsed : None);
  item.id = `unified:${folder.role}`;
  item.iconPath = new vscode.ThemeIcon(folderIcon(folder.role));
  if (folder.unread > 0) item.description = String(folder.unread);
  item.tooltip = vscode.l10n.t('{0}: {1} unread of {2}', name, folder.unread, folder.total);
  item.accessibilityInformation = { label: vscode.l10n.t('{0}, {1} unread', name, folder.unread) };
  item.contextValue = 'unified';
  item.command = openList({ kind: 'unified', role: folder.role });
  return item;
}

export function searchItem(search: SavedSearch, account: string | undefined): vscode.TreeItem {
  const item = new vscode.TreeItem(search.name);
  item.id = `search:${search.id}`;
  item.iconPath = new vscode.ThemeIcon('search');
  item.description = search.unread > 0 ? String(search.unread) : '';
  const counts = vscode.l10n.t('{0} unread of {1}', search.unread, search.total);
  item.tooltip = [search.query, account, counts].filter(Boolean).join('\n');
  item.accessibilityInformation = { label: `${search.name}, ${counts}` };
  item.contextValue = 'search';
  const { query, name, accountId } = search;
  item.command = openList({ kind: 'search', query, name, ...(accountId === undefined ? {} : { accountId }) });
  return item;
}

export function draftItem(draft: Draft, account: string | undefined): vscode.TreeItem {
  const subject = draft.subject || vscode.l10n.t('(no subject)');
  const item = new vscode.TreeItem(subject);
  const copy = draft.conflictOf === undefined ? '' : vscode.l10n.t('copy from another computer');
  const written = dateAndTime(draft.updatedAt, vscode.env.language);
  item.id = `draft:${draft.id}`;
  item.iconPath = copy
    ? new vscode.ThemeIcon('git-compare', new vscode.ThemeColor('list.warningForeground'))
    : new vscode.ThemeIcon('edit');
  item.description = copy || written;
  const both = copy
    ? vscode.l10n.t('It was written in on two computers at the same time. Both texts are kept: take what you need and delete the other.')
    : '';
  item.tooltip = [subject, account, written, both].filter(Boolean).join('\n');
  item.contextValue = copy ? 'draft.copy' : 'draft';
  item.command = { command: 'qumail.openDraft', title: vscode.l10n.t('Open Draft'), arguments: [draft.id] };
  return item;
}

export function pendingItem(actions: readonly PendingAction[]): vscode.TreeItem {
  const { text, troubled } = pendingSummary(actions, vscode.l10n);
  const item = new vscode.TreeItem(vscode.l10n.t('Changes on the way'), Collapsed);
  item.id = 'pending';
  item.description = text;
  item.iconPath = troubled
    ? new vscode.ThemeIcon('warning', new vscode.ThemeColor('list.warningForeground'))
    : new vscode.ThemeIcon('sync');
  item.tooltip = vscode.l10n.t('They are done here. The server hears of them as soon as there is a connection.');
  item.contextValue = 'pending';
  return item;
}

export function pendingActionItem(action: PendingAction, account: string | undefined): vscode.TreeItem {
  const item = new vscode.TreeItem(pendingTitle(action, vscode.l10n));
  const state = pendingState(action, vscode.l10n);
  item.id = `pending:${action.id}`;
  item.description = state;
  item.iconPath = new vscode.ThemeIcon(pendingIcon(action));
  item.tooltip = [account, state, action.failure ? sentenceOf(action.failure, vscode.l10n) : ''].filter(Boolean).join('\n');
  item.contextValue = 'pending-action';
  item.command = { command: 'qumail.pendingActions', title: vscode.l10n.t('Show Changes on the Way') };
  return item;
}

/** A row that stands for several, or for a list elsewhere. */
export function groupItem(kind: 'searches' | 'drafts' | 'snoozed' | 'muted', count: number): vscode.TreeItem {
  const looks = {
    searches: { name: vscode.l10n.t('Saved searches'), icon: 'bookmark', state: Expanded },
    drafts: { name: vscode.l10n.t('Unsent drafts'), icon: 'edit', state: Collapsed },
    snoozed: { name: vscode.l10n.t('Snoozed'), icon: 'clock', state: None },
    muted: { name: vscode.l10n.t('Muted'), icon: 'mute', state: None },
  };
  const { name, icon, state } = looks[kind];
  const item = new vscode.TreeItem(name, state);
  item.id = kind;
  item.iconPath = new vscode.ThemeIcon(icon);
  if (kind !== 'searches') item.description = String(count);
  item.contextValue = kind;
  if (kind === 'snoozed' || kind === 'muted') item.command = openList({ kind });
  return item;
}

function openList(source: object): vscode.Command {
  return { command: 'qumail.openList', title: vscode.l10n.t('Show'), arguments: [source] };
}
