import type { Disposable } from '../base/lifetime.ts';
import type { Clock } from '../base/ports.ts';
import type { ChatOwed, OwedReceipt } from '../store/chatOwed.ts';
import type { ChatStore } from '../store/chats.ts';
import type { ChatAct } from './chatPart.ts';
import type { ChatPost } from './chatPorts.ts';
import type { GroupBook } from './groupBook.ts';

/** Receipts are collected this long, so that a burst of messages costs one answer, milliseconds. */
const RECEIPT_DELAY = 2000;
/** Receipts that could not be sent are tried again after this long, milliseconds. */
const RECEIPT_AGAIN = 60_000;
/** Messages one receipt tells of. */
const MOST = 500;

export interface ChatReceiptsDeps {
  readonly owed: ChatOwed;
  readonly store: ChatStore;
  readonly groups: GroupBook;
  readonly post: Pick<ChatPost, 'outOfReach'>;
  readonly clock: Clock;
  /** A message to one member that nobody sees; `queued` runs in the transaction that queues it. Resolves to false where it may go later. */
  readonly tell: (
    to: Pick<OwedReceipt, 'accountId' | 'groupId' | 'author'>,
    act: Extract<ChatAct, { kind: 'receipt' }>,
    queued: () => void,
  ) => Promise<boolean>;
}

/** Tells authors that their messages came and were read: collected for a moment, durable until they were told. */
export class ChatReceipts implements Disposable {
  readonly #deps: ChatReceiptsDeps;
  #timer: Disposable | undefined;
  /** How long the timer waits in all. */
  #waits: number | undefined;
  #sending = false;
  #disposed = false;

  constructor(deps: ChatReceiptsDeps) {
    this.#deps = deps;
  }

  /** Notes that an author is to be told, where receipts are on and others than pads carry them. */
  owe(receipt: OwedReceipt): void {
    const { accountId, groupId, author } = receipt;
    if (this.#deps.store.get(accountId, groupId)?.receipts !== 'on') return;
    const state = this.#deps.groups.state(accountId, groupId);
    // A pad spends as many bits on a receipt as on a line; where only pads are good enough, nobody is told.
    if (!state || state.minimumLevel === 'L1' || !state.members.some(({ address }) => address === author)) return;
    this.#deps.owed.add(receipt);
    this.#later(RECEIPT_DELAY);
  }

  /** Sends what is owed from before; at the start, and when something came within reach again. */
  wake(): void {
    if (this.#disposed || this.#sending || this.#deps.owed.list().length === 0) return;
    if (this.#waits === RECEIPT_DELAY) return;
    this.#timer?.dispose();
    this.#timer = undefined;
    this.#later(RECEIPT_DELAY);
  }

  dispose(): void {
    this.#disposed = true;
    this.#timer?.dispose();
  }

  #later(after: number): void {
    if (this.#disposed || this.#timer) return;
    this.#waits = after;
    this.#timer = this.#deps.clock.after(after, () => {
      this.#timer = undefined;
      this.#waits = undefined;
      void this.#send();
    });
  }

  async #send(): Promise<void> {
    if (this.#sending || this.#disposed) return;
    this.#sending = true;
    let left: 'some' | 'none' = 'none';
    try {
      for (const receipts of this.#byAuthor().values()) {
        const [first] = receipts;
        if (this.#disposed || !first) return;
        const isOff = this.#deps.store.get(first.accountId, first.groupId)?.receipts !== 'on';
        if (isOff || (await this.#sendTo(first, receipts.slice(0, MOST)))) this.#settle(isOff ? receipts : receipts.slice(0, MOST));
        else left = 'some';
      }
    } finally {
      this.#sending = false;
    }
    const more = this.#deps.owed.list().length > 0;
    if (more) this.#later(left === 'some' ? RECEIPT_AGAIN : RECEIPT_DELAY);
  }

  /** True where it was told, or never can be. */
  async #sendTo(first: OwedReceipt, receipts: readonly OwedReceipt[]): Promise<boolean> {
    if (this.#deps.post.outOfReach(first.accountId)) return false;
    const told = (state: OwedReceipt['state']): string[] => receipts.flatMap((each) => (each.state === state ? [each.messageId] : []));
    const act = { kind: 'receipt' as const, delivered: told('delivered'), read: told('read') };
    // In one transaction with the mail: of several windows one tells, and none tells twice.
    return this.#deps.tell(first, act, () => this.#settle(receipts));
  }

  #settle(receipts: readonly OwedReceipt[]): void {
    for (const receipt of receipts) this.#deps.owed.settle(receipt);
  }

  #byAuthor(): Map<string, OwedReceipt[]> {
    const all = new Map<string, OwedReceipt[]>();
    for (const receipt of this.#deps.owed.list()) {
      const key = JSON.stringify([receipt.accountId, receipt.groupId, receipt.author]);
      all.set(key, [...(all.get(key) ?? []), receipt]);
    }
    return all;
  }
}
