import { createHash } from 'node:crypto';
import type { Clock } from '../base/ports.ts';
import type { CipherManager, SealedParts } from '../crypto/cipherManager.ts';
import type { PgpEngine } from '../crypto/pgpEngine.ts';
import type { KeyLedger } from '../keys/keyLedger.ts';
import type { ContactStore } from '../store/contacts.ts';
import type { SealedMailStore } from '../store/sealedMail.ts';
import type { KeyLinks } from './keyLinks.ts';
import type { OwnCertificates } from './ownCertificates.ts';
import type { SealReport } from './sealReport.ts';
import type { SealingTrust } from './sealingTrust.ts';

export interface OpenDeps {
  readonly links: KeyLinks;
  readonly ledger: KeyLedger;
  readonly cipher: CipherManager;
  readonly pgp: PgpEngine;
  readonly own: OwnCertificates;
  readonly trust: SealingTrust;
  readonly contacts: ContactStore;
  readonly sealedMail: SealedMailStore;
  readonly clock: Clock;
}

/** A sealed message as it lies on the server, and whose mailbox it lies in. */
export interface SealedSource {
  readonly accountId: string;
  /** The account's own address, normalised. */
  readonly self: string;
  readonly rfcMessageId: string;
  /** RFC 5322 source. */
  readonly raw: Buffer;
}

/** A payload that was read, and what it is remembered by. */
export interface Sealed extends SealedParts {
  readonly payloadSha256: Buffer;
}

export interface OpenedMail {
  readonly envelopeId: string;
  readonly plaintext: Buffer;
  readonly report: SealReport;
}

/** What a payload is remembered by: SHA-256(AAD ‖ body), PROTOCOL 6. */
export function payloadHash({ aad, body }: SealedParts): Buffer {
  return createHash('sha256').update(aad).update(body).digest();
}

/** No case of the local part makes another mailbox of one's own, as contacts are found whatever the case. */
export function sameMailbox(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
