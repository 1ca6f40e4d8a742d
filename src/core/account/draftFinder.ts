import { DRAFT_FIELD } from '../mail/draftMessage.ts';
import type { EmailHandler } from '../transport/emailHandler.ts';
import type { FieldHints } from '../transport/imapActions.ts';

/** Copies that are looked at, and messages of the folder that are looked through for them; the newest ones. */
const MAX_COPIES = 500;

/** The Drafts folder of an account, as it was looked at. */
export interface DraftPlace {
  readonly accountId: string;
  readonly handler: EmailHandler;
  readonly folder: string;
  readonly uidValidity: number;
  /** Whatever is put there after the look has this UID or a higher one. */
  readonly uidNext: number;
}

/** What a look at the folder showed. */
export interface DraftSighting {
  readonly place: DraftPlace;
  /** Where copies are, ascending. */
  readonly uids: readonly number[];
  /** Of the UIDs that were known before: those whose message is there no more. */
  readonly gone: ReadonlySet<number>;
}

interface Listing {
  readonly hints: FieldHints;
  readonly marked: ReadonlySet<number>;
}

/**
 * Finds copies in a Drafts folder. Not every server's SEARCH knows header fields, so the newest messages are looked through, each once; and
 * what was seen under a UID is gone only when a FETCH of that UID says so.
 */
export class DraftFinder {
  readonly #signal: AbortSignal;
  /** Messages looked through already, by account: of which folder and UIDVALIDITY, and whether they are copies. */
  readonly #looked = new Map<string, { readonly of: string; readonly isCopy: Map<number, boolean> }>();

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  /** `known`: UIDs under which copies were seen while the folder had a UIDVALIDITY. Rejections as those of EmailHandler. */
  async look(
    where: Pick<DraftPlace, 'accountId' | 'handler' | 'folder'>,
    known: (uidValidity: number) => readonly number[],
  ): Promise<DraftSighting> {
    let listing = await this.#list(where);
    const { uidValidity } = listing.hints;
    // A server that has not come as far as a UID yet cannot say that its message is gone.
    const seen = known(uidValidity).filter((uid) => uid < uidNextOf(listing.hints));
    const missing = seen.filter((uid) => !listing.marked.has(uid));
    const present = new Set(seen.filter((uid) => listing.marked.has(uid)));
    if (missing.length > 0)
      for (const { uid } of await where.handler.actions.identify(where.folder, uidValidity, { uids: missing }, this.#signal))
        present.add(uid);
    const gone = new Set(missing.filter((uid) => !present.has(uid)));
    // Whoever removes a copy has put the next one there before: a look from after it was gone shows that.
    if (gone.size > 0) listing = await this.#list(where);
    if (listing.hints.uidValidity !== uidValidity) return this.look(where, known);
    const uids = [...new Set([...[...listing.marked].toSorted((a, b) => a - b).slice(-MAX_COPIES), ...present])];
    return { place: { ...where, uidValidity, uidNext: uidNextOf(listing.hints) }, uids: uids.toSorted((a, b) => a - b), gone };
  }

  async #list({ accountId, handler, folder }: Pick<DraftPlace, 'accountId' | 'handler' | 'folder'>): Promise<Listing> {
    const hints = await handler.actions.fieldHints(folder, DRAFT_FIELD, MAX_COPIES, this.#signal);
    const { uidValidity, searched, newest } = hints;
    const of = `${folder}\0${uidValidity}`;
    const before = this.#looked.get(accountId);
    const isCopy = new Map(before?.of === of ? newest.flatMap((uid) => pair(uid, before.isCopy.get(uid))) : []);
    for (const uid of searched) isCopy.set(uid, true);
    const fresh = newest.filter((uid) => !isCopy.has(uid));
    if (fresh.length > 0) {
      const found = new Set(await handler.actions.withField(folder, uidValidity, fresh, DRAFT_FIELD, this.#signal));
      for (const uid of fresh) isCopy.set(uid, found.has(uid));
    }
    this.#looked.set(accountId, { of, isCopy });
    return { hints, marked: new Set([...isCopy].filter(([, copy]) => copy).map(([uid]) => uid)) };
  }
}

function pair(uid: number, isCopy: boolean | undefined): [number, boolean][] {
  return isCopy === undefined ? [] : [[uid, isCopy]];
}

function uidNextOf({ uidNext, newest, searched }: FieldHints): number {
  return uidNext ?? Math.max(0, ...newest, ...searched) + 1;
}
