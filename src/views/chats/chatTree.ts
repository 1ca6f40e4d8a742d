import * as vscode from 'vscode';
import { QuMailError, type ChatSummary } from '../../core/api.ts';
import type { ViewContext } from '../viewContext.ts';
import { chatItem } from './chatItems.ts';

/** Rows of the Chats view; commands take them apart by `chat`. */
export interface ChatNode {
  readonly chat: ChatSummary;
}

/** Events come in swarms. */
const SETTLE_MS = 50;

/** All chats of all accounts, the latest first, with what is unread. */
export class ChatTree implements vscode.TreeDataProvider<ChatNode>, vscode.Disposable {
  readonly view: vscode.TreeView<ChatNode>;
  readonly #context: ViewContext;
  readonly #changes = new vscode.EventEmitter<undefined>();
  readonly onDidChangeTreeData = this.#changes.event;
  readonly #listings = new vscode.EventEmitter<void>();
  /** Chats were listed anew: `unread` is up to date. */
  readonly onDidList = this.#listings.event;
  readonly #disposables: vscode.Disposable[];
  #chats: readonly ChatSummary[] = [];
  #timer: NodeJS.Timeout | undefined;
  #listing: Promise<void> | undefined;

  constructor(context: ViewContext) {
    this.#context = context;
    this.view = vscode.window.createTreeView('qumail.chats', { treeDataProvider: this });
    this.#disposables = [
      this.view,
      this.#changes,
      this.#listings,
      context.onEvent(({ kind }) => {
        if (kind === 'accounts' || kind === 'chats' || kind === 'chat-messages' || kind === 'contacts') this.#schedule();
      }),
      context.onDidChangeWorld(() => {
        this.#chats = [];
        this.#tell();
        this.#schedule();
      }),
      new vscode.Disposable(() => clearTimeout(this.#timer)),
    ];
    this.#tell();
  }

  get chats(): readonly ChatSummary[] {
    return this.#chats;
  }

  /** Unread messages in all chats listed so far. */
  get unread(): number {
    return this.#chats.reduce((sum, chat) => sum + chat.unread, 0);
  }

  /** Lists the chats anew, once for all who ask meanwhile. */
  reload(): Promise<void> {
    this.#listing ??= this.#list().finally(() => {
      this.#listing = undefined;
    });
    return this.#listing;
  }

  async getChildren(node?: ChatNode): Promise<ChatNode[]> {
    return node || !this.#context.hasAccounts ? [] : this.#chats.map((chat) => ({ chat }));
  }

  getTreeItem({ chat }: ChatNode): vscode.TreeItem {
    const several = this.#context.accounts.length > 1;
    return chatItem(chat, several ? (this.#context.accounts.find(({ id }) => id === chat.accountId)?.email ?? '') : '');
  }

  dispose(): void {
    for (const disposable of this.#disposables) disposable.dispose();
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.reload(), SETTLE_MS);
  }

  async #list(): Promise<void> {
    const { world } = this.#context;
    if (!this.#context.hasAccounts) return;
    try {
      const chats = await this.#context.api.listChats({});
      if (world !== this.#context.world) return;
      this.#chats = chats;
    } catch (error) {
      this.#context.log.debug(`chats not listed: ${QuMailError.from(error).code}`);
      return;
    }
    this.#tell();
  }

  #tell(): void {
    const { unread } = this;
    void vscode.commands.executeCommand('setContext', 'qumail.hasChats', this.#chats.length > 0);
    this.view.badge = unread > 0 ? { value: unread, tooltip: vscode.l10n.t('{0} unread in chats', unread) } : undefined;
    this.view.description = this.#context.world === 'lab' ? 'SIMULATED' : '';
    this.#changes.fire(undefined);
    this.#listings.fire();
  }
}
