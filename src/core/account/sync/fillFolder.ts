import { QuMailError, throwIfCancelled } from '../../base/errors.ts';
import type { FolderSyncChoice } from '../../base/sync.ts';
import { BODY } from '../../store/messageRow.ts';
import type { MessageStore } from '../../store/messages.ts';
import type { OfflineStore } from '../../store/offline.ts';
import type { EmailHandler } from '../../transport/emailHandler.ts';
import type { RemoteFacts, RemoteFolder, RemoteSource } from '../../transport/remoteMail.ts';
import { newRow, withheldRow } from './newRow.ts';
import { removeMost } from './removeInTurns.ts';
import { SourceIntake } from './sourceIntake.ts';
import { missingUids, planFill, type FillLimits } from './syncPlan.ts';

export interface FillDeps {
  readonly accountId: string;
  readonly handler: Pick<EmailHandler, 'listUids' | 'fetchFacts' | 'fetchSummaries' | 'fetchSources'>;
  readonly messages: Pick<MessageStore, 'cursor' | 'knownUids' | 'updateFlags' | 'removeUids' | 'forgetExtent'>;
  readonly offline: OfflineStore;
  readonly limits: FillLimits;
  /** Resolves when nothing that a person waits for is under way. */
  readonly quiet: () => Promise<void>;
  /** False once the disk budget is spent: from then on headers alone are taken in. */
  readonly hasRoom: (forWhat: 'arrivals' | 'backlog') => Promise<boolean>;
  readonly progress: (step: { readonly found?: number; readonly done?: number }) => void;
}

/** UIDs that are planned with at a time. */
const WINDOW = 2000;
/** Headers in one command. */
const HEADERS = 200;

interface Folder {
  readonly path: string;
  readonly uidValidity: number;
  /** What its missing messages are: new, or there before the account was. */
  readonly missing: 'arrivals' | 'backlog';
}

/**
 * Brings what is missing of one folder into the store, newest first: sources, or headers where that is the choice or all there is room for. What
 * was stored stays when it ends early; the next call goes on from there. Resolves to how much is here now: `partly` where UIDs changed
 * their meaning meanwhile or there was no room. What the server listed of the folder saves the question where it is empty.
 *
 * @throws QuMailError `net.*`, `imap.*`, `store.*`, `engine.cancelled`
 */
export async function fillFolder(
  path: string,
  choice: Exclude<FolderSyncChoice, 'off'>,
  deps: FillDeps,
  signal: AbortSignal,
  listed?: Pick<RemoteFolder, 'total' | 'uidNext'>,
): Promise<'filled' | 'partly'> {
  const cursor = deps.messages.cursor(deps.accountId, path);
  if (!cursor) return 'partly';
  const filled = deps.offline.filled(deps.accountId, path);
  const complete = filled !== undefined && (filled.as === 'all' || choice === 'headers');
  const folder: Folder = { path, uidValidity: cursor.uidValidity, missing: complete ? 'arrivals' : 'backlog' };
  if (complete) {
    // Whatever came since was listed by its header: those rows tell what is missing.
    if (choice === 'headers') return 'filled';
    const bodiless = deps.offline.bodilessUids(deps.accountId, path, WINDOW * 50);
    deps.progress({ found: bodiless.length });
    return fillUids(folder, bodiless, choice, deps, signal);
  }
  // Nothing was in it when it was listed, and nothing came.
  const isEmpty = listed?.total === 0 && listed.uidNext === cursor.uidNext;
  const onServer = isEmpty ? [] : await deps.handler.listUids(path, cursor.uidValidity, signal, cursor.uidNext);
  // A first few headers that are here already still lack their sources.
  const missing = missingUids(onServer, deps.offline.settledUids(deps.accountId, path, choice));
  deps.progress({ found: missing.length });
  const outcome = await fillUids(folder, missing, choice, deps, signal);
  if (outcome === 'filled') deps.offline.setFilled(deps.accountId, path, cursor.uidValidity, { as: choice, uid: cursor.uidNext });
  return outcome;
}

/** Of a folder that is not to be filled: the sources of what was listed since UID `since`. Throws as `fillFolder` does. */
export async function fillArrivals(path: string, since: number, deps: FillDeps, signal: AbortSignal): Promise<'filled' | 'partly'> {
  const cursor = deps.messages.cursor(deps.accountId, path);
  if (!cursor) return 'partly';
  const uids = deps.offline.bodilessUids(deps.accountId, path, WINDOW * 50).filter((uid) => uid >= since);
  deps.progress({ found: uids.length });
  return fillUids({ path, uidValidity: cursor.uidValidity, missing: 'arrivals' }, uids, 'all', deps, signal);
}

/**
 * Compares everything that is known of a folder with the server, for servers that cannot tell what changed: which messages are still there, and on
 * request all their flags. Looks compare no more than the newest.
 */
export async function checkKnown(path: string, what: 'presence' | 'flags', deps: FillDeps, signal: AbortSignal): Promise<void> {
  const { accountId, handler, messages } = deps;
  const cursor = messages.cursor(accountId, path);
  if (!cursor) return;
  const known = messages.knownUids(accountId, path, Number.MAX_SAFE_INTEGER);
  const present = new Set(await handler.listUids(path, cursor.uidValidity, signal, cursor.uidNext));
  const unchanged = (): boolean => messages.cursor(accountId, path)?.uidValidity === cursor.uidValidity;
  if (!unchanged()) return;
  const gone = known.filter((uid) => !present.has(uid));
  await removeMost(messages, accountId, path, gone);
  if (!unchanged()) return;
  messages.removeUids(accountId, path, gone);
  if (what === 'presence') return;
  for (let at = 0; at < known.length; at += WINDOW) {
    await deps.quiet();
    const facts = await handler.fetchFacts(path, cursor.uidValidity, known.slice(at, at + WINDOW), signal);
    if (!unchanged()) return;
    messages.updateFlags(accountId, path, facts);
  }
}

async function fillUids(
  folder: Folder,
  uids: readonly number[],
  choice: 'all' | 'headers',
  deps: FillDeps,
  signal: AbortSignal,
): Promise<'filled' | 'partly'> {
  // An intake takes a MiB, and folders in which nothing is missing are many.
  if (uids.length === 0) return 'filled';
  const place = { accountId: deps.accountId, path: folder.path, uidValidity: folder.uidValidity, messages: uids.length };
  const intake = new SourceIntake(deps.offline, place, (done) => deps.progress({ done }));
  for (let at = 0; at < uids.length; at += WINDOW) {
    const window = uids.slice(at, at + WINDOW);
    const before = changesOf(folder, deps);
    if (choice === 'headers' || !(await deps.hasRoom(folder.missing))) {
      const state = choice === 'headers' ? BODY.none : BODY.evicted;
      if ((await fillHeaders(folder, window, state, deps, signal)) === 'stale') return 'partly';
    } else if ((await fillSources(folder, window, intake, deps, signal)) === 'stale') return 'partly';
    await settleRace(folder, window, before, deps, signal);
  }
  return 'filled';
}

/** One window of sources: sizes first, then few large commands. Each message is listed afterwards, whatever came of its source. */
async function fillSources(
  folder: Folder,
  uids: readonly number[],
  intake: SourceIntake,
  deps: FillDeps,
  signal: AbortSignal,
): Promise<'stored' | 'stale'> {
  const { handler } = deps;
  const facts = await handler.fetchFacts(folder.path, folder.uidValidity, uids, signal);
  const own = withoutTwins(folder, facts, deps);
  const plan = planFill(own, deps.limits);
  const sizes = new Map(own.map(({ uid, size }) => [uid, size]));
  const left: number[] = [];
  const open = new Set(uids);
  const settle = (some: readonly number[]): void => some.forEach((uid) => open.delete(uid));
  const take = (message: RemoteSource): Promise<void> | void => {
    open.delete(message.uid);
    return intake.take(message);
  };
  settle(facts.filter((fact) => !sizes.has(fact.uid)).map(({ uid }) => uid));
  settle(plan.tooLarge);
  if ((await fillHeaders(folder, plan.tooLarge, BODY.tooLarge, deps, signal)) === 'stale') return 'stale';
  for (const batch of plan.batches) {
    await deps.quiet();
    throwIfCancelled(signal);
    if (left.length > 0 || !(await deps.hasRoom(folder.missing))) {
      left.push(...batch);
      continue;
    }
    try {
      const octets = batch.reduce((sum, uid) => sum + (sizes.get(uid) ?? 0), 0);
      await handler.fetchSources(folder.path, folder.uidValidity, batch, take, signal, octets);
    } catch (error) {
      if (!QuMailError.is(error, 'net.too-large')) throw error;
      // The server said a size and sent another. The batch is done one by one, and whoever lied is left out.
      intake.flush();
      const missing = batch.filter((uid) => open.has(uid));
      settle(await oneByOne(folder, missing, take, deps, signal));
    } finally {
      intake.flush();
    }
    if (intake.stale) return 'stale';
  }
  settle(left);
  if ((await fillHeaders(folder, left, BODY.evicted, deps, signal)) === 'stale') return 'stale';
  return withoutSource(folder, [...open], deps, signal);
}

/** Rows for messages whose source another folder of a Gmail account holds already; returns the rest. */
function withoutTwins(folder: Folder, facts: readonly RemoteFacts[], deps: FillDeps): readonly RemoteFacts[] {
  if (!facts.some(({ gmail }) => gmail !== undefined)) return facts;
  const twins = new Set(deps.offline.storeTwins(deps.accountId, folder.path, folder.uidValidity, facts));
  deps.progress({ done: twins.size });
  return facts.filter(({ uid }) => !twins.has(uid));
}

/** Resolves to those that turned out to be too large. */
async function oneByOne(
  folder: Folder,
  uids: readonly number[],
  take: (message: RemoteSource) => Promise<void> | void,
  deps: FillDeps,
  signal: AbortSignal,
): Promise<number[]> {
  const tooLarge: number[] = [];
  for (const uid of uids) {
    try {
      await deps.handler.fetchSources(folder.path, folder.uidValidity, [uid], take, signal);
    } catch (error) {
      if (!QuMailError.is(error, 'net.too-large')) throw error;
      await fillHeaders(folder, [uid], BODY.tooLarge, deps, signal);
      tooLarge.push(uid);
    }
  }
  return tooLarge;
}

async function fillHeaders(
  folder: Folder,
  uids: readonly number[],
  bodyState: number,
  deps: FillDeps,
  signal: AbortSignal,
): Promise<'stored' | 'stale'> {
  const { accountId, handler, offline } = deps;
  for (let at = 0; at < uids.length; at += HEADERS) {
    await deps.quiet();
    throwIfCancelled(signal);
    const asked = uids.slice(at, at + HEADERS);
    const rows = (await handler.fetchSummaries(folder.path, folder.uidValidity, asked, signal)).map(newRow);
    if (offline.storeHeaders(accountId, folder.path, folder.uidValidity, rows, bodyState) === 'stale') return 'stale';
    const came = new Set(rows.map(({ uid }) => uid));
    const missing = await stillThere(
      folder,
      asked.filter((uid) => !came.has(uid)),
      deps,
      signal,
    );
    if ((await withoutHeaders(folder, missing, deps, signal)) === 'stale') return 'stale';
    deps.progress({ done: asked.length });
  }
  return 'stored';
}

/** What the server lists and does not hand out: listed by its header, noted as damaged, and not asked for in every run. */
async function withoutSource(folder: Folder, uids: readonly number[], deps: FillDeps, signal: AbortSignal): Promise<'stored' | 'stale'> {
  const there = await stillThere(folder, uids, deps, signal);
  if (there.length === 0) return 'stored';
  deps.offline.markBodies(deps.accountId, folder.path, there, BODY.damaged);
  return fillHeaders(folder, unknown(folder, there, deps), BODY.damaged, deps, signal);
}

/** The same of messages of which not even the header is handed out. */
async function withoutHeaders(folder: Folder, uids: readonly number[], deps: FillDeps, signal: AbortSignal): Promise<'stored' | 'stale'> {
  const { accountId, handler, offline } = deps;
  const missing = unknown(folder, uids, deps);
  if (missing.length === 0) return 'stored';
  const facts = new Map(
    (await handler.fetchFacts(folder.path, folder.uidValidity, missing, signal)).map((each): [number, RemoteFacts] => [each.uid, each]),
  );
  const rows = missing.map((uid) => withheldRow({ ...facts.get(uid), uid }));
  return offline.storeHeaders(accountId, folder.path, folder.uidValidity, rows, BODY.damaged);
}

function unknown(folder: Folder, uids: readonly number[], deps: FillDeps): number[] {
  if (uids.length === 0) return [];
  const known = deps.offline.settledUids(deps.accountId, folder.path, 'headers');
  return uids.filter((uid) => !known.has(uid));
}

async function stillThere(folder: Folder, uids: readonly number[], deps: FillDeps, signal: AbortSignal): Promise<readonly number[]> {
  if (uids.length === 0) return [];
  const { uidNext } = deps.messages.cursor(deps.accountId, folder.path) ?? {};
  const present = new Set(await deps.handler.listUids(folder.path, folder.uidValidity, signal, uidNext));
  return uids.filter((uid) => present.has(uid));
}

function changesOf(folder: Folder, deps: FillDeps): string {
  const cursor = deps.messages.cursor(deps.accountId, folder.path);
  return `${cursor?.uidValidity}/${cursor?.highestModseq}`;
}

/**
 * A look for changes that ran while a window was fetched knew nothing of its messages: a flag set or a message expunged in that moment would be
 * missed for good. Then the window is asked once more how it stands.
 */
async function settleRace(folder: Folder, uids: readonly number[], before: string, deps: FillDeps, signal: AbortSignal): Promise<void> {
  const { accountId, handler, messages } = deps;
  for (let seen = before, rounds = 0; seen !== changesOf(folder, deps) && rounds < 5; rounds++) {
    seen = changesOf(folder, deps);
    const { uidNext } = messages.cursor(accountId, folder.path) ?? {};
    const present = new Set(await handler.listUids(folder.path, folder.uidValidity, signal, uidNext));
    const facts = await handler.fetchFacts(folder.path, folder.uidValidity, uids, signal);
    if (messages.cursor(accountId, folder.path)?.uidValidity !== folder.uidValidity) return;
    messages.updateFlags(accountId, folder.path, facts);
    messages.removeUids(
      accountId,
      folder.path,
      uids.filter((uid) => !present.has(uid)),
    );
  }
}
