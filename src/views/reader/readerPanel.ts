import * as vscode from 'vscode';
import { QuMailError } from '../../core/api.ts';
import type { Attachment, Contact, Failure, Message } from '../../core/api.ts';
import type { Performed } from '../actions/mailActions.ts';
import type { CommandId } from '../commandIds.ts';
import { takeStep } from '../failures.ts';
import { LivePanel } from '../livePanel.ts';
import { present } from '../present.ts';
import type { FailureContext, ViewContext } from '../viewContext.ts';
import { AttachmentFiles } from './attachmentFiles.ts';
import { followLink } from './followLink.ts';
import type { RemoteContent } from './readerHtml.ts';
import { nextStepOf } from './protection.ts';
import { ProtectionDocuments } from './protectionDocuments.ts';
import { failureInWords, readerModel } from './readerModel.ts';
import type { HostMessage, ReaderAction, ReaderRequest } from './readerProtocol.ts';
import { parseReaderRequest } from './readerRequests.ts';
import { loadReader } from './readerWebview.ts';
import { readerWords } from './readerWords.ts';
import { ReadingContext } from './readingContext.ts';
import { SourceDocuments } from './sourceDocuments.ts';

const READER_VIEW_TYPE = 'qumail.reader';
/** How long opening may take before the page says so, in milliseconds: most messages are there sooner. */
const SAY_LOADING_AFTER_MS = 150;

const COMMANDS: Readonly<Record<Exclude<ReaderAction, 'view-source' | 'import'>, CommandId>> = {
  reply: 'qumail.reply',
  'reply-all': 'qumail.replyAll',
  forward: 'qumail.forward',
  delete: 'qumail.delete',
  move: 'qumail.move',
  'mark-unread': 'qumail.markUnread',
};

/** What leaves a message in the list that it was read from. */
const STAYING: readonly Performed['purpose'][] = ['flags', 'unsnooze', 'mute', 'unmute'];

/**
 * The one reusable panel in which messages are read. Its page has no authority: every request is checked against a
 * bounded schema and against the message on show, and carries the generation it was made in, so that a click on what
 * has just been replaced does nothing. Remote content is a matter of the page's policy, which only this class writes.
 */
export class ReaderPanel implements vscode.Disposable {
  readonly #context: ViewContext;
  readonly #files: AttachmentFiles;
  readonly #sources: SourceDocuments;
  readonly #protection: ProtectionDocuments;
  readonly #reading: ReadingContext;
  readonly #owned: vscode.Disposable[];
  #panel: LivePanel | undefined;
  #generation = 0;
  #messageId: number | undefined;
  #message: Message | undefined;
  #contact: Contact | undefined;
  #failure: Failure | undefined;
  #remote: RemoteContent = 'blocked';
  #ready = false;
  #onShow: HostMessage | undefined;
  #opening: AbortController | undefined;

  constructor(context: ViewContext) {
    this.#context = context;
    this.#files = new AttachmentFiles(context);
    this.#sources = new SourceDocuments(context);
    this.#protection = new ProtectionDocuments(context);
    this.#reading = new ReadingContext(context);
    this.#owned = [
      this.#files,
      this.#sources,
      this.#protection,
      this.#reading,
      context.onDidChangeWorld(() => this.#panel?.dispose()),
      vscode.window.registerWebviewPanelSerializer(READER_VIEW_TYPE, {
        deserializeWebviewPanel: (panel, state) => this.#restore(panel, state),
      }),
    ];
  }

  /** The message on show, if any. */
  get current(): number | undefined {
    return this.#panel ? this.#messageId : undefined;
  }

  /** Shows a message: opens the panel or brings it to the front, then marks the message as read. Never rejects. */
  async show(messageId: number): Promise<void> {
    this.#panel ??= this.#show();
    this.#panel.reveal();
    await this.#open(messageId);
  }

  /** Takes the message off the screen. */
  close(): void {
    this.#panel?.dispose();
  }

  /** Shows in full how a message is protected. */
  showProtection(messageId: number): Promise<void> {
    return this.#protection.show(messageId);
  }

  /** Something was done to messages, wherever it was asked for: the one on show goes off the screen where it has gone from its list. */
  performed({ purpose, messageIds }: Performed): void {
    if (!STAYING.includes(purpose) && this.#messageId !== undefined && messageIds.includes(this.#messageId)) this.close();
  }

  dispose(): void {
    this.#panel?.dispose();
    this.#opening?.abort();
    for (const item of this.#owned) item.dispose();
  }

  async #open(messageId: number): Promise<void> {
    this.#opening?.abort();
    const opening = new AbortController();
    this.#opening = opening;
    const generation = ++this.#generation;
    this.#messageId = messageId;
    this.#message = undefined;
    this.#reading.show(undefined);
    this.#failure = undefined;
    // A message that was allowed to load from elsewhere does not pass its permission on.
    if (this.#remote === 'allowed') this.#load('blocked');
    const base = { generation, messageId, world: this.#context.world, words: readerWords(vscode.l10n) } as const;
    const sayLoading = setTimeout(() => this.#post({ kind: 'loading', ...base }), SAY_LOADING_AFTER_MS);
    try {
      const message = await this.#context.api.openMessage({ messageId }, { signal: opening.signal });
      if (generation !== this.#generation) return;
      this.#contact = await this.#contactOf(message);
      if (generation !== this.#generation) return;
      this.#message = message;
      this.#reading.show(message.summary);
      this.#failure = message.security.failure;
      clearTimeout(sayLoading);
      this.#postMessage();
      if (this.#panel) this.#panel.title = message.summary.subject.slice(0, 80) || vscode.l10n.t('(no subject)');
      if (!message.summary.flags.includes('seen')) await this.#context.api.setFlags({ messageIds: [messageId], add: ['seen'], remove: [] });
    } catch (error) {
      clearTimeout(sayLoading);
      if (generation !== this.#generation) return;
      const { code, details } = QuMailError.from(error);
      // The message is on show; that it could not be marked as read is for the log.
      if (this.#message) return this.#context.log.warn(`not marked as read: ${code}`);
      this.#failure = { code, details };
      this.#post({ kind: 'failed', ...base, failure: failureInWords(this.#failure, vscode.l10n) });
    }
  }

  #postMessage(): void {
    const message = this.#message;
    if (!message || this.#messageId === undefined) return;
    this.#post({
      kind: 'message',
      generation: this.#generation,
      messageId: this.#messageId,
      world: this.#context.world,
      words: readerWords(vscode.l10n),
      message: readerModel(message, { l10n: vscode.l10n, language: vscode.env.language }, this.#contact),
      remote: this.#remote,
    });
  }

  /** The page may not be there yet, or be built anew when its tab is shown again: it asks for this when it is ready. */
  #post(message: HostMessage): void {
    this.#onShow = message;
    if (this.#ready) this.#panel?.post(message);
  }

  #show(restored?: vscode.WebviewPanel): LivePanel {
    this.#remote = 'blocked';
    const options = {
      viewType: READER_VIEW_TYPE,
      panel: { enableFindWidget: true },
      load: (webview: vscode.Webview): void => {
        this.#ready = false;
        loadReader(webview, this.#context.extensionUri, this.#remote);
      },
      onMessage: (value: unknown): void => {
        const request = parseReaderRequest(value);
        if (request) void this.#answer(request).catch((error: unknown) => this.#context.showFailure(error, this.#about()));
        else this.#context.log.warn('reader: a request that is none was dropped');
      },
      onDidClose: (): void => {
        this.#opening?.abort();
        this.#generation++;
        this.#panel = undefined;
        this.#message = undefined;
        this.#reading.show(undefined);
        this.#onShow = undefined;
      },
      onEmpty: (): void => void this.#context.showFailure(new QuMailError('page.empty')),
    };
    const panel = new LivePanel(options, 'QuMail', restored);
    panel.icon = 'mail';
    return panel;
  }

  /** Builds the page anew under the policy for `remote`. */
  #load(remote: RemoteContent): void {
    this.#remote = remote;
    this.#onShow = undefined;
    this.#panel?.load();
  }

  /** A panel from before the window was reloaded: the same message again, if it is of the world on show. */
  async #restore(panel: vscode.WebviewPanel, state: unknown): Promise<void> {
    const { messageId, world } = (state ?? {}) as { messageId?: unknown; world?: unknown };
    if (this.#panel || !Number.isSafeInteger(messageId) || world !== this.#context.world) return panel.dispose();
    this.#panel = this.#show(panel);
    await this.#open(messageId as number);
  }

  async #answer(request: ReaderRequest): Promise<void> {
    if (request.kind === 'ready') {
      this.#ready = true;
      this.#panel?.ready();
      if (this.#onShow) this.#panel?.post(this.#onShow);
      return;
    }
    const messageId = this.#messageId;
    if (request.generation !== this.#generation || messageId === undefined) return;
    if (request.kind === 'retry') return this.#open(messageId);
    if (request.kind === 'next-step') return this.#takeNextStep();
    const message = this.#message;
    if (!message) return;
    switch (request.kind) {
      case 'action':
        return this.#act(request.action, message);
      case 'open-link':
        return followLink(request.url, request.text, message.summary.accountId);
      case 'save-attachment':
        return this.#files.save(messageId, attachmentOf(message, request.index));
      case 'open-attachment':
        return this.#files.open(messageId, attachmentOf(message, request.index));
      case 'save-all':
        return this.#files.saveAll(messageId, message.attachments);
      case 'load-remote':
        this.#load('allowed');
        return this.#postMessage();
      case 'copy-key-ids':
        await vscode.env.clipboard.writeText(message.security.keyIds.join('\n'));
        vscode.window.setStatusBarMessage(vscode.l10n.t('Key IDs copied'), 3000);
    }
  }

  async #act(action: ReaderAction, { summary }: Message): Promise<void> {
    if (action === 'view-source') return this.#sources.show(summary.id, summary.subject);
    // Of files, which have an editor of their own.
    if (action === 'import') return;
    await vscode.commands.executeCommand(COMMANDS[action], summary.id);
  }

  async #takeNextStep(): Promise<void> {
    if (!this.#failure) return;
    const { failure, nextStep } = this.#message?.security ?? {};
    const step = failure ? nextStepOf({ failure, ...(nextStep && { nextStep }) }, vscode.l10n) : present(this.#failure, vscode.l10n).step;
    if (step) await takeStep(step, this.#failure, this.#about());
  }

  /** The sender as a contact: what is known of who signed is part of the banner. Ordinary mail asks nothing. */
  async #contactOf({ summary, security }: Message): Promise<Contact | undefined> {
    if (security.seal === 'plain' && !security.signature) return undefined;
    const contacts = await this.#context.api.listContacts({ accountId: summary.accountId }).catch(() => []);
    const sender = summary.from.address.toLowerCase();
    return contacts.find(({ address }) => address.toLowerCase() === sender);
  }

  #about(): FailureContext {
    const messageId = this.#messageId;
    const summary = this.#message?.summary;
    return {
      ...(messageId === undefined ? {} : { messageId, retry: () => this.show(messageId) }),
      ...(summary ? { accountId: summary.accountId, contact: summary.from.address } : {}),
    };
  }
}

function attachmentOf(message: Message, index: number): Attachment {
  const attachment = message.attachments.find((candidate) => candidate.index === index);
  if (!attachment) throw new QuMailError('attachment.missing', { index });
  return attachment;
}
