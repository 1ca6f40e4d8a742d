import { createHash } from 'node:crypto';
import type { CallOptions, QuMailRequests } from '../api.ts';
import type { Draft, DraftCheck, DraftSource, OutboxEntry, QuMailEvent, SendResult } from '../base/model.ts';
import { QuMailError } from '../base/errors.ts';
import { SingleFlight } from '../base/singleFlight.ts';
import type { Address, SecurityLevel } from '../base/types.ts';
import { normalizeAddress } from '../mail/address.ts';
import { parseDraft, writeDraftText } from '../mail/draft.ts';
import { replyFields } from '../mail/reply.ts';
import type { DraftRecord, DraftStore } from '../store/drafts.ts';
import type { MessageStore } from '../store/messages.ts';
import type { OutboxStore } from '../store/outbox.ts';
import type { AccountService } from './accountService.ts';
import { checkDraft, levelsKnownOf, readyMessage, type ComposeDeps } from './composeDraft.ts';
import { startLevel, strongerOf } from './levels.ts';
import type { MailService } from './mailService.ts';
import { sealMessage, type SealDeps } from './sealMessage.ts';
import { sendGroup, type SendDeps } from './sendOutbox.ts';
import { readFailure } from './stored.ts';

/** A draft is text somebody typed; more than this is a mistake. */
const MAX_DRAFT_CHARACTERS = 2 * 1024 * 1024;

export interface DraftServiceDeps extends ComposeDeps, SealDeps, SendDeps {
  readonly drafts: DraftStore;
  readonly outbox: OutboxStore;
  readonly messages: MessageStore;
  readonly accounts: AccountService;
  readonly mail: MailService;
  readonly startLevel: () => 'best' | SecurityLevel;
  readonly emit: (event: QuMailEvent) => void;
}

type DraftRequests = Pick<
  QuMailRequests,
  | 'createDraft'
  | 'loadDraft'
  | 'saveDraft'
  | 'listDrafts'
  | 'deleteDraft'
  | 'checkDraft'
  | 'sendDraft'
  | 'listOutbox'
  | 'retryOutbox'
  | 'discardOutbox'
>;

/** Writing and sending mail. */
export class DraftService implements DraftRequests {
  readonly #deps: DraftServiceDeps;
  readonly #sends = new SingleFlight<SendResult>();

  constructor(deps: DraftServiceDeps) {
    this.#deps = deps;
  }

  async createDraft(request: { accountId: string; source: DraftSource }): Promise<Draft> {
    const { accountId, source } = request;
    const self = this.#deps.accounts.addressOf(accountId);
    const fields = source.kind === 'new' ? newFields(source) : await this.#replyFields(source, self);
    const recipients = [...fields.to, ...fields.cc].map(({ address }) => levelsKnownOf(accountId, address, this.#deps));
    const best = startLevel(recipients, this.#deps.startLevel());
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
        ...(recipients.length > 0 && { level: fields.minimumLevel ? strongerOf(best, fields.minimumLevel) : best }),
        attach: fields.attach,
        body: fields.body,
      }),
      inReplyTo: fields.inReplyTo,
      references: fields.references,
      ...(source.kind !== 'new' && { sourceMessageId: source.messageId }),
      ...(fields.minimumLevel && { minimumLevel: fields.minimumLevel }),
      updatedAt: this.#deps.clock.now(),
    };
    this.#deps.drafts.create(record);
    this.#deps.emit({ kind: 'drafts' });
    return draftOf(record);
  }

  async loadDraft(request: { draftId: string }): Promise<Draft> {
    return draftOf(this.#draft(request.draftId));
  }

  async saveDraft(request: { draftId: string; text: string }): Promise<void> {
    refuseOversized(request.text);
    this.#draft(request.draftId);
    this.#deps.drafts.saveText(request.draftId, request.text, this.#deps.clock.now());
    this.#deps.emit({ kind: 'drafts' });
  }

  async listDrafts(): Promise<readonly Draft[]> {
    return this.#deps.drafts.list().map(draftOf);
  }

  async deleteDraft(request: { draftId: string }): Promise<void> {
    this.#deps.drafts.delete(request.draftId);
    this.#deps.emit({ kind: 'drafts' });
  }

  async checkDraft(request: { draftId: string; text: string }): Promise<DraftCheck> {
    refuseOversized(request.text);
    return checkDraft(this.#draft(request.draftId), request.text, this.#deps.startLevel(), this.#deps);
  }

  /** A draft is sent once at a time: pressing Send twice shares one send. */
  sendDraft(request: { draftId: string; text: string }, options: CallOptions = {}): Promise<SendResult> {
    return this.#sends.run(request.draftId, () => this.#send(request.draftId, request.text, options.signal));
  }

  async listOutbox(): Promise<readonly OutboxEntry[]> {
    return this.#deps.outbox.list().map((entry) => {
      const failure = readFailure(entry.failureJson);
      return {
        id: entry.id,
        accountId: entry.accountId,
        subject: entry.subject,
        to: entry.envelopeTo,
        level: entry.level,
        state: entry.state,
        ...(failure && { failure }),
        updatedAt: entry.updatedAt,
      };
    });
  }

  async retryOutbox(request: { outboxId: number }, options: CallOptions = {}): Promise<SendResult> {
    const entry = this.#deps.outbox.get(request.outboxId);
    if (!entry) throw new QuMailError('message.missing');
    return this.#sends.run(entry.draftId ?? `outbox ${entry.id}`, () => this.#handOver([entry.id], entry.accountId, options.signal));
  }

  async discardOutbox(request: { outboxId: number }): Promise<void> {
    this.#deps.outbox.delete(request.outboxId);
    this.#deps.emit({ kind: 'outbox' });
  }

  async #send(draftId: string, text: string, signal: AbortSignal | undefined): Promise<SendResult> {
    refuseOversized(text);
    const draft = this.#draft(draftId);
    // The draft is durable before anything is spent on it.
    this.#deps.drafts.saveText(draftId, text, this.#deps.clock.now());
    const groupId = `${draftId}:${createHash('sha256').update(text).digest('base64url')}`;
    const queued = this.#queuedOf(draftId, groupId);
    const progress = (step: 'keys' | 'sealing' | 'sending' | 'filing'): void => this.#deps.emit({ kind: 'send-progress', draftId, step });
    let ids: readonly number[] = queued;
    if (ids.length === 0) {
      const self = this.#deps.accounts.addressOf(draft.accountId);
      const ready = await readyMessage(draft, text, self, this.#deps.startLevel(), this.#deps);
      const job = { ...ready, accountId: draft.accountId, draftId, groupId, progress, ...(signal && { signal }) };
      ids = await sealMessage(job, this.#deps);
      this.#deps.emit({ kind: 'outbox' });
    }
    progress('sending');
    return this.#handOver(ids, draft.accountId, signal);
  }

  /**
   * What an earlier try of this draft left in the outbox. The same text goes again as the same bytes; a text changed
   * since then replaces what certainly was not sent, and is refused while something may have been.
   */
  #queuedOf(draftId: string, groupId: string): readonly number[] {
    const earlier = this.#deps.outbox.list().filter((entry) => entry.draftId === draftId);
    const unsure = earlier.some((entry) => entry.state === 'acceptance-unknown' || entry.state === 'sending');
    if (unsure) throw new QuMailError('smtp.acceptance-unknown');
    const same = earlier.filter((entry) => entry.groupId === groupId && entry.state !== 'rejected');
    if (same.length > 0 && same.length === earlier.length) return same.map(({ id }) => id);
    for (const { id } of earlier) this.#deps.outbox.delete(id);
    return [];
  }

  async #handOver(ids: readonly number[], accountId: string, signal: AbortSignal | undefined): Promise<SendResult> {
    const account = this.#deps.accounts.get(accountId);
    const entries = ids.map((id) => this.#deps.outbox.get(id)).filter((entry) => entry !== undefined);
    try {
      const { warning, ...result } = await sendGroup(
        entries,
        { handler: account.handler, sentFolder: this.#deps.accounts.sentFolderOf(accountId) },
        this.#deps,
        signal,
      );
      this.#afterSent(accountId, entries[0]?.draftId);
      return warning ? { ...result, warning: { code: warning.code, details: warning.details } } : result;
    } catch (error) {
      account.noteFailure(error);
      throw error;
    } finally {
      this.#deps.emit({ kind: 'outbox' });
      this.#deps.emit({ kind: 'drafts' });
    }
  }

  #afterSent(accountId: string, draftId: string | undefined): void {
    const sent = this.#deps.accounts.sentFolderOf(accountId);
    if (draftId !== undefined) this.#deps.emit({ kind: 'send-progress', draftId, step: 'filing' });
    const account = this.#deps.accounts.get(accountId);
    // Sent shows the message as soon as the server has it; a failure here is the next look's business.
    if (sent !== undefined) account.syncFolder(sent).catch((error: unknown) => account.noteFailure(error));
  }

  async #replyFields(source: Extract<DraftSource, { messageId: number }>, self: Address) {
    const { parts, level } = await this.#deps.mail.quotable(source.messageId);
    const fields = replyFields(parts, self.address, source.kind);
    return { ...fields, attach: [], ...(level !== 'L4' && { minimumLevel: level }) };
  }

  #draft(draftId: string): DraftRecord {
    const draft = this.#deps.drafts.get(draftId);
    if (!draft) throw new QuMailError('draft.missing');
    return draft;
  }
}

interface DraftFields {
  readonly to: readonly Address[];
  readonly cc: readonly Address[];
  readonly subject: string;
  readonly body: string;
  readonly attach: readonly string[];
  readonly inReplyTo: string;
  readonly references: readonly string[];
  readonly minimumLevel?: SecurityLevel;
}

function newFields(source: Extract<DraftSource, { kind: 'new' }>): DraftFields {
  const to = (source.to ?? []).map((text) => {
    const address = normalizeAddress(text);
    if (address === undefined) throw new QuMailError('draft.bad-address', { address: text });
    return { name: '', address };
  });
  return { to, cc: [], subject: source.subject ?? '', body: source.body ?? '', attach: source.attach ?? [], inReplyTo: '', references: [] };
}

function draftOf(record: DraftRecord): Draft {
  return {
    id: record.id,
    accountId: record.accountId,
    text: record.text,
    updatedAt: record.updatedAt,
    subject: parseDraft(record.text).subject,
  };
}

function refuseOversized(text: string): void {
  if (text.length > MAX_DRAFT_CHARACTERS) throw new QuMailError('draft.too-large', { limit: MAX_DRAFT_CHARACTERS, size: text.length });
}
