import type { QuMailEvent } from '../base/events.ts';
import { wipe } from '../base/bytes.ts';
import { QuMailError } from '../base/errors.ts';
import type { Disposable } from '../base/lifetime.ts';
import type { Log } from '../base/log.ts';
import type { Clock, CrossWindowLock, Random } from '../base/ports.ts';
import type { Address } from '../base/types.ts';
import type { PgpEngine } from '../crypto/pgpEngine.ts';
import { DRAFT_FIELD, readDraftMessage, writeDraftMessage } from '../mail/draftMessage.ts';
import type { DraftCopy, DraftCopyStore } from '../store/draftCopies.ts';
import type { DraftRecord, DraftStore } from '../store/drafts.ts';
import type { DraftVersionStore } from '../store/draftVersions.ts';
import type { MessageStore } from '../store/messages.ts';
import type { EmailHandler } from '../transport/emailHandler.ts';
import { contentOf, digestOf, MAX_ANCESTORS, readCopy, writeCopy, type OpenedCopy } from './draftCopy.ts';
import { planDraft, type DraftStep, type LocalVersion, type RemoteVersion } from './draftPlan.ts';
import type { OwnCertificates } from './ownCertificates.ts';
import { TrailingFlight } from './trailingFlight.ts';

/** Typing is given this long to come to rest before a copy goes out. */
const QUIET_MS = 5000;
/** Something came into the Drafts folder: looked at after this long. */
const LOOK_MS = 500;
const LEASE_MS = 30_000;
const MAX_COPIES = 500;
const MAX_COPY = 24 * 1024 * 1024;

type Found = RemoteVersion & { readonly copy: OpenedCopy };

export interface DraftSyncDeps {
  readonly drafts: DraftStore;
  readonly copies: DraftCopyStore;
  readonly versions: DraftVersionStore;
  readonly messages: MessageStore;
  readonly own: Pick<OwnCertificates, 'peek' | 'withSecret'>;
  readonly pgp: Pick<PgpEngine, 'seal' | 'open'>;
  readonly lock: CrossWindowLock;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly emit: (event: QuMailEvent) => void;
  readonly accounts: () => readonly { readonly id: string; readonly state: string; readonly handler: EmailHandler }[];
  readonly addressOf: (accountId: string) => Address;
  /** Whether a draft is being sent or waits to be: then it is left alone. */
  readonly isOnItsWay: (draftId: string) => boolean;
}

/**
 * Keeps a copy of each draft in the account's Drafts folder, sealed to one's own certificate and signed by it, so that another computer
 * with the same certificate goes on where this one stopped. Accounts without certificate keep their drafts to themselves.
 */
export class DraftSync implements Disposable {
  readonly #deps: DraftSyncDeps;
  readonly #flights = new TrailingFlight<void>();
  readonly #timers = new Map<string, Disposable>();
  readonly #stop = new AbortController();
  /** Copies that were opened already, by account, UIDVALIDITY and UID; null for what is none of ours. */
  readonly #opened = new Map<string, Found | null>();

  constructor(deps: DraftSyncDeps) {
    this.#deps = deps;
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
      try {
        await this.#deps.lock.run(`drafts/${accountId}`, LEASE_MS, () => this.#sync(accountId), this.#stop.signal);
      } catch (error) {
        const { code } = QuMailError.from(error);
        if (!this.#stop.signal.aborted) this.#deps.log.info('drafts-not-synced', { code });
      }
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
      this.#deps.clock.after(ms, () => void this.run(accountId)),
    );
  }

  async #sync(accountId: string): Promise<void> {
    const account = this.#deps.accounts().find((each) => each.id === accountId);
    const folder = this.#folderOf(accountId);
    const certificate = this.#deps.own.peek(accountId)?.certificate;
    if (account?.state !== 'online' || folder === undefined || !certificate) return;
    const { handler } = account;
    const { uidValidity, uids } = await handler.actions.withHeader(folder, DRAFT_FIELD, this.#stop.signal);
    const found = await this.#openAll(accountId, handler, folder, uidValidity, uids.slice(-MAX_COPIES));
    const place = { accountId, handler, folder, uidValidity };
    for (const name of this.#names(accountId, found))
      await this.#settle(
        name,
        found.filter(({ copy }) => copy.name === name),
        place,
      );
  }

  /** Names of all drafts, here and there; one that was never there gets its name now. */
  #names(accountId: string, found: readonly Found[]): Set<string> {
    const { drafts, copies, random } = this.#deps;
    for (const { id: draftId, accountId: owner } of drafts.list())
      if (owner === accountId && !copies.get(draftId)) copies.put({ draftId, accountId, name: random.uuid(), ancestors: [] });
    return new Set([...copies.list(accountId).map(({ name }) => name), ...found.map(({ copy }) => copy.name)]);
  }

  async #settle(
    name: string,
    found: readonly Found[],
    place: { accountId: string; handler: EmailHandler; folder: string; uidValidity: number },
  ): Promise<void> {
    const { copies, drafts } = this.#deps;
    const copy = copies.list(place.accountId).find((each) => each.name === name);
    const draft = copy && drafts.get(copy.draftId);
    if (draft && this.#deps.isOnItsWay(draft.id)) return;
    const step = planDraft(copy && localOf(copy, draft, place.uidValidity), found);
    const remote = found.find(({ uid }) => uid === step.remote?.uid);
    if (step.do === 'push' && copy && draft) await this.#push(copy, draft, found, place);
    else if (remote) this.#bring(step, remote, copy, draft, place);
    else if (step.do === 'forget' && copy) this.#forget(copy, draft);
    // Last, so that there is always a copy that holds everything.
    if (step.stale.length > 0) await place.handler.actions.remove(place.folder, place.uidValidity, step.stale, this.#stop.signal);
    if (step.do === 'conflict')
      await this.#settle(
        name,
        found.filter(({ uid }) => !step.stale.includes(uid)),
        place,
      );
  }

  async #push(
    copy: DraftCopy,
    draft: DraftRecord,
    found: readonly Found[],
    place: { handler: EmailHandler; folder: string; uidValidity: number },
  ): Promise<void> {
    const { own, pgp, clock, random, copies } = this.#deps;
    const revision = random.uuid();
    const parents = [copy.revision, ...copy.ancestors, ...found.map((each) => each.revision)].filter((each) => each !== undefined);
    const ancestors = [...new Set(parents)].slice(0, MAX_ANCESTORS);
    const certificate = own.peek(draft.accountId)?.certificate;
    if (!certificate) return;
    const plaintext = writeCopy({ v: 1, name: copy.name, revision, ancestors, updatedAt: draft.updatedAt, content: contentOf(draft) });
    const sealed = await own.withSecret(draft.accountId, async (signWith) => {
      try {
        if (!signWith) throw new QuMailError('account.missing');
        return await pgp.seal({ plaintext, certificates: [certificate], signWith, now: clock.now(), profile: 'pq' });
      } finally {
        wipe(plaintext);
      }
    });
    wipe(sealed.sessionKey);
    const from = this.#deps.addressOf(draft.accountId);
    const raw = writeDraftMessage({
      from,
      name: copy.name,
      messageId: `<${revision}@${from.address.split('@')[1] ?? 'qumail.invalid'}>`,
      date: new Date(draft.updatedAt),
      boundary: `qumail-${random.uuid()}`,
      sealed: sealed.message,
    });
    await place.handler.actions.append(place.folder, raw, { flags: ['draft', 'seen'] }, this.#stop.signal);
    copies.put({ ...copy, revision, ancestors, digest: digestOf(draft.text), uidValidity: place.uidValidity });
  }

  /** A version from elsewhere comes here: as it is, or beside what was written here. */
  #bring(
    step: DraftStep,
    remote: Found,
    copy: DraftCopy | undefined,
    draft: DraftRecord | undefined,
    place: { accountId: string; uidValidity: number },
  ): void {
    const { drafts, copies, versions, random, clock, emit } = this.#deps;
    const { accountId, uidValidity } = place;
    const draftId = copy?.draftId ?? random.uuid();
    const known = [remote.revision, copy?.revision, ...remote.ancestors, ...(copy?.ancestors ?? [])].filter((each) => each !== undefined);
    const [revision, ...ancestors] = [...new Set(known)].slice(0, MAX_ANCESTORS);
    const agreed: DraftCopy = { ...(copy ?? { draftId, accountId, name: remote.copy.name }), revision: revision!, ancestors, uidValidity };
    drafts.transaction(() => {
      if (!draft) {
        drafts.create({ ...remote.copy.content, id: draftId, accountId, updatedAt: remote.updatedAt } as DraftRecord);
      } else if (step.do === 'conflict') {
        const loser = step.keeps === 'remote' ? { ...draft } : { ...remote.copy.content, updatedAt: remote.updatedAt };
        const otherId = random.uuid();
        drafts.create({ ...loser, id: otherId, accountId } as DraftRecord);
        copies.put({ draftId: otherId, accountId, name: random.uuid(), ancestors: [], conflictOf: draftId });
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

  /** Its copy is gone, because it was sent or discarded here or elsewhere. */
  #forget(copy: DraftCopy, draft: DraftRecord | undefined): void {
    const { drafts, copies, emit } = this.#deps;
    drafts.transaction(() => {
      if (draft) drafts.delete(copy.draftId);
      copies.delete(copy.draftId);
    });
    if (draft) emit({ kind: 'drafts' });
  }

  async #openAll(accountId: string, handler: EmailHandler, folder: string, uidValidity: number, uids: readonly number[]): Promise<Found[]> {
    const found: Found[] = [];
    const keyOf = (uid: number): string => `${accountId}\0${uidValidity}\0${uid}`;
    const sizes = new Map<number, number>();
    const fresh = uids.filter((uid) => !this.#opened.has(keyOf(uid)));
    if (fresh.length > 0)
      for (const { uid, size } of await handler.actions.identify(folder, uidValidity, { uids: fresh }, this.#stop.signal))
        sizes.set(uid, size);
    for (const uid of uids) {
      const key = keyOf(uid);
      if (!this.#opened.has(key)) {
        const size = sizes.get(uid);
        if (size === undefined) continue;
        const raw = size > MAX_COPY ? undefined : await handler.fetchSource(folder, uidValidity, uid, this.#stop.signal, size);
        this.#opened.set(key, raw ? ((await this.#open(accountId, uid, raw)) ?? null) : null);
      }
      const opened = this.#opened.get(key);
      if (opened) found.push(opened);
    }
    const present = new Set(uids.map(keyOf));
    for (const key of this.#opened.keys()) if (key.startsWith(`${accountId}\0`) && !present.has(key)) this.#opened.delete(key);
    return found;
  }

  /** What one of our own devices wrote and signed; undefined for everything else, which is left where it is. */
  async #open(accountId: string, uid: number, raw: Buffer): Promise<Found | undefined> {
    const message = readDraftMessage(raw);
    const certificate = this.#deps.own.peek(accountId)?.certificate;
    if (!message || !certificate) return undefined;
    try {
      const { plaintext, signature, sessionKey } = await this.#deps.own.withSecret(accountId, async (secretKey) => {
        if (!secretKey) throw new QuMailError('account.missing');
        const now = this.#deps.clock.now();
        return this.#deps.pgp.open({ message: message.sealed, secretKeys: [secretKey], verifyWith: [certificate], now });
      });
      wipe(sessionKey);
      const copy = readCopy(plaintext);
      wipe(plaintext);
      if (signature.state !== 'valid' || copy?.name !== message.name) return undefined;
      const { revision, ancestors, updatedAt, content } = copy;
      return { uid, revision, ancestors, updatedAt, digest: digestOf(content.text), copy };
    } catch (error) {
      this.#deps.log.info('draft-copy-not-opened', { code: QuMailError.from(error, 'open.malformed').code });
      return undefined;
    }
  }

  #folderOf(accountId: string): string | undefined {
    return this.#deps.messages.listFolders(accountId).find(({ specialUse }) => specialUse === 'drafts')?.path;
  }
}

function localOf(copy: DraftCopy, draft: DraftRecord | undefined, uidValidity: number): LocalVersion {
  const digest = draft ? digestOf(draft.text) : '';
  return {
    exists: draft !== undefined,
    revision: copy.revision,
    ancestors: copy.ancestors,
    dirty: draft !== undefined && digest !== copy.digest,
    updatedAt: draft?.updatedAt ?? 0,
    digest,
    sameFolder: copy.uidValidity === uidValidity,
  };
}
