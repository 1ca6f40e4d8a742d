import * as vscode from 'vscode';
import type { SendResult } from '../../core/api.ts';
import { dateAndTime } from '../outbox/outboxText.ts';
import type { ViewContext } from '../viewContext.ts';
import { withoutIcons } from '../withoutIcons.ts';

/** What is held back, as far as the offer to undo names it. */
interface Held {
  readonly subject: string;
  readonly uri: vscode.Uri;
}

interface Counting {
  readonly outboxId: number;
  readonly subject: string;
  readonly until: number;
}

/** While a message is held for its undo delay, a status item counts down and takes it back when it is pressed. */
export class UndoSend implements vscode.Disposable {
  readonly #context: ViewContext;
  readonly #item = vscode.window.createStatusBarItem('qumail.undoSend', vscode.StatusBarAlignment.Left, 1);
  readonly #disposables: vscode.Disposable[];
  #counting: readonly Counting[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(context: ViewContext) {
    this.#context = context;
    this.#item.name = vscode.l10n.t('QuMail: Undo Send');
    this.#disposables = [
      this.#item,
      context.onEvent((event) => {
        if (event.kind === 'outbox') void this.#forgetGone();
        if (event.kind === 'sent')
          vscode.window.setStatusBarMessage(`$(check) ${vscode.l10n.t('Sent · {0}', withoutIcons(event.subject))}`, 5000);
      }),
      context.onDidChangeWorld(() => this.#show([])),
    ];
  }

  /** Tells that nothing has left yet, and how to take it back. */
  async offer({ state, outboxId, notBefore }: SendResult, { subject, uri }: Held): Promise<void> {
    if (outboxId === undefined || notBefore === undefined) return;
    if (state === 'held') return this.#show([...this.#counting, { outboxId, subject, until: notBefore }]);
    const undo = vscode.l10n.t('Undo');
    const when = dateAndTime(notBefore, vscode.env.language);
    // Not waited for: the toast may stay for as long as it likes.
    void vscode.window.showInformationMessage(vscode.l10n.t('"{0}" is scheduled for {1}.', subject, when), undo).then((pressed) => {
      if (pressed === undo) void vscode.commands.executeCommand('qumail.undoSend', outboxId, uri);
    });
  }

  dispose(): void {
    clearInterval(this.#timer);
    for (const disposable of this.#disposables) disposable.dispose();
  }

  /** Taken back elsewhere, by typing into the draft, or gone already. */
  async #forgetGone(): Promise<void> {
    if (this.#counting.length === 0) return;
    const entries = await this.#context.api.listOutbox().catch(() => undefined);
    if (entries) this.#show(this.#counting.filter(({ outboxId }) => entries.some(({ id, state }) => id === outboxId && state === 'held')));
  }

  #show(counting: readonly Counting[]): void {
    const now = Date.now();
    this.#counting = counting.filter(({ until }) => until > now);
    const last = this.#counting.at(-1);
    if (!last) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      this.#item.hide();
      return;
    }
    const seconds = Math.ceil((last.until - now) / 1000);
    this.#item.text = `$(discard) ${vscode.l10n.t('Undo send ({0} s)', seconds)}`;
    this.#item.tooltip = vscode.l10n.t('"{0}" has not left yet. Press to take it back.', last.subject);
    this.#item.accessibilityInformation = { label: vscode.l10n.t('Undo sending "{0}"', last.subject), role: 'button' };
    this.#item.backgroundColor = new vscode.ThemeColor('statusBarItem.warningBackground');
    this.#item.command = { command: 'qumail.undoSend', title: vscode.l10n.t('Undo Send'), arguments: [last.outboxId] };
    this.#item.show();
    this.#timer ??= setInterval(() => this.#show(this.#counting), 1000);
  }
}
