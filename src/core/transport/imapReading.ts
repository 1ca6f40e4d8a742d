import { QuMailError } from '../base/errors.ts';
import type { ImapClient } from './imapClient.ts';
import type { SelectedMailbox } from './imapFolders.ts';
import { arrivalOf, mailFlags, remoteMessage } from './remoteMessage.ts';
import type { FolderChanges, FolderCursor, RemoteMessage } from './remoteMail.ts';
import { uidSetContains, uidSets } from './uidSet.ts';

/** What a message list needs. REFERENCES is the only header ENVELOPE leaves out; bodies are not asked for. */
const SUMMARY = {
  uid: true,
  flags: true,
  envelope: true,
  bodyStructure: true,
  internalDate: true,
  size: true,
  headers: ['references'],
  // Left out by ImapFlow where the server has no such thing.
  labels: true,
  threadId: true,
};
/** What may change of a message. */
const STANDING = { uid: true, flags: true, labels: true };
const BY_UID = { uid: true };
/** Disappearances taken in from one answer; a server may name UIDs that never were. */
const MAX_VANISHED = 500_000;
/** Messages that are taken in before others have their turn. */
const BETWEEN_PAUSES = 20;

export interface ChangesAsked {
  /** Most new messages in one answer. */
  readonly limit: number;
  /**
   * Messages whose flags and existence are of interest; a function is called only where the server must be asked about each, and what a server
   * with QRESYNC tells of others is passed on as well.
   */
  readonly knownUids: readonly number[] | (() => readonly number[]);
  readonly arrived?: (added: readonly RemoteMessage[]) => void;
}

/** The newest `limit` messages of the selected mailbox, newest first. */
export async function readNewest(client: ImapClient, mailbox: SelectedMailbox, limit: number): Promise<RemoteMessage[]> {
  if (mailbox.exists === 0 || limit <= 0) return [];
  const from = Math.max(1, mailbox.exists - limit + 1);
  return newestFirst(await readSummaries(client, `${from}:*`, 'by-number')).slice(0, limit);
}

/** The `limit` messages before `uid`, newest first. */
export async function readBefore(client: ImapClient, mailbox: SelectedMailbox, uid: number, limit: number): Promise<RemoteMessage[]> {
  if (mailbox.exists === 0 || uid <= 1 || limit <= 0) return [];
  const older = await searchUids(client, `1:${uid - 1}`);
  return readUids(client, older.slice(-limit));
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
  if (since === undefined || since.uidValidity !== uidValidity) {
    const added = await readNewest(client, mailbox, o.limit);
    const reset = since === undefined ? 'no' : 'uid-validity';
    return { uidValidity, uidNext: afterLast(added, mailbox.uidNext ?? 1), ...modseq, reset, added, more: false, flags: [], vanished: [] };
  }
  const { added, more } = await readNew(client, mailbox, since.uidNext, o.limit);
  // Where more is to come, the next look must start after what was read, not after what the server has.
  const uidNext = afterLast(added, more ? since.uidNext : Math.max(since.uidNext, mailbox.uidNext ?? 1));
  if (added.length > 0) o.arrived?.(added);
  const known = await readKnown(client, mailbox, since, o.knownUids);
  return { uidValidity, uidNext, ...modseq, reset: 'no', added, more, ...known };
}

/** The source of one message, octet for octet. `imap.message-missing` when it is gone. */
export async function readSource(client: ImapClient, folder: string, uid: number): Promise<Buffer> {
  const message = await client.fetchOne(String(uid), { uid: true, source: true }, BY_UID);
  if (message === false || !message.source || message.uid !== uid) throw new QuMailError('imap.message-missing', { folder, uid });
  return message.source;
}

async function readNew(
  client: ImapClient,
  mailbox: SelectedMailbox,
  uidNext: number,
  limit: number,
): Promise<{ added: RemoteMessage[]; more: boolean }> {
  if (mailbox.exists === 0) return { added: [], more: false };
  if (mailbox.uidNext !== undefined && mailbox.uidNext <= uidNext) return { added: [], more: false };
  // `n:*` always names the last message, also one below n (RFC 9051 section 9, seq-range).
  if (mailbox.uidNext !== undefined && mailbox.uidNext - uidNext <= limit) {
    // No more than `limit` can have come by SELECT, so there is no need to ask for their UIDs first; what came since is cut off again.
    const fetched = (await readSummaries(client, `${uidNext}:*`)).filter(({ uid }) => uid >= uidNext);
    const oldestFirst = fetched.sort((a, b) => a.uid - b.uid);
    return { added: newestFirst(oldestFirst.slice(0, limit)), more: oldestFirst.length > limit };
  }
  const uids = (await searchUids(client, `${uidNext}:*`)).filter((uid) => uid >= uidNext);
  return { added: await readUids(client, uids.slice(0, limit)), more: uids.length > limit };
}

/** What a list shows of these messages, newest first. */
export async function readUids(client: ImapClient, uids: readonly number[]): Promise<RemoteMessage[]> {
  const messages: RemoteMessage[] = [];
  for (const set of uidSets(uids)) messages.push(...(await readSummaries(client, set)));
  return newestFirst(messages);
}

/** ImapFlow takes in whatever came from the line at once; so that requests are answered in between, it is held up now and then. */
async function readSummaries(client: ImapClient, set: string, named: 'by-uid' | 'by-number' = 'by-uid'): Promise<RemoteMessage[]> {
  const messages: RemoteMessage[] = [];
  for await (const message of client.fetch(set, SUMMARY, { uid: named === 'by-uid' })) {
    messages.push(remoteMessage(message));
    if (messages.length % BETWEEN_PAUSES === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  return messages;
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
  const wanted = typeof asked === 'function' && client.enabled.has('QRESYNC') ? undefined : new Set(knownUids());
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
    if (found.length % (BETWEEN_PAUSES * 4) === 0) await new Promise((resolve) => setImmediate(resolve));
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

async function searchUids(client: ImapClient, set: string): Promise<number[]> {
  const found = await client.search({ uid: set }, BY_UID);
  if (!Array.isArray(found)) throw new QuMailError('imap.rejected', { response: 'SEARCH' });
  return found.sort((a, b) => a - b);
}

function newestFirst(messages: RemoteMessage[]): RemoteMessage[] {
  return messages.sort((a, b) => b.uid - a.uid);
}

/** Messages may arrive between SELECT and FETCH, so UIDNEXT from SELECT can be behind. */
function afterLast(added: readonly RemoteMessage[], atLeast: number): number {
  return Math.max(atLeast, (added[0]?.uid ?? 0) + 1);
}
