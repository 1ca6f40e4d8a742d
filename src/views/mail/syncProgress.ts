import * as vscode from 'vscode';
import { QuMailError } from '../../core/api.ts';
import type { ViewContext } from '../viewContext.ts';

export interface Progress {
  readonly done: number;
  readonly total: number;
}

/** How often rows are drawn anew for a number that grows. */
const DRAW_MS = 500;
/** Less than this many messages are there before anybody has read the number. */
const WORTH_SHOWING = 50;

/** How far the offline copies are filled: a bar over the Mail view, a number beside the account, and the way to stop it. */
export class SyncProgress implements vscode.Disposable {
  readonly #context: ViewContext;
  readonly #running = new Map<string, Progress>();
  readonly #changes = new vscode.EventEmitter<string>();
  /** The progress of an account, by its id. */
  readonly onDidChange = this.#changes.event;
  readonly #disposables: vscode.Disposable[];
  readonly #drawn = new Map<string, number>();
  #bar: (() => void) | undefined;

  constructor(context: ViewContext) {
    this.#context = context;
    this.#disposables = [
      this.#changes,
      context.onEvent((event) => {
        if (event.kind === 'sync-progress') this.#onProgress(event.accountId, event);
        else if (event.kind === 'accounts') this.#dropGone();
      }),
      context.onDidChangeWorld(() => this.#clear()),
    ];
  }

  of(accountId: string): Progress | undefined {
    return this.#running.get(accountId);
  }

  /** Stops filling; what is there stays, new mail still comes. */
  async cancel(accountId: string | undefined): Promise<void> {
    const ids = accountId === undefined ? [...this.#running.keys()] : [accountId];
    await Promise.all(ids.map((id) => this.#context.api.cancelSync({ accountId: id })));
    for (const id of ids) this.#over(id);
    if (ids.length > 0)
      vscode.window.setStatusBarMessage(
        `$(debug-stop) ${vscode.l10n.t('Stopped. "Fetch Mail" goes on with it; new mail still comes.')}`,
        6000,
      );
  }

  dispose(): void {
    this.#clear();
    for (const disposable of this.#disposables) disposable.dispose();
  }

  #onProgress(accountId: string, { done, total }: Progress): void {
    if (done >= total) return this.#over(accountId);
    if (total < WORTH_SHOWING) return;
    this.#running.set(accountId, { done, total });
    this.#showBar();
    const now = Date.now();
    if (now - (this.#drawn.get(accountId) ?? 0) < DRAW_MS) return;
    this.#drawn.set(accountId, now);
    this.#changes.fire(accountId);
  }

  #over(accountId: string): void {
    this.#drawn.delete(accountId);
    if (!this.#running.delete(accountId)) return;
    if (this.#running.size === 0) this.#hideBar();
    this.#changes.fire(accountId);
  }

  #dropGone(): void {
    for (const id of [...this.#running.keys()]) if (!this.#context.accounts.some((account) => account.id === id)) this.#over(id);
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
    this.#running.clear();
    this.#drawn.clear();
    this.#hideBar();
  }
}
