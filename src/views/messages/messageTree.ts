import * as vscode from 'vscode';
import { QuMailError, type Draft, type MessageSummary, type QuMailApi, type SpecialUse } from '../../core/api.ts';
import type { ViewContext } from '../viewContext.ts';
import { listTitle, roleName } from './listTitle.ts';
import type { FolderFacts, ListTools, MessageNode } from './messageNode.ts';
import { dragMessages, MESSAGES_MIME } from './messageDrag.ts';
import { messageItem, moreItem, threadItem, type RowSetting } from './messageItems.ts';
import { MessagePages, type FolderChoice } from './messagePages.ts';
import { rowReader, rowRenewer } from './listRows.ts';
import { ThreadCache } from './threadCache.ts';
import { isTouchedBy, settleMs, type ListLayout, type ListSource } from './listSource.ts';

interface ShownList {
  readonly source: ListSource;
  readonly pages: MessagePages;
}

const LAYOUT = 'qumail.layout';

/** What the Messages view lists: a folder by conversations or messages, all inboxes, what a search found; paged. */
export class MessageTree implements vscode.TreeDataProvider<MessageNode>, vscode.TreeDragAndDropController<MessageNode>, vscode.Disposable {
  readonly dropMimeTypes: readonly string[] = [];
  readonly dragMimeTypes = [MESSAGES_MIME];
  readonly view: vscode.TreeView<MessageNode>;
  readonly #context: ViewContext;
  readonly #folders: FolderFacts;
  readonly #tools: ListTools;
  readonly #changes = new vscode.EventEmitter<MessageNode | undefined>();
  readonly onDidChangeTreeData = this.#changes.event;
  readonly #disposables: vscode.Disposable[];
  readonly #threads: ThreadCache;
  #list: ShownList | undefined;
  #layout: ListLayout;
  #role: SpecialUse | undefined;
  #folderName = '';
  #timer: NodeJS.Timeout | undefined;

  constructor(context: ViewContext, folders: FolderFacts, tools: ListTools) {
    this.#context = context;
    this.#folders = folders;
    this.#tools = tools;
    this.#threads = new ThreadCache(() => context.api);
    this.#layout = tools.memory.get<unknown>(LAYOUT) === 'messages' ? 'messages' : 'threads';
    this.view = vscode.window.createTreeView('qumail.messages', {
      treeDataProvider: this,
      dragAndDropController: this,
      canSelectMany: true,
      showCollapseAll: false,
    });
    this.#disposables = [
      this.view,
      this.#changes,
      context.onEvent((event) => {
        if (event.kind === 'messages') this.#onMessages(event);
        else if (event.kind === 'actions' && /^(?:snoozed|muted)$/.test(this.#list?.source.kind ?? '')) this.#scheduleReload();
        else if (event.kind === 'accounts') this.#onAccounts();
      }),
      context.onDidChangeWorld(() => this.#clear()),
      // A row of what is gone must not wait for the others: it would be acted on once more.
      tools.onDidPerform(() => void this.#reload()),
      tools.onDidChangeFacts(() => this.#changes.fire(undefined)),
      new vscode.Disposable(() => clearTimeout(this.#timer)),
    ];
    this.#describe();
  }

  /** The folder on show, where it is one. */
  get folder(): FolderChoice | undefined {
    const source = this.#list?.source;
    return source?.kind === 'folder' ? { accountId: source.accountId, path: source.path } : undefined;
  }

  get source(): ListSource | undefined {
    return this.#list?.source;
  }

  /** The role of the folder on show, or of all those on show. */
  get role(): SpecialUse | undefined {
    return this.#role;
  }

  get pages(): MessagePages | undefined {
    return this.#list?.pages;
  }

  /** The selected rows. */
  get selection(): readonly MessageNode[] {
    return this.view.selection;
  }

  find(messageId: number): MessageSummary | undefined {
    return this.pages?.messages.find((message) => message.id === messageId) ?? this.#threads.find(messageId);
  }

  /** The draft that a row is the sealed copy of, or else the only row selected. */
  draftOf(row?: MessageNode): Draft | undefined {
    const [selected, ...more] = this.selection;
    const node = row ?? (more.length === 0 ? selected : undefined);
    return node?.kind === 'message' ? this.#tools.draftOf(node.message.id) : undefined;
  }

  /** Lists a folder or anything else that can be listed. */
  async show(choice: FolderChoice | ListSource): Promise<void> {
    const source: ListSource = 'kind' in choice ? choice : { kind: 'folder', accountId: choice.accountId, path: choice.path };
    this.#open(source);
    if (source.kind === 'folder') {
      const facts = (await this.#folders.foldersOf(source.accountId)).find(({ path }) => path === source.path);
      if (this.#list?.source !== source) return;
      this.#role = facts?.specialUse;
      this.#folderName = facts?.specialUse === 'inbox' ? vscode.l10n.t('Inbox') : (facts?.name ?? source.path);
    }
    this.#describe();
    this.#changes.fire(undefined);
  }

  /** By conversation or by message, from now on in this window. */
  async setLayout(layout: ListLayout): Promise<void> {
    this.#layout = layout;
    await this.#tools.memory.update(LAYOUT, layout);
    if (this.#list) this.#open(this.#list.source, 'same');
    this.#describe();
    this.#changes.fire(undefined);
  }

  async loadMore(): Promise<void> {
    const pages = this.pages;
    await this.#context.run(vscode.l10n.t('Loading'), async () => pages?.loadMore(), {
      place: 'view',
      failure: { retry: () => this.loadMore() },
    });
    this.#changes.fire(undefined);
  }

  /** Draws what the list on show has been given anew. */
  refresh(): void {
    this.#describe();
    this.#changes.fire(undefined);
  }

  async getChildren(node?: MessageNode): Promise<MessageNode[]> {
    if (node?.kind === 'thread') return this.#childrenOf(node);
    if (node) return [];
    const list = this.#list ?? (await this.#showFirstInbox());
    if (!list) return [];
    try {
      await list.pages.load();
    } catch (error) {
      this.#onFailedLoad(error, list.source);
    }
    this.#describe();
    const rows: readonly MessageNode[] = list.pages.rows;
    return list.pages.hasMore ? [...rows, { kind: 'more' }] : [...rows];
  }

  getParent(node: MessageNode): MessageNode | undefined {
    return node.kind === 'message' ? node.parent : undefined;
  }

  getTreeItem(node: MessageNode): vscode.TreeItem {
    if (node.kind === 'more') return moreItem();
    if (node.kind === 'thread') return threadItem(node.thread, this.#setting);
    if (!node.parent) return messageItem(node, this.#setting);
    const elsewhere = node.message.folder === node.parent.thread.newest.folder ? {} : { folder: node.message.folder };
    return messageItem(node, { ...this.#setting, ...elsewhere, own: 'received' }, node.parent.thread);
  }

  async handleDrag(source: readonly MessageNode[], data: vscode.DataTransfer): Promise<void> {
    const ids = await Promise.all(source.map((node) => this.idsOf(node)));
    dragMessages(data, [...new Set(ids.flat())]);
  }

  /** The messages a row stands for: of a conversation those in the folder on show, which is what is done something to. */
  async idsOf(node: MessageNode): Promise<readonly number[]> {
    if (node.kind === 'more') return [];
    // The copy of a draft goes with its draft, and by itself nowhere.
    if (node.kind === 'message') return this.draftOf(node) ? [] : [node.message.id];
    return this.#threads.idsOf(node.thread);
  }

  dispose(): void {
    for (const disposable of this.#disposables) disposable.dispose();
  }

  get #setting(): RowSetting {
    const own = this.#role === 'sent' || this.#role === 'drafts' ? 'sent' : 'received';
    const several = this.#list?.source.kind !== 'folder' && this.#context.accounts.length > 1;
    const accountOf = (accountId: string): string =>
      several ? (this.#context.accounts.find(({ id }) => id === accountId)?.email ?? '') : '';
    return {
      own,
      junk: this.#role === 'junk',
      now: Date.now(),
      server: this.#tools.server,
      muted: this.#tools.muted,
      draftOf: this.#tools.draftOf,
      accountOf,
    };
  }

  #open(source: ListSource, role?: 'same'): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#threads.clear();
    const api = (): QuMailApi => this.#context.api;
    const list = { source, pages: new MessagePages(rowReader(source, this.#layout, api), rowRenewer(api)) };
    this.#list = list;
    if (role === undefined) [this.#role, this.#folderName] = [source.kind === 'unified' ? source.role : undefined, ''];
  }

  async #childrenOf(node: Extract<MessageNode, { kind: 'thread' }>): Promise<MessageNode[]> {
    try {
      return (await this.#threads.messagesOf(node.thread)).map((message) => ({ kind: 'message', message, parent: node }));
    } catch (error) {
      void this.#context.showFailure(error, { accountId: node.thread.newest.accountId });
      return [];
    }
  }

  /** Before anything was chosen the first account's inbox is what people want to see. */
  async #showFirstInbox(): Promise<ShownList | undefined> {
    if (!this.#context.hasAccounts) return undefined;
    if (this.#context.accounts.length === 0) await this.#context.reloadAccounts().catch(() => {});
    const account = this.#context.accounts[0];
    if (!account) return undefined;
    const folders = await this.#folders.foldersOf(account.id);
    const inbox = folders.find(({ specialUse }) => specialUse === 'inbox') ?? folders.find(({ path }) => path.toUpperCase() === 'INBOX');
    if (!inbox || this.#list) return this.#list;
    this.#open({ kind: 'folder', accountId: account.id, path: inbox.path });
    this.#role = 'inbox';
    this.#folderName = vscode.l10n.t('Inbox');
    this.#describe();
    return this.#list;
  }

  #onFailedLoad(error: unknown, source: ListSource): void {
    // Losing the race against a sign-out is no failure.
    if (QuMailError.is(error, 'account.missing')) return;
    const account = 'accountId' in source && source.accountId !== undefined ? { accountId: source.accountId } : {};
    void this.#context.showFailure(error, { ...account, retry: () => this.#changes.fire(undefined) });
  }

  #onMessages(change: { readonly accountId: string; readonly folder: string }): void {
    if (!this.#list) return this.#changes.fire(undefined);
    if (isTouchedBy(this.#list.source, change)) this.#scheduleReload();
  }

  /** Soon, and once for all that changes until then; not put off by what changes meanwhile. */
  #scheduleReload(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.#reload();
    }, settleMs(this.#list?.source));
  }

  async #reload(): Promise<void> {
    const list = this.#list;
    if (!list) return;
    await list.pages.reload().catch((error: unknown) => this.#context.log.debug(`list not refreshed: ${QuMailError.from(error).code}`));
    if (list !== this.#list) return;
    this.#threads.clear();
    this.#changes.fire(undefined);
  }

  #onAccounts(): void {
    const source = this.#list?.source;
    const accountId = source && 'accountId' in source ? source.accountId : undefined;
    if (accountId !== undefined && !this.#context.accounts.some((account) => account.id === accountId)) this.#clear();
    else if (!source) this.#changes.fire(undefined);
    else this.#describe();
  }

  #clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#list = undefined;
    this.#role = undefined;
    this.#folderName = '';
    this.#threads.clear();
    this.#describe();
    this.#changes.fire(undefined);
  }

  #describe(): void {
    const list = this.#list;
    const name = list?.source.kind === 'unified' ? roleName(list.source.role, vscode.l10n) : this.#folderName;
    const { description, message } = listTitle(list?.source, name, {
      accounts: this.#context.accounts,
      world: this.#context.world,
      coverage: list?.pages.coverage,
      locale: vscode.env.language,
      l10n: vscode.l10n,
    });
    this.view.description = description;
    this.view.message = message ?? '';
    const set = (key: string, value: unknown): void => void vscode.commands.executeCommand('setContext', key, value);
    set('qumail.list', !list ? 'none' : list.pages.messages.length === 0 ? 'empty' : 'messages');
    set('qumail.listKind', list?.source.kind ?? 'none');
    set('qumail.layout', this.#layout);
  }
}
