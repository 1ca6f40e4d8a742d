import type { DeliveredKey } from '../keys/etsi014.ts';
import type { KeyBudgetBook } from './keyBudgetBook.ts';
import type { FetchRequest, KeySource, SourceCapacity, TakeRequest } from './keySource.ts';

/** A source whose stock is noted, and of which a contact gets no more than its share. */
export class BudgetedSource implements KeySource {
  readonly kind: 'kme' | 'pad';
  readonly peerId: string;
  readonly ownSaeId: string | undefined;
  readonly #source: KeySource;
  readonly #book: KeyBudgetBook;
  readonly #peer: { accountId: string; address: string; peerId: string };

  constructor(source: KeySource, book: KeyBudgetBook, contact: { accountId: string; address: string }) {
    this.kind = source.kind;
    this.peerId = source.peerId;
    this.ownSaeId = source.ownSaeId;
    this.#source = source;
    this.#book = book;
    this.#peer = { ...contact, peerId: source.peerId };
  }

  async capacity(signal?: AbortSignal): Promise<SourceCapacity> {
    const capacity = await this.#source.capacity(signal);
    if (capacity.stockBits !== undefined) this.#book.told(this.#peer, capacity.stockBits);
    return capacity;
  }

  get believedSharers(): number | undefined {
    return this.#source.believedSharers;
  }

  async take(request: TakeRequest): Promise<DeliveredKey[]> {
    this.#book.admit(this.#peer, request.bits);
    return this.#source.take(request);
  }

  fetch(request: FetchRequest): Promise<void> {
    return this.#source.fetch(request);
  }
}
