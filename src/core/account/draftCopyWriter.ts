import { wipe } from '../base/bytes.ts';
import { QuMailError } from '../base/errors.ts';
import type { Random } from '../base/ports.ts';
import type { Address } from '../base/types.ts';
import { ownDraftKey, sealOwnDraft } from '../crypto/ownDraft.ts';
import { draftMessageId, writeDraftMessage } from '../mail/draftMessage.ts';
import type { DraftCopy } from '../store/draftCopies.ts';
import type { DraftRecord } from '../store/drafts.ts';
import { contentOf, digestOf, MAX_ANCESTORS, writeCopy } from './draftCopy.ts';
import type { DraftPlace } from './draftFinder.ts';
import type { OwnCertificates } from './ownCertificates.ts';

export interface DraftCopyWriterDeps {
  readonly own: Pick<OwnCertificates, 'withSecret'>;
  readonly random: Random;
  readonly addressOf: (accountId: string) => Address;
  readonly signal: AbortSignal;
}

/** Seals versions of drafts and puts them into the Drafts folder. */
export class DraftCopyWriter {
  readonly #deps: DraftCopyWriterDeps;

  constructor(deps: DraftCopyWriterDeps) {
    this.#deps = deps;
  }

  /**
   * Puts the present text there as a new version, made from those of `copy` and from `others`. Resolves with what is there now, as it was seen there.
   *
   * @throws QuMailError `account.missing` without own certificate, `imap.rejected` also where the server took it and does not have it, and as
   *   EmailHandler rejects
   */
  async put(copy: DraftCopy, draft: DraftRecord, others: readonly string[], place: DraftPlace): Promise<DraftCopy> {
    const { random, addressOf, signal } = this.#deps;
    const revision = random.uuid();
    const parents = [copy.revision, ...copy.ancestors, ...others].filter((each) => each !== undefined);
    const ancestors = [...new Set(parents)].slice(0, MAX_ANCESTORS);
    const from = addressOf(draft.accountId);
    const messageId = draftMessageId(revision, from);
    const raw = writeDraftMessage({
      from,
      name: copy.name,
      messageId,
      date: new Date(draft.updatedAt),
      boundary: `qumail-${random.uuid()}`,
      sealed: await this.#seal(copy.name, revision, ancestors, draft),
    });
    const appended = await place.handler.actions.append(place.folder, raw, { flags: ['draft', 'seen'] }, signal);
    const uid = appended.uid ?? (await this.#find(messageId, place));
    return { ...copy, revision, ancestors, digest: digestOf(draft.text), uidValidity: appended.uidValidity ?? place.uidValidity, uid };
  }

  async #seal(name: string, revision: string, ancestors: readonly string[], draft: DraftRecord): Promise<Buffer> {
    const plaintext = writeCopy({
      v: 1,
      name,
      revision,
      ancestors: [...ancestors],
      updatedAt: draft.updatedAt,
      content: contentOf(draft),
    });
    return this.#deps.own.withSecret(draft.accountId, async (secretKey) => {
      let key: Buffer | undefined;
      try {
        if (!secretKey) throw new QuMailError('account.missing');
        key = ownDraftKey(secretKey);
        return sealOwnDraft({ key, name, plaintext }, this.#deps.random);
      } finally {
        wipe(plaintext, key);
      }
    });
  }

  /** Where a server without UIDPLUS has put it. */
  async #find(messageId: string, { handler, folder, uidValidity, uidNext }: DraftPlace): Promise<number> {
    const since = await handler.actions.identify(folder, uidValidity, { from: uidNext }, this.#deps.signal);
    const uid = since.findLast(({ rfcMessageId }) => rfcMessageId === messageId)?.uid;
    if (uid === undefined) throw new QuMailError('imap.rejected', { response: 'APPEND' });
    return uid;
  }
}
