import type { SendResult } from '../base/model.ts';
import { QuMailError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Clock } from '../base/ports.ts';
import type { SecurityLevel } from '../base/types.ts';
import type { DraftStore } from '../store/drafts.ts';
import type { OutboxRecord, OutboxStore } from '../store/outbox.ts';
import type { EmailHandler } from '../transport/emailHandler.ts';
import { writeFailure } from './stored.ts';

export interface SendDeps {
  readonly outbox: OutboxStore;
  readonly drafts: DraftStore;
  readonly clock: Clock;
  readonly log: Log;
}

export interface SendTarget {
  readonly handler: EmailHandler;
  /** Where a copy goes; undefined where the provider files sent mail itself. */
  readonly sentFolder: string | undefined;
}

type StoredOutboxRecord = OutboxRecord & { readonly id: number };

/**
 * Hands one group of outbox entries (all envelopes of one message) to the mail server, each as the identical bytes
 * that were queued. Resolves only after 250 for every one; the draft goes then and only then.
 *
 * @throws QuMailError the first failure; what was accepted has left the outbox, the rest stays in a named state
 */
export async function sendGroup(
  entries: readonly StoredOutboxRecord[],
  target: SendTarget,
  deps: SendDeps,
  signal?: AbortSignal,
): Promise<Omit<SendResult, 'warning'> & { warning?: QuMailError }> {
  const [first] = entries;
  if (!first) throw new QuMailError('engine.bad-request');
  const replies: string[] = [];
  const refused: string[] = [];
  for (const entry of entries) {
    const outcome = await sendEntry(entry, target.handler, deps, signal);
    replies.push(outcome.response);
    refused.push(...outcome.refused);
  }
  const sentCopy = await fileSentCopy(first, target, deps);
  if (first.draftId !== undefined) deps.drafts.delete(first.draftId);
  const warning = refused.length > 0 ? new QuMailError('smtp.recipient-rejected', { recipients: refused }) : sentCopy;
  return {
    rfcMessageId: first.rfcMessageId,
    level: first.level as SecurityLevel,
    replies,
    keyIds: [...new Set(entries.flatMap((entry) => entry.keyIds))],
    ...(warning && { warning }),
  };
}

async function sendEntry(
  entry: StoredOutboxRecord,
  handler: EmailHandler,
  deps: SendDeps,
  signal: AbortSignal | undefined,
): Promise<{ response: string; refused: readonly string[] }> {
  // One caller wins, whichever window it is in; the loser must not send the same bytes beside it.
  if (!deps.outbox.claim(entry.id, ['queued', 'waiting', 'rejected', 'acceptance-unknown']))
    throw new QuMailError('smtp.acceptance-unknown');
  try {
    const { response, rejected } = await handler.send({ from: entry.envelopeFrom, to: entry.envelopeTo, raw: entry.mime }, signal);
    // Some were accepted and some not: what was refused stays in the outbox for exactly those people.
    if (rejected.length > 0) {
      const { id: _, ...record } = entry;
      const failure = new QuMailError('smtp.recipient-rejected', { recipients: rejected });
      deps.outbox.add({
        ...record,
        envelopeTo: rejected,
        state: 'rejected',
        failureJson: writeFailure(failure),
        updatedAt: deps.clock.now(),
      });
    }
    deps.outbox.delete(entry.id);
    return { response, refused: rejected };
  } catch (error) {
    const failure = QuMailError.from(error, 'net.cut');
    deps.outbox.setState(entry.id, stateAfter(failure), writeFailure(failure));
    throw failure;
  }
}

/** Where a failed hand-over leaves an entry. Only an answer that never came is unknown; all else is certain. */
function stateAfter(failure: QuMailError): 'waiting' | 'rejected' | 'acceptance-unknown' {
  if (failure.code === 'smtp.acceptance-unknown') return 'acceptance-unknown';
  const permanent = failure.code === 'smtp.rejected' || failure.code === 'smtp.recipient-rejected' || failure.code === 'smtp.too-large';
  return permanent ? 'rejected' : 'waiting';
}

/** Files the message in Sent. It has been accepted already, so a failure here is a warning, not a reason to send again. */
async function fileSentCopy(entry: StoredOutboxRecord, target: SendTarget, deps: SendDeps): Promise<QuMailError | undefined> {
  if (target.sentFolder === undefined) return undefined;
  try {
    await target.handler.append(target.sentFolder, entry.mime, ['seen']);
    return undefined;
  } catch (error) {
    const failure = QuMailError.from(error, 'net.cut');
    deps.log.warn('sent-copy-failed', { code: failure.code });
    return failure;
  }
}
