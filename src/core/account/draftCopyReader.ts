import { wipe } from '../base/bytes.ts';
import { QuMailError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Clock } from '../base/ports.ts';
import type { PgpEngine } from '../crypto/pgpEngine.ts';
import { readDraftMessage } from '../mail/draftMessage.ts';
import type { EmailHandler } from '../transport/emailHandler.ts';
import { digestOf, readCopy, type OpenedCopy } from './draftCopy.ts';
import type { RemoteVersion } from './draftPlan.ts';
import type { OwnCertificates } from './ownCertificates.ts';

const MAX_COPY = 24 * 1024 * 1024;

/** A copy in the Drafts folder that one of our own devices wrote. */
export type FoundCopy = RemoteVersion & { readonly copy: OpenedCopy };

export interface DraftCopyReaderDeps {
  readonly own: Pick<OwnCertificates, 'peek' | 'withSecret'>;
  readonly pgp: Pick<PgpEngine, 'open'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** Fetches and opens copies of drafts, each once. */
export class DraftCopyReader {
  readonly #deps: DraftCopyReaderDeps;
  /** Copies that were opened already, by account, UIDVALIDITY and UID; null for what is none of ours. */
  readonly #opened = new Map<string, FoundCopy | null>();

  constructor(deps: DraftCopyReaderDeps) {
    this.#deps = deps;
  }

  /** What of these messages is ours. Rejections as those of EmailHandler. */
  async openAll(
    place: { readonly accountId: string; readonly handler: EmailHandler; readonly folder: string; readonly uidValidity: number },
    uids: readonly number[],
  ): Promise<FoundCopy[]> {
    const { accountId, handler, folder, uidValidity } = place;
    const { signal } = this.#deps;
    const found: FoundCopy[] = [];
    const keyOf = (uid: number): string => `${accountId}\0${uidValidity}\0${uid}`;
    const sizes = new Map<number, number>();
    const fresh = uids.filter((uid) => !this.#opened.has(keyOf(uid)));
    if (fresh.length > 0)
      for (const { uid, size } of await handler.actions.identify(folder, uidValidity, { uids: fresh }, signal)) sizes.set(uid, size);
    for (const uid of uids) {
      const key = keyOf(uid);
      if (!this.#opened.has(key)) {
        const size = sizes.get(uid);
        if (size === undefined) continue;
        const raw = size > MAX_COPY ? undefined : await handler.fetchSource(folder, uidValidity, uid, signal, size);
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
  async #open(accountId: string, uid: number, raw: Buffer): Promise<FoundCopy | undefined> {
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
}
