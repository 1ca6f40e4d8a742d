import { QuMailError } from '../base/errors.ts';
import type { Address } from '../base/types.ts';
import { COMBINED_SUITE, POST_QUANTUM_SUITE, type SealingTrust, type UsableCertificate } from './sealingTrust.ts';

/** A recipient with the certificate to seal to. */
export interface CertifiedRecipient extends UsableCertificate {
  readonly address: string;
}

/**
 * The certificates of everyone, or who is in the way: `seal.no-certificate` names each whose certificate is not known, and
 * `seal.not-post-quantum` each who has a classic one where `strength` asks for more.
 *
 * @throws QuMailError `seal.key-changed`, `seal.no-certificate`, `seal.not-post-quantum`
 */
export function certificatesFor(
  accountId: string,
  recipients: readonly Address[],
  strength: 'post-quantum' | 'any',
  trust: Pick<SealingTrust, 'usable'>,
): readonly CertifiedRecipient[] {
  const found = recipients.map(({ address }) => ({ address, certificate: trust.usable(accountId, address) }));
  const missing = found.filter(({ certificate }) => !certificate).map(({ address }) => address);
  if (missing.length > 0) throw new QuMailError('seal.no-certificate', { addresses: missing });
  const classic = found.filter(({ certificate }) => !certificate?.postQuantum).map(({ address }) => address);
  if (strength === 'post-quantum' && classic.length > 0) throw new QuMailError('seal.not-post-quantum', { addresses: classic });
  return found.flatMap(({ address, certificate }) => (certificate ? [{ address, ...certificate }] : []));
}

/** Refuses where the certificate of a recipient is another one than it was sealed to. @throws QuMailError `seal.key-changed` */
export function refuseChangedCertificate(accountId: string, sealedTo: CertifiedRecipient, trust: Pick<SealingTrust, 'usable'>): void {
  const { address, fingerprint } = sealedTo;
  const now = trust.usable(accountId, address)?.fingerprint;
  if (now !== fingerprint) throw new QuMailError('seal.key-changed', { address, fingerprint });
}

/** True where everyone is known to open QuMail's container at L3; anybody else is written plain PGP/MIME (RFC 3156). */
export function allOpenContainers(recipients: readonly CertifiedRecipient[]): boolean {
  return recipients.every(({ suites }) => suites.includes(POST_QUANTUM_SUITE));
}

/**
 * Whom a post-quantum share can be added for at L2: everyone or nobody. A contact whose card named the suite is never silently written to
 * without it: a changed certificate throws, whatever else is known.
 *
 * @returns undefined where somebody has no certificate, or no card that names the suite
 * @throws QuMailError `seal.key-changed`
 */
export function combinedFor(
  accountId: string,
  recipients: readonly { readonly address: string }[],
  trust: Pick<SealingTrust, 'usable'>,
): readonly CertifiedRecipient[] | undefined {
  const found = recipients.map(({ address }) => ({ address, certificate: trust.usable(accountId, address) }));
  const able = found.flatMap(({ address, certificate }) =>
    certificate?.postQuantum && certificate.suites.includes(COMBINED_SUITE) ? [{ address, ...certificate }] : [],
  );
  return able.length === recipients.length ? able : undefined;
}
