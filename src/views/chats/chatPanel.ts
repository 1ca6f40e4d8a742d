import * as vscode from 'vscode';
import { QuMailError, type Chat, type ChatLevel } from '../../core/api.ts';
import { LivePanel } from '../livePanel.ts';
import { loadPage } from '../loadPage.ts';
import type { AttachmentFiles } from '../reader/attachmentFiles.ts';
import { followLink } from '../reader/followLink.ts';
import type { ViewContext } from '../viewContext.ts';
import { askToTakeBack } from './askToTakeBack.ts';
import { parsePageAsk } from './chatAsks.ts';
import { chatShell } from './chatHtml.ts';
import { ChatPages } from './chatPages.ts';
import { firstUnread } from './chatModel.ts';
import type { ChatPictures } from './chatPictures.ts';
import type { HostWord, PageAsk, ShownChat } from './chatProtocol.ts';
import { lineTeller, tellChat } from './chatTelling.ts';
import { chatWords } from './chatWords.ts';
import { pictureFacts } from './pictureFacts.ts';
import { PictureSquarer } from './pictureSquarer.ts';
import { SendQueue } from './sendQueue.ts';

export const CHAT_VIEW_TYPE = 'qumail.chat';
/** A line that came is on screen at once; what else is different is looked at when the swarm of events is over. */
const SETTLE_MS = 120;
const MAX_FOUND = 100;

export interface ChatPanelOptions {
  readonly chatId: string;
  readonly context: ViewContext;
  readonly files: AttachmentFiles;
  readonly pictures: ChatPictures;
  /** Carries out what the head of the page offers. */
  readonly command: (command: 'members' | 'more' | 'level', panel: ChatPanel) => Promise<void>;
  readonly onDidClose: () => void;
}

/**
 * One chat in its panel. The page has no authority: what it asks is checked against a bounded schema, and every message it names is looked up
 * by the engine in this chat and no other.
 */
export class ChatPanel implements vscode.Disposable {
  readonly chatId: string;
  readonly panel: LivePanel;
  readonly #options: ChatPanelOptions;
  readonly #pages: ChatPages;
  readonly #owned: vscode.Disposable[];
  #chat: Chat | undefined;
  #ready = false;
  #level: ChatLevel | undefined;
  /** Which picture of the group the page has. */
  #pictured = '';
  #timer: NodeJS.Timeout | undefined;
  #looking: 'newest' | 'no' = 'no';
  #seen = '';
  /** What is to be shown once the page is there. */
  #wanted: string | undefined;
  readonly #sends: SendQueue;
  readonly squarer = new PictureSquarer((word) => this.#post(word));
  #work: Promise<void> = Promise.resolve();
  readonly #closing = new AbortController();

  /** @param restored the panel that VS Code kept over a reload of the window */
  constructor(options: ChatPanelOptions, restored?: vscode.WebviewPanel) {
    this.#options = options;
    this.chatId = options.chatId;
    this.#pages = new ChatPages(options.context.api, options.chatId);
    const { chatId, context } = options;
    this.#sends = new SendQueue({ context, chatId, post: (word) => this.#post(word), signal: this.#closing.signal });
    this.#owned = [vscode.window.onDidChangeWindowState(() => void this.#markRead())];
    const panel = {
      viewType: CHAT_VIEW_TYPE,
      panel: {},
      load: (webview: vscode.Webview): void => {
        this.#ready = false;
        loadPage(webview, context.extensionUri, 'chat', chatShell);
      },
      onMessage: (value: unknown): void => {
        const request = parsePageAsk(value);
        if (request) void this.#answer(request).catch((error: unknown) => this.#failed(error));
        else context.log.warn('chat: a request that is none was dropped');
      },
      onDidChangeViewState: () => void this.#markRead(),
      onDidClose: options.onDidClose,
      onEmpty: () => void this.#failed(new QuMailError('page.empty')),
    };
    this.panel = new LivePanel(panel, vscode.l10n.t('Chat'), restored);
    this.panel.icon = 'comment-discussion';
  }

  get chat(): Chat | undefined {
    return this.#chat;
  }

  /** What the next message is sealed at; undefined for the best there is for each member. */
  get level(): ChatLevel | undefined {
    return this.#level;
  }

  /** Something in this chat is different; `lines` where a line may have come. */
  changed(what: 'lines' | 'rest'): void {
    if (what === 'lines' && this.#looking === 'no') {
      this.#looking = 'newest';
      void this.#inTurn(() => {
        // What comes from here on is looked for once more.
        this.#looking = 'no';
        return this.#refresh('newest');
      });
    }
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.#inTurn(() => this.#refresh('all'));
    }, SETTLE_MS);
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
    this.squarer.dispose();
    for (const item of this.#owned) item.dispose();
  }

  #post(word: HostWord): void {
    if (this.#ready) this.panel.post(word);
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
    const { messages, stretch, older } = await this.#pages.latest(lineTeller(chat));
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
    this.#pictured = '';
    this.squarer.ready();
    if (this.#wanted !== undefined) void this.reveal(this.#wanted);
    await this.#showPicture(chat);
  }

  /** Shows one message of the chat, however long ago it was; as soon as the page is there. */
  reveal(messageId: string): Promise<void> {
    this.#wanted = this.#ready ? undefined : messageId;
    return this.#ready ? this.#inTurn(() => this.#jump(messageId)) : Promise.resolve();
  }

  async #refresh(what: 'newest' | 'all'): Promise<void> {
    if (!this.#ready) return;
    const telling = this.#readChat().then((chat) => lineTeller(chat));
    const pages = await (what === 'newest' ? this.#pages.newest(telling) : this.#pages.renewed(telling));
    for (const { stretch, older } of pages) this.#post({ kind: 'lines', stretch, older });
    if (!this.#chat) return;
    this.#post({ kind: 'header', chat: this.#head(this.#chat) });
    await this.#showPicture(this.#chat);
  }

  async #readChat(): Promise<Chat> {
    const chat = await this.#options.context.api.getChat({ chatId: this.chatId });
    this.#chat = chat;
    this.panel.title = chat.simulated ? `${chat.name.slice(0, 80)} · SIMULATED` : chat.name.slice(0, 80);
    return chat;
  }

  #head(chat: Chat): ShownChat {
    return tellChat(chat, this.#level, this.#options.context);
  }

  /** The picture of the group, where it is another one than the page has. */
  async #showPicture(chat: Chat): Promise<void> {
    const { picture: name = '' } = chat;
    if (name === this.#pictured) return;
    const picture = await this.#options.pictures.of(chat);
    // One that has not come yet is looked for again.
    if (name !== '' && !picture) return;
    this.#pictured = name;
    this.#post({ kind: 'group-picture', ...(picture && { picture }) });
  }

  async #answer(request: PageAsk): Promise<void> {
    const { context, files } = this.#options;
    const { api } = context;
    const { chatId } = this;
    switch (request.kind) {
      case 'ready':
        this.panel.ready();
        return this.#inTurn(() => this.#start());
      case 'older':
        return this.#inTurn(async () => {
          if (!this.#chat) return;
          const page = await this.#pages.earlier(lineTeller(this.#chat));
          if (page) this.#post({ kind: 'lines', stretch: page.stretch, older: page.older });
        });
      case 'send':
        return this.#sends.add(request, this.#level);
      case 'edit':
        return api.editChatMessage({ chatId, messageId: request.id, text: request.text });
      case 'take-back':
        return this.#takeBack(request.id);
      case 'react':
        return api.reactToChatMessage({ chatId, messageId: request.id, emoji: request.emoji });
      case 'retry':
        return api.retryChatMessage({ chatId, messageId: request.id }, { signal: this.#closing.signal });
      case 'discard':
        // What nobody has seen yet is taken back without being asked about.
        return api.deleteChatMessage({ chatId, messageId: request.id });
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
        if (this.#chat) this.#post({ kind: 'found', text: request.text, lines: found.map(lineTeller(this.#chat)) });
        return;
      }
      case 'copy':
        return void (await vscode.env.clipboard.writeText(request.text));
      case 'open-link':
        return followLink(request.url, request.text, this.#chat?.accountId);
      case 'squared':
        return this.squarer.answered(request);
      case 'command':
        return this.#options.command(request.command, this);
      case 'picture': {
        const { content } = await api.getChatAttachment({ chatId, messageId: request.id, index: request.index });
        const facts = pictureFacts(content);
        if (!facts) throw new QuMailError('chat.malformed');
        return this.#post({ kind: 'picture', id: request.id, index: request.index, mimeType: facts.mimeType, content });
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

  async #takeBack(messageId: string): Promise<void> {
    if (await askToTakeBack()) await this.#options.context.api.deleteChatMessage({ chatId: this.chatId, messageId });
  }

  async #jump(id: string): Promise<void> {
    if (!this.#chat) return;
    const shown = lineTeller(this.#chat);
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
