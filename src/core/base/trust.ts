/** What is known about a contact's certificate, as plain data (PROTOCOL, Certificates and trust). */
import type { SecurityLevel } from './types.ts';

/**
 * Where a certificate was learned. `card`: a signed contact card inside sealed mail; `signature`: its fingerprint alone inside sealed mail;
 * `file`: brought by the person (file, QR); `wkd`: the web key directory of the contact's domain; `autocrypt`: a header of ordinary mail;
 * `introduction`: another member of a group vouched for it.
 */
export const TRUST_SOURCES = ['card', 'wkd', 'autocrypt', 'file', 'signature', 'introduction'] as const;
export type TrustSource = (typeof TRUST_SOURCES)[number];

/**
 * How far it can be relied on. `verified`: the safety number was compared; `qkd`: it came under L1, whose sender only the pair's keys can
 * be; `first-use`: the contact's own word, unchanged since; `unverified`: a server's or a header's word; `changed`: something else came
 * since, nothing is sent until the person has decided; `revoked`: its owner took it back, nothing is sent until there is another.
 */
export type TrustMark = 'verified' | 'qkd' | 'first-use' | 'unverified' | 'changed' | 'revoked';

/** What learning something led to. `refused`: nothing that counts was changed. */
export type TrustOutcome = 'new' | 'same' | 'changed' | 'refused';

export interface ContactCertificate {
  /** Upper-case hex: 64 characters of a version 6 certificate, 40 of a version 4 one. */
  readonly fingerprint: string;
  readonly mark: TrustMark;
  readonly source: TrustSource;
  readonly learnedAt: number;
  readonly verifiedAt?: number;
  /** SAE ID and KME ID that the contact's card states. */
  readonly saeId?: string;
  readonly kmeId?: string;
  /** An Autocrypt header said so: `prefer-encrypt=mutual`. */
  readonly prefersEncryption?: true;
  /** The certificate itself; absent while only its fingerprint is known. */
  readonly facts?: CertificateSummary;
}

export interface CertificateSummary {
  readonly version: 4 | 6;
  readonly addresses: readonly string[];
  readonly createdAt: number;
  readonly expiresAt?: number;
  /** Encrypts by ML-KEM-768+X25519 and signs by ML-DSA-65+Ed25519: what L3 takes. */
  readonly postQuantum: boolean;
  readonly algorithms: readonly string[];
  readonly encryptionSubkeyExpiresAt?: number;
}

export type ChangedField = 'fingerprint' | 'saeId' | 'kmeId';

/** Something that contradicts what is pinned. */
export interface KeyChange {
  /** Names this very change; another one that comes meanwhile has another. */
  readonly id: string;
  /** `blocks`: nothing is sent until it is resolved. `notice`: only the weakest source says so; what is pinned stays in use. */
  readonly effect: 'blocks' | 'notice';
  readonly fields: readonly ChangedField[];
  readonly before: Partial<Readonly<Record<ChangedField, string>>>;
  readonly after: Partial<Readonly<Record<ChangedField, string>>>;
  readonly source: TrustSource;
  /** The level it came under. */
  readonly under: SecurityLevel | 'none';
  readonly at: number;
}

export interface SafetyNumber {
  /** 60 decimal digits; shown in twelve groups of five. The same on both sides. */
  readonly digits: string;
  /** To be shown as a QR code and scanned by the other side. */
  readonly qr: string;
  readonly ownFingerprint: string;
  readonly fingerprint: string;
  readonly mark: TrustMark;
}

/** Exactly one of: the number as it was compared, or the text of the contact's QR code. */
export type VerificationProof = { readonly digits: string } | { readonly qr: string };

export interface ExportedCard {
  /** The signed card with the certificate. */
  readonly file: Uint8Array;
  readonly fileName: string;
  /** Address, fingerprint, SAE ID and KME ID, for a QR code. */
  readonly qr: string;
}

export interface OwnCertificateInfo extends CertificateSummary {
  readonly fingerprint: string;
}

export interface ExportedCertificate {
  readonly fingerprint: string;
  /** ASCII armor. */
  readonly text: string;
  readonly fileName: string;
}
