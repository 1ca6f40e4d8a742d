import type { DraftState } from '../base/drafts.ts';
import type { QuMailEvent } from '../base/events.ts';
import { QuMailError } from '../base/errors.ts';
import type { Disposable } from '../base/lifetime.ts';
import type { Log } from '../base/log.ts';
import type { Failure } from '../base/model.ts';
import type { Clock, CrossWindowLock, Random } from '../base/ports.ts';
import type { Address } from '../base/types.ts';
import type { PgpEngine } from '../crypto/pgpEngine.ts';
import type { DraftCopy, DraftCopyStore } from '../store/draftCopies.ts';
import type { DraftRecord, DraftStore } from '../store/drafts.ts';
import type { DraftVersionStore } from '../store/draftVersions.ts';
import type { MessageStore } from '../store/messages.ts';
import type { EmailHandler } from '../transport/emailHandler.ts';
import { digestOf, localOf, MAX_ANCESTORS, nameOfLoser } from './draftCopy.ts';
import { DraftCopyReader, type FoundCopy, type ReadCopies } from './draftCopyReader.ts';
import { DraftCopyWriter } from './draftCopyWriter.ts';
import { DraftFinder, type DraftSighting } from './draftFinder.ts';
import { isNewerElsewhere, planDraft, type DraftStep, type UnreadVersion } from './draftPlan.ts';
import { draftState } from './draftState.ts';
import type { OwnCertificates } from './ownCertificates.ts';
import { TrailingFlight } from './trailingFlight.ts';

/** Typing is given this long to come to rest before a copy goes out. */
const QUIET_MS = 5000;
/** Something came into the Drafts folder: looked at after this long. */
const LOOK_MS = 500;
/** After a failure it is tried again after this long, where nothing else comes first. */
const RETRY_MS = 60_000;
const LEASE_MS = 30_000;
/** What was sent or discarded on another computer can be brought back for so long. */
const DISCARDED_MS = 30 * 86_400_000;

export interface DraftSyncDeps {
  readonly drafts: DraftStore;
  readonly copies: DraftCopyStore;
  readonly versions: DraftVersionStore;
  readonly messages: MessageStore;
  readonly own: Pick<OwnCertificates, 'peek' | 'withSecret'>;
  readonly pgp: Pick<PgpEngine, 'open'>;
  readonly lock: CrossWindowLock;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly emit: (event: QuMailEvent) => void;
  readonly accounts: () => readonly {
    readonly id: string;
    readonly state: string;
    readonly failure?: Failure | undefined;
    readonly handler: EmailHandler;
    syncFolder(path: string): Promise<unknown>;
  }[];
  readonly addressOf: (accountId: string) => Address;
  /** Whether a draft is being sent or waits to be: then it is left alone. */
  readonly isOnItsWay: (draftId: string) => boolean;
}

/**
 * Keeps a copy of each draft in the account's Drafts folder, sealed under a key of one's own certificate, so that another computer with
 * the same certificate goes on where this one stopped. Accounts without certificate keep their drafts to themselves.
 */
export class DraftSync implements Disposable {
  readonly #deps: DraftSyncDeps;
  readonly #flights = new TrailingFlight<void>();
  readonly #timers = new Map<string, Disposable>();
  readonly #stop = new AbortController();
  readonly #finder: DraftFinder;
  readonly #reader: DraftCopyReader;
  readonly #writer: DraftCopyWriter;
  /** Why the last try failed: of an account as a whole, or of one draft that the server would not take, by its name. */
  readonly #failed = new Map<string, Failure>();
  /** Names of drafts of which another device wrote a version that no key here opens. */
  readonly #newerElsewhere = new Set<string>();
  /** Accounts whose folder has other copies now than when it was looked at last. */
  readonly #stale = new Set<string>();

  constructor(deps: DraftSyncDeps) {
    this.#deps = deps;
    const { signal } = this.#stop;
    this.#finder = new DraftFinder(signal);
    this.#reader = new DraftCopyReader({ ...deps, signal });
    this.#writer = new DraftCopyWriter({ ...deps, signal });
  }

  /** Call with everything the engine tells. */
  heard(event: QuMailEvent): void {
    if (event.kind === 'drafts' || event.kind === 'sent')
      for (const { id: accountId } of this.#deps.accounts()) this.#soon(accountId, QUIET_MS);
    if (event.kind === 'accounts') for (const { id: accountId } of this.#deps.accounts()) this.#soon(accountId, LOOK_MS);
    if (event.kind === 'messages' && event.folder === this.#folderOf(event.accountId)) this.#soon(event.accountId, LOOK_MS);
  }

  /** Brings drafts and copies together now. Resolves when done; failures are logged and tried again later. */
  run(accountId: string): Promise<void> {
    return this.#flights.run(accountId, async () => {
      const { lock, emit, log } = this.#deps;
      this.#failed.delete(accountId);
      try {
        await lock.run(`drafts/${accountId}`, LEASE_MS, () => this.#sync(accountId), this.#stop.signal);
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        const { code, details } = QuMailError.from(error);
        log.info('drafts-not-synced', { code });
        this.#failed.set(accountId, { code, details });
        this.#again(accountId);
      }
      if (!this.#stop.signal.aborted) emit({ kind: 'draft-copies', accountId });
    });
  }

  /** Where the text of a draft is; `draft.missing`. */
  stateOf(draftId: string): DraftState {
    const { drafts, copies, messages, own, isOnItsWay } = this.#deps;
    const draft = drafts.get(draftId);
    if (!draft) throw new QuMailError('draft.missing');
    const { accountId } = draft;
    const copy = copies.get(draftId);
    const drawer = this.#folderOf(accountId);
    const settled = copy?.digest === digestOf(draft.text);
    return draftState({
      copy: copy && this.#newerElsewhere.has(copy.name) ? 'newer' : settled ? 'same' : 'other',
      outgoing: isOnItsWay(draftId) ? 'yes' : 'no',
      account: this.#deps.accounts().find(({ id }) => id === accountId),
      folder: drawer !== undefined ? 'present' : messages.listFolders(accountId).length > 0 ? 'none' : 'unknown',
      certificate: own.peek(accountId) ? 'present' : 'none',
      failure: this.#failed.get(copy?.name ?? '') ?? this.#failed.get(accountId),
    });
  }

  dispose(): void {
    this.#stop.abort();
    for (const timer of this.#timers.values()) timer.dispose();
  }

  #soon(accountId: string, ms: number): void {
    if (this.#stop.signal.aborted) return;
    this.#timers.get(accountId)?.dispose();
    this.#timers.set(
      accountId,
      this.#deps.clock.after(ms, () => {
        this.#timers.delete(accountId);
        void this.run(accountId);
      }),
    );
  }

  /** Tries again by itself, unless something else will have it tried sooner. */
  #again(accountId: string): void {
    if (!this.#timers.has(accountId)) this.#soon(accountId, RETRY_MS);
  }

  async #sync(accountId: string): Promise<void> {
    this.#deps.drafts.eraseDiscarded(this.#deps.clock.now() - DISCARDED_MS);
    const account = this.#deps.accounts().find((each) => each.id === accountId);
    const folder = this.#folderOf(accountId);
    const certificate = this.#deps.own.peek(accountId)?.certificate;
    // Its certificate is made in the background, and nothing tells when.
    if (account?.state === 'online' && !certificate) this.#again(accountId);
    if (account?.state !== 'online' || folder === undefined || !certificate) return;
    const known = (uidValidity: number): number[] =>
      this.#deps.copies.list(accountId).flatMap((copy) => (copy.uidValidity === uidValidity && copy.uid !== undefined ? [copy.uid] : []));
    const sighting = await this.#finder.look({ accountId, handler: account.handler, folder }, known);
    const read = await this.#reader.readAll(sighting.place, sighting.uids);
    if (read.unread.some(({ why }) => why === 'failed')) this.#again(accountId);
    for (const name of this.#names(accountId, read.found)) {
      const copies = {
        found: read.found.filter(({ copy }) => copy.name === name),
        unread: read.unread.filter((each) => each.name === undefined || each.name === name),
      };
      try {
        await this.#settle(name, copies, sighting);
        this.#failed.delete(name);
      } catch (error) {
        // A draft that the server will not take is not in the way of the others.
        if (!QuMailError.is(error, 'imap.rejected')) throw error;
        const { code, details } = error;
        this.#failed.set(name, { code, details });
        this.#again(accountId);
      }
    }
    // Whoever looks at the folder sees the copies that are there.
    if (this.#stale.delete(accountId) && this.#deps.messages.cursor(accountId, folder)) await account.syncFolder(folder);
  }

  /** Names of all drafts, here and there. One that was never there is named by its id, so that one from a backup finds its copy again. */
  #names(accountId: string, found: readonly FoundCopy[]): Set<string> {
    const { drafts, copies } = this.#deps;
    for (const { id: draftId, accountId: owner } of drafts.list())
      if (owner === accountId && !copies.get(draftId)) copies.put({ draftId, accountId, name: draftId, ancestors: [] });
    return new Set([...copies.list(accountId).map(({ name }) => name), ...found.map(({ copy }) => copy.name)]);
  }

  async #settle(name: string, { found, unread }: ReadCopies, sighting: DraftSighting): Promise<void> {
    const { copies, drafts } = this.#deps;
    const { place } = sighting;
    const copy = copies.list(place.accountId).find((each) => each.name === name);
    const draft = copy && drafts.get(copy.draftId);
    if (draft && this.#deps.isOnItsWay(draft.id)) return;
    const local = copy && localOf(copy, draft, { ...place, gone: sighting.gone });
    const closed = copy && local?.copy === 'there' ? withSeen(copy, found, unread) : unread;
    const step = planDraft(local, found, closed);
    const remote = found.find(({ uid }) => uid === step.remote?.uid);
    if (step.do === 'push' && copy && draft) await this.#push(copy, draft, found, sighting);
    else if (step.do === 'nothing' && remote) this.#see(copy, remote.uid, place.uidValidity);
    else if (remote) this.#bring(step, remote, copy, draft, place);
    else if (step.do === 'forget' && copy) this.#forget(copy, draft);
    if (local && isNewerElsewhere(local, closed)) this.#newerElsewhere.add(name);
    else this.#newerElsewhere.delete(name);
    // Last, so that there is always a copy that holds everything.
    if (step.stale.length > 0) this.#stale.add(place.accountId);
    if (step.stale.length > 0) await place.handler.actions.remove(place.folder, place.uidValidity, step.stale, this.#stop.signal);
    const isLeft = ({ uid }: { uid: number }): boolean => !step.stale.includes(uid);
    if (step.do === 'conflict') await this.#settle(name, { found: found.filter(isLeft), unread: unread.filter(isLeft) }, sighting);
  }

  async #push(copy: DraftCopy, draft: DraftRecord, found: readonly FoundCopy[], { place }: DraftSighting): Promise<void> {
    this.#stale.add(draft.accountId);
    const others = found.map(({ revision }) => revision);
    this.#deps.copies.put(await this.#writer.put(copy, draft, others, place));
  }

  /** Its copy lies where it was not known to lie. */
  #see(copy: DraftCopy | undefined, uid: number, uidValidity: number): void {
    if (copy && (copy.uid !== uid || copy.uidValidity !== uidValidity)) this.#deps.copies.put({ ...copy, uid, uidValidity });
  }

  /** A version from elsewhere comes here: as it is, or beside what was written here. */
  #bring(
    step: DraftStep,
    remote: FoundCopy,
    copy: DraftCopy | undefined,
    draft: DraftRecord | undefined,
    place: { accountId: string; uidValidity: number },
  ): void {
    const { drafts, copies, versions, random, clock, emit } = this.#deps;
    const { accountId, uidValidity } = place;
    const { name } = remote.copy;
    const draftId = copy?.draftId ?? (drafts.has(name) ? random.uuid() : name);
    const known = [remote.revision, copy?.revision, ...remote.ancestors, ...(copy?.ancestors ?? [])].filter((each) => each !== undefined);
    const [revision, ...ancestors] = [...new Set(known)].slice(0, MAX_ANCESTORS);
    const agreed: DraftCopy = {
      ...(copy ?? { draftId, accountId, name }),
      revision: revision!,
      ancestors,
      uidValidity,
      uid: remote.uid,
    };
    drafts.transaction(() => {
      if (!draft) {
        drafts.create({ ...remote.copy.content, id: draftId, accountId, updatedAt: remote.updatedAt } as DraftRecord);
      } else if (step.do === 'conflict') {
        const loser = step.keeps === 'remote' ? { ...draft } : { ...remote.copy.content, updatedAt: remote.updatedAt };
        const otherId = random.uuid();
        // What was never put there nobody else can name.
        const lost = step.keeps === 'local' ? remote.revision : copy?.digest === digestOf(draft.text) ? copy.revision : undefined;
        const otherName = lost === undefined ? otherId : nameOfLoser(lost);
        drafts.create({ ...loser, id: otherId, accountId } as DraftRecord);
        copies.put({ draftId: otherId, accountId, name: otherName, ancestors: [], conflictOf: draftId });
      }
      if (draft && (step.do === 'take' || step.keeps === 'remote') && draft.text !== remote.copy.content.text) {
        versions.add(draftId, draft.text, draft.updatedAt);
        drafts.saveText(draftId, remote.copy.content.text, remote.updatedAt);
        // An editor that still has the older text must not write it over this one without a trace.
        versions.add(draftId, remote.copy.content.text, clock.now());
      }
      copies.put({ ...agreed, digest: remote.digest });
    });
    emit({ kind: 'drafts' });
  }

  /** Its copy was there and is gone, because it was sent or discarded here or elsewhere. */
  #forget(copy: DraftCopy, draft: DraftRecord | undefined): void {
    const { drafts, copies, clock, emit } = this.#deps;
    drafts.transaction(() => {
      if (draft) drafts.discard(copy.draftId, clock.now());
      copies.delete(copy.draftId);
    });
    if (draft) emit({ kind: 'drafts' });
  }

  #folderOf(accountId: string): string | undefined {
    return this.#deps.messages.listFolders(accountId).find(({ specialUse }) => specialUse === 'drafts')?.path;
  }
}

/** A copy that lies where it was seen counts, whatever keeps it from being read now. */
function withSeen({ uid, revision }: DraftCopy, found: readonly FoundCopy[], unread: readonly UnreadVersion[]): readonly UnreadVersion[] {
  if (uid === undefined || found.some((each) => each.uid === uid)) return unread;
  const seen = unread.find((each) => each.uid === uid);
  const rest = unread.filter((each) => each !== seen);
  return [...rest, { uid, why: seen?.why ?? 'failed', ...(revision !== undefined && { revision }) }];
}
