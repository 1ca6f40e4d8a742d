import * as vscode from 'vscode';
import { AttachmentFiles } from '../reader/attachmentFiles.ts';
import type { ViewContext } from '../viewContext.ts';
import { CHAT_VIEW_TYPE, ChatPanel, type ChatPanelOptions } from './chatPanel.ts';

/** The open chats, one panel each; they are there again after the window was reloaded. */
export class ChatPanels implements vscode.Disposable {
  readonly #context: ViewContext;
  readonly #command: ChatPanelOptions['command'];
  readonly #files: AttachmentFiles;
  readonly #open = new Map<string, ChatPanel>();
  readonly #owned: vscode.Disposable[];

  constructor(context: ViewContext, command: ChatPanelOptions['command']) {
    this.#context = context;
    this.#command = command;
    this.#files = new AttachmentFiles(context);
    this.#owned = [
      this.#files,
      context.onDidChangeWorld(() => this.closeAll()),
      context.onEvent((event) => {
        if (event.kind === 'chat-messages') this.#open.get(event.chatId)?.changed();
        // Who is verified, and under what name, stands at the messages too.
        else if (event.kind === 'contacts' || event.kind === 'chats') for (const open of this.#of(event.accountId)) open.changed();
      }),
      vscode.window.registerWebviewPanelSerializer(CHAT_VIEW_TYPE, {
        deserializeWebviewPanel: (panel, state) => this.#restore(panel, state),
      }),
    ];
  }

  /** The chat a command without argument is about. */
  get active(): string | undefined {
    return [...this.#open.values()].find(({ panel }) => panel.active)?.chatId;
  }

  /** Whether the person is looking at this chat now. */
  watched(chatId: string): boolean {
    return this.#open.get(chatId)?.watched ?? false;
  }

  /** Opens a chat, or brings its panel to the front. */
  show(chatId: string): void {
    const known = this.#open.get(chatId);
    if (known) return known.panel.reveal();
    this.#adopt(vscode.window.createWebviewPanel(CHAT_VIEW_TYPE, vscode.l10n.t('Chat'), vscode.ViewColumn.Active), chatId);
  }

  close(chatId: string): void {
    this.#open.get(chatId)?.panel.dispose();
  }

  dispose(): void {
    this.closeAll();
    for (const item of this.#owned) item.dispose();
  }

  #adopt(panel: vscode.WebviewPanel, chatId: string): void {
    const chat = new ChatPanel(panel, { chatId, context: this.#context, files: this.#files, command: this.#command });
    this.#open.set(chatId, chat);
    panel.onDidDispose(() => {
      this.#open.delete(chatId);
      chat.dispose();
    });
  }

  async #restore(panel: vscode.WebviewPanel, state: unknown): Promise<void> {
    const { chatId, world } = (state ?? {}) as { chatId?: unknown; world?: unknown };
    if (typeof chatId !== 'string' || world !== this.#context.world || this.#open.has(chatId)) return panel.dispose();
    this.#adopt(panel, chatId);
  }

  #of(accountId: string): ChatPanel[] {
    return [...this.#open.values()].filter(({ chat }) => chat?.accountId === accountId);
  }

  /** Takes every chat off the screen. */
  closeAll(): void {
    for (const { panel } of [...this.#open.values()]) panel.dispose();
  }
}
