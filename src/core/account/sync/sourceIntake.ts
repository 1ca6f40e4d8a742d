import { summaryOfSource, type SourceSummary } from '../../mail/sourceSummary.ts';
import type { OfflineStore, SourcedMessage } from '../../store/offline.ts';
import type { RemoteSource } from '../../transport/remoteMail.ts';
import { sealOf } from './newRow.ts';

/** How long storing and indexing one transaction's messages should take, milliseconds: requests wait no longer than that, and some. */
const TARGET_MS = 14;
/** A busy machine, where all takes longer, is not to be made busier by many small commits. */
const LEAST = 12;
const MOST = 400;
const MOST_OCTETS = 1024 * 1024;

/**
 * Takes sources as they come from the line and stores them in transactions short enough that the engine answers requests in between. How many
 * messages fit is learnt from how long the last ones took.
 */
export class SourceIntake {
  readonly #store: OfflineStore;
  readonly #place: { readonly accountId: string; readonly path: string; readonly uidValidity: number };
  readonly #stored: (count: number) => void;
  readonly #waiting: RemoteSource[] = [];
  #octets = 0;
  #taken = 0;
  readonly #filling: number;
  #most: number;
  #stale = false;

  constructor(
    store: OfflineStore,
    place: { accountId: string; path: string; uidValidity: number },
    o: { stored: (count: number) => void; filling: number; most?: number },
  ) {
    this.#store = store;
    this.#place = place;
    this.#stored = o.stored;
    this.#filling = o.filling;
    this.#most = o.most ?? 8;
  }

  /** The folder's UIDs mean other messages meanwhile: what comes is thrown away. */
  get stale(): boolean {
    return this.#stale;
  }

  /** Messages that came. */
  get taken(): number {
    return this.#taken;
  }

  /** How many messages one transaction takes by now; for the next intake to begin with. */
  get most(): number {
    return this.#most;
  }

  /** Resolves, where it stored something, after whatever else waited for this thread. */
  take(message: RemoteSource): Promise<void> | void {
    this.#taken += 1;
    this.#waiting.push(message);
    this.#octets += message.raw.length;
    if (this.#waiting.length < this.#most && this.#octets < MOST_OCTETS) return;
    this.flush();
    return this.#pause();
  }

  async #pause(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    if (this.#stale) return;
    this.#store.keepUp(this.#filling);
    await new Promise((resolve) => setImmediate(resolve));
  }

  flush(): void {
    const batch = this.#waiting.splice(0);
    this.#octets = 0;
    if (batch.length === 0 || this.#stale) return;
    const began = performance.now();
    const { accountId, path, uidValidity } = this.#place;
    this.#stale = this.#store.storeSources(accountId, path, uidValidity, batch.map(sourcedMessage)) === 'stale';
    const took = performance.now() - began;
    const fitting = Math.round((batch.length * TARGET_MS) / Math.max(took, 1));
    // Half the way, so that one slow commit does not make the next hundred small.
    if (batch.length >= this.#most || fitting < this.#most) this.#most = Math.max(LEAST, Math.min(MOST, (this.#most + fitting) >> 1));
    if (!this.#stale) this.#stored(batch.length);
  }
}

/** A source as a new row: what the server's ENVELOPE and BODYSTRUCTURE would say is read from the source itself. */
function sourcedMessage({ uid, flags, internalDate, gmail, raw }: RemoteSource): SourcedMessage {
  const { hasPayload, hasPgpMime, date, ...shown } = readable(raw);
  return {
    uid,
    ...shown,
    date: date ?? internalDate ?? 0,
    size: raw.length,
    flags,
    preview: '',
    ...sealOf(hasPayload ? 'sealed' : hasPgpMime ? 'pgp-mime' : 'plain'),
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
