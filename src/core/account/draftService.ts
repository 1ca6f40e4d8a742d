import type { CallOptions, QuMailRequests } from '../api.ts';
import type { QuMailEvent } from '../base/events.ts';
import type { Draft, DraftCheck, DraftSource } from '../base/model.ts';
import type { DraftSaved } from '../base/drafts.ts';
import type { SendResult } from '../base/outgoing.ts';
import { QuMailError } from '../base/errors.ts';
import type { Address, SecurityLevel } from '../base/types.ts';
import { parseDraft, writeDraftText } from '../mail/draft.ts';
import { replyFields } from '../mail/reply.ts';
import type { DraftRecord, DraftStore } from '../store/drafts.ts';
import type { DraftVersionStore } from '../store/draftVersions.ts';
import type { MessageStore } from '../store/messages.ts';
import { WITHDRAWABLE, type OutboxRow, type OutboxStore } from '../store/outbox.ts';
import type { AccountService } from './accountService.ts';
import { askToSealAgain } from './askToSealAgain.ts';
import { checkDraft, readyMessage, type ComposeDeps } from './composeDraft.ts';
import { newFields } from './draftFields.ts';
import { draftOf, keepReplaced } from './draftHistory.ts';
import { startLevel, strongerOf } from './levels.ts';
import type { MailService } from './mailService.ts';
import { sendTag, type OutboxRunner } from './outboxRunner.ts';
import { levelsKnownOf } from './recipientLevels.ts';
import type { SealingTrust } from './sealingTrust.ts';
import { sealMessage, type SealDeps } from './sealMessage.ts';
import { groupIdOf } from './sendOutbox.ts';

/** A draft is text somebody typed; more than this is a mistake. */
const MAX_DRAFT_CHARACTERS = 2 * 1024 * 1024;
/** Nobody plans further; a year is also what `sendAt` in seconds or microseconds never falls into. */
const MAX_AHEAD = 366 * 24 * 3_600_000;

export interface DraftServiceDeps extends ComposeDeps, SealDeps {
  readonly drafts: DraftStore;
  readonly outbox: OutboxStore;
  readonly messages: MessageStore;
  readonly accounts: AccountService;
  readonly mail: MailService;
  readonly runner: OutboxRunner;
  readonly trust: SealingTrust;
  readonly startLevel: () => 'best' | SecurityLevel;
  readonly undoSendSeconds: () => number;
  readonly versions: DraftVersionStore;
  /** Which draft this one is a conflicting copy of. */
  readonly conflictOf: (draftId: string) => string | undefined;
  readonly emit: (event: QuMailEvent) => void;
}

/** The requests answered here. */
export const DRAFT_REQUESTS = [
  'createDraft',
  'loadDraft',
  'saveDraft',
  'listDrafts',
  'deleteDraft',
  'checkDraft',
  'sendDraft',
  'askToSealAgain',
] as const;

/** Writing and sending mail. */
export class DraftService implements Pick<QuMailRequests, (typeof DRAFT_REQUESTS)[number]> {
  readonly #deps: DraftServiceDeps;

  constructor(deps: DraftServiceDeps) {
    this.#deps = deps;
  }

  async createDraft(request: { accountId: string; source: DraftSource }): Promise<Draft> {
    const { accountId, source } = request;
    const self = this.#deps.accounts.addressOf(accountId);
    const fields = source.kind === 'new' ? newFields(source) : await this.#replyFields(source, self);
    const recipients = [...fields.to, ...fields.cc].map(({ address }) => levelsKnownOf(accountId, address, this.#deps));
    const best = startLevel(recipients, this.#deps.startLevel());
    const { protection } = fields;
    const level = fields.minimumLevel ? strongerOf(best, fields.minimumLevel) : best;
    // Back as it came, where the recipients have no better certificate.
    const asItCame =
      protection !== undefined && best === 'L4' && recipients.every(({ certificate }) => certificate && certificate !== 'expired');
    const record: DraftRecord = {
      id: this.#deps.random.uuid(),
      accountId,
      text: writeDraftText({
        from: self,
        to: fields.to,
        cc: fields.cc,
        bcc: [],
        subject: fields.subject,
        // Without recipients there is nothing to choose yet: the line stays open and follows who is written to.
        ...(recipients.length > 0 && { level }),
        ...(asItCame && { protection }),
        attach: fields.attach,
        body: fields.body,
      }),
      inReplyTo: fields.inReplyTo,
      references: fields.references,
      ...(source.kind !== 'new' && { sourceMessageId: source.messageId }),
      ...(fields.minimumLevel && {
        minimumLevel: fields.minimumLevel,
        quoted: { subject: fields.subject, text: fields.body, ...(protection && { protection }) },
      }),
      updatedAt: this.#deps.clock.now(),
    };
    this.#deps.drafts.create(record);
    this.#deps.emit({ kind: 'drafts' });
    return draftOf(record);
  }

  async askToSealAgain(request: { messageId: number }): Promise<Draft> {
    const record = askToSealAgain(request.messageId, this.#deps);
    this.#deps.emit({ kind: 'drafts' });
    return draftOf(record);
  }

  async loadDraft(request: { draftId: string }): Promise<Draft> {
    return this.#shown(this.#draft(request.draftId));
  }

  async saveDraft(request: { draftId: string; text: string; basedOn?: number }): Promise<DraftSaved> {
    refuseOversized(request.text);
    const { draftId, text, basedOn } = request;
    const { versions, drafts, clock } = this.#deps;
    const updatedAt = clock.now();
    // Editing takes back what was queued: no older version goes out afterwards.
    const replaced = this.#deps.outbox.transaction(() => {
      // Who goes on writing wants it, whatever was done elsewhere.
      drafts.bringBack(draftId);
      const before = this.#draft(draftId);
      this.#withdraw(draftId, groupIdOf(draftId, text));
      const kept = keepReplaced(before, { text, basedOn, now: updatedAt }, versions);
      drafts.saveText(draftId, text, updatedAt);
      return kept;
    });
    this.#deps.emit({ kind: 'drafts' });
    return { updatedAt, replaced };
  }

  async listDrafts(): Promise<readonly Draft[]> {
    return this.#deps.drafts.list().map((record) => this.#shown(record));
  }

  async deleteDraft(request: { draftId: string }): Promise<void> {
    this.#deps.outbox.transaction(() => {
      this.#withdraw(request.draftId);
      this.#deps.drafts.delete(request.draftId);
    });
    this.#deps.emit({ kind: 'drafts' });
  }

  async checkDraft(request: { draftId: string; text: string }): Promise<DraftCheck> {
    refuseOversized(request.text);
    const draft = this.#draft(request.draftId);
    return checkDraft(draft, request.text, this.#deps.accounts.addressOf(draft.accountId), this.#deps.startLevel(), this.#deps);
  }

  /** A draft is sent once at a time: pressing Send twice shares one send. */
  async sendDraft(request: { draftId: string; text: string; sendAt?: number }, options: CallOptions = {}): Promise<SendResult> {
    const { draftId, text, sendAt } = request;
    refuseOversized(text);
    if (sendAt !== undefined) this.#refuseUnlikely(sendAt);
    const tag = sendTag(groupIdOf(draftId, text), sendAt);
    return this.#deps.runner.exclusively(draftId, tag, () => this.#send(draftId, text, sendAt, options.signal));
  }

  async #send(draftId: string, text: string, sendAt: number | undefined, signal: AbortSignal | undefined): Promise<SendResult> {
    const { outbox, drafts, accounts, clock, emit, runner } = this.#deps;
    const draft = this.#draft(draftId);
    const groupId = groupIdOf(draftId, text);
    // The draft is durable before anything is spent on it, and no older version of it goes out from here on.
    let queued = outbox.transaction(() => {
      const same = this.#takeBack(draftId, groupId, sendAt);
      drafts.saveText(draftId, text, clock.now());
      return same;
    });
    if (queued.length === 0) {
      const self = accounts.addressOf(draft.accountId);
      const ready = await readyMessage(draft, text, self, this.#deps.startLevel(), this.#deps);
      if (!parseDraft(text).level) drafts.promise(draftId, ready.level, clock.now());
      const message = sendAt === undefined ? ready.message : { ...ready.message, date: new Date(sendAt) };
      const ids = await sealMessage(
        {
          ...ready,
          message,
          accountId: draft.accountId,
          draftId,
          groupId,
          queue: { ...this.#queueing(sendAt), admit: () => this.#admit(draftId, groupId) },
          progress: (step) => emit({ kind: 'send-progress', draftId, step }),
          ...(signal && { signal }),
        },
        this.#deps,
      );
      queued = outbox.ofGroup(groupId).filter(({ id }) => ids.includes(id));
      emit({ kind: 'outbox' });
    }
    const [first] = queued;
    if (first?.state === 'held' || first?.state === 'scheduled') {
      runner.wake();
      emit({ kind: 'drafts' });
      return resultOfHeld(first, first.state, queued);
    }
    emit({ kind: 'send-progress', draftId, step: 'sending' });
    return runner.send(
      queued.map(({ id }) => id),
      draft.accountId,
      signal,
    );
  }

  #queueing(sendAt: number | undefined): { state: 'queued' | 'held' | 'scheduled'; notBefore?: number } {
    if (sendAt !== undefined) return { state: 'scheduled', notBefore: sendAt };
    const hold = this.#deps.undoSendSeconds() * 1000;
    return hold > 0 ? { state: 'held', notBefore: this.#deps.clock.now() + hold } : { state: 'queued' };
  }

  /**
   * What an earlier try of this draft left in the outbox. The same text for the same time goes again as the same bytes; what was changed
   * since then replaces what certainly was not sent, whose keys stay USED, and is refused while something may have been sent.
   */
  #takeBack(draftId: string, groupId: string, sendAt: number | undefined): readonly OutboxRow[] {
    const { outbox } = this.#deps;
    const earlier = outbox.ofDraft(draftId).filter(({ state }) => state !== 'accepted' && state !== 'filed');
    const unsure = earlier.some(({ state, elsewhere }) => state === 'acceptance-unknown' || state === 'sending' || elsewhere);
    if (unsure) throw new QuMailError('smtp.acceptance-unknown');
    const same = earlier.filter(
      (entry) =>
        entry.groupId === groupId && entry.state !== 'rejected' && (entry.state === 'scheduled' ? entry.notBefore : undefined) === sendAt,
    );
    if (same.length > 0 && same.length === earlier.length) return same;
    for (const { id } of earlier) outbox.delete(id);
    return [];
  }

  /** Looks once more in the transaction that queues: sealing takes time, and other windows and the person go on meanwhile. */
  #admit(draftId: string, groupId: string): void {
    const draft = this.#draft(draftId);
    if (groupIdOf(draftId, draft.text) !== groupId) throw new QuMailError('engine.cancelled');
    const another = this.#deps.outbox.ofDraft(draftId).some(({ state }) => state !== 'accepted' && state !== 'filed');
    if (another) throw new QuMailError('smtp.acceptance-unknown');
  }

  /** Takes back what is queued of a draft, except of the version `keep`; what is on its way or may have been sent stays. */
  #withdraw(draftId: string, keep?: string): void {
    const { outbox, emit } = this.#deps;
    const stale = outbox.ofDraft(draftId).filter(({ groupId }) => groupId !== keep);
    const gone = stale.filter(({ id }) => outbox.delete(id, WITHDRAWABLE));
    if (gone.length > 0) emit({ kind: 'outbox' });
  }

  #refuseUnlikely(sendAt: number): void {
    const ahead = sendAt - this.#deps.clock.now();
    if (!Number.isFinite(sendAt) || ahead <= 0 || ahead > MAX_AHEAD) throw new QuMailError('engine.bad-request', { field: 'sendAt' });
  }

  async #replyFields(source: Extract<DraftSource, { messageId: number }>, self: Address) {
    const { parts, level, protection } = await this.#deps.mail.quotable(source.messageId);
    const fields = replyFields(parts, self.address, source.kind);
    // What came encrypted by classic OpenPGP is no L3, but its quotes do not go in the clear either: L3, or as it came.
    const minimumLevel = protection ? 'L3' : level;
    return { ...fields, attach: [], ...(minimumLevel !== 'L4' && { minimumLevel }), ...(protection && { protection }) };
  }

  #shown(record: DraftRecord): Draft {
    const conflictOf = this.#deps.conflictOf(record.id);
    return { ...draftOf(record), ...(conflictOf !== undefined && { conflictOf }) };
  }

  #draft(draftId: string): DraftRecord {
    const draft = this.#deps.drafts.get(draftId);
    if (!draft) throw new QuMailError('draft.missing');
    return draft;
  }
}

function resultOfHeld(first: OutboxRow, state: 'held' | 'scheduled', entries: readonly OutboxRow[]): SendResult {
  return {
    state,
    outboxId: first.id,
    ...(first.notBefore !== undefined && { notBefore: first.notBefore }),
    rfcMessageId: first.rfcMessageId,
    level: first.level,
    replies: [],
    keyIds: [...new Set(entries.flatMap(({ keyIds }) => keyIds))],
  };
}

function refuseOversized(text: string): void {
  if (text.length > MAX_DRAFT_CHARACTERS) throw new QuMailError('draft.too-large', { limit: MAX_DRAFT_CHARACTERS, size: text.length });
}
