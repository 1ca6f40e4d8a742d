import type { DraftSealing } from '../mail/draftMessage.ts';

/** One version of a draft as it lies in the Drafts folder. */
export interface RemoteVersion {
  readonly uid: number;
  readonly revision: string;
  /** The versions it was made from, the newest first. */
  readonly ancestors: readonly string[];
  /** Milliseconds since the epoch, by the clock of the device that wrote it. */
  readonly updatedAt: number;
  /** Of its text. */
  readonly digest: string;
  readonly sealing: DraftSealing;
}

/** A copy that is there and was not read. */
export interface UnreadVersion {
  readonly uid: number;
  /** The version that it claims to be. */
  readonly revision?: string;
  /** `shut`: no key here opens it. `failed`: another try may do. */
  readonly why: 'shut' | 'failed';
}

/** A draft as this device has it. */
export interface LocalVersion {
  /** False for one that was sent or discarded here. */
  readonly exists: boolean;
  /** The last version that here and there agreed on. */
  readonly revision?: string | undefined;
  readonly ancestors: readonly string[];
  /** Digest of that version. */
  readonly agreed?: string | undefined;
  /** Whether the text is another than that version's. */
  readonly dirty: boolean;
  readonly updatedAt: number;
  readonly digest: string;
  /** Its copy: `there` where it was seen, `gone` from there, or `unseen` in this folder so far. */
  readonly copy: 'there' | 'gone' | 'unseen';
}

export interface DraftStep {
  /**
   * `push`: what is here goes there as a new version, made from `parents`. `take`: what is there comes here. `conflict`: both were edited; the
   * newer one keeps the name and is there and here, the other becomes a draft of its own. `adopt`: a draft from elsewhere. `forget`: it was
   * sent or discarded, here or elsewhere.
   */
  readonly do: 'nothing' | 'push' | 'take' | 'conflict' | 'adopt' | 'forget';
  readonly remote?: RemoteVersion;
  /** Which of the two keeps the name, in a conflict. */
  readonly keeps?: 'local' | 'remote';
  /** Copies that nobody needs any more, because a version made from them is there. */
  readonly stale: readonly number[];
}

/**
 * What to do about one draft, known here, there, or both. Every version names those it was made from, so it is known, and not guessed from
 * clocks, whether one contains the other; clocks only decide which of two that do not gets the name. What is not seen is not gone: a draft
 * goes only where its copy was seen before and is there no more. Pure.
 */
export function planDraft(
  local: LocalVersion | undefined,
  remotes: readonly RemoteVersion[],
  unread: readonly UnreadVersion[] = [],
): DraftStep {
  const heads = headsOf(remotes);
  const stale = remotes.filter((each) => !heads.includes(each)).map(({ uid }) => uid);
  const [head] = heads;
  if (!local) return head ? { do: 'adopt', remote: head, stale } : { do: 'nothing', stale };
  const known = new Set([...(local.revision === undefined ? [] : [local.revision]), ...local.ancestors]);
  if (!local.exists) {
    // What another device wrote since is not what was sent or discarded here.
    const own = [...heads, ...unread].filter(({ revision }) => revision !== undefined && known.has(revision)).map(({ uid }) => uid);
    // Remembered until its copy is gone, or it would come back as somebody else's.
    return { do: local.copy === 'there' ? 'nothing' : 'forget', stale: [...stale, ...own] };
  }
  const foreign = heads.find(({ revision, digest }) => !known.has(revision) && !(local.dirty && digest === local.agreed));
  if (!foreign) return settled(local, heads, unread, stale);
  const newer = local.revision === undefined || foreign.ancestors.includes(local.revision);
  if (foreign.digest === local.digest || (newer && !local.dirty && local.revision !== undefined))
    return { do: 'take', remote: foreign, stale };
  return { do: 'conflict', remote: foreign, keeps: foreign.updatedAt > local.updatedAt ? 'remote' : 'local', stale };
}

/** Whether another device wrote a version that nobody can read here, beside or after the one that is here. */
export function isNewerElsewhere(local: LocalVersion, unread: readonly UnreadVersion[]): boolean {
  return local.exists && unread.some((each) => each.why === 'shut' && !isOwn(local, each));
}

/** Nothing that was read came from elsewhere: what is here is as there, goes there, or has gone with it. */
function settled(
  local: LocalVersion,
  heads: readonly RemoteVersion[],
  unread: readonly UnreadVersion[],
  stale: readonly number[],
): DraftStep {
  const own = unread.filter((each) => isOwn(local, each));
  const everything = [...stale, ...[...heads, ...own].map(({ uid }) => uid)];
  if (local.dirty || local.revision === undefined) return { do: 'push', stale: everything };
  // Of two copies of one text both devices keep the same, or each would remove the other's.
  const same = heads.find(({ digest }) => digest === local.digest);
  if (same && same.revision !== local.revision) return { do: 'take', remote: same, stale };
  // An encryption subkey comes to its end, and each of the other devices has its own.
  if (same && same.sealing !== 'own-key') return { do: 'push', stale: everything };
  if (same) return { do: 'nothing', remote: same, stale: everything.filter((uid) => uid !== same.uid) };
  if (unread.some((each) => each.why === 'failed' || !isOwn(local, each))) return { do: 'nothing', stale };
  if (heads.length > 0 || own.length > 0 || local.copy === 'unseen') return { do: 'push', stale: everything };
  return local.copy === 'gone' ? { do: 'forget', stale } : { do: 'nothing', stale };
}

function isOwn({ revision, ancestors }: LocalVersion, unread: UnreadVersion): boolean {
  return unread.revision !== undefined && (unread.revision === revision || ancestors.includes(unread.revision));
}

/** Versions that no other is made from, the newest first; of one that is there twice, the later copy. */
function headsOf(remotes: readonly RemoteVersion[]): RemoteVersion[] {
  const superseded = new Set(remotes.flatMap(({ ancestors }) => ancestors));
  const unique = new Map(remotes.toSorted((a, b) => a.uid - b.uid).map((each) => [each.revision, each]));
  return [...unique.values()]
    .filter(({ revision }) => !superseded.has(revision))
    .sort((a, b) => b.updatedAt - a.updatedAt || b.uid - a.uid);
}
