import * as vscode from 'vscode';
import { QuMailError, type Draft } from '../../core/api.ts';
import type { ViewContext } from '../viewContext.ts';

/** Mail comes in swarms. */
const SETTLE_MS = 500;

/** Which rows of a Drafts folder are sealed copies of drafts that are here: they are shown as what they are, and opened for writing. */
export class DraftCopies implements vscode.Disposable {
  readonly #context: ViewContext;
  readonly #changes = new vscode.EventEmitter<void>();
  readonly onDidChange = this.#changes.event;
  readonly #owned: vscode.Disposable[];
  #drafts: ReadonlyMap<number, Draft> = new Map();
  #timer: NodeJS.Timeout | undefined;

  constructor(context: ViewContext) {
    this.#context = context;
    this.#owned = [
      this.#changes,
      context.onEvent(({ kind }) => {
        if (kind === 'draft-copies' || kind === 'drafts' || kind === 'accounts' || kind === 'messages') this.#soon();
      }),
      context.onDidChangeWorld(() => {
        this.#drafts = new Map();
        this.#soon();
      }),
      new vscode.Disposable(() => clearTimeout(this.#timer)),
    ];
  }

  /** The draft that a message is a copy of. */
  of(messageId: number): Draft | undefined {
    return this.#drafts.get(messageId);
  }

  dispose(): void {
    for (const item of this.#owned) item.dispose();
  }

  #soon(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#look().catch((error: unknown) => this.#context.log.debug(`draft copies not listed: ${QuMailError.from(error).code}`));
    }, SETTLE_MS);
  }

  async #look(): Promise<void> {
    const { api } = this.#context;
    const [drafts, copies] = await Promise.all([api.listDrafts(), api.listDraftCopies()]);
    const before = shown(this.#drafts);
    this.#drafts = new Map(
      copies.flatMap(({ messageId, draftId }) => {
        const draft = drafts.find(({ id }) => id === draftId);
        return draft ? [[messageId, draft]] : [];
      }),
    );
    if (shown(this.#drafts) !== before) this.#changes.fire();
  }
}

/** What of it can be seen in a list. */
function shown(drafts: ReadonlyMap<number, Draft>): string {
  return JSON.stringify([...drafts].map(([messageId, { id, subject }]) => [messageId, id, subject]));
}
