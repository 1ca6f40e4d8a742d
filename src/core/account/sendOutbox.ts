import { createHash } from 'node:crypto';
import type { QuMailEvent } from '../base/events.ts';
import { QuMailError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Clock, Random } from '../base/ports.ts';
import type { DraftStore } from '../store/drafts.ts';
import { WITHDRAWABLE, type OutboxRecord, type OutboxRow, type OutboxState, type OutboxStore } from '../store/outbox.ts';
import type { EmailHandler } from '../transport/emailHandler.ts';
import type { SendOutcome } from '../transport/remoteMail.ts';
import { concernsAll, planOutbox, type OutboxStep, type Planned } from './outboxPlan.ts';
import { classified, refusals } from './smtpReply.ts';
import { readFailure, writeFailure } from './stored.ts';

export interface SendDeps {
  readonly outbox: OutboxStore;
  readonly drafts: DraftStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly emit: (event: QuMailEvent) => void;
}

/** Who asks, and which states they may send out of. What another window took meanwhile is not ours to send. */
export const MAY_SEND = {
  runner: ['queued', 'held', 'scheduled', 'waiting'],
  person: ['queued', 'held', 'waiting', 'rejected', 'acceptance-unknown'],
} as const satisfies Record<string, readonly OutboxState[]>;

/** States in which a message's fate is open: its draft stays. */
const OPEN: ReadonlySet<OutboxState> = new Set(['queued', 'held', 'scheduled', 'sending', 'waiting', 'acceptance-unknown']);

export interface HandedOver {
  readonly replies: readonly string[];
  readonly accepted: number;
  /** The first thing that went wrong with an entry; those it left stay in a named state. */
  readonly failure?: QuMailError;
  /** Recipients refused while the message was taken for others. */
  readonly refused?: QuMailError;
}

/** The group of a draft with this very text; resending a group sends the same bytes. */
export function groupIdOf(draftId: string, text: string): string {
  return `${draftId}:${createHash('sha256').update(text).digest('base64url')}`;
}

/** An entry as the plan sees it. */
export function plannedOf(row: OutboxRow): Planned {
  return { ...row, failure: readFailure(row.failureJson) };
}

/** Whether all of a message has found its end, at least one envelope of it with a server. */
export function isClosed(rows: readonly OutboxRow[]): boolean {
  const open = rows.some(({ state, draftId }) => draftId !== undefined && OPEN.has(state));
  return !open && rows.some(({ state }) => state === 'accepted' || state === 'filed');
}

/**
 * Hands outbox entries of one message to the mail server, each as the identical bytes that were queued, and notes what became of
 * them. A failure of one recipient does not keep the others' envelopes back; a failure of the connection does, and they wait with it.
 *
 * @throws QuMailError `store.*`; `message.missing`, `smtp.acceptance-unknown` where a person asks for what is gone or on its way already
 */
export async function handOver(
  ids: readonly number[],
  handler: EmailHandler,
  deps: SendDeps,
  o: { readonly by: keyof typeof MAY_SEND; readonly signal: AbortSignal; readonly stopping: AbortSignal },
): Promise<HandedOver> {
  const replies: string[] = [];
  let failure: QuMailError | undefined;
  let refused: QuMailError | undefined;
  for (const [index, id] of ids.entries()) {
    const entry = deps.outbox.get(id);
    // One caller wins, whichever window it is in; the loser must not send the same bytes beside it.
    if (!entry || !deps.outbox.claim(id, MAY_SEND[o.by], deps.clock.now())) {
      if (o.by === 'person') throw new QuMailError(entry ? 'smtp.acceptance-unknown' : 'message.missing');
      continue;
    }
    deps.emit({ kind: 'outbox' });
    try {
      const outcome = await handler.send({ from: entry.envelopeFrom, to: entry.envelopeTo, raw: entry.mime }, o.signal);
      replies.push(outcome.response);
      noteAccepted(entry, outcome, deps);
      refused ??= refusals(outcome)[0]?.failure;
    } catch (error) {
      if (QuMailError.is(error) && error.code.startsWith('store.')) throw error;
      const cancelled = QuMailError.is(error, 'engine.cancelled') && o.stopping.aborted;
      const found = cancelled ? new QuMailError('engine.stopped') : classified(QuMailError.from(error, 'net.cut'));
      noteFailed(entry.id, found, ids.slice(index + 1), deps);
      failure ??= found;
      if (concernsAll(found)) break;
    }
  }
  return { replies, accepted: replies.length, ...(failure && { failure }), ...(refused && { refused }) };
}

/**
 * The server has it (it answered, or its copy was found, or the person says so): in one commit the entry is accepted, what was refused
 * for some recipients becomes an entry of exactly these, and the draft goes unless it was edited meanwhile.
 */
export function noteAccepted(entry: OutboxRow & Pick<OutboxRecord, 'mime'>, outcome: SendOutcome | undefined, deps: SendDeps): void {
  const now = deps.clock.now();
  const closed = deps.outbox.transaction(() => {
    if (
      !deps.outbox.change(entry.id, ['sending', 'acceptance-unknown'], {
        ...stored(planOutbox(plannedOf(entry), { kind: 'accepted' }, now)),
        now,
      })
    )
      return undefined;
    for (const { recipients, failure } of outcome ? refusals(outcome) : []) {
      const step = planOutbox(plannedOf(entry), { kind: 'failed', failure, fraction: deps.random.fraction() }, now);
      deps.outbox.add({ ...entry, ...stored(step), envelopeTo: recipients, draftId: undefined, notBefore: undefined, updatedAt: now });
    }
    return closeDraft(entry, deps);
  });
  if (closed) announce(entry, closed, deps);
}

/** Deletes the draft of a message that is closed, if it still says what was sent. */
export function closeDraft(entry: OutboxRow, deps: Pick<SendDeps, 'outbox' | 'drafts'>): 'draft-deleted' | 'draft-kept' | undefined {
  if (!isClosed(deps.outbox.ofGroup(entry.groupId))) return undefined;
  if (entry.draftId === undefined || !says(entry.draftId, entry.groupId, deps.drafts)) return 'draft-kept';
  deps.drafts.delete(entry.draftId);
  return 'draft-deleted';
}

/** Applies a failure to the entry it struck, and to those of the same message that would only meet it again. */
function noteFailed(id: number, failure: QuMailError, rest: readonly number[], deps: SendDeps): void {
  const now = deps.clock.now();
  const claimed = deps.outbox.get(id);
  if (!claimed) return;
  const step = planOutbox(plannedOf(claimed), { kind: 'failed', failure, fraction: deps.random.fraction() }, now);
  const closed = deps.outbox.transaction(() => {
    deps.outbox.change(id, ['sending'], { ...stored(step), now });
    if (concernsAll(failure)) {
      // Nothing of these was tried, so nothing about them is unknown.
      const waiting = step.state === 'waiting' ? stored(step) : { state: 'waiting' as const, nextTry: now + RETRY_REST };
      for (const other of rest) deps.outbox.change(other, WITHDRAWABLE, { ...waiting, now });
    }
    return claimed.draftId === undefined ? undefined : closeDraft(claimed, deps);
  });
  if (closed) announce(claimed, closed, deps);
}

function announce(entry: OutboxRow, closed: 'draft-deleted' | 'draft-kept', deps: Pick<SendDeps, 'emit'>): void {
  const draft = closed === 'draft-deleted' && entry.draftId !== undefined ? { draftId: entry.draftId } : {};
  deps.emit({ kind: 'sent', accountId: entry.accountId, ...draft, subject: entry.subject });
}

/** How long the other envelopes of a message wait after one of them became acceptance-unknown. */
const RETRY_REST = 60_000;

/** A step as the store's columns hold it. */
export function stored(step: OutboxStep): { state: OutboxState; nextTry?: number | undefined; failureJson?: string | undefined } {
  const failureJson = step.failure && writeFailure(new QuMailError(step.failure.code, step.failure.details));
  return { state: step.state, nextTry: step.nextTry, failureJson };
}

/** Whether the draft still is the text of this group. One that nobody can read any more counts as such. */
function says(draftId: string, groupId: string, drafts: DraftStore): boolean {
  try {
    const draft = drafts.get(draftId);
    return draft === undefined || groupIdOf(draftId, draft.text) === groupId;
  } catch (error) {
    if (QuMailError.is(error, 'store.secret-missing')) return true;
    throw error;
  }
}
