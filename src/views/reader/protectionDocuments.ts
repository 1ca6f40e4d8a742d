import * as vscode from 'vscode';
import { cancelledBy } from '../cancellation.ts';
import type { ViewContext } from '../viewContext.ts';
import { protectionText } from './protectionText.ts';

const SCHEME = 'qumail-protection';

/** How messages are protected, as read-only documents: `qumail-protection:/<message id>/Protection.txt`. Their names tell nothing of the message. */
export class ProtectionDocuments implements vscode.TextDocumentContentProvider, vscode.Disposable {
  readonly #context: ViewContext;
  readonly #changes = new vscode.EventEmitter<vscode.Uri>();
  readonly onDidChange = this.#changes.event;
  readonly #registration: vscode.Disposable;

  constructor(context: ViewContext) {
    this.#context = context;
    this.#registration = vscode.workspace.registerTextDocumentContentProvider(SCHEME, this);
  }

  /** Shows it as it is now. @throws what the engine throws */
  async show(messageId: number): Promise<void> {
    const uri = vscode.Uri.from({ scheme: SCHEME, path: `/${messageId}/${vscode.l10n.t('Protection')}.txt` });
    this.#changes.fire(uri);
    const document = await vscode.workspace.openTextDocument(uri);
    await vscode.window.showTextDocument(document, { preview: true });
  }

  async provideTextDocumentContent(uri: vscode.Uri, token: vscode.CancellationToken): Promise<string> {
    const messageId = Number(uri.path.split('/')[1]);
    if (!Number.isSafeInteger(messageId)) return '';
    const { api } = this.#context;
    return cancelledBy(token, async (signal) => {
      const protection = await api.getProtection({ messageId }, { signal });
      const { summary } = await api.openMessage({ messageId }, { signal });
      const contacts = await api.listContacts({ accountId: summary.accountId }).catch(() => []);
      const sender = summary.from.address.toLowerCase();
      const contact = contacts.find(({ address }) => address.toLowerCase() === sender);
      return protectionText({ protection, contact }, { l10n: vscode.l10n, language: vscode.env.language });
    });
  }

  dispose(): void {
    this.#registration.dispose();
    this.#changes.dispose();
  }
}
