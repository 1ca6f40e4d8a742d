import * as vscode from 'vscode';
import { QuMailError, type MessageSummary } from '../../core/api.ts';
import type { ViewContext } from '../viewContext.ts';
import { readingState } from './readingState.ts';

/** Flags and folders change in swarms. */
const SETTLE_MS = 100;

/** Keeps the menus of the reader in step with the message on show: the context key `qumail.reading`. */
export class ReadingContext implements vscode.Disposable {
  readonly #context: ViewContext;
  readonly #disposables: vscode.Disposable[];
  #opened: MessageSummary | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(context: ViewContext) {
    this.#context = context;
    this.#disposables = [
      context.onEvent((event) => {
        if (event.kind === 'actions' || (event.kind === 'messages' && event.accountId === this.#opened?.accountId)) this.#soon();
      }),
      new vscode.Disposable(() => clearTimeout(this.#timer)),
    ];
  }

  /** Another message is on show, or none. */
  show(opened: MessageSummary | undefined): void {
    this.#opened = opened;
    if (opened) void this.#look();
    else this.#set('');
  }

  dispose(): void {
    for (const item of this.#disposables) item.dispose();
  }

  #soon(): void {
    if (!this.#opened) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.#look();
    }, SETTLE_MS);
  }

  async #look(): Promise<void> {
    const opened = this.#opened;
    if (!opened) return;
    try {
      const state = await readingState(this.#context.api, opened);
      if (opened === this.#opened) this.#set(state);
    } catch (error) {
      this.#context.log.debug(`state of the message not known: ${QuMailError.from(error).code}`);
    }
  }

  #set(state: string): void {
    void vscode.commands.executeCommand('setContext', 'qumail.reading', state);
  }
}
