import type { SecurityLevel } from '../base/types.ts';
import type { SignedCard } from '../crypto/contactCard.ts';
import type { OutgoingAttachment } from '../mail/writeMime.ts';

/** Suites of this version that a card may name (PROTOCOL 2). */
export const POST_QUANTUM_SUITE = 'QM1-PGP9980';
export const COMBINED_SUITE = 'QM1-CB256+PQ';

/** A certificate that may be sealed to now. */
export interface UsableCertificate {
  /** Upper-case hex. */
  readonly fingerprint: string;
  /** Binary transferable public key. */
  readonly certificate: Buffer;
  /** Encrypts with algorithm 35 and signs with 30 (RFC 9980). */
  readonly postQuantum: boolean;
  /** What the contact's card says it opens; empty where there is no card, and so perhaps no QuMail. */
  readonly suites: readonly string[];
}

export interface OutgoingCard {
  readonly attachments: readonly OutgoingAttachment[];
  /** To be called in the transaction that queues the message. */
  readonly sent: () => void;
}

/** What sealing and opening ask of the trust book, and nothing else of it. */
export interface SealingTrust {
  /** @throws QuMailError `seal.key-changed` (details: address, fingerprint) while a change is unresolved */
  usable(accountId: string, address: string): UsableCertificate | undefined;
  /** The post-quantum certificate of this address where it, or its only subkey, has expired: since when, and what its card said it opens. */
  expired(accountId: string, address: string): { readonly at: number; readonly suites: readonly string[] } | undefined;
  /** What the contact's card asks for; `L4` without a card. */
  minimumOf(accountId: string, address: string): SecurityLevel;
  /** What signatures of this address are verified with: pinned certificates, none that is in question. */
  certificatesOf(accountId: string, address: string): readonly Buffer[];
  /** What goes along inside a sealed message so that its recipients can answer at L3; undefined where they know it all. */
  outgoingCard(accountId: string, addresses: readonly string[], level?: SecurityLevel): Promise<OutgoingCard | undefined>;
  /** Takes in the card or certificate that came with a message from `address`. Never throws for what is wrong with it. */
  learn(found: {
    readonly accountId: string;
    readonly address: string;
    readonly certificate?: Buffer;
    /** As it came, or read already. */
    readonly card?: Buffer | SignedCard;
    /** The fingerprint alone, as the header of a sealed message states it. */
    readonly fingerprint?: string;
    /** An Autocrypt header said `prefer-encrypt=mutual`. */
    readonly prefersEncryption?: boolean;
    readonly source: 'card' | 'autocrypt' | 'signature';
    readonly under: SecurityLevel | 'none';
    readonly at: number;
  }): Promise<'new' | 'same' | 'changed' | 'refused'>;
}
