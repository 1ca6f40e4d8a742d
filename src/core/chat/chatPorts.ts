import type { ChatLetter } from '../account/chatLetter.ts';
import type { ChatLevel, ChatReach } from '../base/chat.ts';
import type { QuMailError } from '../base/errors.ts';
import type { Address, SecurityLevel } from '../base/types.ts';
import type { GroupMember } from './groupEvent.ts';

/** Signatures with the members' own certificates: over messages, and over events, which members pass on. */
export interface ChatSignatures {
  /** A detached signature with the account's own certificate. */
  sign(accountId: string, data: Uint8Array): Promise<Buffer>;
  /** `unknown`: no certificate of this fingerprint is known for the address. */
  verify(o: {
    readonly accountId: string;
    readonly address: string;
    readonly fingerprint: string;
    readonly data: Uint8Array;
    readonly signature: Uint8Array;
  }): Promise<'valid' | 'invalid' | 'unknown'>;
}

export interface KnownPerson {
  readonly name: string;
  /** Undefined where no certificate is known. */
  readonly fingerprint?: string;
  readonly saeId?: string;
  readonly verified: 'verified' | 'qkd' | 'no';
}

/** Who people are, by what this account knows and the person has confirmed (TrustBook, contacts). */
export interface ChatPeople {
  own(accountId: string): Promise<GroupMember>;
  known(accountId: string, address: string): KnownPerson | undefined;
  certificate(accountId: string, address: string): Buffer | undefined;
  /** Takes in a member whom another one vouches for. `changed` and `refused`: this account knows another certificate, which stays. */
  introduce(accountId: string, member: GroupMember, certificate: Buffer | undefined): Promise<'known' | 'changed' | 'refused'>;
  /** Every account that could chat. */
  accounts(): readonly { readonly id: string; readonly address: string }[];
}

export interface ChatFile {
  readonly name: string;
  readonly mimeType: string;
  readonly content: Uint8Array;
}

/** The way out. */
export interface ChatPost {
  /** Per member how it is reached at `level`, or at L3 where `floor` allows that, or why not. Asks, spends nothing. */
  reach(
    accountId: string,
    addresses: readonly string[],
    level: ChatLevel,
    floor: ChatLevel,
    signal?: AbortSignal,
  ): Promise<readonly ChatReach[]>;
  /** Seals with a signature for every address and queues durably. @throws QuMailError `seal.*`, `kme.*`; nothing is queued then */
  send(letter: ChatLetter): Promise<void>;
  /** Why the mail server cannot be asked to take a message now; `not-yet` before the first look for mail, which may bring other members. */
  outOfReach(accountId: string): QuMailError | 'not-yet' | undefined;
  /** Sends what waits of this message again, the identical bytes; false where nothing does. */
  resend(accountId: string, messageId: string, signal?: AbortSignal): Promise<boolean>;
  /** Files of a message, from the sealed store. @throws QuMailError `attachment.missing` */
  file(accountId: string, envelopeId: string, index: number): Promise<ChatFile>;
  /** Erases a message from the sealed store and the server. */
  erase(accountId: string, envelopeId: string): Promise<void>;
}

/** A message as it came, opened and verified as far as it could be. */
export interface ArrivedMail {
  readonly accountId: string;
  readonly messageId: string;
  readonly inReplyTo: string;
  readonly references: readonly string[];
  readonly from: Address;
  readonly to: readonly Address[];
  /** Milliseconds since the epoch, from the Date field. */
  readonly date: number;
  /** When the own server took it in; undefined where nobody told. */
  readonly receivedAt?: number;
  readonly text: string;
  readonly files: readonly (ChatFile & { readonly index: number })[];
  readonly level: SecurityLevel;
  readonly suite?: string;
  /** Absent for ordinary mail. */
  readonly sealed?: { readonly envelopeId: string };
  /** Another device of this person opened or sent it, and does what follows from that. */
  readonly handedOn?: true;
}
