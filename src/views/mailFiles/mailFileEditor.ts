import * as vscode from 'vscode';
import { QuMailError } from '../../core/api.ts';
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
  /** Files whose editor VS Code left empty, and that have been opened again for it. */
  readonly #reopened = new Set<string>();
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
    const page = new MailFilePage(this.#context, {
      uri,
      panel,
      files: this.#files,
      attempt: this.#reopened.has(uri.toString()) ? 'second' : 'first',
      onReady: () => this.#reopened.delete(uri.toString()),
      onEmpty: () => void this.#reopen(uri, panel).catch((error: unknown) => this.#context.showFailure(error)),
    });
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

  /** What VS Code leaves empty once, it fills in another editor. */
  async #reopen(uri: vscode.Uri, empty: vscode.WebviewPanel): Promise<void> {
    if (this.#reopened.delete(uri.toString())) return this.#context.showFailure(new QuMailError('page.empty'));
    this.#reopened.add(uri.toString());
    const { viewColumn = vscode.ViewColumn.Active } = empty;
    const group = vscode.window.tabGroups.all.find((candidate) => candidate.viewColumn === viewColumn);
    const tab = group?.tabs.find(({ input }) => input instanceof vscode.TabInputCustom && input.uri.toString() === uri.toString());
    // Opened before the other is closed, it would be the other.
    if (tab) await vscode.window.tabGroups.close(tab, true);
    await vscode.commands.executeCommand('vscode.openWith', uri, VIEW_TYPE, { viewColumn, preserveFocus: true });
  }

  async #pick(): Promise<vscode.Uri | undefined> {
    const picked = await vscode.window.showOpenDialog({
      openLabel: vscode.l10n.t('Open'),
      filters: { [vscode.l10n.t('Mail')]: ['eml'], [vscode.l10n.t('All files')]: ['*'] },
    });
    return picked?.[0];
  }
}
