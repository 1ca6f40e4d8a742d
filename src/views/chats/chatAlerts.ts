import * as vscode from 'vscode';
import type { ViewContext } from '../viewContext.ts';
import type { ChatPanels } from './chatPanels.ts';
import type { ChatTree } from './chatTree.ts';
import { newlyUnread } from './unreadGrowth.ts';

/** Lines come in bursts: one toast for each. */
const QUIET_MS = 2_000;

/** One toast per burst of chat messages nobody is looking at, and only for those who asked for it in the settings. */
export class ChatAlerts implements vscode.Disposable {
  readonly #subscriptions: vscode.Disposable;
  #known: ReadonlyMap<string, number> | undefined;
  #timer: NodeJS.Timeout | undefined;
  readonly #grown = new Map<string, string>();

  constructor(context: ViewContext, tree: ChatTree, panels: ChatPanels, isWanted: () => boolean) {
    this.#subscriptions = vscode.Disposable.from(
      context.onDidChangeWorld(() => {
        this.#known = undefined;
        this.#grown.clear();
      }),
      tree.onDidList(() => {
        const grown = newlyUnread(this.#known, tree.chats);
        // What lay unread when QuMail started is no news.
        if (tree.chats.length > 0 || this.#known) this.#known = new Map(tree.chats.map(({ id, unread }) => [id, unread]));
        for (const chat of grown) if (isWanted() && !panels.watched(chat.id)) this.#grown.set(chat.id, chat.name);
        if (this.#grown.size > 0) this.#timer ??= setTimeout(() => this.#tell(), QUIET_MS);
      }),
    );
  }

  dispose(): void {
    clearTimeout(this.#timer);
    this.#subscriptions.dispose();
  }

  #tell(): void {
    this.#timer = undefined;
    const chats = [...this.#grown];
    this.#grown.clear();
    const [first] = chats;
    if (!first) return;
    const [id, name] = first;
    const show = vscode.l10n.t('Show');
    const text = chats.length === 1 ? vscode.l10n.t('New in {0}', name) : vscode.l10n.t('New messages in {0} chats', chats.length);
    void vscode.window.showInformationMessage(text, show).then((pressed) => {
      if (pressed !== show) return;
      if (chats.length === 1) void vscode.commands.executeCommand('qumail.openChat', id);
      else void vscode.commands.executeCommand('qumail.chats.focus');
    });
  }
}
