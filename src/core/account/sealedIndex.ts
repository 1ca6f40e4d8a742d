import { QuMailError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { fieldOf, mimeLeaves } from '../mail/mimeLeaves.ts';
import { searchTextOf } from '../mail/searchText.ts';
import { threadNodes } from '../mail/thread.ts';
import type { SealedMailStore } from '../store/sealedMail.ts';
import type { SealedContent, SealedSearch, UnindexedSealed } from '../store/sealedSearch.ts';

/** Records that are asked for at once. */
const BATCH = 20;
const MESSAGE_ID = /<[^<>\s]{1,250}>/g;

/** Takes opened mail out of its sealed records into the index in memory, a little at a time. */
export class SealedIndex {
  readonly #search: SealedSearch;
  readonly #sealedMail: SealedMailStore;
  readonly #log: Log;
  #pending = true;

  constructor(deps: { search: SealedSearch; sealedMail: SealedMailStore; log: Log }) {
    this.#search = deps.search;
    this.#sealedMail = deps.sealedMail;
    this.#log = deps.log;
  }

  /** True until everything that is there was taken in. */
  get pending(): boolean {
    return this.#pending;
  }

  /** Works for about `budgetMs`; `done` when nothing is left, `locked` while the vault is. */
  catchUp(budgetMs: number): 'done' | 'more' | 'locked' {
    const deadline = performance.now() + budgetMs;
    this.#search.prune();
    for (;;) {
      const missing = this.#search.missing(BATCH);
      this.#pending = missing.length > 0;
      if (!this.#pending) return 'done';
      for (const message of missing) {
        const content = this.#contentOf(message);
        if (content === 'locked') return 'locked';
        this.#search.put(message, content);
        if (performance.now() > deadline) return 'more';
      }
    }
  }

  #contentOf({ accountId, envelopeId }: UnindexedSealed): SealedContent | 'locked' | undefined {
    try {
      const record = this.#sealedMail.getByEnvelope(accountId, envelopeId);
      return record && sealedContentOf(record.plaintext);
    } catch (error) {
      if (QuMailError.is(error, 'vault.locked')) return 'locked';
      // A record whose epoch key is gone, or that was altered, is not found; the list says why it cannot be read.
      if (!QuMailError.is(error, 'store.secret-missing') && !QuMailError.is(error, 'store.corrupt')) throw error;
      this.#log.warn('sealed-not-indexed', { code: error.code });
      return undefined;
    }
  }
}

/** What can be looked for in the inner entity of a sealed message, and what its headers tie it to. */
function sealedContentOf(plaintext: Buffer): SealedContent {
  const { header, leaves } = mimeLeaves(plaintext);
  const [inReplyTo] = fieldOf(header, 'in-reply-to').match(MESSAGE_ID) ?? [];
  const [rfcMessageId] = fieldOf(header, 'message-id').match(MESSAGE_ID) ?? [];
  const references = fieldOf(header, 'references').match(MESSAGE_ID) ?? [];
  return {
    text: searchTextOf(plaintext),
    attachments: leaves.some(({ attached }) => attached),
    nodes: threadNodes({ rfcMessageId: rfcMessageId ?? '', inReplyTo: inReplyTo ?? '', references }),
  };
}
