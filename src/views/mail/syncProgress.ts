import * as vscode from 'vscode';
import { QuMailError } from '../../core/api.ts';
import type { ViewContext } from '../viewContext.ts';
import { FillProgress, type Progress } from './fillProgress.ts';

/** How far the offline copies are filled: a bar over the Mail view, a number beside the account, and the way to stop it. */
export class SyncProgress implements vscode.Disposable {
  readonly #context: ViewContext;
  readonly #fills = new FillProgress();
  readonly #changes = new vscode.EventEmitter<string>();
  /** The progress of an account, by its id. */
  readonly onDidChange = this.#changes.event;
  readonly #disposables: vscode.Disposable[];
  #bar: (() => void) | undefined;

  constructor(context: ViewContext) {
    this.#context = context;
    this.#disposables = [
      this.#changes,
      context.onEvent((event) => {
        if (event.kind === 'accounts') return this.#dropGone();
        const drawn = this.#fills.heard(event, Date.now());
        if (drawn !== undefined) this.#draw(drawn);
      }),
      context.onDidChangeWorld(() => this.#clear()),
    ];
  }

  of(accountId: string): Progress | undefined {
    return this.#fills.of(accountId);
  }

  /** Stops filling, in whichever window it is under way; what is there stays, new mail still comes. */
  async cancel(accountId: string | undefined): Promise<void> {
    const ids = accountId === undefined ? await this.#filled() : [accountId];
    await Promise.all(ids.map((id) => this.#context.api.cancelSync({ accountId: id })));
    for (const id of ids) if (this.#fills.over(id)) this.#draw(id);
    vscode.window.setStatusBarMessage(
      ids.length > 0
        ? `$(debug-stop) ${vscode.l10n.t('Stopped. "Fetch Mail" goes on with it; new mail still comes.')}`
        : vscode.l10n.t('No mail is being taken in.'),
      6000,
    );
  }

  dispose(): void {
    this.#clear();
    for (const disposable of this.#disposables) disposable.dispose();
  }

  /** Accounts whose copy is filled, by this window or another. */
  async #filled(): Promise<readonly string[]> {
    const states = await Promise.all(this.#context.accounts.map(({ id }) => this.#context.api.getSyncState({ accountId: id })));
    return states.filter(({ filling }) => filling === 'going-on').map(({ accountId }) => accountId);
  }

  #draw(accountId: string): void {
    if (this.#fills.accountIds.length > 0) this.#showBar();
    else this.#hideBar();
    this.#changes.fire(accountId);
  }

  #dropGone(): void {
    for (const id of this.#fills.accountIds)
      if (!this.#context.accounts.some((account) => account.id === id) && this.#fills.over(id)) this.#draw(id);
  }

  #showBar(): void {
    if (this.#bar) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#bar = resolve;
    void vscode.window
      .withProgress({ location: { viewId: 'qumail.mail' } }, () => promise)
      .then(undefined, (error: unknown) => {
        this.#context.log.debug(`no progress bar: ${QuMailError.from(error).code}`);
      });
  }

  #hideBar(): void {
    this.#bar?.();
    this.#bar = undefined;
  }

  #clear(): void {
    this.#fills.clear();
    this.#hideBar();
  }
}
