import * as vscode from 'vscode';
import { cancelledBy } from '../cancellation.ts';
import type { ViewContext } from '../viewContext.ts';
import { safeFileName } from './attachmentGuard.ts';

const SCHEME = 'qumail-source';
/** Most of a source that is shown, in octets; attachments beyond it say nothing to a reader. */
const MAX_SHOWN = 2_000_000;

/** Sources of messages as read-only documents: `qumail-source:/<message id>/<subject>.eml`. */
export class SourceDocuments implements vscode.TextDocumentContentProvider, vscode.Disposable {
  readonly #context: ViewContext;
  readonly #registration: vscode.Disposable;

  constructor(context: ViewContext) {
    this.#context = context;
    this.#registration = vscode.workspace.registerTextDocumentContentProvider(SCHEME, this);
  }

  async show(messageId: number, subject: string): Promise<void> {
    const uri = vscode.Uri.from({ scheme: SCHEME, path: `/${messageId}/${safeFileName(subject)}.eml` });
    const document = await vscode.workspace.openTextDocument(uri);
    await vscode.window.showTextDocument(document, { preview: true });
  }

  async provideTextDocumentContent(uri: vscode.Uri, token: vscode.CancellationToken): Promise<string> {
    const messageId = Number(uri.path.split('/')[1]);
    if (!Number.isSafeInteger(messageId)) return '';
    const source = Buffer.from(await cancelledBy(token, (signal) => this.#context.api.getSource({ messageId }, { signal })));
    const shown = source.subarray(0, MAX_SHOWN).toString('utf8');
    return source.length > MAX_SHOWN ? `${shown}\n\n${vscode.l10n.t('… {0} more bytes', source.length - MAX_SHOWN)}\n` : shown;
  }

  dispose(): void {
    this.#registration.dispose();
  }
}
