import { QuMailError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Clock } from '../base/ports.ts';
import type { MessageRow, MessageStore } from '../store/messages.ts';
import type { EmailHandler } from '../transport/emailHandler.ts';
import { takeChanges } from './sync/takeChanges.ts';
import { KEY_WAIT_MS } from './openingStep.ts';
import { mayPass, openSealed, type OpenDeps, type OpenedMail } from './openMessage.ts';
import { readFailure, writeFailure } from './stored.ts';

export interface SyncDeps extends OpenDeps {
  readonly messages: MessageStore;
  readonly log: Log;
  readonly clock: Clock;
  /** Called once ordinary arrivals are in the store, before flags are compared and sealed mail is opened. */
  readonly arrived?: () => void;
  /** Who is offered what arrived; what they take may leave the folder. Never throws but `engine.cancelled`. */
  readonly offers?: ArrivalOffers;
}

export interface ArrivalOffers {
  /** A sealed message that was opened. */
  opened(account: SyncedAccount, row: MessageRow, mail: OpenedMail, signal?: AbortSignal): Promise<void>;
  /**
   * What lies in a folder and was not offered yet, or not put away: ordinary mail, and what an earlier look did not come to. Resolves to `more`
   * where that made mail openable that was not.
   */
  pending(account: SyncedAccount, path: string, signal?: AbortSignal): Promise<'more' | 'done'>;
}

export interface SyncedAccount {
  readonly accountId: string;
  readonly self: string;
  readonly handler: EmailHandler;
}

export interface FolderSync {
  /** Rows that are new in the store, newest first. */
  readonly added: number;
  readonly changed: boolean;
}

/** Brings one folder of the store up to date: new headers, flags, what vanished; sealed arrivals are opened at once. */
export async function syncFolder(account: SyncedAccount, path: string, deps: SyncDeps, signal?: AbortSignal): Promise<FolderSync> {
  const { added, changed } = await takeChanges(account, path, deps, signal);
  const opened = await openArrivals(account, path, deps, signal);
  return { added, changed: changed || opened > 0 };
}

/**
 * Opens what lies sealed in a folder. Keys are fetched on arrival, not on opening, because key managers deliver once
 * and expire (PROTOCOL 7). A message that cannot be opened keeps its reason; one whose reason may pass is tried again.
 */
export async function openArrivals(account: SyncedAccount, path: string, deps: SyncDeps, signal: AbortSignal | undefined): Promise<number> {
  const opened = await openWhatLies(account, path, deps, signal);
  if ((await deps.offers?.pending(account, path, signal)) !== 'more') return opened;
  const now = await openWhatLies(account, path, deps, signal);
  await deps.offers?.pending(account, path, signal);
  return opened + now;
}

async function openWhatLies(account: SyncedAccount, path: string, deps: SyncDeps, signal: AbortSignal | undefined): Promise<number> {
  let opened = 0;
  for (const row of deps.messages.unopened(account.accountId, path)) {
    if (keyIsGone(row, deps.clock.now())) continue;
    const outcome = await openRow(account, row, deps, signal);
    if (outcome instanceof QuMailError) {
      // No sense in asking a silent key manager or a lost connection for every message in turn.
      if (outcome.code.startsWith('net.') || outcome.code === 'kme.unreachable' || outcome.code === 'kme.timeout') break;
    } else if (outcome) {
      opened += 1;
      await deps.offers?.opened(account, row, outcome, signal);
    }
  }
  return opened;
}

/** Where no key came for a day, another device has it or it expired; a click on the message still asks, each look at the folder must not. */
function keyIsGone(row: MessageRow, now: number): boolean {
  const code = readFailure(row.failureJson)?.code;
  return (code === 'kme.key-not-found' || code === 'kme.key-may-be-lost') && row.date < now - KEY_WAIT_MS;
}

/**
 * Fetches the source of one sealed row, opens it and notes the outcome on the row.
 *
 * @returns what was opened; the failure that was noted; or undefined where the row turned out to be ordinary mail
 */
export async function openRow(
  account: SyncedAccount,
  row: MessageRow,
  deps: SyncDeps,
  signal?: AbortSignal,
): Promise<OpenedMail | QuMailError | undefined> {
  const note = (
    seal: MessageRow['seal'],
    level: MessageRow['level'],
    rest: Omit<Parameters<MessageStore['setSeal']>[1], 'seal' | 'level'> = {},
  ): void => deps.messages.setSeal(row.id, { seal, level, ...rest });
  try {
    const raw = await sourceOf(account, row, deps.messages, signal);
    const source = { accountId: account.accountId, self: account.self, rfcMessageId: row.rfcMessageId, raw };
    const mail = await openSealed(source, deps, signal);
    if (!mail) {
      note('plain', 'L4');
      return undefined;
    }
    note('opened', mail.report.level, { envelopeId: mail.envelopeId });
    return mail;
  } catch (error) {
    const failure = QuMailError.from(error);
    if (failure.code === 'engine.cancelled') throw failure;
    deps.log.warn('not-opened', { code: failure.code });
    const before = readFailure(row.failureJson)?.code;
    if (before !== failure.code)
      note(mayPass(failure) ? 'unopened' : 'failed', row.level, { failureJson: writeFailure(failure), was: row.seal });
    return failure;
  }
}

/** The RFC 5322 source of a row, from the store where it is kept already. */
export async function sourceOf(account: SyncedAccount, row: MessageRow, messages: MessageStore, signal?: AbortSignal): Promise<Buffer> {
  const kept = keptSource(row.id, messages);
  if (kept) return kept;
  const place = messages.placeOf(row);
  if (!place) throw new QuMailError('message.missing');
  const raw = await account.handler.fetchSource(place.folder, place.uidValidity, place.uid, signal, row.size);
  ifThereIsRoom(() => messages.putBody(row.id, raw));
  return raw;
}

/** What was damaged here lies on the server whole. */
function keptSource(id: number, messages: MessageStore): Buffer | undefined {
  try {
    return messages.getBody(id);
  } catch (error) {
    if (!QuMailError.is(error, 'store.mail-damaged')) throw error;
    return undefined;
  }
}

/** Failures of the offline copy that keep nobody from reading: a full disk, another window that writes, a file that the next start replaces. */
const DONE_WITHOUT: readonly string[] = ['store.full', 'store.locked', 'store.mail-damaged'];

/** Notes in the offline copy what it may do without. */
export function ifThereIsRoom(note: () => void): void {
  try {
    note();
  } catch (error) {
    if (!QuMailError.is(error) || !DONE_WITHOUT.includes(error.code)) throw error;
  }
}
