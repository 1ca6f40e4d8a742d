import * as vscode from 'vscode';
import type { Folder } from '../../core/api.ts';
import type { MailActions } from '../actions/mailActions.ts';
import type { PendingActions } from '../actions/pendingActions.ts';
import type { Outbox } from '../outbox/outbox.ts';
import { outboxEntryItem, outboxItem } from '../outbox/outboxItems.ts';
import type { ViewContext } from '../viewContext.ts';
import { messageIdsOfDrag, MESSAGES_MIME } from '../messages/messageDrag.ts';
import { nestFolders, unreadInInboxes, type FolderBranch } from './folderNesting.ts';
import type { MailExtras } from './mailExtras.ts';
import * as items from './mailItems.ts';
import { draftRows, rootNodes, type MailNode } from './mailNodes.ts';
import type { SyncProgress } from './syncProgress.ts';

/** What the Mail view shows beside accounts and their folders, and what it does with what is dropped on them. */
export interface MailTreeParts {
  readonly outbox: Outbox;
  readonly extras: MailExtras;
  readonly pending: PendingActions;
  readonly progress: SyncProgress;
  readonly actions: MailActions;
}

const OUTBOX: MailNode = { kind: 'outbox' };
/** How long something lies in the outbox before its row shows, in milliseconds. */
const OUTBOX_PATIENCE_MS = 1500;

/** Accounts and their folders, with unread counts, and below them what has not been sent yet. Messages dropped on a folder are moved there. */
export class MailTree implements vscode.TreeDataProvider<MailNode>, vscode.TreeDragAndDropController<MailNode>, vscode.Disposable {
  readonly dropMimeTypes = [MESSAGES_MIME];
  readonly dragMimeTypes: readonly string[] = [];
  readonly view: vscode.TreeView<MailNode>;
  readonly #context: ViewContext;
  readonly #parts: MailTreeParts;
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
  #pendingShown: 'yes' | 'no' = 'no';
  #pendingTimer: NodeJS.Timeout | undefined;

  constructor(context: ViewContext, parts: MailTreeParts) {
    const { outbox, extras, pending, progress } = parts;
    this.#context = context;
    this.#parts = parts;
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
      pending.onDidChange(() => this.#showPending()),
      extras.onDidChange(() => this.#changed(undefined)),
      progress.onDidChange((accountId) => this.#changes.fire(this.#nodes.get(`account:${accountId}`))),
      new vscode.Disposable(() => clearTimeout(this.#outboxTimer)),
      new vscode.Disposable(() => clearTimeout(this.#pendingTimer)),
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
    const { facts } = this.#parts.extras;
    switch (node.kind) {
      case 'outbox':
        return this.#outbox.entries.map((entry) => ({ kind: 'outbox-entry', entry }));
      case 'folder':
        return node.branch.children.map((branch) => this.#folderNode(branch));
      case 'unified':
        return node.others.map((folder) => ({ kind: 'unified', folder, others: [] }));
      case 'searches':
        return facts.searches.map((search) => ({ kind: 'search', search }));
      case 'drafts':
        return draftRows(facts.drafts).map((draft) => ({ kind: 'draft', draft }));
      case 'pending':
        return this.#parts.pending.actions.map((action) => ({ kind: 'pending-action', action }));
      case 'account':
        // What was listed stays true until a `folders` event, which lists anew.
        return nestFolders(await this.foldersOf(node.account.id)).map((branch) => this.#folderNode(branch));
      default:
        return [];
    }
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
    const { extras, pending, progress } = this.#parts;
    const emailOf = (accountId: string | undefined): string | undefined => this.#context.accounts.find(({ id }) => id === accountId)?.email;
    switch (node.kind) {
      case 'simulated':
        return items.simulatedItem();
      case 'unified':
        return items.unifiedItem(node);
      case 'account':
        return items.accountItem(node.account, progress.of(node.account.id));
      case 'folder':
        return items.folderItem(node);
      case 'searches':
        return items.groupItem('searches', extras.facts.searches.length);
      case 'search':
        return items.searchItem(node.search, emailOf(node.search.accountId));
      case 'snoozed':
      case 'muted':
        return items.groupItem(node.kind, node.count);
      case 'drafts':
        return items.groupItem('drafts', extras.facts.drafts.length);
      case 'draft':
        return items.draftItem(node.draft, emailOf(node.draft.accountId));
      case 'outbox':
        return outboxItem(this.#outbox.entries);
      case 'outbox-entry':
        return outboxEntryItem(node.entry);
      case 'pending':
        return items.pendingItem(pending.actions);
      case 'pending-action':
        return items.pendingActionItem(node.action, emailOf(node.action.accountId));
    }
  }

  async handleDrop(target: MailNode | undefined, data: vscode.DataTransfer): Promise<void> {
    const messageIds = await messageIdsOfDrag(data);
    if (messageIds.length === 0 || target?.kind !== 'folder' || !target.folder.selectable) return;
    // Whose the messages are the drag does not tell; the engine refuses those of another account.
    const { accountId, path } = target.folder;
    await this.#parts.actions.perform('move', messageIds, (api) => api.moveMessages({ messageIds, accountId, folder: path }));
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

  /** The same patience: with a connection the server hears of most things within a moment. What was refused is there at once. */
  #showPending(): void {
    clearTimeout(this.#pendingTimer);
    const { actions } = this.#parts.pending;
    const show = (state: 'yes' | 'no'): void => {
      this.#pendingShown = state;
      this.#changes.fire(undefined);
    };
    if (actions.length === 0) return this.#pendingShown === 'yes' ? show('no') : undefined;
    const troubled = actions.some(({ state }) => state === 'failed' || state === 'dropped');
    if (troubled || this.#pendingShown === 'yes') return show('yes');
    this.#pendingTimer = setTimeout(() => show('yes'), OUTBOX_PATIENCE_MS);
  }

  async #roots(): Promise<MailNode[]> {
    if (!this.#context.hasAccounts) return [];
    if (this.#context.accounts.length === 0) await this.#context.reloadAccounts().catch(() => {});
    const accounts = this.#context.accounts.map((account): MailNode =>
      this.#remember(`account:${account.id}`, { kind: 'account', account }),
    );
    this.#parts.extras.load();
    const { world } = this.#context;
    return rootNodes(
      { accounts, world, outbox: this.#outboxShown === 'yes' ? OUTBOX : undefined, pending: this.#pendingShown },
      this.#parts.extras.facts,
    );
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
