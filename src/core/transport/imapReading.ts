import { QuMailError } from '../base/errors.ts';
import { othersFirst } from '../base/othersFirst.ts';
import type { ImapClient } from './imapClient.ts';
import type { SelectedMailbox } from './imapFolders.ts';
import { isListed, NOTHING, readListed, readNewest, readRange, searchUids, type Handed } from './imapSummaries.ts';
import { arrivalOf, mailFlags } from './remoteMessage.ts';
import type { FolderChanges, FolderCursor, RemoteMessage } from './remoteMail.ts';
import { uidSetContains, uidSets } from './uidSet.ts';

/** What may change of a message. */
const STANDING = { uid: true, flags: true, labels: true };
const BY_UID = { uid: true };
/** Disappearances taken in from one answer; a server may name UIDs that never were. */
const MAX_VANISHED = 500_000;
/** Flags that are taken in before others have their turn. */
const BETWEEN_PAUSES = 80;

export interface ChangesAsked {
  /** Most new messages in one answer. */
  readonly limit: number;
  /**
   * Messages whose flags and existence are of interest; a function is called only where the server must be asked about each, and what a server
   * with CONDSTORE tells of others is passed on as well.
   */
  readonly knownUids: readonly number[] | (() => readonly number[]);
  readonly arrived?: (added: readonly RemoteMessage[]) => void;
}

/** What changed since `since`: new messages, flags and disappearance of the known ones. */
export async function readChanges(
  client: ImapClient,
  mailbox: SelectedMailbox,
  since: FolderCursor | undefined,
  o: ChangesAsked,
): Promise<FolderChanges> {
  const uidValidity = Number(mailbox.uidValidity);
  const modseq = {
    ...(mailbox.highestModseq !== undefined && !mailbox.noModseq && { highestModseq: mailbox.highestModseq }),
    ...(mailbox.mailboxId !== undefined && { mailboxId: mailbox.mailboxId }),
  };
  if (since === undefined || since.uidValidity !== uidValidity || isAnother(since, mailbox)) {
    const { messages: added, withheld } = await readNewest(client, mailbox, o.limit);
    const reset = since === undefined ? 'no' : 'uid-validity';
    const uidNext = mailbox.uidNext ?? afterLast(added, withheld, 1);
    return { uidValidity, uidNext, ...modseq, reset, added, withheld, more: false, flags: [], vanished: [] };
  }
  const { messages: added, withheld, more, uidNext } = await readNew(client, mailbox, since.uidNext, o.limit);
  if (added.length > 0) o.arrived?.(added);
  const known = await readKnown(client, mailbox, since, o.knownUids);
  return { uidValidity, uidNext, ...modseq, reset: 'no', added, withheld, more, ...known };
}

/** Two folders of one UIDVALIDITY may have swapped their names (RFC 8474 section 4). */
function isAnother(since: FolderCursor, { mailboxId }: SelectedMailbox): boolean {
  return since.mailboxId !== undefined && mailboxId !== undefined && since.mailboxId !== mailboxId;
}

/** The source of one message, octet for octet. `imap.message-missing` when it is gone. */
export async function readSource(client: ImapClient, folder: string, uid: number): Promise<Buffer> {
  const message = await client.fetchOne(String(uid), { uid: true, source: true }, BY_UID);
  if (message === false || !message.source || message.uid !== uid) throw new QuMailError('imap.message-missing', { folder, uid });
  return message.source;
}

/** Messages from `from` on, the oldest first; `uidNext` is where the next look starts. */
async function readNew(
  client: ImapClient,
  mailbox: SelectedMailbox,
  from: number,
  limit: number,
): Promise<Handed & { readonly more: boolean; readonly uidNext: number }> {
  const { exists, uidNext = from } = mailbox;
  const after = Math.max(from, uidNext);
  if (exists === 0 || (mailbox.uidNext !== undefined && uidNext <= from)) return { ...NOTHING, more: false, uidNext: after };
  const listed = isListed(mailbox, from);
  // No more than `limit` can have come by SELECT, so there is no need to ask for their UIDs first.
  if (mailbox.uidNext !== undefined && uidNext - from <= limit)
    return { ...(await readRange(client, `${from}:*`, 'by-uid', uidNext - from, listed)), more: false, uidNext: after };
  const uids = (await searchUids(client, { uid: `${from}:*` })).filter(listed);
  const some = uids.slice(0, limit);
  const handed = await readListed(client, some, []);
  const more = uids.length > limit;
  // Where more is to come, the next look starts after what was listed, also where none of it was handed out; not after what the server has.
  return { ...handed, more, uidNext: more || mailbox.uidNext === undefined ? (some.at(-1) ?? from - 1) + 1 : after };
}

async function readKnown(
  client: ImapClient,
  mailbox: SelectedMailbox,
  since: FolderCursor,
  asked: ChangesAsked['knownUids'],
): Promise<Pick<FolderChanges, 'flags' | 'vanished'>> {
  const knownUids = once(asked);
  const condstore =
    since.highestModseq !== undefined && mailbox.highestModseq !== undefined && !mailbox.noModseq && client.enabled.has('CONDSTORE');
  const quiet = condstore && mailbox.highestModseq === BigInt(since.highestModseq!);
  if (quiet && client.enabled.has('QRESYNC')) return { flags: [], vanished: [] };
  // Where the server tells what changed, all of it is taken: the next question begins after it.
  const wanted = typeof asked === 'function' && condstore ? undefined : new Set(knownUids());
  if (wanted?.size === 0) return { flags: [], vanished: [] };
  if (mailbox.exists === 0) return { flags: [], vanished: [...knownUids()] };
  if (!condstore) return readAllKnown(client, uidSets(knownUids()), knownUids());
  const readChanged = async (): Promise<FolderChanges['flags']> => {
    const changed = quiet
      ? []
      : await readFlags(client, `1:${Math.max(1, since.uidNext - 1)}`, { ...BY_UID, changedSince: BigInt(since.highestModseq!) });
    return changed.filter(({ uid }) => uid < since.uidNext && (!wanted || wanted.has(uid)));
  };
  if (client.enabled.has('QRESYNC')) return whileListening(client, wanted, readChanged);
  return { flags: await readChanged(), vanished: await readVanished(client, uidSets(knownUids()), knownUids()) };
}

function once(asked: ChangesAsked['knownUids']): () => readonly number[] {
  let uids: readonly number[] | undefined;
  return () => (uids ??= typeof asked === 'function' ? asked() : asked);
}

/**
 * With QRESYNC (RFC 7162 section 3.2.6) FETCH CHANGEDSINCE answers VANISHED (EARLIER) as well, and an expunge raises HIGHESTMODSEQ, so that a
 * folder without change needs no question at all.
 */
async function whileListening(
  client: ImapClient,
  wanted: ReadonlySet<number> | undefined,
  readChanged: () => Promise<FolderChanges['flags']>,
): Promise<Pick<FolderChanges, 'flags' | 'vanished'>> {
  const vanished = new Set<number>();
  const listen = ({ uid }: { uid?: number | undefined }): void => {
    if (uid !== undefined && (wanted ? wanted.has(uid) : vanished.size < MAX_VANISHED)) vanished.add(uid);
  };
  client.on('expunge', listen);
  try {
    const flags = await readChanged();
    return { flags: flags.filter(({ uid }) => !vanished.has(uid)), vanished: [...vanished] };
  } finally {
    client.off('expunge', listen);
  }
}

/** Without CONDSTORE: every known message is asked for its flags, and one that does not answer is gone. */
async function readAllKnown(
  client: ImapClient,
  known: readonly string[],
  knownUids: readonly number[],
): Promise<Pick<FolderChanges, 'flags' | 'vanished'>> {
  const flags: FolderChanges['flags'][number][] = [];
  for (const set of known) flags.push(...(await readFlags(client, set, BY_UID)));
  const present = new Set(flags.map(({ uid }) => uid));
  return { flags, vanished: knownUids.filter((uid) => !present.has(uid)) };
}

async function readFlags(
  client: ImapClient,
  range: string,
  options: { uid: boolean; changedSince?: bigint },
): Promise<FolderChanges['flags'][number][]> {
  const found: FolderChanges['flags'][number][] = [];
  for await (const message of client.fetch(range, STANDING, options)) {
    const { uid, flags } = message;
    if (flags) found.push({ uid, flags: mailFlags(flags), ...arrivalOf(message) });
    if (found.length % BETWEEN_PAUSES === 0) await othersFirst();
  }
  return found;
}

/** HIGHESTMODSEQ need not tell of expunges (RFC 7162 section 3.1.2), so the UIDs are compared; compactly where ESEARCH is offered. */
async function readVanished(client: ImapClient, known: readonly string[], knownUids: readonly number[]): Promise<number[]> {
  const present: ((uid: number) => boolean)[] = [];
  for (const set of known) {
    const found = await client.search({ uid: set }, { uid: true, returnOptions: ['ALL'] });
    if (found === false || found === undefined) throw new QuMailError('imap.rejected', { response: 'SEARCH' });
    if (Array.isArray(found)) {
      const uids = new Set(found);
      present.push((uid) => uids.has(uid));
    } else present.push(uidSetContains(found.all ?? ''));
  }
  return knownUids.filter((uid) => !present.some((has) => has(uid)));
}

/** One above the highest UID that was read or withheld; `atLeast` where there is none. */
function afterLast(added: readonly RemoteMessage[], withheld: readonly number[], atLeast: number): number {
  return withheld.reduce((next, uid) => Math.max(next, uid + 1), Math.max(atLeast, (added[0]?.uid ?? 0) + 1));
}
