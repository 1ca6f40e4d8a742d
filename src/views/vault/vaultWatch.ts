import * as vscode from 'vscode';
import type { ViewContext } from '../viewContext.ts';

/** Keeps the context keys `qumail.locked` and `qumail.passphrase`, which decide between the views and the locked one. */
export class VaultWatch implements vscode.Disposable {
  readonly #context: ViewContext;
  readonly #subscription: vscode.Disposable;
  readonly #locks = new vscode.EventEmitter<void>();
  /** The engine wants a passphrase: what was opened before must not stay on show. */
  readonly onDidLock = this.#locks.event;
  #locked = false;

  constructor(context: ViewContext) {
    this.#context = context;
    this.#subscription = vscode.Disposable.from(
      context.onEvent(({ kind }) => {
        if (kind === 'vault' || kind === 'accounts') void this.refresh();
      }),
      context.onDidChangeWorld(() => void this.refresh()),
    );
  }

  /** Asks the engine. Starts nothing for those who have no account. */
  async refresh(): Promise<void> {
    if (!this.#context.hasAccounts) return;
    try {
      const { locked, passphrase } = await this.#context.api.getVaultState();
      const was = this.#locked;
      this.#locked = locked;
      await vscode.commands.executeCommand('setContext', 'qumail.locked', locked);
      await vscode.commands.executeCommand('setContext', 'qumail.passphrase', passphrase === 'set' && !locked);
      if (!was && locked) this.#locks.fire();
      if (was && !locked) await this.#context.reloadAccounts();
    } catch {
      this.#context.log.debug('vault state not known');
    }
  }

  dispose(): void {
    this.#subscription.dispose();
    this.#locks.dispose();
  }
}
