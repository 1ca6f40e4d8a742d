import type { FolderSyncChoice } from '../../base/sync.ts';
import type { SpecialUse } from '../../base/types.ts';

/** A folder as LIST and STATUS tell of it, as far as planning goes. */
export interface ListedFolder {
  readonly path: string;
  readonly specialUse?: SpecialUse;
  readonly selectable: boolean;
  readonly total?: number;
  readonly uidValidity?: number;
  readonly uidNext?: number;
  readonly highestModseq?: bigint;
  /** RFC 8474, where it is known. */
  readonly mailboxId?: string;
}

/** How far the store has read a folder. */
export interface StoredFolder {
  readonly path: string;
  readonly cursor?: {
    readonly uidValidity: number;
    readonly uidNext: number;
    readonly highestModseq?: bigint;
    readonly mailboxId?: string;
  };
}

/** What is kept of a folder where nobody chose otherwise: all of it, of Junk and Trash the headers, of Gmail's virtual folders nothing. */
export function defaultChoice(specialUse: SpecialUse | undefined): FolderSyncChoice {
  if (specialUse === 'junk' || specialUse === 'trash') return 'headers';
  return specialUse === 'flagged' ? 'off' : 'all';
}

const ORDER: readonly (SpecialUse | undefined)[] = ['inbox', 'drafts', 'sent', undefined, 'archive', 'all', 'junk', 'trash', 'flagged'];

/** Folders in the order in which they are filled: what people look at first comes first, what holds everything once more comes late. */
export function inFillingOrder<T extends ListedFolder>(folders: readonly T[]): T[] {
  return folders.filter(({ selectable }) => selectable).toSorted((a, b) => ORDER.indexOf(a.specialUse) - ORDER.indexOf(b.specialUse));
}

/**
 * Whether a folder must be looked into, told from its STATUS alone: never where it provably is as it was left. Without mod-sequences flags may
 * have changed unseen, so the answer is `perhaps`.
 */
export function needsLook(stored: StoredFolder | undefined, listed: ListedFolder, known: number): 'yes' | 'perhaps' | 'no' {
  const cursor = stored?.cursor;
  if (!cursor || listed.uidValidity === undefined || listed.uidNext === undefined) return 'yes';
  if (cursor.uidValidity !== listed.uidValidity || cursor.uidNext < listed.uidNext) return 'yes';
  // No folder's UIDNEXT goes down: it is another one, that has the same UIDVALIDITY. Its MAILBOXID will tell.
  if (cursor.uidNext > listed.uidNext && cursor.mailboxId !== undefined) return 'yes';
  if (listed.highestModseq !== undefined && cursor.highestModseq !== undefined) {
    // RFC 7162 lets an expunge leave HIGHESTMODSEQ as it was; where everything is known the count tells.
    return cursor.highestModseq === listed.highestModseq && (listed.total === undefined || listed.total >= known) ? 'no' : 'yes';
  }
  return listed.total !== undefined && listed.total < known ? 'yes' : 'perhaps';
}

/** Paths of folders that STATUS does not tell apart: were the names of two of them swapped, it would say the same. */
export function indistinct(folders: readonly ListedFolder[]): ReadonlySet<string> {
  const key = ({ uidValidity, uidNext, highestModseq }: ListedFolder): string => `${uidValidity}/${uidNext}/${highestModseq}`;
  const alike = Map.groupBy(folders, key);
  return new Set([...alike.values()].flatMap((some) => (some.length > 1 ? some.map(({ path }) => path) : [])));
}

/** What to do with a folder list: which paths are new, which are gone, and which only go by another name. */
export interface FolderListPlan {
  /** `by`: told by the server's MAILBOXID, which no other folder ever has, or concluded from UIDs, which is to be looked at. */
  readonly renamed: readonly { readonly from: string; readonly to: string; readonly by: 'mailbox-id' | 'uids' }[];
  readonly gone: readonly string[];
}

/**
 * A folder that is gone and a new one with its MAILBOXID are one renamed folder (RFC 8474 section 4). Where the server has no such thing, one
 * with its UIDVALIDITY and a UIDNEXT no lower is, where that is unmistakable: exactly one of each, and the UIDs read so far fit. RFC 9051
 * section 6.3.6 has the UIDs live on. A folder above them that was renamed takes its children along, each found in the same way.
 */
export function planFolderList(before: readonly StoredFolder[], listed: readonly ListedFolder[]): FolderListPlan {
  const present = new Set(listed.map(({ path }) => path));
  const known = new Set(before.map(({ path }) => path));
  const lost = before.filter(({ path }) => !present.has(path));
  const fresh = listed.filter(({ path, selectable }) => selectable && !known.has(path));
  const renamed = lost.flatMap(({ path: from, cursor }): FolderListPlan['renamed'][number][] => {
    if (!cursor) return [];
    const { mailboxId } = cursor;
    if (mailboxId !== undefined && fresh.some((folder) => folder.mailboxId !== undefined)) {
      const [same, ...more] = fresh.filter((folder) => folder.mailboxId === mailboxId);
      const alone = lost.filter((other) => other.cursor?.mailboxId === mailboxId).length === 1;
      // Two with one id is a server that does not mean what it says; then its ids prove nothing.
      if (same && more.length === 0 && alone) return [{ from, to: same.path, by: 'mailbox-id' }];
      return [];
    }
    const fits = fresh.filter(({ uidValidity, uidNext }) => uidValidity === cursor.uidValidity && (uidNext ?? 0) >= cursor.uidNext);
    const rivals = lost.filter((other) => other.cursor?.uidValidity === cursor.uidValidity);
    return fits.length === 1 && rivals.length === 1 ? [{ from, to: fits[0]!.path, by: 'uids' }] : [];
  });
  const moved = new Set(renamed.map(({ from }) => from));
  return { renamed, gone: lost.filter(({ path }) => !moved.has(path)).map(({ path }) => path) };
}

export interface FillLimits {
  /** Octets of one command's messages, as the server counts them. */
  readonly octets: number;
  readonly messages: number;
  /** A message above this is not kept. */
  readonly largest: number;
}

export interface FillPlan {
  /** Sources to fetch, in this order, one command each; UIDs descending. */
  readonly batches: readonly (readonly number[])[];
  readonly tooLarge: readonly number[];
}

/** Sources in few large commands, newest first, each bounded in octets and messages; a single message may exceed a batch's octets. */
export function planFill(facts: readonly { readonly uid: number; readonly size: number }[], limits: FillLimits): FillPlan {
  const tooLarge = facts.filter(({ size }) => size > limits.largest).map(({ uid }) => uid);
  const batches: number[][] = [];
  let octets = 0;
  for (const { uid, size } of facts.filter((fact) => fact.size <= limits.largest).toSorted((a, b) => b.uid - a.uid)) {
    const batch = batches.at(-1);
    if (batch && batch.length < limits.messages && octets + size <= limits.octets) {
      batch.push(uid);
      octets += size;
    } else {
      batches.push([uid]);
      octets = size;
    }
  }
  return { batches, tooLarge };
}

/** UIDs the store still lacks, newest first. */
export function missingUids(onServer: readonly number[], settled: ReadonlySet<number>): number[] {
  return onServer.filter((uid) => !settled.has(uid)).toSorted((a, b) => b - a);
}
