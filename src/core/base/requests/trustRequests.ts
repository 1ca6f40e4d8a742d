import type { Contact } from '../model.ts';
import type { ExportedCard, ExportedCertificate, OwnCertificateInfo, SafetyNumber, TrustOutcome, VerificationProof } from '../trust.ts';
import { type CallOptions, namesOf } from './requestNames.ts';

/** What came of something that was imported or found: `changed` waits for `resolveKeyChange`. */
export interface LearnedCertificate {
  readonly outcome: Exclude<TrustOutcome, 'refused'>;
  readonly contact: Contact;
}

/** Certificates of others and the own one. Every request may reject with a QuMailError and with nothing else. */
export interface TrustRequests {
  /**
   * The number both sides compare, and the own QR code for it: with the certificate that is pinned, or with the one that a change proposes,
   * which is worth comparing before it is accepted. Rejects with `trust.no-certificate`, `trust.no-change`.
   */
  getSafetyNumber(request: { accountId: string; address: string; of?: 'pinned' | 'changed' }): Promise<SafetyNumber>;
  /**
   * Marks the contact verified if the proof is of the very certificates in use: the digits as they were compared, or the text of the QR
   * code the contact shows. Rejects with `trust.mismatch`, `trust.no-certificate`, `qr.*`, and with `seal.key-changed` while a change waits.
   */
  verifyContact(request: { accountId: string; address: string; proof: VerificationProof }): Promise<Contact>;
  /** Accepts or turns down the change of this id (`Contact.keyChange`). Rejects with `trust.no-change`, also where another took its place. */
  resolveKeyChange(request: { accountId: string; address: string; changeId: string; decision: 'accept' | 'reject' }): Promise<Contact>;
  /** The own contact card: a file to hand over, and a text for a QR code. */
  exportCard(request: { accountId: string }): Promise<ExportedCard>;
  /** Takes a card from a file (`Uint8Array`) or a scanned QR code (text) and makes or completes the contact. Rejects with `card.*`, `cert.*`, `qr.*`. */
  importCard(request: { accountId: string; content: Uint8Array | string; name?: string }): Promise<LearnedCertificate>;
  /** Asks the web key directory of the contact's domain, and nobody else. Rejects with `wkd.*`, `net.*`, `cert.*`, `trust.*`. */
  discoverCertificate(request: { accountId: string; address: string }, options?: CallOptions): Promise<LearnedCertificate>;
  /** The own certificate; made now if there is none yet, which takes a second. */
  getOwnCertificate(request: { accountId: string }): Promise<OwnCertificateInfo>;
  /** The own certificate, or that of a contact, as ASCII armor. */
  exportCertificate(request: { accountId: string; address?: string }): Promise<ExportedCertificate>;
  /** Takes a contact's certificate from a file, armored or binary. Rejects with `cert.*`, `trust.*`. */
  importCertificate(request: { accountId: string; address: string; content: Uint8Array | string }): Promise<LearnedCertificate>;
  /** Forgets certificate, verification and what was turned down: the next certificate that comes is first use again. */
  forgetCertificate(request: { accountId: string; address: string }): Promise<void>;
}

export const TRUST_REQUESTS = namesOf<TrustRequests>({
  getSafetyNumber: 1,
  verifyContact: 1,
  resolveKeyChange: 1,
  exportCard: 1,
  importCard: 1,
  discoverCertificate: 1,
  getOwnCertificate: 1,
  exportCertificate: 1,
  importCertificate: 1,
  forgetCertificate: 1,
});
