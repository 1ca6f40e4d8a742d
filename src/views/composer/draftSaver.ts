import * as vscode from 'vscode';
import { after } from '../after.ts';
import { isDraft } from './draftChecker.ts';
import type { DraftFileSystem } from './draftFileSystem.ts';
import { draftIdOf } from './draftUri.ts';
import { SavePace } from './savePace.ts';

/**
 * Saves drafts while they are written. VS Code's own auto-save waits for a pause; who writes for a minute without one would lose that minute
 * with the machine. Nor does it try again what could not be saved.
 */
export class DraftSaver implements vscode.Disposable {
  readonly #files: DraftFileSystem;
  readonly #owned: readonly { dispose(): unknown }[];
  readonly #pace = new SavePace(after);

  constructor(files: DraftFileSystem) {
    this.#files = files;
    this.#owned = [
      this.#pace,
      vscode.workspace.onDidChangeTextDocument(({ document, contentChanges }) => {
        if (contentChanges.length > 0 && isDraft(document)) this.#due(document);
      }),
      // What was typed before the extension host died is in the editor still.
      vscode.workspace.onDidOpenTextDocument((document) => this.#dueIfDirty(document)),
      files.onDidSave((draftId) => {
        if (!files.failureOf(draftId)) return;
        for (const document of vscode.workspace.textDocuments) if (draftIdOf(document.uri) === draftId) this.#due(document);
      }),
    ];
    for (const document of vscode.workspace.textDocuments) this.#dueIfDirty(document);
  }

  dispose(): void {
    for (const item of this.#owned) item.dispose();
  }

  #dueIfDirty(document: vscode.TextDocument): void {
    if (document.isDirty && isDraft(document)) this.#due(document);
  }

  #due(document: vscode.TextDocument): void {
    const failed = this.#files.failureOf(draftIdOf(document.uri) ?? '') !== undefined;
    this.#pace.due(document.uri.toString(), failed ? 'failed' : 'saved', () => {
      if (document.isDirty && !document.isClosed) void document.save();
    });
  }
}
