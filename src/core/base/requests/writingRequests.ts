import type { DraftCopyRow, DraftSaved, DraftState, DraftVersion } from '../drafts.ts';
import type { Draft, DraftCheck, DraftSource } from '../model.ts';
import type { OutboxEntry, SendResult } from '../outgoing.ts';
import { type CallOptions, namesOf } from './requestNames.ts';

/** Drafts, sending and the outbox. Every request may reject with a QuMailError and with nothing else. */
export interface WritingRequests {
  createDraft(request: { accountId: string; source: DraftSource }): Promise<Draft>;
  loadDraft(request: { draftId: string }): Promise<Draft>;
  /**
   * Keeps a text. `basedOn`: the `updatedAt` of the text that the writer had before it. Where another one took its place meanwhile, from another
   * window or computer, that one is kept as a version.
   */
  saveDraft(request: { draftId: string; text: string; basedOn?: number }): Promise<DraftSaved>;
  listDrafts(): Promise<readonly Draft[]>;
  deleteDraft(request: { draftId: string }): Promise<void>;
  /** Where the text of a draft as last saved is; `draft.missing`. */
  getDraftState(request: { draftId: string }): Promise<DraftState>;
  /** Which messages of the Drafts folders are sealed copies of drafts that are here. */
  listDraftCopies(): Promise<readonly DraftCopyRow[]>;
  /** Earlier texts of a draft, the newest first: about one a minute, and what large deletions took. They go with the draft. */
  listDraftVersions(request: { draftId: string }): Promise<readonly DraftVersion[]>;
  loadDraftVersion(request: { draftId: string; versionId: number }): Promise<{ text: string }>;
  /** Makes an earlier text the present one, which is kept as a version in its turn. */
  restoreDraftVersion(request: { draftId: string; versionId: number }): Promise<Draft>;
  /** Drafts that were sent or discarded on another computer, the latest first; erased after 30 days. */
  listDiscardedDrafts(): Promise<readonly Draft[]>;
  /** Makes one of them a draft again. Saving a text of it does the same. */
  bringBackDraft(request: { draftId: string }): Promise<Draft>;
  /** What is wrong with the text as it stands, without touching network or keys. */
  checkDraft(request: { draftId: string; text: string }): Promise<DraftCheck>;
  /**
   * Seals at exactly the level the draft names and sends. Resolves as `sent` only after SMTP 250; the draft is deleted then, and only then.
   * With `sendAt` (milliseconds since the epoch, at most a year ahead) or the undo-send delay it is sealed now, resolves as `scheduled` or
   * `held`, and goes later. After a transient failure it rejects, the draft stays, and the engine goes on trying by itself until the draft's
   * text is changed or it is taken back. Changing the text takes back whatever is not on its way.
   */
  sendDraft(request: { draftId: string; text: string; sendAt?: number }, options?: CallOptions): Promise<SendResult>;
  /** A draft to the sender of a message that was not opened, which asks to seal it again: it tells the date and the reason, nothing else. */
  askToSealAgain(request: { messageId: number }): Promise<Draft>;
  listOutbox(): Promise<readonly OutboxEntry[]>;
  /** Sends the identical bytes again. */
  retryOutbox(request: { outboxId: number }, options?: CallOptions): Promise<SendResult>;
  discardOutbox(request: { outboxId: number }): Promise<void>;
  /** Takes back what is held, scheduled or waiting: nothing is sent, and the draft is as it was. */
  undoSend(request: { outboxId: number }): Promise<Draft>;
  /** What the person says about an entry that is `acceptance-unknown`: it was sent, or the identical bytes are to go again. */
  settleOutbox(request: { outboxId: number; as: 'sent' | 'resend' }, options?: CallOptions): Promise<void>;
}

export const WRITING_REQUESTS = namesOf<WritingRequests>({
  createDraft: 1,
  loadDraft: 1,
  saveDraft: 1,
  listDrafts: 1,
  deleteDraft: 1,
  getDraftState: 1,
  listDraftCopies: 1,
  listDraftVersions: 1,
  loadDraftVersion: 1,
  restoreDraftVersion: 1,
  listDiscardedDrafts: 1,
  bringBackDraft: 1,
  checkDraft: 1,
  sendDraft: 1,
  askToSealAgain: 1,
  listOutbox: 1,
  retryOutbox: 1,
  discardOutbox: 1,
  undoSend: 1,
  settleOutbox: 1,
});
