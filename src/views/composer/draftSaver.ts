import * as vscode from 'vscode';
import { isDraft } from './draftChecker.ts';
import type { DraftFileSystem } from './draftFileSystem.ts';
import { draftIdOf } from './draftUri.ts';

/** Longest time that anything typed stays unsaved, in milliseconds. */
const SAVE_MS = 900;

/**
 * Saves drafts while they are written. VS Code's own auto-save waits for a pause; who writes for a minute without one would lose that minute
 * with the machine.
 */
export class DraftSaver implements vscode.Disposable {
  readonly #files: DraftFileSystem;
  readonly #timers = new Map<string, NodeJS.Timeout>();
  readonly #listening: vscode.Disposable;

  constructor(files: DraftFileSystem) {
    this.#files = files;
    this.#listening = vscode.workspace.onDidChangeTextDocument(({ document, contentChanges }) => {
      if (contentChanges.length > 0 && isDraft(document)) this.#schedule(document);
    });
  }

  dispose(): void {
    this.#listening.dispose();
    for (const timer of this.#timers.values()) clearTimeout(timer);
  }

  #schedule(document: vscode.TextDocument): void {
    const key = document.uri.toString();
    if (this.#timers.has(key)) return;
    const save = (): void => {
      this.#timers.delete(key);
      // What could not be saved is said once; after that it is VS Code that tries again.
      if (!document.isDirty || document.isClosed || this.#files.failureOf(draftIdOf(document.uri) ?? '')) return;
      void document.save();
    };
    this.#timers.set(key, setTimeout(save, SAVE_MS));
  }
}
