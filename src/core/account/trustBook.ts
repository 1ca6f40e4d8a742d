import { isDeepStrictEqual } from 'node:util';
import { QuMailError, type ErrorCode } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Clock, Random } from '../base/ports.ts';
import type { CertificateSummary, ContactCertificate, KeyChange, TrustOutcome } from '../base/trust.ts';
import type { SecurityLevel } from '../base/types.ts';
import type { PgpEngine } from '../crypto/pgpEngine.ts';
import { sha256Of, type CertificateStore, type TrustState } from '../store/certificates.ts';
import type { ContactStore } from '../store/contacts.ts';
import { examine, type Found } from './examineEvidence.ts';
import { strongerOf } from './levels.ts';
import type { OutgoingCard, OwnCards } from './ownCards.ts';
import type { SealingTrust, UsableCertificate } from './sealingTrust.ts';
import { addsTo, changeOf, markOf, planLearning, planResolving, planRevoking } from './trustPlan.ts';

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

  expired(accountId: string, address: string): { readonly at: number; readonly suites: readonly string[] } | undefined {
    const { facts, card, revokedAt } = this.#deps.store.get(accountId, address)?.pin ?? {};
    if (!facts?.postQuantum || revokedAt !== undefined || !hasExpired(facts, this.#deps.clock.now())) return undefined;
    return { at: expiryOf(facts), suites: card?.suites ?? [] };
  }

  /**
   * Refuses to send while something contradicts what is pinned, or once its owner has revoked it.
   *
   * @throws QuMailError `seal.key-changed` (details: address, fingerprint, reason)
   */
  requireResolved(accountId: string, address: string): void {
    const state = this.#deps.store.get(accountId, address);
    if (state?.change?.effect === 'blocks') {
      throw new QuMailError('seal.key-changed', { address, fingerprint: state.change.proposed.fingerprint });
    }
    if (state?.pin.revokedAt !== undefined) {
      throw new QuMailError('seal.key-changed', { address, fingerprint: state.pin.fingerprint, reason: 'revoked' });
    }
  }

  /** What signatures of this address are verified with: what is pinned. What contradicts it is not in it. */
  certificatesOf(accountId: string, address: string): readonly Buffer[] {
    const certificate = this.#deps.store.certificate(accountId, address);
    return certificate ? [certificate] : [];
  }

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
    const { accountId, address } = found;
    if (this.#isKnown(found)) return 'same';
    const { store, contacts } = this.#deps;
    const { evidence, certificate } = await examine(found, this.#deps).catch((error: unknown) => {
      // Only the owner can sign a revocation: it counts wherever it comes from.
      const revoked = QuMailError.is(error, 'cert.revoked') ? error.details['fingerprint'] : undefined;
      if (typeof revoked === 'string') this.#revoke(accountId, address, revoked, found.at);
      throw error;
    });
    const id = this.#deps.random.uuid();
    const plan = store.transaction(() => {
      const before = store.get(accountId, address);
      const plan = planLearning(before, contacts.get(accountId, address)?.saeId, evidence, id);
      if (plan.state && !isDeepStrictEqual(plan.state, before)) {
        const octets = plan.certificate && { [plan.certificate]: certificate };
        store.put(accountId, address, plan.state, octets ?? {});
      }
      if (plan.outcome === 'new' || plan.outcome === 'same') this.#fillIn(found, before, plan.state!);
      return { ...plan, changed: !isDeepStrictEqual(plan.state, before) };
    });
    if (plan.outcome !== 'same') this.#deps.log.info('trust-learned', { outcome: plan.outcome, source: found.source });
    if (plan.changed) this.#deps.changed(accountId);
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

  /** The octets that are pinned already, and nothing beside them that could add to it: most mail of a contact brings just that. */
  #isKnown({ accountId, address, certificate, card, fingerprint, saeId, kmeId, source, under, prefersEncryption }: Found): boolean {
    const state = this.#deps.store.get(accountId, address);
    if (prefersEncryption && !state?.pin.prefersEncryption) return false;
    if (!state || card || saeId !== undefined || kmeId !== undefined || addsTo(state.pin, source, under)) return false;
    if (certificate) return fingerprint === undefined && sha256Of(certificate) === state.pin.certificateSha256;
    return fingerprint === state.pin.fingerprint;
  }

  #revoke(accountId: string, address: string, fingerprint: string, at: number): void {
    const { store, changed } = this.#deps;
    const marked = store.transaction(() => {
      const before = store.get(accountId, address);
      const state = before && planRevoking(before, fingerprint, at);
      if (state && state !== before) store.put(accountId, address, state, {});
      return state !== before;
    });
    if (marked) changed(accountId);
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

function hasExpired(facts: CertificateSummary, now: number): boolean {
  return expiryOf(facts) <= now;
}

function expiryOf({ expiresAt, encryptionSubkeyExpiresAt }: CertificateSummary): number {
  return Math.min(expiresAt ?? Number.POSITIVE_INFINITY, encryptionSubkeyExpiresAt ?? Number.POSITIVE_INFINITY);
}

function isAboutFound(code: ErrorCode): boolean {
  return /^(?:card|cert|trust)\./.test(code);
}
