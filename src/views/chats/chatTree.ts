import * as vscode from 'vscode';
import { QuMailError, type ChatSummary } from '../../core/api.ts';
import type { ViewContext } from '../viewContext.ts';
import type { ChatHit } from './chatHits.ts';
import { chatItem, hitItem, resultsItem } from './chatItems.ts';
import type { ChatPictures } from './chatPictures.ts';
import type { KeptChatSearch } from './keptChatSearch.ts';

/** Rows of the Chats view; commands take them apart by `chat`. Above the chats stands what was searched for in all of them. */
export type ChatNode =
  | { readonly chat: ChatSummary; readonly results?: undefined; readonly hit?: undefined }
  | { readonly results: string; readonly chat?: undefined; readonly hit?: undefined }
  | { readonly hit: ChatHit; readonly chat?: undefined; readonly results?: undefined };

/** Events come in swarms. */
const SETTLE_MS = 50;
/** Pictures of groups that are asked for at once: of the chats that were spoken in last. */
const MAX_FETCHED = 20;

/** All chats of all accounts, the latest first, with what is unread. */
export class ChatTree implements vscode.TreeDataProvider<ChatNode>, vscode.Disposable {
  readonly view: vscode.TreeView<ChatNode>;
  readonly #context: ViewContext;
  readonly #pictures: ChatPictures;
  readonly #kept: KeptChatSearch;
  readonly #changes = new vscode.EventEmitter<undefined>();
  readonly onDidChangeTreeData = this.#changes.event;
  readonly #listings = new vscode.EventEmitter<void>();
  /** Chats were listed anew: `unread` is up to date. */
  readonly onDidList = this.#listings.event;
  readonly #disposables: vscode.Disposable[];
  #chats: readonly ChatSummary[] = [];
  #timer: NodeJS.Timeout | undefined;
  #listing: Promise<void> | undefined;

  constructor(context: ViewContext, pictures: ChatPictures, kept: KeptChatSearch) {
    this.#context = context;
    this.#pictures = pictures;
    this.#kept = kept;
    this.view = vscode.window.createTreeView('qumail.chats', { treeDataProvider: this });
    this.#disposables = [
      this.view,
      this.#changes,
      this.#listings,
      context.onEvent(({ kind }) => {
        if (kind === 'accounts' || kind === 'chats' || kind === 'chat-messages' || kind === 'contacts') this.#schedule();
      }),
      kept.onDidChange(() => this.#changes.fire(undefined)),
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
    if (!this.#context.hasAccounts) return [];
    const found = this.#kept.results;
    if (node) return node.results === undefined || !found ? [] : found.hits.map((hit) => ({ hit }));
    return [...(found ? [{ results: found.text }] : []), ...this.#chats.map((chat) => ({ chat }))];
  }

  getTreeItem({ chat, results, hit }: ChatNode): vscode.TreeItem {
    if (hit) return hitItem(hit);
    if (results !== undefined) return resultsItem(results, this.#kept.results?.hits.length ?? 0);
    const several = this.#context.accounts.length > 1;
    const account = several ? (this.#context.accounts.find(({ id }) => id === chat.accountId)?.email ?? '') : '';
    return chatItem(chat, { account, picture: this.#pictures.known(chat) });
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
    void this.#fetchPictures();
  }

  /** Rows are there at once, and get their pictures when these come. */
  async #fetchPictures(): Promise<void> {
    const missing = this.#chats.filter((chat) => chat.picture !== undefined && !this.#pictures.known(chat)).slice(0, MAX_FETCHED);
    if (missing.length === 0) return;
    const found = await Promise.all(missing.map((chat) => this.#pictures.of(chat)));
    if (found.some((picture) => picture !== undefined)) this.#changes.fire(undefined);
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
