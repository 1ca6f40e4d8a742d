import * as vscode from 'vscode';
import { QuMailError } from '../../core/api.ts';
import type { ViewContext } from '../viewContext.ts';
import { type ExtraFacts, NO_EXTRAS } from './mailNodes.ts';

/** A draft changes with every pause in writing, unread counts with every arrival. */
const SETTLE_MS = 400;
const ALL = ['searches', 'snoozed', 'muted', 'drafts', 'unified'] as const;

/** Searches, snoozed and muted mail, drafts and the unified folders, as last listed. */
export class MailExtras implements vscode.Disposable {
  readonly #context: ViewContext;
  readonly #changes = new vscode.EventEmitter<'rows' | 'unified'>();
  /** `rows`: some may have come or gone. `unified`: counts alone, over all accounts. */
  readonly onDidChange = this.#changes.event;
  readonly #mutes = new vscode.EventEmitter<void>();
  /** Other conversations than before are muted. */
  readonly onDidChangeMuted = this.#mutes.event;
  readonly #disposables: vscode.Disposable[];
  readonly #due = new Set<keyof ExtraFacts>();
  #facts = NO_EXTRAS;
  #muted: ReadonlySet<number> = new Set();
  #timer: NodeJS.Timeout | undefined;
  #loaded = false;

  constructor(context: ViewContext) {
    this.#context = context;
    this.#disposables = [
      this.#changes,
      this.#mutes,
      context.onEvent(({ kind }) => {
        if (kind === 'saved-searches') this.#schedule('searches');
        else if (kind === 'actions') this.#schedule('snoozed', 'muted');
        else if (kind === 'drafts' || kind === 'sent') this.#schedule('drafts');
        else if (kind === 'folders') this.#schedule('unified');
        else if (kind === 'accounts') this.#schedule(...ALL);
      }),
      context.onDidChangeWorld(() => {
        this.#facts = NO_EXTRAS;
        this.#muted = new Set();
        this.#loaded = false;
      }),
      new vscode.Disposable(() => clearTimeout(this.#timer)),
    ];
  }

  get facts(): ExtraFacts {
    return this.#facts;
  }

  /** Whether the conversation of a message is muted. */
  isMuted(messageId: number): boolean {
    return this.#muted.has(messageId);
  }

  /** Lists all of it, once; what changes later is followed. */
  load(): void {
    if (this.#loaded) return;
    this.#loaded = true;
    this.#schedule(...ALL);
  }

  dispose(): void {
    for (const disposable of this.#disposables) disposable.dispose();
  }

  #schedule(...parts: readonly (keyof ExtraFacts)[]): void {
    // Before anybody looks, nothing needs to be known; then all is listed.
    if (!this.#loaded) return;
    for (const part of parts) this.#due.add(part);
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.#refresh();
    }, SETTLE_MS);
  }

  async #refresh(): Promise<void> {
    const due = [...this.#due];
    this.#due.clear();
    const { api, world } = this.#context;
    const lists: { [Part in keyof ExtraFacts]: () => Promise<ExtraFacts[Part]> } = {
      searches: () => api.listSavedSearches(),
      snoozed: async () => (await api.listSnoozed()).length,
      muted: () => api.listMuted(),
      drafts: () => api.listDrafts(),
      unified: () => api.listUnifiedFolders(),
    };
    try {
      const parts = await Promise.all(due.map(async (part) => [part, await lists[part]()] as const));
      if (world !== this.#context.world) return;
      const before = this.#facts;
      this.#facts = { ...before, ...(Object.fromEntries(parts) as Partial<ExtraFacts>) };
      if (due.includes('muted')) this.#muted = new Set(this.#facts.muted.flatMap(({ messageIds }) => messageIds));
      const changed = due.filter((part) => shown(part, before) !== shown(part, this.#facts));
      if (changed.includes('muted')) this.#mutes.fire();
      if (changed.length > 0)
        this.#changes.fire(changed.every((part) => part === 'unified') && before.unified.length > 0 ? 'unified' : 'rows');
    } catch (error) {
      this.#context.log.debug(`mail view not filled: ${QuMailError.from(error).code}`);
    }
  }
}

/** What of a part can be seen: the text of a draft cannot. */
function shown(part: keyof ExtraFacts, facts: ExtraFacts): string {
  if (part !== 'drafts') return JSON.stringify(facts[part]);
  return JSON.stringify(facts.drafts.map(({ id, subject, accountId, conflictOf }) => [id, subject, accountId, conflictOf]));
}
