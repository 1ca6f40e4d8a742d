import * as vscode from 'vscode';
import { QuMailError, type MailFlag, type MessageSummary } from '../../core/api.ts';
import { correspondents, levelLabel, messageIcon, personLabel, shortDate } from '../labels.ts';
import { sentenceOf } from '../present.ts';
import type { ViewContext } from '../viewContext.ts';
import { dragMessages, MESSAGES_MIME } from './messageDrag.ts';
import { MessagePages, type FolderChoice } from './messagePages.ts';
import { rowUri } from './unreadDecorations.ts';

export type MessageNode = { readonly kind: 'message'; readonly message: MessageSummary } | { readonly kind: 'more' };

/** What the list needs to know about folders; the Mail tree knows it. */
export interface FolderFacts {
  foldersOf(accountId: string): Promise<readonly { readonly path: string; readonly name: string; readonly specialUse?: string }[]>;
}

/** The messages of the chosen folder, paged. */
export class MessageTree implements vscode.TreeDataProvider<MessageNode>, vscode.TreeDragAndDropController<MessageNode>, vscode.Disposable {
  readonly dropMimeTypes: readonly string[] = [];
  readonly dragMimeTypes = [MESSAGES_MIME];
  readonly view: vscode.TreeView<MessageNode>;
  readonly #context: ViewContext;
  readonly #folders: FolderFacts;
  readonly #changes = new vscode.EventEmitter<MessageNode | undefined>();
  readonly onDidChangeTreeData = this.#changes.event;
  readonly #disposables: vscode.Disposable[];
  #pages: MessagePages | undefined;
  #own: 'received' | 'sent' = 'received';
  #folderName = '';

  constructor(context: ViewContext, folders: FolderFacts) {
    this.#context = context;
    this.#folders = folders;
    this.view = vscode.window.createTreeView('qumail.messages', {
      treeDataProvider: this,
      dragAndDropController: this,
      canSelectMany: true,
    });
    this.#disposables = [
      this.view,
      this.#changes,
      context.onEvent((event) => {
        if (event.kind === 'messages') void this.#onMessages(event.accountId, event.folder);
        else if (event.kind === 'accounts') this.#onAccounts();
      }),
      context.onDidChangeWorld(() => this.#clear()),
    ];
    this.#describe();
  }

  /** The folder on show. */
  get folder(): FolderChoice | undefined {
    return this.#pages?.folder;
  }

  /** Ids of the selected messages. */
  get selection(): readonly number[] {
    return this.view.selection.flatMap((node) => (node.kind === 'message' ? [node.message.id] : []));
  }

  find(messageId: number): MessageSummary | undefined {
    return this.#pages?.messages.find((message) => message.id === messageId);
  }

  async show(folder: FolderChoice): Promise<void> {
    this.#pages = new MessagePages(folder, () => this.#context.api);
    const folders = await this.#folders.foldersOf(folder.accountId);
    const facts = folders.find(({ path }) => path === folder.path);
    this.#own = facts?.specialUse === 'sent' || facts?.specialUse === 'drafts' ? 'sent' : 'received';
    this.#folderName = facts?.specialUse === 'inbox' ? vscode.l10n.t('Inbox') : (facts?.name ?? folder.path);
    this.#describe();
    this.#changes.fire(undefined);
  }

  async loadMore(): Promise<void> {
    const pages = this.#pages;
    await this.#context.run(vscode.l10n.t('Loading'), async () => pages?.loadMore(), {
      place: 'view',
      failure: { retry: () => this.loadMore() },
    });
    this.#changes.fire(undefined);
  }

  async getChildren(node?: MessageNode): Promise<MessageNode[]> {
    if (node) return [];
    const pages = this.#pages ?? (await this.#showFirstInbox());
    if (!pages) return [];
    try {
      await pages.load();
    } catch (error) {
      // Losing the race against a sign-out is no failure.
      if (!QuMailError.is(error, 'account.missing'))
        void this.#context.showFailure(error, { accountId: pages.folder.accountId, retry: () => this.#changes.fire(undefined) });
    }
    this.#tellEmpty(pages);
    const rows = pages.messages.map((message): MessageNode => ({ kind: 'message', message }));
    return pages.hasMore ? [...rows, { kind: 'more' }] : rows;
  }

  getParent(): undefined {
    return undefined;
  }

  getTreeItem(node: MessageNode): vscode.TreeItem {
    return node.kind === 'more' ? moreItem() : messageItem(node.message, this.#own, Date.now());
  }

  handleDrag(source: readonly MessageNode[], data: vscode.DataTransfer): void {
    dragMessages(
      data,
      source.flatMap((node) => (node.kind === 'message' ? [node.message.id] : [])),
    );
  }

  dispose(): void {
    for (const disposable of this.#disposables) disposable.dispose();
  }

  /** Before anything was chosen the first account's inbox is what people want to see. */
  async #showFirstInbox(): Promise<MessagePages | undefined> {
    if (!this.#context.hasAccounts) return undefined;
    if (this.#context.accounts.length === 0) await this.#context.reloadAccounts().catch(() => {});
    const account = this.#context.accounts[0];
    if (!account) return undefined;
    const folders = await this.#folders.foldersOf(account.id);
    const inbox = folders.find(({ specialUse }) => specialUse === 'inbox') ?? folders.find(({ path }) => path.toUpperCase() === 'INBOX');
    if (!inbox || this.#pages) return this.#pages;
    this.#pages = new MessagePages({ accountId: account.id, path: inbox.path }, () => this.#context.api);
    this.#folderName = vscode.l10n.t('Inbox');
    this.#describe();
    return this.#pages;
  }

  async #onMessages(accountId: string, folder: string): Promise<void> {
    const pages = this.#pages;
    if (!pages) return this.#changes.fire(undefined);
    if (pages.folder.accountId !== accountId || pages.folder.path !== folder) return;
    await pages.reload().catch((error: unknown) => this.#context.log.debug(`list not refreshed: ${QuMailError.from(error).code}`));
    if (pages === this.#pages) this.#changes.fire(undefined);
  }

  #onAccounts(): void {
    const accountId = this.#pages?.folder.accountId;
    if (accountId !== undefined && !this.#context.accounts.some((account) => account.id === accountId)) this.#clear();
    else if (accountId === undefined) this.#changes.fire(undefined);
    else this.#describe();
  }

  #clear(): void {
    this.#pages = undefined;
    this.#folderName = '';
    this.#describe();
    this.#changes.fire(undefined);
  }

  #describe(): void {
    const account = this.#context.accounts.find(({ id }) => id === this.#pages?.folder.accountId);
    this.view.description = [this.#context.world === 'lab' ? 'SIMULATED' : '', this.#folderName, account?.email ?? '']
      .filter(Boolean)
      .join(' · ');
    if (!this.#pages) void vscode.commands.executeCommand('setContext', 'qumail.list', 'none');
  }

  #tellEmpty(pages: MessagePages): void {
    void vscode.commands.executeCommand('setContext', 'qumail.list', pages.messages.length === 0 ? 'empty' : 'messages');
  }
}

function moreItem(): vscode.TreeItem {
  const item = new vscode.TreeItem(vscode.l10n.t('Load more'));
  item.id = 'more';
  item.iconPath = new vscode.ThemeIcon('ellipsis');
  item.command = { command: 'qumail.loadMore', title: vscode.l10n.t('Load More') };
  item.contextValue = 'more';
  return item;
}

/** One row: who, then subject and date; icon for the level, dot for unread. */
function messageItem(message: MessageSummary, own: 'received' | 'sent', now: number): vscode.TreeItem {
  const who = correspondents(message, own, vscode.l10n);
  const unread = !message.flags.includes('seen');
  const item = new vscode.TreeItem(who);
  const subject = message.subject || vscode.l10n.t('(no subject)');
  const date = shortDate(message.date, now, vscode.env.language);
  const icon = messageIcon(message.level, message.seal);
  item.id = `message:${message.id}`;
  item.description = `${marks(message.flags, message.hasAttachments)}${subject} · ${date}`;
  item.iconPath = icon.color ? new vscode.ThemeIcon(icon.id, new vscode.ThemeColor(icon.color)) : new vscode.ThemeIcon(icon.id);
  item.resourceUri = rowUri(message);
  item.contextValue = unread ? 'message.unread' : 'message.read';
  item.command = { command: 'qumail.openMessage', title: vscode.l10n.t('Open Message'), arguments: [message.id] };
  const level = message.seal === 'plain' ? vscode.l10n.t('not sealed') : levelLabel(message.level, vscode.l10n);
  const from = message.from.name ? `${personLabel(message.from)} <${message.from.address}>` : message.from.address;
  const failure = message.failure ? sentenceOf(message.failure, vscode.l10n) : '';
  item.tooltip = [subject, from, new Date(message.date).toLocaleString(vscode.env.language), level, failure, message.preview]
    .filter(Boolean)
    .join('\n');
  const state = unread ? vscode.l10n.t('Unread') : vscode.l10n.t('Read');
  item.accessibilityInformation = { label: [state, who, subject, date, level, failure].filter(Boolean).join(', ') };
  return item;
}

function marks(flags: readonly MailFlag[], hasAttachments: boolean): string {
  const all = [flags.includes('flagged') ? '★' : '', flags.includes('answered') ? '↩' : '', hasAttachments ? '📎' : ''].join('');
  return all ? `${all} ` : '';
}
