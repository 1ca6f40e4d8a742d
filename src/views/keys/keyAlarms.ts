import * as vscode from 'vscode';
import type { ViewContext } from '../viewContext.ts';

/**
 * What must not pass unseen: keys that run low (said once by the engine until they have risen again; quiet, without a sound) and a key
 * manager that gives keys away.
 */
export class KeyAlarms implements vscode.Disposable {
  readonly #context: ViewContext;
  readonly #subscription: vscode.Disposable;

  constructor(context: ViewContext) {
    this.#context = context;
    this.#subscription = context.onEvent((event) => {
      if (event.kind === 'key-budget') this.#low(event.accountId, event.address);
      if (event.kind === 'key-alarm') this.#betrayed(event.accountId);
    });
  }

  dispose(): void {
    this.#subscription.dispose();
  }

  #low(accountId: string, address: string): void {
    const status = vscode.l10n.t('Key Manager Status');
    const pad = vscode.l10n.t('Make Pad');
    void vscode.window.showWarningMessage(vscode.l10n.t('Keys shared with {0} are running low.', address), status, pad).then((pressed) => {
      if (pressed === status) void vscode.commands.executeCommand('qumail.keyManagerStatus', accountId);
      if (pressed === pad) void vscode.commands.executeCommand('qumail.createPad', { accountId, address });
    });
  }

  #betrayed(accountId: string): void {
    const test = vscode.l10n.t('Test Key Manager');
    const words = vscode.l10n.t(
      'A key manager names keys in a way that gives them away. QuMail used none of them. Stop sealing with it and tell its operator.',
    );
    this.#context.log.error('key manager gives keys away');
    void vscode.window.showErrorMessage(words, test).then((pressed) => {
      if (pressed === test) void vscode.commands.executeCommand('qumail.testKeyManager', accountId);
    });
  }
}
