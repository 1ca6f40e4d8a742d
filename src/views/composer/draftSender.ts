import * as vscode from 'vscode';
import { QuMailError } from '../../core/api.ts';
import type { DraftCheck, DraftProblem, QuMailEvent, SendResult } from '../../core/api.ts';
import { levelLabel } from '../labels.ts';
import { sentenceOf } from '../present.ts';
import type { FailureContext, ViewContext } from '../viewContext.ts';
import type { DraftChecker } from './draftChecker.ts';
import { rangeOf } from './draftChecker.ts';
import type { DraftFileSystem } from './draftFileSystem.ts';
import { closeTabs } from './draftTabs.ts';
import { draftIdOf } from './draftUri.ts';
import { headerLines } from './draftLines.ts';
import { saveDraft } from './saveDraft.ts';
import type { UndoSend } from './undoSend.ts';

type SendStep = Extract<QuMailEvent, { kind: 'send-progress' }>['step'];

/** Sends drafts: saves, checks, shows progress, closes the editor once the server has the message, and only then. */
export class DraftSender {
  readonly #context: ViewContext;
  readonly #files: DraftFileSystem;
  readonly #checker: DraftChecker;
  readonly #undo: UndoSend;
  readonly #sending = new Set<string>();

  constructor(context: ViewContext, files: DraftFileSystem, checker: DraftChecker, undo: UndoSend) {
    this.#context = context;
    this.#undo = undo;
    this.#files = files;
    this.#checker = checker;
  }

  /**
   * Sends the draft as it stands, or has it sent at `sendAt` (milliseconds since the epoch). Whatever goes wrong, the draft and its level
   * stay as they are. Never rejects.
   */
  async send(document: vscode.TextDocument, accountId: string | undefined, sendAt?: number): Promise<void> {
    const draftId = draftIdOf(document.uri);
    if (draftId === undefined || this.#sending.has(draftId)) return;
    const about: FailureContext = {
      draftUri: document.uri,
      ...(accountId === undefined ? {} : { accountId }),
      retry: () => this.send(document, accountId, sendAt),
    };
    this.#sending.add(draftId);
    try {
      if (!(await saveDraft(document, () => this.#files.failureOf(draftId) !== undefined))) {
        return void vscode.window.showWarningMessage(vscode.l10n.t('Not sent: the draft could not be saved. Press Send again.'));
      }
      const check = await this.#checker.check(document);
      const problem = check.problems.find(({ severity }) => severity === 'error');
      if (problem) return void this.#refuse(document, problem, check);
      const result = await this.#hand(document, draftId, about, sendAt);
      if (result?.state === 'sent') await this.#sent(document, result, about);
      else if (result) await this.#undo.offer(result, { subject: subjectOf(document.getText()), uri: document.uri });
    } catch (error) {
      await this.#context.showFailure(error, about);
    } finally {
      this.#sending.delete(draftId);
    }
  }

  /** Hands the text over under a lock, so that nothing is typed that would not be sent. Undefined after a failure, which is shown. */
  async #hand(
    document: vscode.TextDocument,
    draftId: string,
    about: FailureContext,
    sendAt: number | undefined,
  ): Promise<SendResult | undefined> {
    const text = document.getText();
    const lock = this.#files.lock(document.uri);
    const result = await this.#context.run(
      sendAt === undefined ? vscode.l10n.t('Sending "{0}"', subjectOf(text)) : vscode.l10n.t('Sealing "{0}"', subjectOf(text)),
      async (signal, report) => {
        const listening = this.#context.onEvent((event) => {
          if (event.kind === 'send-progress' && event.draftId === draftId) report(stepText(event.step));
        });
        try {
          return await this.#context.api.sendDraft({ draftId, text, ...(sendAt === undefined ? {} : { sendAt }) }, { signal });
        } finally {
          listening.dispose();
        }
      },
      { place: 'notification', failure: about },
    );
    // What is held for a moment stays on show until it has left; typing into it takes it back.
    if (result && result.state !== 'held' && document.getText() === text) await closeTabs(document.uri);
    lock.dispose();
    return result;
  }

  async #sent(document: vscode.TextDocument, result: SendResult, about: FailureContext): Promise<void> {
    vscode.window.setStatusBarMessage(`$(check) ${vscode.l10n.t('Sent · {0}', levelLabel(result.level, vscode.l10n))}`, 5000);
    if (result.warning)
      await this.#context.showFailure(new QuMailError(result.warning.code, result.warning.details), {
        ...(about.accountId === undefined ? {} : { accountId: about.accountId }),
      });
    if (!document.isClosed && document.isDirty) {
      void vscode.window.showWarningMessage(vscode.l10n.t('The message was sent. What was typed after that is only in this editor.'));
    }
  }

  /** Says what keeps the message from being sent, and shows where. */
  async #refuse(document: vscode.TextDocument, problem: DraftProblem, check: DraftCheck): Promise<void> {
    const range = rangeOf(document, problem);
    const editor = await vscode.window.showTextDocument(document, { preview: false });
    editor.selection = new vscode.Selection(range.start, range.end);
    editor.revealRange(range, vscode.TextEditorRevealType.InCenterIfOutsideViewport);
    const more = check.problems.filter(({ severity }) => severity === 'error').length - 1;
    const sentence = sentenceOf(problem, vscode.l10n);
    const level = vscode.l10n.t('Choose Security Level');
    const offersLevel = problem.code.startsWith('seal.') || problem.code === 'draft.bad-level';
    const words = more > 0 ? vscode.l10n.t('Not sent: {0} ({1} more)', sentence, more) : vscode.l10n.t('Not sent: {0}', sentence);
    const pressed = await vscode.window.showErrorMessage(words, ...(offersLevel ? [level] : []));
    if (pressed === level) await vscode.commands.executeCommand('qumail.chooseSecurityLevel', document.uri);
  }
}

function subjectOf(text: string): string {
  const subject = headerLines(text.split(/\r?\n/)).find(({ name }) => name === 'Subject')?.value;
  return subject ? subject.slice(0, 60) : vscode.l10n.t('(no subject)');
}

function stepText(step: SendStep): string {
  const texts: Record<SendStep, string> = {
    keys: vscode.l10n.t('getting quantum keys'),
    sealing: vscode.l10n.t('sealing'),
    sending: vscode.l10n.t('handing over to the mail server'),
    filing: vscode.l10n.t('filing a copy in Sent'),
  };
  return texts[step];
}
