import { QuMailError } from '../base/errors.ts';
import { CHAT_FOLDER, groupOfMessageIds } from '../mail/chatMessageId.ts';
import type { OutboxRow } from '../store/outbox.ts';
import type { EmailHandler } from '../transport/emailHandler.ts';
import { planOutbox } from './outboxPlan.ts';
import { isClosed, noteAccepted, plannedOf, stored, type SendDeps } from './sendOutbox.ts';

/** Ends the group id of envelopes that are not filed, because others of the same message are. */
export const UNFILED = ':unfiled';

/** Where an account's sent mail lies. */
export interface SentPlace {
  readonly handler: EmailHandler;
  readonly folder: string | undefined;
}

/**
 * Ends a message that was accepted: its copy goes into Sent, once, and its entries leave the outbox. It has been sent, so a failure
 * here is a warning and never a reason to send again; filing is tried again later. Does nothing while an envelope of it is open.
 */
export async function fileGroup(groupId: string, place: SentPlace, deps: SendDeps, signal: AbortSignal): Promise<QuMailError | undefined> {
  const rows = deps.outbox.ofGroup(groupId);
  const accepted = rows.find(({ state }) => state === 'accepted');
  if (!accepted || !isClosed(rows)) return undefined;
  const claim = deps.outbox.claimFiling(accepted.id, deps.clock.now());
  if (claim === 'no') return undefined;
  // An earlier attempt may have come through without an answer, here or in a process that died.
  const mayBeThere = claim === 'again' || accepted.failureJson !== undefined || deps.clock.now() - accepted.updatedAt > FRESH_MS;
  const filed = rows.some(({ state }) => state === 'filed');
  try {
    // The first envelope is the visible recipients', and stands for the message.
    const folder = await folderFor(rows[0]!, place, signal);
    if (!filed && !place.handler.filesOwnSent && folder !== undefined)
      await fileCopy(rows[0]!, mayBeThere, folder, place.handler, deps, signal);
    forget(groupId, deps);
    return undefined;
  } catch (error) {
    const failure = QuMailError.from(error, 'net.cut');
    if (failure.code.startsWith('store.')) throw failure;
    deps.log.warn('sent-copy-failed', { code: failure.code });
    const step = planOutbox(plannedOf(accepted), { kind: 'not-filed', fraction: deps.random.fraction() }, deps.clock.now());
    // `updatedAt` stays when it was accepted, from which the patience for filing counts; the failure marks that a copy may lie there.
    deps.outbox.change(accepted.id, ['accepted'], { ...stored({ ...step, failure }), now: accepted.updatedAt });
    if (step.state === 'filed') forget(groupId, deps);
    return failure;
  }
}

/** Sent; for what was said in a chat the chats' folder, and nowhere for a part of a message whose other part is filed. */
async function folderFor(row: OutboxRow, { handler, folder }: SentPlace, signal: AbortSignal): Promise<string | undefined> {
  if (groupOfMessageIds(row.rfcMessageId) === undefined) return folder;
  if (row.groupId.endsWith(UNFILED) || handler.filesOwnSent) return undefined;
  return handler.ensureFolder(CHAT_FOLDER, signal);
}

async function fileCopy(
  row: OutboxRow,
  mayBeThere: boolean,
  folder: string,
  handler: EmailHandler,
  deps: SendDeps,
  signal: AbortSignal,
): Promise<void> {
  if (mayBeThere && (await handler.findByMessageId(folder, row.rfcMessageId, signal)).length > 0) return;
  const mime = deps.outbox.get(row.id)?.mime;
  if (mime) await handler.append(folder, mime, ['seen'], signal);
}

/** What was accepted this recently has not been filed by anybody else. */
const FRESH_MS = 2000;

/** Erases what is done and has no envelope left to wait for. One row of a message stays while another of its envelopes is not settled, to know that a copy was filed. */
export function forget(groupId: string, deps: Pick<SendDeps, 'outbox'>): void {
  deps.outbox.transaction(() => {
    const rows = deps.outbox.ofGroup(groupId);
    const done = rows.filter(({ state }) => state === 'accepted' || state === 'filed');
    const kept = done.length < rows.length ? done[0] : undefined;
    for (const { id } of done) if (id !== kept?.id) deps.outbox.delete(id);
    if (kept) deps.outbox.change(kept.id, ['accepted', 'filed'], { state: 'filed', now: kept.updatedAt });
  });
}

/**
 * Looks whether a message that may have been sent lies in Sent, where the provider files it by itself. Only finding it proves anything,
 * and only where no other envelope carried its Message-ID; otherwise the person is asked.
 */
export async function lookInSent(id: number, place: SentPlace, deps: SendDeps, signal: AbortSignal): Promise<'sent' | 'unknown'> {
  const entry = deps.outbox.get(id);
  if (entry?.state !== 'acceptance-unknown') return 'unknown';
  const provable = place.handler.filesOwnSent && place.folder !== undefined && deps.outbox.ofGroup(entry.groupId).length === 1;
  if (provable && (await handlerFinds(place.handler, place.folder, entry.rfcMessageId, signal))) {
    noteAccepted(entry, undefined, deps);
    return 'sent';
  }
  const step = planOutbox(plannedOf(entry), { kind: 'not-found' }, deps.clock.now());
  const nextTry = provable ? step.nextTry : undefined;
  deps.outbox.change(id, ['acceptance-unknown'], { ...stored(step), nextTry, now: entry.updatedAt });
  return 'unknown';
}

async function handlerFinds(handler: EmailHandler, folder: string, messageId: string, signal: AbortSignal): Promise<boolean> {
  try {
    return (await handler.findByMessageId(folder, messageId, signal)).length > 0;
  } catch (error) {
    // Not to be told now; the next look is planned like any other.
    if (QuMailError.is(error) && !error.code.startsWith('store.')) return false;
    throw error;
  }
}
