import type { DraftSaved, DraftVersion } from '../base/drafts.ts';
import type { QuMailEvent } from '../base/events.ts';
import type { Draft } from '../base/model.ts';
import { QuMailError } from '../base/errors.ts';
import type { WritingRequests } from '../base/requests/writingRequests.ts';
import { parseDraft } from '../mail/draft.ts';
import type { DraftRecord, DraftStore } from '../store/drafts.ts';
import type { DraftVersionStore } from '../store/draftVersions.ts';

/** A text stands this long before the next one of the same draft is kept as well. */
const EVERY_MS = 60_000;
/** Unless this many characters go at once. */
const LARGE_LOSS = 200;

export interface DraftHistoryDeps {
  readonly drafts: DraftStore;
  readonly versions: DraftVersionStore;
  readonly save: (request: { draftId: string; text: string }) => Promise<unknown>;
  readonly load: (request: { draftId: string }) => Promise<Draft>;
  readonly emit: (event: QuMailEvent) => void;
}

type Handled = Pick<
  WritingRequests,
  'listDraftVersions' | 'loadDraftVersion' | 'restoreDraftVersion' | 'listDiscardedDrafts' | 'bringBackDraft'
>;

/** Whether the text that is about to be replaced is to be kept. Pure. */
export function isWorthKeeping(before: string, next: string, sinceLastKept: number | undefined): boolean {
  if (before === next || before === '') return false;
  return sinceLastKept === undefined || sinceLastKept >= EVERY_MS || before.length - next.length >= LARGE_LOSS;
}

/**
 * Keeps the text that is about to be replaced where it is worth that, and in any case where the writer never had it. Joins the caller's transaction.
 * @returns whose text it is
 */
export function keepReplaced(
  before: Pick<DraftRecord, 'id' | 'text' | 'updatedAt'>,
  next: { readonly text: string; readonly basedOn: number | undefined; readonly now: number },
  versions: DraftVersionStore,
): DraftSaved['replaced'] {
  const isOther = next.basedOn !== undefined && next.basedOn !== before.updatedAt && next.text !== before.text;
  const lastKept = versions.lastAt(before.id);
  const since = lastKept === undefined ? undefined : next.now - lastKept;
  // A text that came from elsewhere may have been kept when it came.
  const isKept = isOther && versions.list(before.id)[0]?.text === before.text;
  if (!isKept && (isOther || isWorthKeeping(before.text, next.text, since))) versions.add(before.id, before.text, next.now);
  return isOther ? 'other' : 'own';
}

/** A draft as the API shows it. */
export function draftOf(record: DraftRecord): Draft {
  return {
    id: record.id,
    accountId: record.accountId,
    text: record.text,
    updatedAt: record.updatedAt,
    subject: parseDraft(record.text).subject,
  };
}

/** Earlier texts of drafts: one a minute while it is written, and whatever a large deletion took; and drafts that went elsewhere. */
export class DraftHistory implements Handled {
  readonly #deps: DraftHistoryDeps;

  constructor(deps: DraftHistoryDeps) {
    this.#deps = deps;
  }

  async listDraftVersions(request: { draftId: string }): Promise<readonly DraftVersion[]> {
    this.#draft(request.draftId);
    return this.#deps.versions
      .list(request.draftId)
      .map(({ id, at, text }) => ({ id, at, subject: parseDraft(text).subject, length: text.length }));
  }

  async loadDraftVersion(request: { draftId: string; versionId: number }): Promise<{ text: string }> {
    return { text: this.#version(request).text };
  }

  /** The present text is kept, too. */
  async restoreDraftVersion(request: { draftId: string; versionId: number }): Promise<Draft> {
    const { draftId } = request;
    const { text } = this.#version(request);
    const draft = this.#draft(draftId);
    if (draft.text !== text) this.#deps.versions.add(draftId, draft.text, draft.updatedAt);
    await this.#deps.save({ draftId, text });
    return this.#deps.load({ draftId });
  }

  async listDiscardedDrafts(): Promise<readonly Draft[]> {
    return this.#deps.drafts.discarded().map((record) => draftOf(record));
  }

  async bringBackDraft(request: { draftId: string }): Promise<Draft> {
    const { drafts, emit, load } = this.#deps;
    drafts.bringBack(request.draftId);
    emit({ kind: 'drafts' });
    return load(request);
  }

  #version({ draftId, versionId }: { draftId: string; versionId: number }): { text: string } {
    this.#draft(draftId);
    const version = this.#deps.versions.get(draftId, versionId);
    if (!version) throw new QuMailError('draft.version-missing');
    return version;
  }

  #draft(draftId: string): DraftRecord {
    const draft = this.#deps.drafts.get(draftId);
    if (!draft) throw new QuMailError('draft.missing');
    return draft;
  }
}
