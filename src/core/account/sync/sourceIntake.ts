import { othersFirst } from '../../base/othersFirst.ts';
import { summaryOfSource, type SourceSummary } from '../../mail/sourceSummary.ts';
import { partsOf } from '../../store/bodies.ts';
import { BODY } from '../../store/messageRow.ts';
import type { OfflineStore, SourcedMessage } from '../../store/offline.ts';
import type { RemoteSource } from '../../transport/remoteMail.ts';
import { sealOf } from './newRow.ts';

/** How long storing and indexing one transaction's messages should take, milliseconds: requests wait no longer than that, and some. */
const TARGET_MS = 20;
/**
 * Octets of the messages in one transaction, at least and at most. A busy machine, where all takes longer, is not to be made busier by many small
 * commits: the least takes 15 ms of a quiet one where all of it is text.
 */
const LEAST = 320 * 1024;
const MOST = 1024 * 1024;
const MOST_MESSAGES = 350;

/**
 * Takes sources as they come from the line and stores them in transactions short enough that the engine answers requests in between. How
 * much fits is learnt from how long the last ones took.
 */
export class SourceIntake {
  readonly #store: OfflineStore;
  readonly #place: { readonly accountId: string; readonly path: string; readonly uidValidity: number; readonly messages: number };
  readonly #stored: (count: number) => void;
  readonly #waiting: RemoteSource[] = [];
  /** Sources that wait lie here: buffers that live for so long are many, and are let go of late. */
  readonly #shelf = Buffer.allocUnsafeSlow(MOST);
  #octets = 0;
  #taken = 0;
  #most = LEAST / 4;
  #stale = false;

  constructor(
    store: OfflineStore,
    place: { readonly accountId: string; readonly path: string; readonly uidValidity: number; readonly messages: number },
    stored: (count: number) => void,
  ) {
    this.#store = store;
    this.#place = place;
    this.#stored = stored;
  }

  /** The folder's UIDs mean other messages meanwhile: what comes is thrown away. */
  get stale(): boolean {
    return this.#stale;
  }

  /** Messages that came. */
  get taken(): number {
    return this.#taken;
  }

  /** Resolves, where it stored something, after whatever else waited for this thread. */
  take(message: RemoteSource): Promise<void> | void {
    this.#taken += 1;
    if (this.#stale) return;
    if (partsOf(message.raw) > 1) return this.#takeLong(message);
    this.#waiting.push({ ...message, raw: this.#shelved(message.raw) });
    this.#octets += message.raw.length;
    if (this.#waiting.length < MOST_MESSAGES && this.#octets < this.#most) return;
    this.flush();
    return this.#pause();
  }

  /** A part at a time, for a request waits as long as the longest commit takes. Until it is whole it is listed without its source. */
  async #takeLong(message: RemoteSource): Promise<void> {
    this.flush();
    await this.#pause();
    const { accountId, path, uidValidity } = this.#place;
    const row = sourcedMessage(message);
    this.#stale ||= this.#store.storeHeaders(accountId, path, uidValidity, [row], BODY.none) === 'stale';
    for (let part = 1; part < partsOf(message.raw) && !this.#stale; part++) {
      // It was removed meanwhile, or a person who opened it had it fetched.
      if (this.#store.storePart(accountId, path, uidValidity, message, part) === 'gone') return this.#stored(1);
      await this.#pause();
    }
    this.#stale ||= this.#store.storeSources(accountId, path, uidValidity, [row]) === 'stale';
    if (this.#stale) return;
    this.#stored(1);
    await this.#pause();
  }

  async #pause(): Promise<void> {
    // The first comes before anything else is heard of: requests are read between it and the second.
    await othersFirst();
    await othersFirst();
    if (this.#stale) return;
    this.#store.keepUp(this.#place.messages - this.#taken);
    await othersFirst();
  }

  flush(): void {
    const batch = this.#waiting.splice(0);
    const octets = this.#octets;
    this.#octets = 0;
    if (batch.length === 0 || this.#stale) return;
    const began = performance.now();
    const { accountId, path, uidValidity } = this.#place;
    this.#stale = this.#store.storeSources(accountId, path, uidValidity, sourcedMessages(batch)) === 'stale';
    const took = performance.now() - began;
    const fitting = Math.round((octets * TARGET_MS) / Math.max(took, 1));
    // Half the way, so that one slow commit does not make the next hundred small.
    if (octets >= this.#most || fitting < this.#most) this.#most = Math.max(LEAST, Math.min(MOST, (this.#most + fitting) >> 1));
    if (!this.#stale) this.#stored(batch.length);
  }

  #shelved(raw: Buffer): Buffer {
    if (this.#octets + raw.length > this.#shelf.length) return raw;
    const place = this.#shelf.subarray(this.#octets, this.#octets + raw.length);
    raw.copy(place);
    return place;
  }
}

/** Read one by one as they are stored: what is made of a source should not grow old, for only young objects are let go of soon. */
function* sourcedMessages(batch: readonly RemoteSource[]): Generator<SourcedMessage> {
  for (const message of batch) yield sourcedMessage(message);
}

/** A source as a new row: what the server's ENVELOPE and BODYSTRUCTURE would say is read from the source itself. */
function sourcedMessage({ uid, flags, internalDate, gmail, raw }: RemoteSource): SourcedMessage {
  const { hasPayload, hasPgpMime, date, ...shown } = readable(raw);
  const sealed = sealOf(hasPayload ? 'sealed' : hasPgpMime ? 'pgp-mime' : 'plain');
  return {
    uid,
    ...shown,
    date: date ?? internalDate ?? 0,
    size: raw.length,
    flags,
    preview: '',
    ...sealed,
    ...(internalDate !== undefined && { internalDate }),
    ...(gmail && { gmail }),
    raw,
  };
}

/** The readers of mail are total as far as anybody knows; should one message prove otherwise, it alone is listed without what it says. */
function readable(raw: Buffer): SourceSummary {
  try {
    return summaryOfSource(raw);
  } catch {
    const nobody = { name: '', address: '' };
    const nothing = { rfcMessageId: '', inReplyTo: '', references: [], to: [], subject: '', hasAttachments: false, hasPayload: false };
    return { ...nothing, from: nobody };
  }
}
