import * as vscode from 'vscode';
import type { ViewContext } from './viewContext.ts';

/** At most one toast per batch of new mail, and only for those who asked for it in the settings. */
export class Notifier implements vscode.Disposable {
  readonly #subscription: vscode.Disposable;
  readonly #busy = new Set<string>();
  #last: number | undefined;

  /** @param unread unread messages in all inboxes, kept up to date by the Mail view, which says when its folders were listed anew */
  constructor(context: ViewContext, isWanted: () => boolean, unread: () => number, onDidListFolders: vscode.Event<unknown>) {
    const tell = (): void => {
      // Quiet while an account is still at work: the batch is told when it is over.
      if (this.#busy.size === 0) this.#tell(isWanted(), unread());
    };
    this.#subscription = vscode.Disposable.from(
      context.onDidChangeWorld(() => {
        this.#busy.clear();
        this.#last = undefined;
      }),
      context.onEvent((event) => {
        if (event.kind !== 'activity') return;
        this.#busy[event.busy ? 'add' : 'delete'](event.accountId);
        tell();
      }),
      onDidListFolders(tell),
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
