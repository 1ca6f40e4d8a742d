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
}

/** A draft as this device has it. */
export interface LocalVersion {
  /** False for one that was sent or discarded here. */
  readonly exists: boolean;
  /** The last version that here and there agreed on. */
  readonly revision?: string | undefined;
  readonly ancestors: readonly string[];
  /** Whether the text is another than that version's. */
  readonly dirty: boolean;
  readonly updatedAt: number;
  readonly digest: string;
  /** Whether the folder is the very one in which the copy was put. */
  readonly sameFolder: boolean;
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
 * clocks, whether one contains the other; clocks only decide which of two that do not gets the name. Pure.
 */
export function planDraft(local: LocalVersion | undefined, remotes: readonly RemoteVersion[]): DraftStep {
  const heads = headsOf(remotes);
  const stale = remotes.filter((each) => !heads.includes(each)).map(({ uid }) => uid);
  const [head] = heads;
  if (!local) return head ? { do: 'adopt', remote: head, stale } : { do: 'nothing', stale };
  const known = new Set([...(local.revision === undefined ? [] : [local.revision]), ...local.ancestors]);
  if (!local.exists) {
    // What another device wrote since is not what was sent or discarded here.
    const own = heads.filter(({ revision }) => known.has(revision)).map(({ uid }) => uid);
    return { do: 'forget', stale: [...stale, ...own] };
  }
  const foreign = heads.find(({ revision }) => !known.has(revision));
  if (!foreign) return settled(local, heads, stale);
  const newer = local.revision === undefined || foreign.ancestors.includes(local.revision);
  if (foreign.digest === local.digest || (newer && !local.dirty && local.revision !== undefined))
    return { do: 'take', remote: foreign, stale };
  return { do: 'conflict', remote: foreign, keeps: foreign.updatedAt > local.updatedAt ? 'remote' : 'local', stale };
}

/** Nothing came from elsewhere: what is here is as there, goes there, or has gone with it. */
function settled(local: LocalVersion, heads: readonly RemoteVersion[], stale: readonly number[]): DraftStep {
  const current = heads.find(({ revision }) => revision === local.revision);
  const old = heads.filter((each) => each !== current).map(({ uid }) => uid);
  if (local.dirty || local.revision === undefined) return { do: 'push', stale: [...stale, ...heads.map(({ uid }) => uid)] };
  if (current) return { do: 'nothing', stale: [...stale, ...old] };
  if (heads.length > 0 || !local.sameFolder) return { do: 'push', stale: [...stale, ...old] };
  return { do: 'forget', stale };
}

/** Versions that no other is made from, the newest first; of one that is there twice, the later copy. */
function headsOf(remotes: readonly RemoteVersion[]): RemoteVersion[] {
  const superseded = new Set(remotes.flatMap(({ ancestors }) => ancestors));
  const unique = new Map(remotes.toSorted((a, b) => a.uid - b.uid).map((each) => [each.revision, each]));
  return [...unique.values()]
    .filter(({ revision }) => !superseded.has(revision))
    .sort((a, b) => b.updatedAt - a.updatedAt || b.uid - a.uid);
}
