import * as vscode from 'vscode';
import { AttachmentFiles } from '../reader/attachmentFiles.ts';
import type { ViewContext } from '../viewContext.ts';
import type { ChatPictures } from './chatPictures.ts';
import { CHAT_VIEW_TYPE, ChatPanel, type ChatPanelOptions } from './chatPanel.ts';

/** The open chats, one panel each; they are there again after the window was reloaded. */
export class ChatPanels implements vscode.Disposable {
  readonly #context: ViewContext;
  readonly #command: ChatPanelOptions['command'];
  readonly #files: AttachmentFiles;
  readonly #pictures: ChatPictures;
  readonly #open = new Map<string, ChatPanel>();
  readonly #owned: vscode.Disposable[];

  constructor(context: ViewContext, pictures: ChatPictures, command: ChatPanelOptions['command']) {
    this.#context = context;
    this.#command = command;
    this.#pictures = pictures;
    this.#files = new AttachmentFiles(context);
    this.#owned = [
      this.#files,
      context.onDidChangeWorld(() => this.closeAll()),
      context.onEvent((event) => {
        if (event.kind === 'chat-messages') this.#open.get(event.chatId)?.changed('lines');
        // Who is verified, and under what name, stands at the messages too.
        else if (event.kind === 'contacts' || event.kind === 'chats') for (const open of this.#of(event.accountId)) open.changed('rest');
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

  /** Opens a chat, or brings its panel to the front; at one of its messages where that is named. */
  show(chatId: string, messageId?: string): void {
    const known = this.#open.get(chatId);
    if (known) known.panel.reveal();
    else this.#start(chatId);
    if (messageId !== undefined) void this.#open.get(chatId)?.reveal(messageId);
  }

  /** A picture small and square, for a group; drawn by the panel of its chat, which is opened for it. Undefined for what is none. */
  async squared(chatId: string, content: Uint8Array): Promise<Uint8Array | undefined> {
    this.show(chatId);
    return this.#open.get(chatId)?.squarer.square(content);
  }

  close(chatId: string): void {
    this.#open.get(chatId)?.panel.dispose();
  }

  dispose(): void {
    this.closeAll();
    for (const item of this.#owned) item.dispose();
  }

  #start(chatId: string, restored?: vscode.WebviewPanel): void {
    const options = {
      chatId,
      context: this.#context,
      files: this.#files,
      pictures: this.#pictures,
      command: this.#command,
      onDidClose: () => {
        this.#open.delete(chatId);
        chat.dispose();
      },
    };
    const chat = new ChatPanel(options, restored);
    this.#open.set(chatId, chat);
  }

  async #restore(panel: vscode.WebviewPanel, state: unknown): Promise<void> {
    const { chatId, world } = (state ?? {}) as { chatId?: unknown; world?: unknown };
    if (typeof chatId !== 'string' || world !== this.#context.world || this.#open.has(chatId)) return panel.dispose();
    this.#start(chatId, panel);
  }

  #of(accountId: string): ChatPanel[] {
    return [...this.#open.values()].filter(({ chat }) => chat?.accountId === accountId);
  }

  /** Takes every chat off the screen. */
  closeAll(): void {
    for (const { panel } of [...this.#open.values()]) panel.dispose();
    this.#pictures.clear();
  }
}
