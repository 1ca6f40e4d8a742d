import * as vscode from 'vscode';
import { QuMailError } from '../../core/api.ts';
import type { CommandId } from '../commandIds.ts';
import type { ViewContext } from '../viewContext.ts';
import { isDraft } from './draftChecker.ts';
import type { DraftFileSystem } from './draftFileSystem.ts';
import { draftStateWords, type KnownDraftState } from './draftStateText.ts';
import { DRAFT_LANGUAGE, DRAFT_SCHEME, draftIdOf } from './draftUri.ts';

/** Events come in swarms: a save, a copy, a folder. */
const SETTLE_MS = 150;

/** Where the open drafts are saved, followed and told: above the text (`DraftLenses`), in the status of the language, and when asked. */
export class DraftStates implements vscode.Disposable {
  readonly #context: ViewContext;
  readonly #files: DraftFileSystem;
  readonly #states = new Map<string, KnownDraftState>();
  readonly #changes = new vscode.EventEmitter<void>();
  readonly onDidChange = this.#changes.event;
  readonly #item = vscode.languages.createLanguageStatusItem('qumail.draft', { scheme: DRAFT_SCHEME, language: DRAFT_LANGUAGE });
  readonly #owned: vscode.Disposable[];
  #timer: NodeJS.Timeout | undefined;

  constructor(context: ViewContext, files: DraftFileSystem) {
    this.#context = context;
    this.#files = files;
    this.#item.name = vscode.l10n.t('Where the draft is saved');
    this.#owned = [
      this.#changes,
      this.#item,
      context.onEvent(({ kind }) => {
        if (kind === 'drafts' || kind === 'draft-copies' || kind === 'accounts' || kind === 'outbox') this.#soon();
      }),
      files.onDidSave(() => this.#soon()),
      files.onDidReplace((uri) => void this.#tellOther(uri)),
      // What the server has is no longer what stands here.
      vscode.workspace.onDidChangeTextDocument(({ document }) =>
        this.stateOf(document)?.state === 'on-server' ? this.#soon() : undefined,
      ),
      vscode.workspace.onDidOpenTextDocument((document) => (isDraft(document) ? this.#soon() : undefined)),
      vscode.workspace.onDidCloseTextDocument((document) => this.#states.delete(document.uri.toString())),
      vscode.window.onDidChangeActiveTextEditor(() => this.#describe()),
      new vscode.Disposable(() => clearTimeout(this.#timer)),
    ];
    this.#soon();
  }

  /** As last heard; undefined before anything was. */
  stateOf(document: vscode.TextDocument): KnownDraftState | undefined {
    return this.#states.get(document.uri.toString());
  }

  /** Says where a draft is, with what can be done about it. */
  async tell(document: vscode.TextDocument): Promise<void> {
    await this.#look();
    const known = this.stateOf(document);
    if (!known) return;
    const { detail, failure } = draftStateWords(known, vscode.l10n);
    const draftId = draftIdOf(document.uri) ?? '';
    if (failure) {
      const { accountId } = await this.#context.api.loadDraft({ draftId });
      const retry = known.state === 'unsaved' ? { retry: () => document.save() } : {};
      return this.#context.showFailure(new QuMailError(failure.code, failure.details), { accountId, draftUri: document.uri, ...retry });
    }
    await offerVersions(detail, document.uri);
  }

  dispose(): void {
    for (const item of this.#owned) item.dispose();
  }

  async #tellOther(uri: vscode.Uri): Promise<void> {
    const said = vscode.l10n.t(
      'This draft was changed elsewhere while you were writing. What you write stays; the other text is the newest of its earlier texts.',
    );
    await offerVersions(said, uri);
  }

  #soon(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.#look();
    }, SETTLE_MS);
  }

  async #look(): Promise<void> {
    const documents = vscode.workspace.textDocuments.filter(isDraft);
    const found = await Promise.all(documents.map(async (document) => [document.uri.toString(), await this.#ask(document)] as const));
    const before = JSON.stringify([...this.#states]);
    for (const [uri, state] of found) {
      if (state) this.#states.set(uri, state);
      else this.#states.delete(uri);
    }
    if (JSON.stringify([...this.#states]) === before) return;
    this.#changes.fire();
    this.#describe();
  }

  async #ask(document: vscode.TextDocument): Promise<KnownDraftState | undefined> {
    const draftId = draftIdOf(document.uri) ?? '';
    const failure = this.#files.failureOf(draftId);
    if (failure) return { state: 'unsaved', failure };
    // A draft that is gone, or a vault that is locked, is told elsewhere.
    const known = await this.#context.api.getDraftState({ draftId }).catch(() => undefined);
    return known?.state === 'on-server' && document.isDirty ? { state: 'under-way' } : known;
  }

  #describe(): void {
    const document = vscode.window.activeTextEditor?.document;
    const known = document && this.stateOf(document);
    if (!document || !known) return;
    const { icon, text, detail, failure } = draftStateWords(known, vscode.l10n);
    const command: CommandId = 'qumail.showDraftState';
    this.#item.text = `$(${icon}) ${text}`;
    this.#item.detail = detail;
    this.#item.severity = failure ? vscode.LanguageStatusSeverity.Warning : vscode.LanguageStatusSeverity.Information;
    this.#item.command = { command, title: vscode.l10n.t('Show'), arguments: [document.uri] };
    this.#item.accessibilityInformation = { label: `${text}. ${detail}` };
  }
}

async function offerVersions(said: string, uri: vscode.Uri): Promise<void> {
  const versions = vscode.l10n.t('Earlier Texts');
  const pressed = await vscode.window.showInformationMessage(said, versions);
  if (pressed === versions) await vscode.commands.executeCommand('qumail.draftVersions' satisfies CommandId, uri);
}
