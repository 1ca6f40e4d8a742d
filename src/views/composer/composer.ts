import * as vscode from 'vscode';
import type { Draft, DraftSource } from '../../core/api.ts';
import { pickOne } from '../box.ts';
import type { ViewContext } from '../viewContext.ts';
import { withoutIcons } from '../withoutIcons.ts';
import { pickLevel } from './chooseLevel.ts';
import { DraftCompletion, TRIGGERS } from './completion.ts';
import { DraftActions } from './draftActions.ts';
import { DraftChecker, isDraft } from './draftChecker.ts';
import { applyLineEdit } from './draftEdits.ts';
import { DraftFileSystem } from './draftFileSystem.ts';
import { DraftLenses } from './draftLenses.ts';
import { addAttachments, setHeader, startPosition } from './draftLines.ts';
import type { LineEdit } from './draftLines.ts';
import { DraftSaver } from './draftSaver.ts';
import { DraftSender } from './draftSender.ts';
import { DraftStates } from './draftStates.ts';
import { closeTabs, draftOfTab, draftTabs, shownAt } from './draftTabs.ts';
import { DRAFT_LANGUAGE, DRAFT_SCHEME, draftIdOf } from './draftUri.ts';
import { levelValue } from './levels.ts';
import { pickSendTime } from './pickSendTime.ts';
import { UndoSend } from './undoSend.ts';

/**
 * Writing mail in a text document: header lines, an empty line, Markdown. Registers everything a draft needs in VS Code
 * and owns it. Drafts themselves live in the engine; closing a tab keeps them.
 */
export class Composer implements vscode.Disposable {
  readonly #context: ViewContext;
  readonly #files: DraftFileSystem;
  readonly #checker: DraftChecker;
  readonly #sender: DraftSender;
  readonly #states: DraftStates;
  readonly #owned: vscode.Disposable[];
  readonly #accounts = new Map<string, string>();
  /** Text of drafts as they were created in this window: one closed without a change is not worth keeping. */
  readonly #fresh = new Map<string, string>();

  constructor(context: ViewContext) {
    this.#context = context;
    this.#files = new DraftFileSystem(context);
    this.#checker = new DraftChecker(context);
    const undo = new UndoSend(context);
    this.#sender = new DraftSender(context, this.#files, this.#checker, undo);
    const selector: vscode.DocumentSelector = { scheme: DRAFT_SCHEME, language: DRAFT_LANGUAGE };
    const accountOf = (uri: vscode.Uri): Promise<string | undefined> => this.#accountOf(uri);
    this.#states = new DraftStates(context, this.#files);
    const lenses = new DraftLenses(this.#checker, this.#states);
    const completion = new DraftCompletion(context, accountOf, (document) => this.#checker.resultOf(document));
    this.#owned = [
      this.#files,
      this.#checker,
      this.#states,
      new DraftSaver(this.#files),
      undo,
      vscode.languages.registerCompletionItemProvider(selector, completion, ...TRIGGERS),
      vscode.languages.registerCodeLensProvider(selector, lenses),
      vscode.languages.registerHoverProvider(selector, lenses),
      vscode.languages.registerCodeActionsProvider(selector, new DraftActions(this.#checker, accountOf), {
        providedCodeActionKinds: [vscode.CodeActionKind.QuickFix],
      }),
      vscode.window.tabGroups.onDidChangeTabs(({ closed }) => void this.#sweep(closed)),
      // What was held or scheduled left by itself: the tab of its draft has nothing to show any more.
      context.onEvent((event) => {
        if (event.kind === 'sent' && event.draftId !== undefined) void closeTabs(event.draftId);
      }),
      // Drafts on show belong to the other world. They are kept there.
      context.onDidChangeWorld(() => void closeTabs()),
    ];
  }

  /** Starts a draft and opens it, the cursor where writing goes on. Never rejects: a failure is shown. */
  async open(accountId: string, source: DraftSource): Promise<void> {
    await this.#show(async () => {
      const draft = await this.#context.api.createDraft({ accountId, source });
      this.#fresh.set(draft.id, draft.text);
      return draft;
    });
  }

  /** Opens a kept draft, after asking which where none is named. */
  async openDraft(draftId?: string): Promise<void> {
    await this.#show(() => (draftId === undefined ? this.#pickDraft() : this.#context.api.loadDraft({ draftId })));
  }

  /** Sends the draft named, else the one in the active editor. */
  async send(uri?: vscode.Uri): Promise<void> {
    const document = await this.#documentOf(uri);
    if (document) await this.#send(document);
  }

  /** Asks for a time, and has the draft named (else the one in the active editor) sealed now and sent then. */
  async sendLater(uri?: vscode.Uri): Promise<void> {
    const document = await this.#documentOf(uri);
    const sendAt = document && (await pickSendTime());
    if (document && sendAt !== undefined) await this.#send(document, sendAt);
  }

  /** Asks for a level and writes it into the Security line. */
  async chooseLevel(uri?: vscode.Uri): Promise<void> {
    const document = await this.#documentOf(uri);
    if (!document) return;
    try {
      const level = await pickLevel(await this.#checker.check(document));
      if (level) await edit(document, setHeader(linesOf(document), 'Security', levelValue(level)));
    } catch (error) {
      await this.#context.showFailure(error, { draftUri: document.uri });
    }
  }

  /** Says where the draft named, else the one in the active editor, is saved. */
  async tellState(uri?: vscode.Uri): Promise<void> {
    const document = await this.#documentOf(uri);
    if (document) await this.#states.tell(document);
  }

  /** Asks for files and adds an Attach line for each. */
  async attach(uri?: vscode.Uri): Promise<void> {
    const document = await this.#documentOf(uri);
    if (!document) return;
    const picked = await vscode.window.showOpenDialog({ canSelectMany: true, openLabel: vscode.l10n.t('Attach') });
    const paths = (picked ?? []).filter(({ scheme }) => scheme === 'file').map(({ fsPath }) => fsPath);
    if (picked && picked.length > paths.length)
      void vscode.window.showInformationMessage(vscode.l10n.t('Only files on this machine can be attached.'));
    if (paths.length > 0) await edit(document, addAttachments(linesOf(document), paths));
  }

  dispose(): void {
    for (const item of this.#owned) item.dispose();
  }

  async #show(make: () => Promise<Draft | undefined>): Promise<void> {
    try {
      const draft = await make();
      if (!draft) return;
      this.#accounts.set(draft.id, draft.accountId);
      const opened = await vscode.workspace.openTextDocument(shownAt(draft.id) ?? DraftFileSystem.uriOf(draft));
      const document =
        opened.languageId === DRAFT_LANGUAGE ? opened : await vscode.languages.setTextDocumentLanguage(opened, DRAFT_LANGUAGE);
      const { line, column } = startPosition(linesOf(document));
      const cursor = new vscode.Position(line, column);
      await vscode.window.showTextDocument(document, { preview: false, selection: new vscode.Range(cursor, cursor) });
    } catch (error) {
      await this.#context.showFailure(error);
    }
  }

  async #send(document: vscode.TextDocument, sendAt?: number): Promise<void> {
    // Handed over unchanged, a new draft is worth keeping after all: the outbox hangs on it.
    this.#fresh.delete(draftIdOf(document.uri) ?? '');
    await this.#sender.send(document, await this.#accountOf(document.uri), sendAt);
  }

  async #pickDraft(): Promise<Draft | undefined> {
    const { api } = this.#context;
    const [drafts, discarded] = await Promise.all([api.listDrafts(), api.listDiscardedDrafts()]);
    if (drafts.length + discarded.length === 0) {
      void vscode.window.showInformationMessage(vscode.l10n.t('There are no drafts.'));
      return undefined;
    }
    const newestFirst = drafts.toSorted((a, b) => b.updatedAt - a.updatedAt);
    const emails = new Map(this.#context.accounts.map(({ id, email }) => [id, email]));
    const item = (draft: Draft, icon: string, open: () => Promise<Draft>) => ({
      label: `$(${icon}) ${withoutIcons(draft.subject) || vscode.l10n.t('(no subject)')}`,
      description: emails.get(draft.accountId) ?? '',
      detail: new Date(draft.updatedAt).toLocaleString(vscode.env.language),
      open,
    });
    const elsewhere = {
      label: vscode.l10n.t('Sent or discarded on another computer'),
      kind: vscode.QuickPickItemKind.Separator,
      open: undefined,
    };
    const items = [
      ...newestFirst.map((draft) => item(draft, 'edit', async () => draft)),
      ...(discarded.length > 0 ? [elsewhere] : []),
      ...discarded.map((draft) => item(draft, 'discard', () => api.bringBackDraft({ draftId: draft.id }))),
    ];
    return (await pickOne(items, { placeHolder: vscode.l10n.t('Go on writing which draft?') }))?.open?.();
  }

  async #documentOf(uri: vscode.Uri | undefined): Promise<vscode.TextDocument | undefined> {
    const active = vscode.window.activeTextEditor?.document;
    const document = uri ? await vscode.workspace.openTextDocument(uri) : active;
    if (document && isDraft(document)) return document;
    void vscode.window.showInformationMessage(vscode.l10n.t('Open a draft first.'));
    return undefined;
  }

  async #accountOf(uri: vscode.Uri): Promise<string | undefined> {
    const draftId = draftIdOf(uri);
    if (draftId === undefined) return undefined;
    const known = this.#accounts.get(draftId);
    if (known !== undefined) return known;
    const draft = await this.#context.api.loadDraft({ draftId }).catch(() => undefined);
    if (draft) this.#accounts.set(draftId, draft.accountId);
    return draft?.accountId;
  }

  /** Deletes drafts that were closed as they were created; everything else is kept. */
  async #sweep(closed: readonly vscode.Tab[]): Promise<void> {
    for (const uri of closed.map(draftOfTab)) {
      const draftId = uri && draftIdOf(uri);
      if (!uri || draftId === undefined || draftTabs(uri).length > 0) continue;
      const created = this.#fresh.get(draftId);
      this.#fresh.delete(draftId);
      if (created === undefined) continue;
      // A draft that was sent or deleted meanwhile is gone already.
      const draft = await this.#context.api.loadDraft({ draftId }).catch(() => undefined);
      if (draft?.text === created)
        await this.#context.api
          .deleteDraft({ draftId })
          .catch((error: unknown) => this.#context.log.debug(`draft not deleted: ${String(error)}`));
    }
  }
}

function linesOf(document: vscode.TextDocument): string[] {
  return document.getText().split(/\r?\n/);
}

async function edit(document: vscode.TextDocument, change: LineEdit): Promise<void> {
  const workspaceEdit = new vscode.WorkspaceEdit();
  applyLineEdit(workspaceEdit, document, change);
  await vscode.workspace.applyEdit(workspaceEdit);
}
