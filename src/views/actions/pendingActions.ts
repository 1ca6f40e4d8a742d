import * as vscode from 'vscode';
import { QuMailError, type PendingAction } from '../../core/api.ts';
import type { ViewContext } from '../viewContext.ts';
import type { RecentActions } from './recentActions.ts';

/** Swarms of actions are told to the server one by one. */
const SETTLE_MS = 250;

/** What the servers have not heard of yet or refused, as last listed. */
export class PendingActions implements vscode.Disposable {
  readonly #context: ViewContext;
  readonly #recent: RecentActions;
  readonly #changes = new vscode.EventEmitter<void>();
  readonly onDidChange = this.#changes.event;
  readonly #waiting = new vscode.EventEmitter<void>();
  /** Other messages than before wait for a server. */
  readonly onDidChangeWaiting = this.#waiting.event;
  readonly #disposables: vscode.Disposable[];
  #actions: readonly PendingAction[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(context: ViewContext, recent: RecentActions) {
    this.#context = context;
    this.#recent = recent;
    this.#disposables = [
      this.#changes,
      this.#waiting,
      context.onEvent(({ kind }) => {
        if (kind === 'actions' || kind === 'accounts') this.#timer ??= setTimeout(() => void this.refresh(), SETTLE_MS);
      }),
      context.onDidChangeWorld(() => {
        recent.clear();
        this.#show([]);
      }),
      new vscode.Disposable(() => clearTimeout(this.#timer)),
    ];
  }

  get actions(): readonly PendingAction[] {
    return this.#actions;
  }

  /** Lists anew. Never rejects: what cannot be listed stays as it was. */
  async refresh(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const { world } = this.#context;
    try {
      const actions = await this.#context.api.listPendingActions();
      if (world === this.#context.world) this.#show(actions);
    } catch (error) {
      this.#context.log.debug(`actions not listed: ${QuMailError.from(error).code}`);
    }
  }

  dispose(): void {
    for (const disposable of this.#disposables) disposable.dispose();
  }

  #show(actions: readonly PendingAction[]): void {
    const before = JSON.stringify(this.#actions);
    this.#actions = actions;
    const open = actions.filter(({ state }) => state === 'waiting' || state === 'running').map(({ id }) => id);
    if (this.#recent.noteWaiting(open)) this.#waiting.fire();
    if (JSON.stringify(actions) !== before) this.#changes.fire();
  }
}
