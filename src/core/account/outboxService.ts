import type { CallOptions, QuMailRequests } from '../api.ts';
import type { QuMailEvent } from '../base/events.ts';
import type { Draft } from '../base/model.ts';
import type { OutboxEntry, SendResult } from '../base/outgoing.ts';
import { QuMailError } from '../base/errors.ts';
import type { DraftStore } from '../store/drafts.ts';
import { WITHDRAWABLE, type OutboxRow, type OutboxStore } from '../store/outbox.ts';
import { draftOf } from './draftHistory.ts';
import { keyOf, type OutboxRunner } from './outboxRunner.ts';
import { closeDraft, noteAccepted, type SendDeps } from './sendOutbox.ts';
import { readFailure } from './stored.ts';

export interface OutboxServiceDeps extends SendDeps {
  readonly outbox: OutboxStore;
  readonly drafts: DraftStore;
  readonly runner: OutboxRunner;
  readonly sendDraft: QuMailRequests['sendDraft'];
  readonly emit: (event: QuMailEvent) => void;
}

type OutboxRequests = Pick<QuMailRequests, 'listOutbox' | 'retryOutbox' | 'discardOutbox' | 'undoSend' | 'settleOutbox'>;

/** What a person sees of the outbox and may do about it. */
export class OutboxService implements OutboxRequests {
  readonly #deps: OutboxServiceDeps;

  constructor(deps: OutboxServiceDeps) {
    this.#deps = deps;
  }

  async listOutbox(): Promise<readonly OutboxEntry[]> {
    return this.#deps.outbox.list().flatMap((row) => entryOf(row) ?? []);
  }

  async retryOutbox(request: { outboxId: number }, options: CallOptions = {}): Promise<SendResult> {
    const { runner, sendDraft } = this.#deps;
    const row = this.#row(request.outboxId);
    // Its Date is that of the time it was meant for, so it is written anew.
    if (row.state === 'scheduled') {
      const draft = await this.undoSend(request);
      return sendDraft({ draftId: draft.id, text: draft.text }, options);
    }
    await runner.idle(keyOf(row));
    return runner.exclusively(keyOf(row), `retry ${row.id}`, () => runner.send([row.id], row.accountId, options.signal));
  }

  async discardOutbox(request: { outboxId: number }): Promise<void> {
    const { outbox, runner, emit } = this.#deps;
    const row = outbox.get(request.outboxId);
    if (!row) return;
    outbox.transaction(() => {
      if (!outbox.delete(row.id, [...WITHDRAWABLE, 'rejected', 'acceptance-unknown'])) throw new QuMailError('smtp.acceptance-unknown');
      if (row.draftId !== undefined) closeDraft(row, this.#deps);
    });
    emit({ kind: 'outbox' });
    emit({ kind: 'drafts' });
    runner.wake();
  }

  async undoSend(request: { outboxId: number }): Promise<Draft> {
    const { outbox, drafts, emit } = this.#deps;
    const row = this.#row(request.outboxId);
    const draft = outbox.transaction(() => {
      const found = row.draftId === undefined ? undefined : drafts.get(row.draftId);
      if (!found) throw new QuMailError('draft.missing');
      for (const { id, state } of outbox.ofGroup(row.groupId)) {
        // A part that went cannot be called back, so the whole cannot be unsent.
        if (state === 'accepted' || state === 'filed') throw new QuMailError('engine.bad-request', { reason: 'partly-sent' });
        if (!outbox.delete(id, [...WITHDRAWABLE, 'rejected'])) throw new QuMailError('smtp.acceptance-unknown');
      }
      return found;
    });
    emit({ kind: 'outbox' });
    emit({ kind: 'drafts' });
    return draftOf(draft);
  }

  async settleOutbox(request: { outboxId: number; as: 'sent' | 'resend' }, options: CallOptions = {}): Promise<void> {
    const { outbox, runner, emit } = this.#deps;
    const entry = outbox.get(request.outboxId);
    if (!entry) throw new QuMailError('message.missing');
    if (entry.state !== 'acceptance-unknown') throw new QuMailError('engine.bad-request', { reason: 'not-unknown' });
    if (request.as === 'resend') return void (await this.retryOutbox(request, options));
    noteAccepted(entry, undefined, this.#deps);
    emit({ kind: 'outbox' });
    emit({ kind: 'drafts' });
    runner.wake();
  }

  #row(id: number): OutboxRow {
    const row = this.#deps.outbox.get(id);
    if (!row || row.state === 'accepted' || row.state === 'filed') throw new QuMailError('message.missing');
    return row;
  }
}

/** An entry as it is shown; what was accepted is no longer anybody's worry. */
function entryOf(row: OutboxRow): OutboxEntry | undefined {
  const { id, accountId, draftId, subject, level, state, updatedAt, notBefore, nextTry, attempts } = row;
  if (state === 'accepted' || state === 'filed') return undefined;
  const failure = readFailure(row.failureJson);
  return {
    id,
    accountId,
    ...(draftId !== undefined && { draftId }),
    subject,
    to: row.envelopeTo,
    level,
    state,
    ...(failure && { failure }),
    updatedAt,
    ...(notBefore !== undefined && { notBefore }),
    ...(nextTry !== undefined && { nextTry }),
    attempts,
  };
}
