import { QuMailError, type ErrorCode } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Clock, Random } from '../base/ports.ts';
import type { CertificateSummary, ContactCertificate, KeyChange, TrustOutcome, TrustSource } from '../base/trust.ts';
import type { SecurityLevel } from '../base/types.ts';
import { cardDigest, decodeSignedCard, verifyCard, type SignedCard } from '../crypto/contactCard.ts';
import type { CertificateFacts, PgpEngine } from '../crypto/pgpEngine.ts';
import { sha256Of, type CertificateStore, type TrustState } from '../store/certificates.ts';
import type { ContactStore } from '../store/contacts.ts';
import { strongerOf } from './levels.ts';
import type { OutgoingCard, OwnCards } from './ownCards.ts';
import type { SealingTrust, UsableCertificate } from './sealingTrust.ts';
import { changeOf, markOf, planLearning, planResolving, type Evidence } from './trustPlan.ts';

export interface TrustBookDeps {
  readonly store: CertificateStore;
  readonly contacts: ContactStore;
  readonly pgp: Pick<PgpEngine, 'inspect' | 'verify'>;
  readonly cards: OwnCards;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Something about this account's contacts is different now. */
  readonly changed: (accountId: string) => void;
}

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

/** What is known of one address. */
export interface KnownTrust {
  readonly certificate: ContactCertificate;
  readonly change?: KeyChange;
}

/**
 * Who has which certificate. First use pins it; whatever contradicts a pin waits as a change until the person has decided, and nothing is
 * sent meanwhile. Every source but the person is foreign bytes: it is inspected before it counts.
 */
export class TrustBook implements SealingTrust {
  readonly #deps: TrustBookDeps;

  constructor(deps: TrustBookDeps) {
    this.#deps = deps;
  }

  /**
   * The certificate to seal to; undefined where none is known, or the one that is has expired.
   *
   * @throws QuMailError `seal.key-changed` (details: address, fingerprint) while a change is unresolved
   */
  usable(accountId: string, address: string): (UsableCertificate & { readonly mark: ContactCertificate['mark'] }) | undefined {
    this.requireResolved(accountId, address);
    const state = this.#deps.store.get(accountId, address);
    const facts = state?.pin.facts;
    if (!state || !facts || hasExpired(facts, this.#deps.clock.now())) return undefined;
    const certificate = this.#deps.store.certificate(accountId, address);
    if (!certificate) return undefined;
    const { fingerprint, card } = state.pin;
    return { fingerprint, certificate, postQuantum: facts.postQuantum, suites: card?.suites ?? [], mark: markOf(state) };
  }

  /** Refuses to send, at whatever level, while something contradicts what is pinned. @throws QuMailError `seal.key-changed` */
  requireResolved(accountId: string, address: string): void {
    const change = this.#deps.store.get(accountId, address)?.change;
    if (change?.effect === 'blocks') throw new QuMailError('seal.key-changed', { address, fingerprint: change.proposed.fingerprint });
  }

  /** What signatures of this address are verified with: what is pinned. What contradicts it is not in it. */
  certificatesOf(accountId: string, address: string): readonly Buffer[] {
    const certificate = this.#deps.store.certificate(accountId, address);
    return certificate ? [certificate] : [];
  }

  /** What the contact's card asks for, where there is a card and no contact record yet to hold it. */
  minimumOf(accountId: string, address: string): SecurityLevel {
    return this.#deps.store.get(accountId, address)?.pin.card?.minimumLevel ?? 'L4';
  }

  outgoingCard(accountId: string, addresses: readonly string[], level?: SecurityLevel): Promise<OutgoingCard | undefined> {
    return this.#deps.cards.outgoing(accountId, addresses, level);
  }

  /** Takes in what came. Never throws for what is wrong with it: that is `refused`, and logged by its code. @throws QuMailError `store.*` */
  async learn(found: Found): Promise<TrustOutcome> {
    try {
      return await this.take(found);
    } catch (error) {
      const { code } = QuMailError.from(error);
      if (!isAboutFound(code)) throw error;
      this.#deps.log.warn('trust-refused', { code, source: found.source });
      return 'refused';
    }
  }

  /**
   * Takes in what came.
   *
   * @throws QuMailError `card.*`, `cert.*` for what is wrong with it; `trust.rejected`, `trust.weaker` for what contradicts the pin in vain
   */
  async take(found: Found): Promise<TrustOutcome> {
    const { evidence, certificate } = await this.#examine(found);
    const { accountId, address } = found;
    const id = this.#deps.random.uuid();
    const { store, contacts } = this.#deps;
    const plan = store.transaction(() => {
      const before = store.get(accountId, address);
      const plan = planLearning(before, contacts.get(accountId, address)?.saeId, evidence, id);
      if (plan.state && plan.state !== before) {
        const octets = plan.certificate && { [plan.certificate]: certificate };
        store.put(accountId, address, plan.state, octets ?? {});
      }
      if (plan.outcome === 'new' || plan.outcome === 'same') this.#fillIn(found, before, plan.state!);
      return plan;
    });
    if (plan.outcome !== 'same') this.#deps.log.info('trust-learned', { outcome: plan.outcome, source: found.source });
    this.#deps.changed(accountId);
    if (plan.reason !== undefined) throw new QuMailError(plan.reason);
    return plan.outcome;
  }

  /** The fingerprint that a change which blocks proposes; undefined where nothing blocks. */
  proposedFingerprint(accountId: string, address: string): string | undefined {
    const change = this.#deps.store.get(accountId, address)?.change;
    return change?.effect === 'blocks' ? change.proposed.fingerprint : undefined;
  }

  /** What is known of one address, as it is shown. */
  known(accountId: string, address: string): KnownTrust | undefined {
    const state = this.#deps.store.get(accountId, address);
    return state && this.#shown(accountId, address, state);
  }

  /** By address in lower case (ASCII). */
  knownAll(accountId: string): Map<string, KnownTrust> {
    return new Map([...this.#deps.store.list(accountId)].map(([address, state]) => [address, this.#shown(accountId, address, state)]));
  }

  /** The certificate's octets. @throws QuMailError `trust.no-certificate` */
  certificate(accountId: string, address: string): Buffer {
    const certificate = this.#deps.store.certificate(accountId, address);
    if (!certificate) throw new QuMailError('trust.no-certificate', { address });
    return certificate;
  }

  /** The person's decision about the change of this id. @throws QuMailError `trust.no-change` */
  resolve(accountId: string, address: string, id: string, decision: 'accept' | 'reject'): void {
    const { store, contacts, clock } = this.#deps;
    store.transaction(() => {
      const before = store.get(accountId, address);
      const state = planResolving(before, id, decision, clock.now());
      // A change of the SAE ID alone is about the certificate that is pinned.
      const moves = state.pin.certificateSha256 !== before?.pin.certificateSha256;
      const pinned = moves ? store.changedCertificate(accountId, address) : undefined;
      store.put(accountId, address, state, { pinned: pinned && Buffer.from(pinned) });
      const contact = contacts.get(accountId, address);
      const saeId = state.pin.saeId;
      if (decision === 'accept' && contact && saeId !== undefined) contacts.put({ ...contact, saeId });
    });
    this.#deps.changed(accountId);
  }

  /**
   * Marks the very certificate as verified.
   *
   * @throws QuMailError `trust.no-certificate`; `trust.mismatch` where another one took its place meanwhile; `seal.key-changed`
   */
  verify(accountId: string, address: string, fingerprint: string): void {
    const { store, clock } = this.#deps;
    this.requireResolved(accountId, address);
    store.transaction(() => {
      const state = store.get(accountId, address);
      if (!state) throw new QuMailError('trust.no-certificate', { address });
      if (state.pin.fingerprint !== fingerprint) throw new QuMailError('trust.mismatch', { whose: 'theirs' });
      store.put(accountId, address, { ...state, pin: { ...state.pin, verifiedAt: clock.now() } }, {});
    });
    this.#deps.changed(accountId);
  }

  /** Forgets everything about the address, at the person's word alone: the next certificate that comes is first use again. */
  forget(accountId: string, address: string): void {
    const { store } = this.#deps;
    store.transaction(() => {
      store.delete(accountId, address);
      store.forgetCardSent(accountId, address);
    });
    this.#deps.changed(accountId);
  }

  /** The own card goes to this address once more, with the next sealed message. */
  sendCardAgain(accountId: string, address: string): void {
    this.#deps.store.forgetCardSent(accountId, address);
  }

  /** Everything that can be told about it without what is known already: who signed, for whom, until when. */
  async #examine(found: Found): Promise<{ evidence: Evidence; certificate?: Buffer }> {
    const { accountId, address, source, under, at } = found;
    const signed = found.card instanceof Uint8Array ? decodeSignedCard(found.card) : found.card;
    const octets = found.certificate ?? signed?.certificate;
    const now = this.#deps.clock.now();
    const facts = octets && (await this.#deps.pgp.inspect(octets, { now, address }));
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
    const signer = octets ?? this.#signerOf(accountId, address, card.fingerprint);
    await verifyCard(signed, { address, fingerprint: facts?.fingerprint ?? card.fingerprint, certificate: signer, now }, this.#deps.pgp);
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
  #signerOf(accountId: string, address: string, fingerprint: string): Buffer {
    const { store } = this.#deps;
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

  /** What a new card adds to the contact's record: an SAE ID where none is known; a minimum level where it is higher. It never lowers one. */
  #fillIn({ accountId, address }: Found, before: TrustState | undefined, { pin }: TrustState): void {
    const contact = this.#deps.contacts.get(accountId, address);
    if (!contact || !pin.card || pin.card.digest === before?.pin.card?.digest) return;
    const saeId = contact.saeId ?? pin.saeId;
    const minimumLevel = strongerOf(contact.minimumLevel, pin.card.minimumLevel);
    if (saeId === contact.saeId && minimumLevel === contact.minimumLevel) return;
    this.#deps.contacts.put({ ...contact, minimumLevel, ...(saeId !== undefined && { saeId }) });
  }

  #shown(accountId: string, address: string, state: TrustState): KnownTrust {
    const { fingerprint, source, learnedAt, verifiedAt, saeId, kmeId, prefersEncryption, facts } = state.pin;
    const change = changeOf(state, this.#deps.contacts.get(accountId, address)?.saeId);
    return {
      certificate: {
        fingerprint,
        mark: markOf(state),
        source,
        learnedAt,
        ...(verifiedAt !== undefined && { verifiedAt }),
        ...(saeId !== undefined && { saeId }),
        ...(kmeId !== undefined && { kmeId }),
        ...(prefersEncryption && { prefersEncryption }),
        ...(facts && { facts }),
      },
      ...(change && { change }),
    };
  }
}

/** The facts of a certificate without its name. */
export function summaryOf({ fingerprint: _, ...facts }: CertificateFacts): CertificateSummary {
  return facts;
}

function hasExpired({ expiresAt, encryptionSubkeyExpiresAt }: CertificateSummary, now: number): boolean {
  return Math.min(expiresAt ?? Number.POSITIVE_INFINITY, encryptionSubkeyExpiresAt ?? Number.POSITIVE_INFINITY) <= now;
}

function isAboutFound(code: ErrorCode): boolean {
  return /^(?:card|cert|trust)\./.test(code);
}
