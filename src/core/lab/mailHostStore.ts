import { Emitter } from '../base/lifetime.ts';
import type { SpecialUse } from '../base/types.ts';

/** Octets one lab mailbox owner may keep: everything lives in memory. */
const MAX_USER_OCTETS = 512 * 1024 * 1024;
const MAX_MAILBOXES = 100;

export interface StoredMessage {
  readonly uid: number;
  /** As the client spelled them: `\Seen`, `$Forwarded`, … */
  readonly flags: Set<string>;
  readonly internalDate: Date;
  readonly raw: Buffer;
}

/** Which messages changed flags; appended and expunged ones are seen by comparing. */
interface MailboxChange {
  readonly flagged: readonly number[];
}

/** One mailbox of one user (RFC 9051 2.3): UIDs ascend and are never reused. */
export class LabMailbox {
  readonly path: string;
  readonly specialUse: SpecialUse | undefined;
  readonly uidValidity: number;
  readonly #owner: LabUser;
  readonly #changes = new Emitter<MailboxChange>();
  readonly onChange = this.#changes.event;
  #messages: StoredMessage[] = [];
  #uidNext = 1;

  constructor(owner: LabUser, path: string, specialUse: SpecialUse | undefined, uidValidity: number) {
    this.#owner = owner;
    this.path = path;
    this.specialUse = specialUse;
    this.uidValidity = uidValidity;
  }

  /** In UID order. */
  get messages(): readonly StoredMessage[] {
    return this.#messages;
  }
  get uidNext(): number {
    return this.#uidNext;
  }

  /** Stores a message and returns its UID; undefined when the user's quota is used up. */
  append(raw: Buffer, flags: Iterable<string> = [], internalDate = new Date()): number | undefined {
    if (!this.#owner.take(raw.length)) return undefined;
    const uid = this.#uidNext++;
    this.#messages.push({ uid, flags: new Set(flags), internalDate, raw });
    this.#changes.fire({ flagged: [] });
    return uid;
  }

  expunge(uids: ReadonlySet<number>): void {
    const gone = this.#messages.filter((m) => uids.has(m.uid));
    if (gone.length === 0) return;
    this.#messages = this.#messages.filter((m) => !uids.has(m.uid));
    this.#owner.giveBack(gone.reduce((sum, m) => sum + m.raw.length, 0));
    this.#changes.fire({ flagged: [] });
  }

  setFlags(messages: readonly StoredMessage[], how: 'add' | 'remove' | 'replace', flags: readonly string[]): void {
    for (const message of messages) {
      if (how === 'replace') message.flags.clear();
      for (const flag of flags) {
        // Flags are case-insensitive (RFC 9051 2.3.2); the first spelling stays.
        const known = [...message.flags].find((f) => f.toLowerCase() === flag.toLowerCase());
        if (how === 'remove') message.flags.delete(known ?? flag);
        else if (known === undefined) message.flags.add(flag);
      }
    }
    this.#changes.fire({ flagged: messages.map((m) => m.uid) });
  }
}

/** A user of the lab's mail host and what is theirs alone. */
export class LabUser {
  readonly email: string;
  readonly password: string;
  readonly #mailboxes = new Map<string, LabMailbox>();
  // Another run's UIDs must not be taken for this one's.
  readonly #uidValidity = Math.floor(Date.now() / 1000) % 0xffff_ffff;
  #octets = 0;

  constructor(email: string, password: string) {
    this.email = email;
    this.password = password;
    const folders = [
      ['INBOX', 'inbox'],
      ['Sent', 'sent'],
      ['Drafts', 'drafts'],
      ['Trash', 'trash'],
      ['Archive', 'archive'],
    ] as const;
    for (const [path, specialUse] of folders) this.#mailboxes.set(path, new LabMailbox(this, path, specialUse, this.#uidValidity));
  }

  get mailboxes(): readonly LabMailbox[] {
    return [...this.#mailboxes.values()];
  }
  get inbox(): LabMailbox {
    return this.#mailboxes.get('INBOX') as LabMailbox;
  }

  /** INBOX is case-insensitive (RFC 9051 5.1). */
  mailbox(path: string): LabMailbox | undefined {
    return this.#mailboxes.get(path.toUpperCase() === 'INBOX' ? 'INBOX' : path);
  }

  /** False when it exists, or there are too many, or the name holds what a LIST pattern means otherwise. */
  create(path: string): boolean {
    const name = path.replace(/\/$/, '');
    if (this.mailbox(name) || this.#mailboxes.size >= MAX_MAILBOXES || !/^[^\x00-\x1f\x7f%*"\\]{1,200}$/.test(name)) return false;
    this.#mailboxes.set(name, new LabMailbox(this, name, undefined, this.#uidValidity + this.#mailboxes.size));
    return true;
  }

  remove(path: string): boolean {
    const mailbox = this.mailbox(path);
    if (!mailbox || mailbox.specialUse) return false;
    mailbox.expunge(new Set(mailbox.messages.map((m) => m.uid)));
    return this.#mailboxes.delete(path);
  }

  take(octets: number): boolean {
    if (this.#octets + octets > MAX_USER_OCTETS) return false;
    this.#octets += octets;
    return true;
  }
  giveBack(octets: number): void {
    this.#octets -= octets;
  }
}
