import * as vscode from 'vscode';
import type { ViewContext } from './viewContext.ts';

/** At most one toast per batch of new mail, and only for those who asked for it in the settings. */
export class Notifier implements vscode.Disposable {
  readonly #subscription: vscode.Disposable;
  #last: number | undefined;

  /** @param unread unread messages in all inboxes, kept up to date by the Mail view */
  constructor(context: ViewContext, isWanted: () => boolean, unread: () => number) {
    this.#subscription = vscode.Disposable.from(
      context.onDidChangeWorld(() => {
        this.#last = undefined;
      }),
      context.onEvent((event) => {
        // Quiet while an account is still at work: the batch is told when it is over.
        if (event.kind === 'activity' && !event.busy) this.#tell(isWanted(), unread());
      }),
    );
  }

  dispose(): void {
    this.#subscription.dispose();
  }

  #tell(wanted: boolean, unread: number): void {
    const more = unread - (this.#last ?? unread);
    this.#last = unread;
    if (!wanted || more <= 0) return;
    const show = vscode.l10n.t('Show');
    void vscode.window
      .showInformationMessage(more === 1 ? vscode.l10n.t('1 new message') : vscode.l10n.t('{0} new messages', more), show)
      .then((pressed) => {
        if (pressed === show) void vscode.commands.executeCommand('qumail.messages.focus');
      });
  }
}
