import { QuMailError } from '../base/errors.ts';
import type { Clock } from '../base/ports.ts';
import type { CertificateSummary, TrustSource } from '../base/trust.ts';
import type { SecurityLevel } from '../base/types.ts';
import { cardDigest, decodeSignedCard, verifyCard, type SignedCard } from '../crypto/contactCard.ts';
import type { CertificateFacts, PgpEngine } from '../crypto/pgpEngine.ts';
import { sha256Of, type CertificateStore } from '../store/certificates.ts';
import type { Evidence } from './trustPlan.ts';

/** Something that may say which certificate an address has, as it came. */
export interface Found {
  readonly accountId: string;
  readonly address: string;
  /** Binary transferable public key. */
  readonly certificate?: Buffer;
  /** A card as it came (`qumail_card.json`), or read already. */
  readonly card?: Buffer | SignedCard;
  /** The fingerprint alone, as the header of a sealed message states it. */
  readonly fingerprint?: string;
  readonly saeId?: string;
  readonly kmeId?: string;
  readonly prefersEncryption?: boolean;
  readonly source: TrustSource;
  /** The level of the message it came in; `none` where it came in no sealed message. */
  readonly under: SecurityLevel | 'none';
  readonly at: number;
}

export interface ExamineDeps {
  readonly store: CertificateStore;
  readonly pgp: Pick<PgpEngine, 'inspect' | 'verify'>;
  readonly clock: Clock;
}

/**
 * Everything that can be told about what came without deciding what it changes: whose certificate it is, whether it may be used, who signed
 * the card and for whom.
 *
 * @throws QuMailError `card.*`, `cert.*`
 */
export async function examine(found: Found, deps: ExamineDeps): Promise<{ evidence: Evidence; certificate?: Buffer }> {
  const { accountId, address, source, under, at } = found;
  const signed = found.card instanceof Uint8Array ? decodeSignedCard(found.card) : found.card;
  const octets = found.certificate ?? signed?.certificate;
  const now = deps.clock.now();
  const facts = octets && (await deps.pgp.inspect(octets, { now, address }));
  const base = { source, under, at, ...(found.prefersEncryption && { prefersEncryption: true }) };
  const certificate = octets && facts && { facts: summaryOf(facts), certificateSha256: sha256Of(octets) };
  if (!signed) {
    const fingerprint = facts?.fingerprint ?? found.fingerprint;
    if (fingerprint === undefined || (facts && found.fingerprint !== undefined && found.fingerprint !== facts.fingerprint)) {
      throw new QuMailError('card.malformed', { what: 'fingerprint' });
    }
    const { saeId, kmeId } = found;
    const ids = { ...(saeId !== undefined && { saeId }), ...(kmeId !== undefined && { kmeId }) };
    return { evidence: { ...base, fingerprint, ...certificate, ...ids }, ...(octets && { certificate: octets }) };
  }
  const { card } = signed;
  const signer = octets ?? signerOf(accountId, address, card.fingerprint, deps.store);
  await verifyCard(signed, { address, fingerprint: facts?.fingerprint ?? card.fingerprint, certificate: signer, now }, deps.pgp);
  const evidence: Evidence = {
    ...base,
    fingerprint: card.fingerprint,
    ...certificate,
    ...(card.saeId !== undefined && { saeId: card.saeId }),
    ...(card.kmeId !== undefined && { kmeId: card.kmeId }),
    card: { issuedAt: card.issuedAt, digest: cardDigest(signed.octets), minimumLevel: card.minimumLevel, suites: card.suites },
  };
  return { evidence, ...(octets && { certificate: octets }) };
}

/** The certificate a card without one is checked against: pinned, or already waiting. */
function signerOf(accountId: string, address: string, fingerprint: string, store: CertificateStore): Buffer {
  const state = store.get(accountId, address);
  const signer =
    state?.pin.fingerprint === fingerprint
      ? store.certificate(accountId, address)
      : state?.change?.proposed.fingerprint === fingerprint
        ? store.changedCertificate(accountId, address)
        : undefined;
  if (!signer) throw new QuMailError('card.no-certificate');
  return signer;
}

/** The facts of a certificate without its name. */
export function summaryOf(certificate: CertificateFacts): CertificateSummary {
  const { fingerprint: _, ...facts } = certificate;
  return facts;
}
