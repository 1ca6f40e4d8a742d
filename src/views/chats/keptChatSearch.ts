import * as vscode from 'vscode';
import { QuMailError } from '../../core/api.ts';
import type { ViewContext } from '../viewContext.ts';
import { chatHit, type ChatHit } from './chatHits.ts';

const MAX_HITS = 100;
/** What was found may be edited, taken back or disappear; it is looked for again after so long, for that reads every line there is. */
const AGAIN_MS = 2000;

/** Lines of all chats that contain every word, the newest first. */
export async function findLines({ api }: Pick<ViewContext, 'api'>, text: string): Promise<readonly ChatHit[]> {
  const [chats, found] = await Promise.all([api.listChats({}), api.searchChats({ text, limit: MAX_HITS })]);
  const chatNames = new Map(chats.map(({ id, name }) => [id, name]));
  const facts = { chatNames, now: Date.now(), language: vscode.env.language, l10n: vscode.l10n };
  return found.map((message) => chatHit(message, text, facts));
}

/** The search whose results stand in the Chats view until they are closed. In memory alone: what was searched for tells as much as what was said. */
export class KeptChatSearch implements vscode.Disposable {
  readonly #context: ViewContext;
  readonly #changes = new vscode.EventEmitter<void>();
  readonly onDidChange = this.#changes.event;
  readonly #subscriptions: vscode.Disposable;
  #kept: { readonly text: string; readonly hits: readonly ChatHit[] } | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(context: ViewContext) {
    this.#context = context;
    this.#subscriptions = vscode.Disposable.from(
      this.#changes,
      context.onDidChangeWorld(() => this.close()),
      context.onEvent(({ kind }) => {
        if (kind !== 'chat-messages' || !this.#kept) return;
        this.#timer ??= setTimeout(() => {
          this.#timer = undefined;
          if (this.#kept) void this.keep(this.#kept.text);
        }, AGAIN_MS);
      }),
    );
  }

  get results(): { readonly text: string; readonly hits: readonly ChatHit[] } | undefined {
    return this.#kept;
  }

  /** Looks for these words and keeps what is found. A failure is shown, and what was kept goes. */
  async keep(text: string): Promise<void> {
    const { world } = this.#context;
    try {
      const hits = await findLines(this.#context, text);
      if (world === this.#context.world) this.#set({ text, hits });
    } catch (error) {
      this.close();
      if (!QuMailError.is(error, 'engine.cancelled')) await this.#context.showFailure(error);
    }
  }

  close(): void {
    if (this.#kept) this.#set(undefined);
  }

  dispose(): void {
    clearTimeout(this.#timer);
    this.#subscriptions.dispose();
  }

  #set(kept: { readonly text: string; readonly hits: readonly ChatHit[] } | undefined): void {
    this.#kept = kept;
    this.#changes.fire();
  }
}
