import type { Disposable } from '../base/lifetime.ts';
import type { LabMailbox, StoredMessage } from './mailHostStore.ts';

/**
 * A mailbox as one connection sees it: sequence numbers change only when the client has been told (RFC 9051 5.2), so each
 * session keeps its own list and catches up at the moments the protocol allows.
 */
export class SelectedMailbox implements Disposable {
  readonly mailbox: LabMailbox;
  readonly access: 'read-write' | 'read-only';
  readonly #send: (line: string) => void;
  readonly #flagged = new Set<number>();
  readonly #subscription: Disposable;
  #uids: number[];
  /** Set while this session itself changes flags: it answers for those. */
  muted = false;

  constructor(mailbox: LabMailbox, access: 'read-write' | 'read-only', send: (line: string) => void, onChange: () => void) {
    this.mailbox = mailbox;
    this.access = access;
    this.#send = send;
    this.#uids = mailbox.messages.map((m) => m.uid);
    this.#subscription = mailbox.onChange(({ flagged }) => {
      if (!this.muted) for (const uid of flagged) this.#flagged.add(uid);
      onChange();
    });
  }

  get count(): number {
    return this.#uids.length;
  }
  get lastUid(): number {
    return this.#uids.at(-1) ?? 0;
  }

  /** The messages this session knows and that still exist, with their sequence numbers. */
  entries(): { sequence: number; message: StoredMessage }[] {
    const byUid = new Map(this.mailbox.messages.map((m) => [m.uid, m]));
    return this.#uids.flatMap((uid, i) => {
      const message = byUid.get(uid);
      return message ? [{ sequence: i + 1, message }] : [];
    });
  }

  /** Tells the client what happened since: EXPUNGE (unless the running command forbids it), EXISTS, FETCH of flags. */
  catchUp(expunges: 'with-expunges' | 'without-expunges'): void {
    const byUid = new Map(this.mailbox.messages.map((m) => [m.uid, m]));
    if (expunges === 'with-expunges') {
      for (let i = this.#uids.length - 1; i >= 0; i--) {
        if (byUid.has(this.#uids[i] ?? 0)) continue;
        this.#uids.splice(i, 1);
        this.#send(`* ${i + 1} EXPUNGE`);
      }
    }
    const fresh = this.mailbox.messages.filter((m) => m.uid > this.lastUid).map((m) => m.uid);
    if (fresh.length > 0) {
      for (const uid of fresh) this.#uids.push(uid);
      this.#send(`* ${this.#uids.length} EXISTS`);
    }
    for (const uid of this.#flagged) {
      const message = byUid.get(uid);
      const sequence = this.#uids.indexOf(uid) + 1;
      if (message && sequence > 0) this.#send(`* ${sequence} FETCH (UID ${uid} FLAGS (${[...message.flags].join(' ')}))`);
    }
    this.#flagged.clear();
  }

  dispose(): void {
    this.#subscription.dispose();
  }
}
