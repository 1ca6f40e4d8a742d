import * as vscode from 'vscode';
import { QuMailError, type OutboxEntry } from '../../core/api.ts';
import type { ViewContext } from '../viewContext.ts';

/** Between two looks at the clock while something is held for its undo delay. */
const TICK_MS = 1000;

/** What waits to be sent, as last listed; listed anew whenever the engine says that it changed. */
export class Outbox implements vscode.Disposable {
  readonly #context: ViewContext;
  readonly #changes = new vscode.EventEmitter<void>();
  /** Other entries, or another second of an undo delay. */
  readonly onDidChange = this.#changes.event;
  readonly #disposables: vscode.Disposable[];
  #entries: readonly OutboxEntry[] = [];
  #ticking: NodeJS.Timeout | undefined;

  constructor(context: ViewContext) {
    this.#context = context;
    this.#disposables = [
      this.#changes,
      context.onEvent((event) => {
        if (event.kind === 'outbox' || event.kind === 'accounts') void this.refresh();
      }),
      context.onDidChangeWorld(() => {
        this.#show([]);
        if (context.hasAccounts) void this.refresh();
      }),
    ];
  }

  get entries(): readonly OutboxEntry[] {
    return this.#entries;
  }

  entry(id: number): OutboxEntry | undefined {
    return this.#entries.find((entry) => entry.id === id);
  }

  /** Lists anew. Never rejects: what cannot be listed stays as it was. */
  async refresh(): Promise<void> {
    const { world } = this.#context;
    try {
      const entries = await this.#context.api.listOutbox();
      if (world === this.#context.world) this.#show(entries);
    } catch (error) {
      this.#context.log.debug(`outbox not listed: ${QuMailError.from(error).code}`);
    }
  }

  dispose(): void {
    clearInterval(this.#ticking);
    for (const disposable of this.#disposables) disposable.dispose();
  }

  #show(entries: readonly OutboxEntry[]): void {
    this.#entries = entries;
    const counts = entries.some(({ state }) => state === 'held');
    if (!counts) {
      clearInterval(this.#ticking);
      this.#ticking = undefined;
    } else this.#ticking ??= setInterval(() => this.#changes.fire(), TICK_MS);
    this.#changes.fire();
  }
}
