import * as vscode from 'vscode';
import { AttachmentFiles } from '../reader/attachmentFiles.ts';
import type { ViewContext } from '../viewContext.ts';
import { MailFilePage } from './mailFilePage.ts';

/** As package.json names the editor of .eml files. */
const VIEW_TYPE = 'qumail.mailFile';

/** Opens .eml files as messages, to be read and not to be changed. As text they are one "View Source" away. */
export class MailFileEditor implements vscode.CustomReadonlyEditorProvider, vscode.Disposable {
  readonly #context: ViewContext;
  readonly #files: AttachmentFiles;
  readonly #pages = new Set<MailFilePage>();
  readonly #registration: vscode.Disposable;

  constructor(context: ViewContext) {
    this.#context = context;
    this.#files = new AttachmentFiles(context);
    this.#registration = vscode.window.registerCustomEditorProvider(VIEW_TYPE, this, {
      supportsMultipleEditorsPerDocument: true,
      webviewOptions: { enableFindWidget: true },
    });
  }

  /** Shows a file, whatever it is called, after asking which where none is named. */
  async show(uri?: vscode.Uri): Promise<void> {
    const file = uri ?? (await this.#pick());
    if (file) await vscode.commands.executeCommand('vscode.openWith', file, VIEW_TYPE);
  }

  openCustomDocument(uri: vscode.Uri): vscode.CustomDocument {
    return { uri, dispose: () => {} };
  }

  async resolveCustomEditor({ uri }: vscode.CustomDocument, panel: vscode.WebviewPanel): Promise<void> {
    const page = new MailFilePage(this.#context, { uri, webview: panel.webview, files: this.#files });
    this.#pages.add(page);
    panel.onDidDispose(() => {
      this.#pages.delete(page);
      page.dispose();
    });
    await page.open();
  }

  dispose(): void {
    this.#registration.dispose();
    for (const page of this.#pages) page.dispose();
    this.#files.dispose();
  }

  async #pick(): Promise<vscode.Uri | undefined> {
    const picked = await vscode.window.showOpenDialog({
      openLabel: vscode.l10n.t('Open'),
      filters: { [vscode.l10n.t('Mail')]: ['eml'], [vscode.l10n.t('All files')]: ['*'] },
    });
    return picked?.[0];
  }
}
