import { wipe } from '../base/bytes.ts';
import { QuMailError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Clock } from '../base/ports.ts';
import { openOwnDraft, ownDraftKey } from '../crypto/ownDraft.ts';
import type { PgpEngine } from '../crypto/pgpEngine.ts';
import { readDraftMessage, revisionOf, type DraftSealing } from '../mail/draftMessage.ts';
import type { MessageIdentity } from '../transport/imapIdentity.ts';
import { digestOf, readCopy, type OpenedCopy } from './draftCopy.ts';
import type { DraftPlace } from './draftFinder.ts';
import type { RemoteVersion, UnreadVersion } from './draftPlan.ts';
import type { OwnCertificates } from './ownCertificates.ts';

const MAX_COPY = 24 * 1024 * 1024;

/** A copy in the Drafts folder that one of our own devices wrote. */
export type FoundCopy = RemoteVersion & { readonly copy: OpenedCopy };

/** A copy that could not be read; of whichever draft where it was not even handed out. */
export type UnreadCopy = UnreadVersion & { readonly name?: string };

export interface ReadCopies {
  readonly found: readonly FoundCopy[];
  readonly unread: readonly UnreadCopy[];
}

export interface DraftCopyReaderDeps {
  readonly own: Pick<OwnCertificates, 'peek' | 'withSecret'>;
  readonly pgp: Pick<PgpEngine, 'open'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** What became of one message: null for one that is no copy at all. */
type Outcome = { readonly found: FoundCopy } | { readonly unread: UnreadCopy } | null;

/**
 * Fetches and opens copies of drafts, each once. What no key here opens is looked at again when the keys are others, what failed otherwise at
 * the next look.
 */
export class DraftCopyReader {
  readonly #deps: DraftCopyReaderDeps;
  /** By account, UIDVALIDITY and UID; with the keys it was tried with. */
  readonly #known = new Map<string, { readonly outcome: Outcome; readonly keys: string }>();

  constructor(deps: DraftCopyReaderDeps) {
    this.#deps = deps;
  }

  /** What lies under these UIDs. Rejections as those of EmailHandler, and `store.*` while the own keys cannot be read. */
  async readAll(place: DraftPlace, uids: readonly number[]): Promise<ReadCopies> {
    const { accountId, handler, folder, uidValidity } = place;
    const prefix = `${accountId}\0`;
    const keyOf = (uid: number): string => `${prefix}${uidValidity}\0${uid}`;
    const keys = this.#keysOf(accountId);
    const present = new Set(uids.map(keyOf));
    for (const [key, { outcome, keys: tried }] of this.#known) {
      const again = outcome !== null && 'unread' in outcome && (outcome.unread.why === 'failed' || tried !== keys);
      if (key.startsWith(prefix) && (!present.has(key) || again)) this.#known.delete(key);
    }
    const fresh = uids.filter((uid) => !this.#known.has(keyOf(uid)));
    if (fresh.length > 0)
      for (const identity of await handler.actions.identify(folder, uidValidity, { uids: fresh }, this.#deps.signal))
        try {
          this.#known.set(keyOf(identity.uid), { outcome: await this.#read(place, identity), keys });
        } catch (error) {
          // One message that the server does not hand out is not in the way of the others; it is there all the same.
          if (!QuMailError.is(error, 'imap.rejected')) throw error;
          this.#known.set(keyOf(identity.uid), { outcome: { unread: { ...claimOf(identity), why: 'failed' } }, keys });
        }
    const outcomes = uids.flatMap((uid) => this.#known.get(keyOf(uid))?.outcome ?? []);
    return {
      found: outcomes.flatMap((outcome) => ('found' in outcome ? [outcome.found] : [])),
      unread: outcomes.flatMap((outcome) => ('unread' in outcome ? [outcome.unread] : [])),
    };
  }

  async #read(place: DraftPlace, identity: MessageIdentity): Promise<Outcome> {
    const { uid, size } = identity;
    if (size > MAX_COPY) return null;
    const raw = await place.handler.fetchSource(place.folder, place.uidValidity, uid, this.#deps.signal, size);
    const message = readDraftMessage(raw);
    if (!message) return null;
    const { name, sealing, sealed } = message;
    const unread = (why: UnreadVersion['why']): Outcome => ({ unread: { ...claimOf(identity), name, why } });
    try {
      const plaintext = await this.#open(place.accountId, name, sealing, sealed);
      const copy = readCopy(plaintext);
      wipe(plaintext);
      if (copy?.name !== name) return unread('shut');
      const { revision, ancestors, updatedAt, content } = copy;
      return { found: { uid, revision, ancestors, updatedAt, digest: digestOf(content.text), sealing, copy } };
    } catch (error) {
      const { code } = QuMailError.from(error);
      this.#deps.log.info('draft-copy-not-opened', { code });
      // What is wrong with the own keys is wrong with every copy, and says nothing about any.
      if (code.startsWith('store.') || code === 'account.missing' || code === 'vault.locked') throw error;
      return unread(code.startsWith('open.') ? 'shut' : 'failed');
    }
  }

  /** @throws QuMailError `open.*` where no key here opens it, or none of our own devices wrote it */
  async #open(accountId: string, name: string, sealing: DraftSealing, sealed: Buffer): Promise<Buffer> {
    const { own, pgp, clock } = this.#deps;
    if (sealing === 'unknown') throw new QuMailError('open.unknown-version');
    return own.withSecret(accountId, async (secretKey) => {
      const certificate = own.peek(accountId)?.certificate;
      if (!secretKey || !certificate) throw new QuMailError('account.missing');
      if (sealing === 'own-key') {
        const key = ownDraftKey(secretKey);
        try {
          return openOwnDraft({ key, name, sealed });
        } finally {
          wipe(key);
        }
      }
      // As versions before this one sealed them.
      const opened = await pgp.open({ message: sealed, secretKeys: [secretKey], verifyWith: [certificate], now: clock.now() });
      wipe(opened.sessionKey);
      if (opened.signature.state === 'valid') return opened.plaintext;
      wipe(opened.plaintext);
      throw new QuMailError('open.bad-signature');
    });
  }

  #keysOf(accountId: string): string {
    const own = this.#deps.own.peek(accountId);
    return `${own?.fingerprint ?? ''} ${own?.rotatedAt ?? 0}`;
  }
}

/** What a copy says of itself on the outside. */
function claimOf({ uid, rfcMessageId }: MessageIdentity): { readonly uid: number; readonly revision?: string } {
  const revision = revisionOf(rfcMessageId);
  return { uid, ...(revision !== undefined && { revision }) };
}
