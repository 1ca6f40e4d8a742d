import * as vscode from 'vscode';
import type { Account, Folder, OutboxEntry } from '../../core/api.ts';
import type { Outbox } from '../outbox/outbox.ts';
import { outboxEntryItem, outboxItem } from '../outbox/outboxItems.ts';
import { sentenceOf } from '../present.ts';
import type { ViewContext } from '../viewContext.ts';
import { messageIdsOfDrag, MESSAGES_MIME } from '../messages/messageDrag.ts';
import { folderIcon, nestFolders, unreadInInboxes, type FolderBranch } from './folderNesting.ts';

export type MailNode =
  | { readonly kind: 'simulated' }
  | { readonly kind: 'outbox' }
  | { readonly kind: 'outbox-entry'; readonly entry: OutboxEntry }
  | { readonly kind: 'account'; readonly account: Account }
  | { readonly kind: 'folder'; readonly folder: Folder; readonly branch: FolderBranch };

const OUTBOX: MailNode = { kind: 'outbox' };
/** How long something lies in the outbox before its row shows, in milliseconds. */
const OUTBOX_PATIENCE_MS = 1500;

/** Accounts and their folders, with unread counts, and below them what has not been sent yet. Messages dropped on a folder are moved there. */
export class MailTree implements vscode.TreeDataProvider<MailNode>, vscode.TreeDragAndDropController<MailNode>, vscode.Disposable {
  readonly dropMimeTypes = [MESSAGES_MIME];
  readonly dragMimeTypes: readonly string[] = [];
  readonly view: vscode.TreeView<MailNode>;
  readonly #context: ViewContext;
  readonly #outbox: Outbox;
  readonly #changes = new vscode.EventEmitter<MailNode | undefined>();
  readonly onDidChangeTreeData = this.#changes.event;
  readonly #listings = new vscode.EventEmitter<void>();
  /** Folders were listed anew: `unread` is up to date. */
  readonly onDidListFolders = this.#listings.event;
  readonly #folders = new Map<string, readonly Folder[]>();
  readonly #nodes = new Map<string, MailNode>();
  readonly #disposables: vscode.Disposable[];
  #outboxShown: 'yes' | 'no' = 'no';
  #outboxTimer: NodeJS.Timeout | undefined;

  constructor(context: ViewContext, outbox: Outbox) {
    this.#context = context;
    this.#outbox = outbox;
    this.view = vscode.window.createTreeView('qumail.mail', { treeDataProvider: this, dragAndDropController: this });
    this.#disposables = [
      this.view,
      this.#changes,
      this.#listings,
      context.onEvent((event) => {
        if (event.kind === 'accounts') this.#changed(undefined);
        else if (event.kind === 'folders') void this.#reloadFolders(event.accountId);
      }),
      outbox.onDidChange(() => this.#showOutbox()),
      new vscode.Disposable(() => clearTimeout(this.#outboxTimer)),
      context.onDidChangeWorld(() => {
        this.#folders.clear();
        this.#nodes.clear();
        this.#changed(undefined);
      }),
    ];
    this.#describe();
  }

  /** Folders as last listed, for pickers; asks the engine where they have not been listed yet. */
  async foldersOf(accountId: string): Promise<readonly Folder[]> {
    return this.#folders.get(accountId) ?? this.#list(accountId);
  }

  /** Unread messages in all inboxes listed so far. */
  get unread(): number {
    const current = new Set(this.#context.accounts.map((account) => account.id));
    return [...this.#folders].reduce((sum, [accountId, folders]) => (current.has(accountId) ? sum + unreadInInboxes(folders) : sum), 0);
  }

  async getChildren(node?: MailNode): Promise<MailNode[]> {
    if (!node) return this.#roots();
    if (node.kind === 'simulated' || node.kind === 'outbox-entry') return [];
    if (node.kind === 'outbox') return this.#outbox.entries.map((entry) => ({ kind: 'outbox-entry', entry }));
    if (node.kind === 'folder') return node.branch.children.map((branch) => this.#folderNode(branch));
    // What was listed stays true until a `folders` event, which lists anew.
    const folders = await this.foldersOf(node.account.id);
    return nestFolders(folders).map((branch) => this.#folderNode(branch));
  }

  getParent(node: MailNode): MailNode | undefined {
    if (node.kind === 'outbox-entry') return OUTBOX;
    if (node.kind !== 'folder') return undefined;
    const { accountId, path } = node.folder;
    const parent = [...this.#nodes.values()].find(
      (other) =>
        other.kind === 'folder' &&
        other.folder.accountId === accountId &&
        other.branch.children.some((child) => child.folder.path === path),
    );
    return parent ?? this.#nodes.get(`account:${accountId}`);
  }

  getTreeItem(node: MailNode): vscode.TreeItem {
    if (node.kind === 'simulated') return simulatedItem();
    if (node.kind === 'outbox') return outboxItem(this.#outbox.entries);
    if (node.kind === 'outbox-entry') return outboxEntryItem(node.entry);
    return node.kind === 'account' ? accountItem(node.account) : folderItem(node);
  }

  async handleDrop(target: MailNode | undefined, data: vscode.DataTransfer): Promise<void> {
    const messageIds = await messageIdsOfDrag(data);
    if (messageIds.length === 0 || target?.kind !== 'folder' || !target.folder.selectable) return;
    await this.#context.run(vscode.l10n.t('Moving'), () => this.#context.api.moveMessages({ messageIds, folder: target.folder.path }), {
      place: 'view',
    });
  }

  dispose(): void {
    for (const disposable of this.#disposables) disposable.dispose();
  }

  /**
   * The outbox has a row while something waits in it. What is just being sent is there for a moment only, and a row that came and went with
   * every message would move the others away under the pointer.
   */
  #showOutbox(): void {
    clearTimeout(this.#outboxTimer);
    const filled = this.#outbox.entries.length > 0;
    if (this.#outboxShown === 'yes') {
      if (!filled) this.#outboxShown = 'no';
      return this.#changes.fire(filled ? OUTBOX : undefined);
    }
    if (!filled) return;
    this.#outboxTimer = setTimeout(() => {
      this.#outboxShown = 'yes';
      this.#changes.fire(undefined);
    }, OUTBOX_PATIENCE_MS);
  }

  async #roots(): Promise<MailNode[]> {
    if (!this.#context.hasAccounts) return [];
    if (this.#context.accounts.length === 0) await this.#context.reloadAccounts().catch(() => {});
    const accounts = this.#context.accounts.map((account): MailNode =>
      this.#remember(`account:${account.id}`, { kind: 'account', account }),
    );
    return [
      ...(this.#context.world === 'lab' ? [{ kind: 'simulated' } as const] : []),
      ...accounts,
      ...(this.#outboxShown === 'yes' ? [OUTBOX] : []),
    ];
  }

  #folderNode(branch: FolderBranch): MailNode {
    return this.#remember(`folder:${branch.folder.accountId}:${branch.folder.path}`, { kind: 'folder', folder: branch.folder, branch });
  }

  #remember(key: string, node: MailNode): MailNode {
    this.#nodes.set(key, node);
    return node;
  }

  async #list(accountId: string): Promise<readonly Folder[]> {
    try {
      const folders = await this.#context.api.listFolders({ accountId });
      this.#folders.set(accountId, folders);
      this.#describe();
      this.#listings.fire();
      return folders;
    } catch (error) {
      // The account's own row says why it has no folders; a toast would say it again at every look.
      this.#context.log.debug(`folders not listed: ${error instanceof Error ? error.message : 'unknown'}`);
      return this.#folders.get(accountId) ?? [];
    }
  }

  async #reloadFolders(accountId: string): Promise<void> {
    await this.#list(accountId);
    this.#changed(this.#nodes.get(`account:${accountId}`));
  }

  #changed(node: MailNode | undefined): void {
    this.#describe();
    this.#changes.fire(node);
  }

  #describe(): void {
    const unread = this.unread;
    this.view.badge = unread > 0 ? { value: unread, tooltip: vscode.l10n.t('{0} unread', unread) } : undefined;
    this.view.description = this.#context.world === 'lab' ? 'SIMULATED' : '';
  }
}

function simulatedItem(): vscode.TreeItem {
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

function accountItem(account: Account): vscode.TreeItem {
  const item = new vscode.TreeItem(account.email, vscode.TreeItemCollapsibleState.Expanded);
  item.id = `account:${account.id}`;
  const states: Record<Account['state'], { text: string; icon: vscode.ThemeIcon }> = {
    connecting: { text: vscode.l10n.t('connecting'), icon: new vscode.ThemeIcon('sync~spin') },
    online: { text: '', icon: new vscode.ThemeIcon('account') },
    offline: { text: vscode.l10n.t('offline'), icon: new vscode.ThemeIcon('debug-disconnect') },
    'needs-sign-in': {
      text: vscode.l10n.t('sign in again'),
      icon: new vscode.ThemeIcon('warning', new vscode.ThemeColor('list.warningForeground')),
    },
  };
  const { text, icon } = states[account.state];
  item.description = [account.simulated ? 'SIMULATED' : '', text].filter(Boolean).join(' · ');
  item.iconPath = icon;
  item.tooltip = account.failure ? sentenceOf(account.failure, vscode.l10n) : account.displayName || account.email;
  item.contextValue = `account.${account.state}`;
  if (account.state === 'needs-sign-in') {
    item.command = { command: 'qumail.signIn', title: vscode.l10n.t('Sign In Again'), arguments: [account.id] };
  }
  return item;
}

function folderItem({ folder, branch }: Extract<MailNode, { kind: 'folder' }>): vscode.TreeItem {
  const { Collapsed, None } = vscode.TreeItemCollapsibleState;
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
