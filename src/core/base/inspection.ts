/** The plain data of what a person sees who wants to know all about how a message is protected. */
import type { SecurityReport } from './model.ts';
import type { SecurityLevel } from './types.ts';

/** Where the keys of a message come from: a key manager, a pad exchanged in person, or certificates (L3). */
export type KeyOrigin = 'key-manager' | 'pad' | 'certificate';

interface SealedParty {
  readonly address: string;
  readonly saeId?: string;
  readonly fingerprint?: string;
}

/** What the sealed container says of itself (PROTOCOL 2). The seal covers it: it is proven where the message was opened, and a claim elsewhere. */
export interface SealedEnvelope {
  readonly id: string;
  /** What the sender asked for. */
  readonly level: SecurityLevel;
  readonly suite: string;
  /** RFC 3339. */
  readonly sealedAt: string;
  readonly from: SealedParty;
  readonly to: readonly SealedParty[];
  /** IDs of keys and how many bits of them, never keys; `wraps`: they protect the key of the message, which several people share. */
  readonly keys: readonly {
    readonly keyIds: readonly string[];
    readonly bits: number;
    readonly recipients: readonly string[];
    readonly use: 'direct' | 'wraps';
  }[];
  readonly postQuantumShare: 'present' | 'absent';
  /** Octets: all that its length tells of what is inside. */
  readonly paddedLength: number;
}

/** All that is known of how a message is protected. Nothing secret, and nothing of what was sealed. */
export interface MessageProtection {
  /** What was reached. */
  readonly security: SecurityReport;
  /** When it was opened here, milliseconds since the epoch; absent where it was not, or by an earlier version. */
  readonly openedAt?: number;
  readonly keyOrigin?: KeyOrigin;
  /** Of mail in QuMail's container. */
  readonly envelope?: SealedEnvelope;
  /** Fields that lie outside of any seal, as they are now: every server on the way could read and change them. */
  readonly outside: readonly { readonly name: string; readonly value: string }[];
  /** Octets on the server. */
  readonly size: number;
}
