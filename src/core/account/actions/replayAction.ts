import { QuMailError } from '../../base/errors.ts';
import type { ActionMessage, ActionRecord, Place } from '../../store/actionRow.ts';
import type { Settled } from '../../store/actions.ts';
import type { MessageIdentity } from '../../transport/imapIdentity.ts';
import type { ReplayTools } from './replayTools.ts';

export interface ReplayContext {
  readonly tools: ReplayTools;
  /** Notes what a target was like before anything is moved into it; durable when it returns. */
  readonly noteBefore: (before: { uidValidity: number; uidNext: number }) => void;
  /** Takes what became of some messages, as soon as that is known: a failure with the next must not make it unknown again. */
  readonly settle: (settled: readonly Settled[]) => void;
  /** A folder that the server does not know: whether what lay in it is gone, or the list of folders is looked at first. */
  readonly missing: 'gone' | 'unsure';
  readonly signal: AbortSignal;
}

/**
 * Tells the server one action and finds out what became of each message. May be cut off anywhere and done again: flags and removal have
 * the same effect twice, and before a move is repeated it is looked what the first try achieved.
 *
 * @throws QuMailError `imap.mailbox-missing` (details: folder) where the target of a move is gone, or a folder that may have been renamed;
 *   `imap.rejected`, `net.*`, `auth.*`
 */
export async function replayAction(action: ActionRecord, context: ReplayContext): Promise<void> {
  const target = action.verb === 'move' ? await targetOf(action, context) : undefined;
  const claimed = new Set(action.messages.flatMap((each) => (each.outcome === 'done' && each.folder === action.target ? [each.uid] : [])));
  for (const group of byFolder(action.messages.filter(({ outcome }) => outcome === 'open'))) {
    const { found, lost } = await locate(group, action, context);
    context.settle(lost.map((message) => ({ message, outcome: 'vanished' as const })));
    if (found.length === 0) continue;
    if (action.verb === 'flags') context.settle(await flag(action, found, context));
    else if (action.verb === 'expunge') context.settle(await remove(found, context));
    else context.settle(await move(found, target!, claimed, context));
  }
}

/** A message and where it lies now, which is elsewhere than journaled after UIDVALIDITY changed. */
interface Located {
  readonly message: ActionMessage;
  readonly place: Place;
}

interface Target {
  readonly folder: string;
  readonly before: { readonly uidValidity: number; readonly uidNext: number };
  /** Whether an earlier try may have moved something already. */
  readonly triedBefore: boolean;
}

async function targetOf(action: ActionRecord, { tools, noteBefore, signal }: ReplayContext): Promise<Target> {
  const folder = action.target ?? '';
  const now = await named(folder, tools.marks(folder, signal));
  const { before } = action;
  // A target that was made anew meanwhile holds only what came since.
  if (before && before.uidValidity === now.uidValidity) return { folder, before, triedBefore: true };
  if (before) return { folder, before: { uidValidity: now.uidValidity, uidNext: 1 }, triedBefore: true };
  noteBefore(now);
  return { folder, before: now, triedBefore: false };
}

async function named<T>(folder: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (QuMailError.is(error, 'imap.mailbox-missing')) throw new QuMailError('imap.mailbox-missing', { folder }, { cause: error });
    throw error;
  }
}

function byFolder(messages: readonly ActionMessage[]): ActionMessage[][] {
  const groups = new Map<string, ActionMessage[]>();
  for (const message of messages) {
    const key = `${message.uidValidity}:${message.folder}`;
    const known = groups.get(key);
    if (known) known.push(message);
    else groups.set(key, [message]);
  }
  return [...groups.values()];
}

/** Where the messages of one folder are: as journaled, or found again by Message-ID and size where the folder's UIDs mean others now. */
async function locate(
  group: readonly ActionMessage[],
  action: ActionRecord,
  { tools, missing, signal }: ReplayContext,
): Promise<{ found: Located[]; lost: ActionMessage[] }> {
  const { folder, uidValidity } = group[0]!;
  let now: number;
  try {
    now = (await tools.marks(folder, signal)).uidValidity;
  } catch (error) {
    // The folder is gone, and what was in it: the server has the last word.
    if (missing === 'gone' && QuMailError.is(error, 'imap.mailbox-missing')) return { found: [], lost: [...group] };
    throw error;
  }
  if (now === uidValidity) return { found: group.map((message) => ({ message, place: message })), lost: [] };
  const found: Located[] = [];
  const lost: ActionMessage[] = [];
  const claimed = new Set<number>();
  for (const message of group) {
    const same = (await lookFor(message, folder, now, tools, signal)).filter(({ uid }) => !claimed.has(uid));
    // Of two that look alike none is removed for good on a guess.
    const sure = same.length === 1 || (same.length > 1 && action.verb !== 'expunge');
    if (!sure) lost.push(message);
    else {
      claimed.add(same[0]!.uid);
      found.push({ message, place: { folder, uidValidity: now, uid: same[0]!.uid } });
    }
  }
  return { found, lost };
}

async function lookFor(
  message: ActionMessage,
  folder: string,
  uidValidity: number,
  tools: ReplayTools,
  signal: AbortSignal,
): Promise<MessageIdentity[]> {
  if (message.rfcMessageId === '') return [];
  const uids = await tools.find(folder, message.rfcMessageId, signal);
  if (uids.length === 0) return [];
  return (await tools.identify(folder, uidValidity, { uids }, signal)).filter(sameAs(message));
}

function sameAs(message: ActionMessage): (each: MessageIdentity) => boolean {
  return ({ rfcMessageId, size }) => rfcMessageId === message.rfcMessageId && size === message.size;
}

async function flag(action: ActionRecord, found: readonly Located[], { tools, signal }: ReplayContext): Promise<Settled[]> {
  const { folder, uidValidity } = found[0]!.place;
  await tools.setFlags(
    folder,
    uidValidity,
    found.map(({ place }) => place.uid),
    action.change,
    signal,
  );
  return found.map(({ message, place }) => ({ message, outcome: 'done', place }));
}

async function remove(found: readonly Located[], { tools, signal }: ReplayContext): Promise<Settled[]> {
  const { folder, uidValidity } = found[0]!.place;
  await tools.remove(
    folder,
    uidValidity,
    found.map(({ place }) => place.uid),
    signal,
  );
  return found.map(({ message }) => ({ message, outcome: 'done' }));
}

/** How often a move is repeated of which the server says that it was carried out, and it was not. */
const TRIES = 5;

async function move(found: readonly Located[], target: Target, claimed: Set<number>, context: ReplayContext): Promise<Settled[]> {
  const { tools, signal } = context;
  const { folder, uidValidity } = found[0]!.place;
  if (folder === target.folder) return found.map(({ message, place }) => ({ message, outcome: 'done', place }));
  const done: Settled[] = [];
  const settle = ({ message }: Located, uid: number): void => {
    claimed.add(uid);
    done.push({ message, outcome: 'done', place: { folder: target.folder, uidValidity: target.before.uidValidity, uid } });
  };
  const gone: Located[] = [];
  /** Settles what is in the target, and returns what is still where it was: where it only got as far as a copy, the original goes. */
  const looked = async (wanted: readonly Located[], absent: 'gone' | 'left'): Promise<Located[]> => {
    const uids = wanted.map(({ place }) => place.uid);
    const still = new Set((await tools.identify(folder, uidValidity, { uids }, signal)).map(({ uid }) => uid));
    const arrived = await arrivals(wanted, target, claimed, context);
    const copied = wanted.filter((each) => arrived.has(each) && still.has(each.place.uid)).map(({ place }) => place.uid);
    if (copied.length > 0) await tools.remove(folder, uidValidity, copied, signal);
    for (const [each, uid] of arrived) settle(each, uid);
    const rest = wanted.filter((each) => !arrived.has(each));
    if (absent === 'left') return rest;
    gone.push(...rest.filter(({ place }) => !still.has(place.uid)));
    return rest.filter(({ place }) => still.has(place.uid));
  };

  let left = target.triedBefore ? await looked(found, 'left') : [...found];
  for (let tries = 0; left.length > 0; tries++) {
    // Where another program expunges one of them at the same moment, Dovecot says OK and moves none.
    if (tries === TRIES) {
      context.settle(done);
      throw new QuMailError('imap.rejected', { protocol: 'imap', response: 'MOVE' });
    }
    const uids = left.map(({ place }) => place.uid);
    const moved = await named(target.folder, tools.move(folder, uidValidity, uids, target.folder, signal));
    const untold: Located[] = [];
    for (const each of left) {
      const uid = moved.get(each.place.uid);
      if (uid === undefined) untold.push(each);
      else settle(each, uid);
    }
    left = untold.length === 0 ? [] : await looked(untold, 'gone');
  }
  for (const each of gone) {
    const uid = await elsewhere(each.message, target, claimed, context);
    if (uid === undefined) done.push({ message: each.message, outcome: 'vanished' });
    else settle(each, uid);
  }
  return done;
}

/** Which of the messages came into the target since the action was first tried, each by a UID of its own. */
async function arrivals(
  wanted: readonly Located[],
  target: Target,
  claimed: Set<number>,
  { tools, signal }: ReplayContext,
): Promise<Map<Located, number>> {
  const since = await tools.identify(target.folder, target.before.uidValidity, { from: target.before.uidNext }, signal);
  const arrived = new Map<Located, number>();
  for (const each of wanted) {
    const match = since.find((candidate) => !claimed.has(candidate.uid) && sameAs(each.message)(candidate));
    if (!match) continue;
    claimed.add(match.uid);
    arrived.set(each, match.uid);
  }
  return arrived;
}

/** Somebody else may have moved it to the very same folder before. */
async function elsewhere(
  message: ActionMessage,
  target: Target,
  claimed: ReadonlySet<number>,
  { tools, signal }: ReplayContext,
): Promise<number | undefined> {
  const same = await lookFor(message, target.folder, target.before.uidValidity, tools, signal);
  return same.find(({ uid }) => !claimed.has(uid))?.uid;
}
