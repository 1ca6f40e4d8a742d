/** Data of key managers, budgets and pads, beside what model.ts has. Plain and structured-cloneable. */
import type { ErrorCode, ErrorDetails } from './errors.ts';

// ---- conformance ------------------------------------------------------------------------------------------------

/** How a key manager wants to be asked, by the name of its habits (keys/kmeQuirks.ts has the table). */
export const KME_PROFILE_NAMES = ['etsi', 'prefetching', 'one-key-per-request', 'master-in-key-ids', 'get-only', 'cautious'] as const;
export type KmeProfileName = (typeof KME_PROFILE_NAMES)[number];

export type ConformanceId =
  | 'tls-version'
  | 'tls-identity'
  | 'status-fields'
  | 'status-counts'
  | 'post'
  | 'post-empty'
  | 'get'
  | 'size'
  | 'number'
  | 'size-error-text'
  | 'container-member'
  | 'key-ids-random'
  | 'not-found-text'
  | 'multicast'
  | 'redelivery'
  | 'timing';

export interface ConformanceCheck {
  readonly id: ConformanceId;
  /** `deviates`: answers otherwise than ETSI GS QKD 014 says, and QuMail copes. `refused`: it does not do this. */
  readonly outcome: 'ok' | 'deviates' | 'refused' | 'not-tested';
  /** Facts, never key bytes. */
  readonly details: ErrorDetails;
}

export interface ConformanceReport {
  readonly accountId: string;
  readonly kmeId: string;
  readonly peerSaeId: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly checks: readonly ConformanceCheck[];
  /** What the check cost: keys that were asked for and destroyed. */
  readonly spent: { readonly keys: number; readonly bits: number };
  readonly profile: KmeProfileName;
  readonly suggested: KmeProfileName;
}

// ---- budget -----------------------------------------------------------------------------------------------------

/** What is left of the keys shared with one contact, and how long it lasts. Bits, bits per second, seconds. */
export interface KeyBudgetLink {
  readonly kind: 'kme' | 'pad';
  readonly address: string;
  /** SAE ID, or the name of the pad. */
  readonly peerId: string;
  /** As told last; absent where it was never told. */
  readonly stockBits?: number;
  /** Milliseconds since the epoch when the stock was told. */
  readonly seenAt?: number;
  /** What this account used, over the last day at most. */
  readonly spentPerSecond: number;
  /** What the link made, from how the stock moved and what was used; absent until it was seen twice. */
  readonly madePerSecond?: number;
  /** Seconds until it is empty at these rates; absent where it is not going to be. */
  readonly emptyInSeconds?: number;
  readonly quota?: KeyQuota;
  readonly low: 'yes' | 'no';
  /** Why the stock could not be asked for. */
  readonly failure?: { readonly code: ErrorCode; readonly details: ErrorDetails };
}

/** A contact's share: at most so many bits in so many seconds (a sliding window). */
export interface KeyQuota {
  readonly bits: number;
  readonly seconds: number;
  readonly usedBits: number;
}

export interface KeyBudget {
  readonly accountId: string;
  readonly links: readonly KeyBudgetLink[];
  /** Below so many bits a link counts as low. */
  readonly lowWaterBits: number;
}

/** What the message being written costs, and whether there is enough. */
export interface MessageBudget {
  readonly costBits: number;
  readonly stockBits?: number;
  readonly fits: 'yes' | 'no' | 'unknown';
  /** At the rate seen so far, when it will fit. */
  readonly waitSeconds?: number;
}

// ---- pads -------------------------------------------------------------------------------------------------------

/** A pad shared with one contact. Bits are of one direction each: the two never share a byte. */
export interface Pad {
  readonly accountId: string;
  readonly address: string;
  /** What both sides call it; 16 hexadecimal digits. */
  readonly name: string;
  /** `maker` made the file, `guest` imported it. */
  readonly role: 'maker' | 'guest';
  readonly state: 'ready' | 'discarded';
  readonly bits: number;
  /** Bits that are left for writing. */
  readonly leftBits: number;
  /** Bits of the other direction that have been read. */
  readonly readBits: number;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
}

export interface CreatePadRequest {
  readonly accountId: string;
  readonly address: string;
  /** Absolute path of the file to make; it must not exist. */
  readonly path: string;
  /** Of both directions together: 8 KiB to 16 GiB; rounded down to a multiple of 64. */
  readonly octets: number;
  /** A file of random octets from a hardware generator, to be used in place of this system's generator. It is left as it is. */
  readonly randomPath?: string;
}
