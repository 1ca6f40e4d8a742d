import * as vscode from 'vscode';
import { QuMailError } from '../../core/api.ts';
import type { DraftCheck, DraftProblem } from '../../core/api.ts';
import { sentenceOf } from '../present.ts';
import type { ViewContext } from '../viewContext.ts';
import { DRAFT_LANGUAGE, DRAFT_SCHEME, draftIdOf } from './draftUri.ts';

/** Quiet time after a keystroke before the draft is checked, in milliseconds. */
const DEBOUNCE_MS = 300;

const SEVERITIES: Readonly<Record<DraftProblem['severity'], vscode.DiagnosticSeverity>> = {
  error: vscode.DiagnosticSeverity.Error,
  warning: vscode.DiagnosticSeverity.Warning,
  info: vscode.DiagnosticSeverity.Information,
};

export function isDraft(document: vscode.TextDocument): boolean {
  return document.uri.scheme === DRAFT_SCHEME && document.languageId === DRAFT_LANGUAGE && draftIdOf(document.uri) !== undefined;
}

/**
 * Checks open drafts as they are written, shows what is wrong as diagnostics, and keeps the last result for the lenses
 * above the text. Only the newest check of a document counts.
 */
export class DraftChecker implements vscode.Disposable {
  readonly #context: ViewContext;
  readonly #diagnostics = vscode.languages.createDiagnosticCollection('qumail-draft');
  readonly #checked = new vscode.EventEmitter<vscode.Uri>();
  /** A draft was checked; ask `resultOf`. */
  readonly onDidCheck = this.#checked.event;
  readonly #results = new Map<string, DraftCheck>();
  readonly #timers = new Map<string, NodeJS.Timeout>();
  readonly #owned: vscode.Disposable[];

  constructor(context: ViewContext) {
    this.#context = context;
    this.#owned = [
      this.#diagnostics,
      this.#checked,
      vscode.workspace.onDidOpenTextDocument((document) => this.#soon(document, 0)),
      vscode.workspace.onDidChangeTextDocument(({ document, contentChanges }) =>
        contentChanges.length > 0 ? this.#soon(document, DEBOUNCE_MS) : undefined,
      ),
      vscode.workspace.onDidCloseTextDocument((document) => this.#forget(document)),
      // What is wrong with a draft may be put right elsewhere: a contact, an account, a key manager.
      context.onEvent(({ kind }) => (kind === 'contacts' || kind === 'accounts' || kind === 'key-managers' ? this.checkAll() : undefined)),
    ];
    this.checkAll();
  }

  /** The last result for a document, possibly of a moment ago. */
  resultOf(document: vscode.TextDocument): DraftCheck | undefined {
    return this.#results.get(document.uri.toString());
  }

  checkAll(): void {
    for (const document of vscode.workspace.textDocuments) this.#soon(document, DEBOUNCE_MS);
  }

  /** Checks a draft now and shows the result. Rejects with what the engine says. */
  async check(document: vscode.TextDocument): Promise<DraftCheck> {
    const { version } = document;
    const result = await this.#context.api.checkDraft({ draftId: draftIdOf(document.uri) ?? '', text: document.getText() });
    if (document.version === version && !document.isClosed) this.#show(document, result);
    return result;
  }

  dispose(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    for (const item of this.#owned) item.dispose();
  }

  #soon(document: vscode.TextDocument, delay: number): void {
    if (!isDraft(document)) return;
    const key = document.uri.toString();
    clearTimeout(this.#timers.get(key));
    const run = (): void => {
      this.#timers.delete(key);
      // A check that fails says nothing about the draft: the last result stays, the log knows.
      this.check(document).catch((error: unknown) => this.#context.log.debug(`draft not checked: ${QuMailError.from(error).code}`));
    };
    this.#timers.set(key, setTimeout(run, delay));
  }

  #show(document: vscode.TextDocument, result: DraftCheck): void {
    this.#results.set(document.uri.toString(), result);
    this.#diagnostics.set(
      document.uri,
      result.problems.map((problem) => {
        const diagnostic = new vscode.Diagnostic(
          rangeOf(document, problem),
          sentenceOf(problem, vscode.l10n),
          SEVERITIES[problem.severity],
        );
        diagnostic.source = 'QuMail';
        diagnostic.code = problem.code;
        return diagnostic;
      }),
    );
    this.#checked.fire(document.uri);
  }

  #forget(document: vscode.TextDocument): void {
    const key = document.uri.toString();
    clearTimeout(this.#timers.get(key));
    this.#timers.delete(key);
    this.#results.delete(key);
    this.#diagnostics.delete(document.uri);
  }
}

/** Where a problem is, kept inside the document: the text may have changed since. */
export function rangeOf(document: vscode.TextDocument, problem: Pick<DraftProblem, 'line' | 'from' | 'to'>): vscode.Range {
  return document.validateRange(new vscode.Range(problem.line, problem.from, problem.line, Math.max(problem.to, problem.from + 1)));
}
