import * as vscode from 'vscode';
import { QuMailError } from '../../core/api.ts';
import type { Attachment, Failure, Message } from '../../core/api.ts';
import type { CommandId } from '../commandIds.ts';
import { takeStep } from '../failures.ts';
import { PageWatch } from '../pageWatch.ts';
import { present } from '../present.ts';
import type { AttachmentFiles } from '../reader/attachmentFiles.ts';
import { followLink } from '../reader/followLink.ts';
import { failureInWords } from '../reader/readerModel.ts';
import type { RemoteContent } from '../reader/readerHtml.ts';
import type { HostMessage, ReaderRequest } from '../reader/readerProtocol.ts';
import { parseReaderRequest } from '../reader/readerRequests.ts';
import { loadReader } from '../reader/readerWebview.ts';
import { readerWords } from '../reader/readerWords.ts';
import type { ViewContext } from '../viewContext.ts';
import { MAX_MAIL_FILE, mailFileModel } from './mailFileModel.ts';

export interface MailFilePageOptions {
  readonly uri: vscode.Uri;
  readonly panel: vscode.WebviewPanel;
  readonly files: AttachmentFiles;
  /** Whether VS Code left an editor of this file empty before, and this one takes its place. */
  readonly attempt: 'first' | 'second';
  /** The page is there. */
  readonly onReady: () => void;
  /** VS Code leaves the editor empty. */
  readonly onEmpty: () => void;
}

/** One .eml file in one editor: the page of the reader, with the same policy and the same checks, for a message that is in no mailbox. */
export class MailFilePage implements vscode.Disposable {
  readonly #context: ViewContext;
  readonly #uri: vscode.Uri;
  readonly #panel: vscode.WebviewPanel;
  readonly #watch: PageWatch;
  readonly #files: AttachmentFiles;
  readonly #owned: vscode.Disposable[];
  readonly #onReady: () => void;
  #generation = 0;
  #remote: RemoteContent = 'blocked';
  #message: Message | undefined;
  #failure: Failure | undefined;
  #onShow: HostMessage | undefined;
  #ready = false;

  constructor(context: ViewContext, o: MailFilePageOptions) {
    this.#context = context;
    this.#uri = o.uri;
    this.#panel = o.panel;
    this.#files = o.files;
    this.#watch = new PageWatch({ anew: o.onEmpty, givenUp: o.onEmpty }, { tries: o.attempt === 'first' ? 0 : 1 });
    this.#onReady = o.onReady;
    const watcher = vscode.workspace.createFileSystemWatcher(
      new vscode.RelativePattern(vscode.Uri.joinPath(o.uri, '..'), o.uri.path.slice(o.uri.path.lastIndexOf('/') + 1)),
      true,
      false,
      true,
    );
    this.#owned = [
      watcher,
      watcher.onDidChange(() => void this.open()),
      // Nothing is read while QuMail is locked.
      context.onEvent(({ kind }) => (kind === 'vault' && this.#failure ? void this.open() : undefined)),
      o.panel.webview.onDidReceiveMessage((value: unknown) => {
        const request = parseReaderRequest(value);
        if (request) void this.#answer(request).catch((error: unknown) => context.showFailure(error));
        else context.log.warn('mail file: a request that is none was dropped');
      }),
    ];
    this.#load('blocked');
  }

  /** Reads the file and shows it. Never rejects: a failure takes its place. */
  async open(): Promise<void> {
    const generation = ++this.#generation;
    this.#message = undefined;
    this.#failure = undefined;
    if (this.#remote === 'allowed') this.#load('blocked');
    try {
      const message = await this.#context.api.readMailFile({ source: await this.#read() });
      if (generation !== this.#generation) return;
      this.#message = message;
      this.#postMessage(message);
    } catch (error) {
      if (generation !== this.#generation) return;
      const { code, details } = QuMailError.from(error);
      this.#failure = { code, details };
      this.#post({ kind: 'failed', ...this.#base(), failure: failureInWords(this.#failure, vscode.l10n) });
    }
  }

  dispose(): void {
    this.#generation++;
    this.#watch.dispose();
    for (const item of this.#owned) item.dispose();
  }

  /** The file, which may be on another machine or in no file system at all; never more of it than is shown. */
  async #read(): Promise<Uint8Array> {
    try {
      const { size } = await vscode.workspace.fs.stat(this.#uri);
      if (size > MAX_MAIL_FILE) throw new QuMailError('open.limit', { what: 'message', limit: MAX_MAIL_FILE });
      return await vscode.workspace.fs.readFile(this.#uri);
    } catch (error) {
      if (QuMailError.is(error)) throw error;
      throw new QuMailError('file.unreadable', { path: vscode.workspace.asRelativePath(this.#uri) }, { cause: error });
    }
  }

  #postMessage(message: Message): void {
    const shown = mailFileModel(message, { l10n: vscode.l10n, language: vscode.env.language });
    this.#post({ kind: 'message', ...this.#base(), message: shown, remote: this.#remote });
  }

  #base(): Pick<HostMessage, 'generation' | 'messageId' | 'world' | 'words'> {
    return { generation: this.#generation, messageId: 0, world: this.#context.world, words: readerWords(vscode.l10n) };
  }

  #post(message: HostMessage): void {
    this.#onShow = message;
    if (this.#ready) void this.#panel.webview.postMessage(message);
  }

  #load(remote: RemoteContent): void {
    this.#remote = remote;
    this.#ready = false;
    this.#onShow = undefined;
    loadReader(this.#panel.webview, this.#context.extensionUri, remote);
    this.#watch.begin(this.#panel);
  }

  async #answer(request: ReaderRequest): Promise<void> {
    if (request.kind === 'ready') {
      this.#ready = true;
      this.#watch.ready();
      this.#onReady();
      if (this.#onShow) void this.#panel.webview.postMessage(this.#onShow);
      return;
    }
    if (request.generation !== this.#generation) return;
    if (request.kind === 'retry') return this.open();
    if (request.kind === 'next-step') return this.#takeNextStep();
    const message = this.#message;
    if (!message) return;
    switch (request.kind) {
      case 'action':
        if (request.action === 'import') return this.#import();
        // The other actions are for messages of a mailbox.
        if (request.action === 'view-source') await vscode.commands.executeCommand('vscode.openWith', this.#uri, 'default');
        return;
      case 'open-link':
        return followLink(request.url, request.text, undefined);
      case 'save-attachment':
        return this.#files.save(this.#contentOf, attachmentIn(message, request.index));
      case 'open-attachment':
        return this.#files.open(this.#contentOf, attachmentIn(message, request.index));
      case 'save-all':
        return this.#files.saveAll(this.#contentOf, message.attachments);
      case 'load-remote':
        this.#load('allowed');
        return this.#postMessage(message);
    }
  }

  readonly #contentOf = async (index: number): Promise<Uint8Array> =>
    (await this.#context.api.getMailFileAttachment({ source: await this.#read(), index })).content;

  async #takeNextStep(): Promise<void> {
    if (!this.#failure) return this.#import();
    const { step } = present(this.#failure, vscode.l10n);
    if (step) await takeStep(step, this.#failure, { retry: () => this.open() });
  }

  async #import(): Promise<void> {
    await vscode.commands.executeCommand('qumail.importMail' satisfies CommandId, this.#uri);
  }
}

function attachmentIn(message: Message, index: number): Attachment {
  const attachment = message.attachments.find((candidate) => candidate.index === index);
  if (!attachment) throw new QuMailError('attachment.missing', { index });
  return attachment;
}
