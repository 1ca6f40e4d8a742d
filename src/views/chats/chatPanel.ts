import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';
import { QuMailError, type Chat, type ChatLevel, type ChatMessage } from '../../core/api.ts';
import { sentenceOf } from '../present.ts';
import type { AttachmentFiles } from '../reader/attachmentFiles.ts';
import { followLink } from '../reader/followLink.ts';
import type { ViewContext } from '../viewContext.ts';
import { parsePageAsk } from './chatAsks.ts';
import { chatShell } from './chatHtml.ts';
import { ChatPages } from './chatPages.ts';
import { firstUnread, pictureTypeOf, shownChat, shownLine } from './chatModel.ts';
import type { HostWord, PageAsk, ShownChat } from './chatProtocol.ts';
import { chatWords } from './chatWords.ts';

export const CHAT_VIEW_TYPE = 'qumail.chat';
/** Events come in swarms; a line must still be on screen at once. */
const SETTLE_MS = 25;
const MAX_FOUND = 100;

export interface ChatPanelOptions {
  readonly chatId: string;
  readonly context: ViewContext;
  readonly files: AttachmentFiles;
  /** Carries out what the head of the page offers. */
  readonly command: (command: 'members' | 'more' | 'level', panel: ChatPanel) => Promise<void>;
}

/**
 * One chat in its panel. The page has no authority: what it asks is checked against a bounded schema, and every message it names is looked up
 * by the engine in this chat and no other.
 */
export class ChatPanel implements vscode.Disposable {
  readonly chatId: string;
  readonly panel: vscode.WebviewPanel;
  readonly #options: ChatPanelOptions;
  readonly #pages: ChatPages;
  readonly #owned: vscode.Disposable[];
  #chat: Chat | undefined;
  #ready = false;
  #level: ChatLevel | undefined;
  #timer: NodeJS.Timeout | undefined;
  #seen = '';
  #sending: Promise<void> = Promise.resolve();
  #work: Promise<void> = Promise.resolve();
  readonly #closing = new AbortController();

  constructor(panel: vscode.WebviewPanel, options: ChatPanelOptions) {
    this.panel = panel;
    this.#options = options;
    this.chatId = options.chatId;
    this.#pages = new ChatPages(options.context.api, options.chatId);
    panel.iconPath = new vscode.ThemeIcon('comment-discussion');
    panel.webview.options = {
      enableScripts: true,
      enableForms: false,
      localResourceRoots: [vscode.Uri.joinPath(options.context.extensionUri, 'dist')],
    };
    this.#owned = [
      panel.webview.onDidReceiveMessage((value: unknown) => {
        const request = parsePageAsk(value);
        if (!request) return options.context.log.warn('chat: a request that is none was dropped');
        void this.#answer(request).catch((error: unknown) => this.#failed(error));
        return undefined;
      }),
      panel.onDidChangeViewState(() => void this.#markRead()),
      vscode.window.onDidChangeWindowState(() => void this.#markRead()),
    ];
    this.#load();
  }

  get chat(): Chat | undefined {
    return this.#chat;
  }

  /** What the next message is sealed at; undefined for the best there is for each member. */
  get level(): ChatLevel | undefined {
    return this.#level;
  }

  /** Something in this chat is different. */
  changed(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#inTurn(() => this.#refresh()), SETTLE_MS);
  }

  async setLevel(level: ChatLevel | undefined): Promise<void> {
    this.#level = level;
    if (this.#chat) this.#post({ kind: 'header', chat: this.#head(this.#chat) });
  }

  /** Whether the person is looking at this chat now. */
  get watched(): boolean {
    return this.panel.visible && vscode.window.state.focused;
  }

  dispose(): void {
    clearTimeout(this.#timer);
    this.#closing.abort(new QuMailError('engine.cancelled'));
    for (const item of this.#owned) item.dispose();
  }

  #load(): void {
    const { webview } = this.panel;
    const { extensionUri } = this.#options.context;
    const file = (name: string): string => webview.asWebviewUri(vscode.Uri.joinPath(extensionUri, 'dist', name)).toString();
    this.#ready = false;
    webview.html = chatShell({
      cspSource: webview.cspSource,
      nonce: randomBytes(16).toString('base64url'),
      scriptUri: file('chat.js'),
      styleUri: file('chat.css'),
      language: vscode.env.language,
      title: 'QuMail',
    });
  }

  #post(word: HostWord): void {
    if (this.#ready) void this.panel.webview.postMessage(word);
  }

  /** One look at the engine after the other: an older answer must not come after a newer one. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    this.#work = this.#work.then(work).catch((error: unknown) => this.#failed(error));
    return this.#work;
  }

  /** The page is new: everything it shows. */
  async #start(): Promise<void> {
    const { context } = this.#options;
    const chat = await this.#readChat();
    const { messages, stretch, older } = await this.#pages.latest(this.#shown(chat));
    this.#ready = true;
    const unread = firstUnread(messages, chat.unread);
    this.#post({
      kind: 'chat',
      chat: this.#head(chat),
      words: chatWords(vscode.l10n),
      draft: chat.draft,
      stretch,
      older,
      world: context.world,
      ...(unread !== undefined && { firstUnread: unread }),
    });
  }

  async #refresh(): Promise<void> {
    if (!this.#ready) return;
    const chat = await this.#readChat();
    this.#post({ kind: 'header', chat: this.#head(chat) });
    for (const { stretch, older } of await this.#pages.renewed(this.#shown(chat))) this.#post({ kind: 'lines', stretch, older });
  }

  async #readChat(): Promise<Chat> {
    const chat = await this.#options.context.api.getChat({ chatId: this.chatId });
    this.#chat = chat;
    this.panel.title = chat.simulated ? `${chat.name.slice(0, 80)} · SIMULATED` : chat.name.slice(0, 80);
    return chat;
  }

  #head(chat: Chat): ShownChat {
    const { accounts } = this.#options.context;
    const account = accounts.length > 1 ? accounts.find(({ id }) => id === chat.accountId)?.email : undefined;
    return shownChat(chat, this.#level, vscode.l10n, account);
  }

  #shown(chat: Chat): (message: ChatMessage) => ReturnType<typeof shownLine> {
    const others = chat.members.filter(({ self }) => !self).map(({ address }) => address);
    const telling = {
      l10n: vscode.l10n,
      language: vscode.env.language,
      now: Date.now(),
      self: chat.members.find(({ self }) => self)?.address ?? '',
      others,
      nameOf: (address: string): string => chat.members.find((member) => member.address === address)?.name || address,
    };
    return (message) => shownLine(message, telling);
  }

  async #answer(request: PageAsk): Promise<void> {
    const { context, files } = this.#options;
    const { api } = context;
    const { chatId } = this;
    switch (request.kind) {
      case 'ready':
        return this.#inTurn(() => this.#start());
      case 'older':
        return this.#inTurn(async () => {
          if (!this.#chat) return;
          const page = await this.#pages.earlier(this.#shown(this.#chat));
          if (page) this.#post({ kind: 'lines', stretch: page.stretch, older: page.older });
        });
      case 'send':
        return this.#send(request);
      case 'edit':
        return api.editChatMessage({ chatId, messageId: request.id, text: request.text });
      case 'take-back':
        return this.#takeBack(request.id);
      case 'react':
        return api.reactToChatMessage({ chatId, messageId: request.id, emoji: request.emoji });
      case 'retry':
        return api.retryChatMessage({ chatId, messageId: request.id }, { signal: this.#closing.signal });
      case 'jump':
        return this.#inTurn(() => this.#jump(request.id));
      case 'seen':
        this.#pages.onScreen(request.first, request.last);
        this.#seen = request.last;
        return this.#markRead();
      case 'draft':
        return api.saveChatDraft({ chatId, text: request.text });
      case 'search': {
        const found = await api.searchChats({ chatId, text: request.text, limit: MAX_FOUND });
        if (this.#chat) this.#post({ kind: 'found', text: request.text, lines: found.map(this.#shown(this.#chat)) });
        return;
      }
      case 'copy':
        return void (await vscode.env.clipboard.writeText(request.text));
      case 'open-link':
        return followLink(request.url, request.text, this.#chat?.accountId);
      case 'command':
        return this.#options.command(request.command, this);
      case 'picture': {
        const { content } = await api.getChatAttachment({ chatId, messageId: request.id, index: request.index });
        const mimeType = pictureTypeOf(content);
        if (mimeType === undefined) throw new QuMailError('chat.malformed');
        return this.#post({ kind: 'picture', id: request.id, index: request.index, mimeType, content });
      }
      case 'open-file':
      case 'save-file': {
        const attachment = this.#pages.attachment(request.id, request.index);
        if (!attachment) throw new QuMailError('attachment.missing');
        const source = async (index: number, signal: AbortSignal): Promise<Uint8Array> =>
          (await api.getChatAttachment({ chatId, messageId: request.id, index }, { signal })).content;
        return request.kind === 'open-file' ? files.open(source, attachment) : files.save(source, attachment);
      }
    }
  }

  /** One after the other, so that messages leave in the order they were written in. */
  #send({ ref, text, files, replyTo }: Extract<PageAsk, { kind: 'send' }>): Promise<void> {
    const { api } = this.#options.context;
    const level = this.#level;
    this.#sending = this.#sending.then(async () => {
      try {
        const about = { ...(replyTo !== undefined && { replyTo }), ...(level && { level }) };
        await api.sendChatMessage({ chatId: this.chatId, text, files, ...about }, { signal: this.#closing.signal });
        this.#post({ kind: 'sent', ref });
      } catch (error) {
        const { code, details } = QuMailError.from(error);
        this.#options.context.log.warn(`chat message not sent: ${code}`);
        this.#post({ kind: 'refused', ref, sentence: sentenceOf({ code, details }, vscode.l10n) });
      }
    });
    return this.#sending;
  }

  async #takeBack(messageId: string): Promise<void> {
    const takeBack = vscode.l10n.t('Take Back');
    const detail = vscode.l10n.t('It is removed here and on the devices of the others that honour it. Who has read it has read it.');
    const pressed = await vscode.window.showWarningMessage(vscode.l10n.t('Take this message back?'), { modal: true, detail }, takeBack);
    if (pressed === takeBack) await this.#options.context.api.deleteChatMessage({ chatId: this.chatId, messageId });
  }

  async #jump(id: string): Promise<void> {
    if (!this.#chat) return;
    const shown = this.#shown(this.#chat);
    while (!this.#pages.knows(id)) {
      const page = await this.#pages.earlier(shown);
      if (!page) return;
      this.#post({ kind: 'lines', stretch: page.stretch, older: page.older });
    }
    this.#post({ kind: 'jump', id });
  }

  /** What is on screen counts as read while somebody can be looking at it. */
  async #markRead(): Promise<void> {
    if (!this.watched || this.#seen === '' || (this.#chat?.unread ?? 0) === 0) return;
    await this.#options.context.api.markChatRead({ chatId: this.chatId, upTo: this.#seen }).catch((error: unknown) => {
      this.#options.context.log.debug(`chat not marked as read: ${QuMailError.from(error).code}`);
    });
  }

  #failed(error: unknown): Promise<void> {
    const accountId = this.#chat?.accountId;
    if (QuMailError.is(error, 'chat.missing')) this.panel.dispose();
    return this.#options.context.showFailure(error, { ...(accountId !== undefined && { accountId }) });
  }
}
