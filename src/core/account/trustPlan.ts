import { QuMailError, type ErrorCode } from '../base/errors.ts';
import type { CertificateSummary, ChangedField, KeyChange, TrustMark, TrustOutcome, TrustSource } from '../base/trust.ts';
import type { SecurityLevel } from '../base/types.ts';
import type { PinnedCard, TrustChange, TrustPin, TrustState } from '../store/certificates.ts';

/** Something that came and says which certificate an address has: checked already, as far as it can be checked by itself. */
export interface Evidence {
  readonly fingerprint: string;
  readonly facts?: CertificateSummary;
  readonly certificateSha256?: string;
  readonly source: TrustSource;
  /** The level of the message it came in; `none` for ordinary mail, and for what came in no mail. */
  readonly under: SecurityLevel | 'none';
  readonly at: number;
  readonly saeId?: string;
  readonly kmeId?: string;
  readonly card?: PinnedCard;
  readonly prefersEncryption?: boolean;
}

/** What is to be stored, and where the octets of the certificate that came belong. */
export interface LearningPlan {
  readonly outcome: TrustOutcome;
  readonly state: TrustState | undefined;
  readonly certificate?: 'pinned' | 'changed';
  /** Why it was refused. */
  readonly reason?: ErrorCode;
}

const MAX_REJECTED = 16;
/** The more of it, the nearer to the contact's own word. */
const STRENGTH: Readonly<Record<TrustSource, number>> = { card: 5, signature: 4, file: 3, wkd: 2, introduction: 1, autocrypt: 0 };
/** What travels in mail and counts only where the mail was sealed. */
const SEALED_ONLY: ReadonlySet<TrustSource> = new Set(['card', 'signature', 'introduction']);
/** Others than the contact and its domain say so: what contradicts a pin is told, and stops nothing. */
const HEARSAY: ReadonlySet<TrustSource> = new Set(['introduction', 'autocrypt']);

/**
 * What becomes of what is known, given one more piece of evidence. Pure. First use pins; nothing ever replaces a pin but `planResolving`:
 * what contradicts it becomes a change that waits for the person. A change that rests on hearsay alone (an Autocrypt header, which anybody can
 * write, or another group member's word) is a notice; every other one blocks.
 *
 * @param knownSaeId the SAE ID in the contact's record, which is the person's own word
 * @param changeId what a change is to be called if one comes of this
 */
export function planLearning(known: TrustState | undefined, knownSaeId: string | undefined, e: Evidence, changeId: string): LearningPlan {
  const refused = (reason: ErrorCode): LearningPlan => ({ outcome: 'refused', state: known, reason });
  if (SEALED_ONLY.has(e.source) && e.under === 'none') return refused('card.not-sealed');
  if (!known) return firstUse(knownSaeId, e, changeId);
  const { pin, change } = known;
  const pending = change?.proposed;
  const same = e.card !== undefined && e.card.digest === pin.card?.digest;
  const pendingAgain = e.card !== undefined && e.card.digest === pending?.card?.digest;
  if (e.card && !same && !pendingAgain && isReplay(e.card, pin.card, pending?.card)) return refused('card.replayed');

  const proposed = proposalOf(pin, e);
  if (fieldsOf(pin, knownSaeId, proposed).length === 0) return agreeing(known, e);
  if (known.rejected.includes(nameOf(proposed))) return refused('trust.rejected');
  const effect = HEARSAY.has(e.source) ? 'notice' : 'blocks';
  if (change && nameOf(change.proposed) !== nameOf(proposed) && change.effect === 'blocks' && effect === 'notice') {
    return refused('trust.weaker');
  }
  // A fingerprint alone says nothing about the rest of a change that waits already, and must not take its card away.
  const bare = e.card === undefined && e.saeId === undefined && e.kmeId === undefined;
  const again = change !== undefined && (nameOf(change.proposed) === nameOf(proposed) || (bare && pending?.fingerprint === e.fingerprint));
  const next: TrustChange = again
    ? { ...change, effect: change.effect === 'blocks' ? 'blocks' : effect, proposed: merged(change.proposed, e) }
    : { id: changeId, effect, under: e.under, proposed };
  const takes = e.certificateSha256 !== undefined && next.proposed.certificateSha256 === e.certificateSha256;
  return {
    outcome: effect === 'blocks' ? 'changed' : 'refused',
    state: { ...known, change: next },
    ...(takes && { certificate: 'changed' }),
    ...(effect === 'notice' && { reason: 'trust.weaker' }),
  };
}

/** The pin and the change after the person's decision. @throws QuMailError `trust.no-change` where there is none of this id */
export function planResolving(known: TrustState | undefined, id: string, decision: 'accept' | 'reject', at: number): TrustState {
  if (!known?.change || known.change.id !== id) throw new QuMailError('trust.no-change');
  const { pin, change, rejected } = known;
  if (decision === 'reject') return { pin, rejected: [...rejected, nameOf(change.proposed)].slice(-MAX_REJECTED) };
  // What was pinned is not turned down by this: should it come back, that is a change again.
  return { pin: { ...change.proposed, learnedAt: at }, rejected };
}

/** Whether a certificate that is pinned already would be better known by this. */
export function addsTo(pin: TrustPin, source: TrustSource, under: SecurityLevel | 'none'): boolean {
  return STRENGTH[source] > STRENGTH[pin.source] || (isConfirmedByQkd(source, under) && pin.qkdAt === undefined);
}

/** What is known after its owner revoked the certificate of this fingerprint; the same object where that one is not known here. */
export function planRevoking(known: TrustState, fingerprint: string, at: number): TrustState {
  const marked = (pin: TrustPin): TrustPin =>
    pin.fingerprint === fingerprint && pin.revokedAt === undefined ? { ...pin, revokedAt: at } : pin;
  const pin = marked(known.pin);
  const proposed = known.change && marked(known.change.proposed);
  if (pin === known.pin && proposed === known.change?.proposed) return known;
  return { ...known, pin, ...(known.change && proposed && { change: { ...known.change, proposed } }) };
}

/** What the interface shows. */
export function markOf({ pin, change }: TrustState): TrustMark {
  if (change?.effect === 'blocks') return 'changed';
  if (pin.revokedAt !== undefined) return 'revoked';
  if (pin.verifiedAt !== undefined) return 'verified';
  if (pin.qkdAt !== undefined) return 'qkd';
  return STRENGTH[pin.source] > STRENGTH.wkd ? 'first-use' : 'unverified';
}

/** The change as it is shown; undefined where nothing waits. */
export function changeOf({ pin, change }: TrustState, knownSaeId: string | undefined): KeyChange | undefined {
  if (!change) return undefined;
  const { proposed } = change;
  const before: Partial<Record<ChangedField, string>> = {};
  const after: Partial<Record<ChangedField, string>> = {};
  const fields = fieldsOf(pin, knownSaeId, proposed);
  for (const field of fields) {
    const was = field === 'saeId' ? (knownSaeId ?? pin.saeId) : pin[field];
    const is = proposed[field];
    if (was !== undefined) before[field] = was;
    if (is !== undefined) after[field] = is;
  }
  const { id, effect, under } = change;
  return { id, effect, fields, before, after, source: proposed.source, under, at: proposed.learnedAt };
}

function firstUse(knownSaeId: string | undefined, e: Evidence, changeId: string): LearningPlan {
  const pin = merged({ fingerprint: e.fingerprint, source: e.source, learnedAt: e.at }, e);
  const certificate = e.certificateSha256 === undefined ? {} : { certificate: 'pinned' as const };
  if (fieldsOf(pin, knownSaeId, pin).length === 0) return { outcome: 'new', state: { pin, rejected: [] }, ...certificate };
  // Others' word against the person's own: none of it counts, and it stops nothing.
  if (HEARSAY.has(e.source)) return { outcome: 'refused', state: undefined, reason: 'trust.weaker' };
  // The certificate is first use, the SAE ID contradicts what the person entered.
  const { saeId: _, ...without } = pin;
  const change: TrustChange = { id: changeId, effect: 'blocks', under: e.under, proposed: pin };
  return { outcome: 'changed', state: { pin: without, change, rejected: [] }, ...certificate };
}

function agreeing(known: TrustState, e: Evidence): LearningPlan {
  const pin = merged(known.pin, e);
  const takes = e.certificateSha256 !== undefined && pin.certificateSha256 === e.certificateSha256;
  return { outcome: 'same', state: { ...known, pin }, ...(takes && { certificate: 'pinned' }) };
}

/** A pin with what evidence of the same certificate adds to it. */
function merged(pin: TrustPin, e: Evidence): TrustPin {
  const newer = e.facts !== undefined && isNewer(e, pin);
  const qkdAt = pin.qkdAt ?? (isConfirmedByQkd(e.source, e.under) ? e.at : undefined);
  const card = e.card && (pin.card === undefined || e.card.issuedAt > pin.card.issuedAt) ? e.card : pin.card;
  const saeId = pin.saeId ?? e.saeId;
  const kmeId = pin.kmeId ?? e.kmeId;
  return {
    ...pin,
    source: STRENGTH[e.source] > STRENGTH[pin.source] ? e.source : pin.source,
    ...(newer && e.facts && e.certificateSha256 !== undefined && { facts: e.facts, certificateSha256: e.certificateSha256 }),
    ...(qkdAt !== undefined && { qkdAt }),
    ...(card && { card }),
    ...(e.prefersEncryption && { prefersEncryption: true }),
    ...(saeId !== undefined && { saeId }),
    ...(kmeId !== undefined && { kmeId }),
  };
}

/**
 * Whether a certificate of the same fingerprint may take the place of the one that is here. One with older subkeys may not: somebody may be
 * handing out an old state of it, to whose subkeys the owner no longer has the secret or somebody else has.
 */
function isNewer(e: Evidence, pin: TrustPin): boolean {
  if (!pin.facts || !e.facts) return e.facts !== undefined;
  const had = pin.facts.encryptionSubkeyExpiresAt ?? Number.POSITIVE_INFINITY;
  const has = e.facts.encryptionSubkeyExpiresAt ?? Number.POSITIVE_INFINITY;
  return has > had || (has === had && STRENGTH[e.source] >= STRENGTH.wkd);
}

/** The contact itself said so under a one-time pad, which only the pair's keys can have written. What others say of it is not confirmed by that. */
function isConfirmedByQkd(source: TrustSource, under: SecurityLevel | 'none'): boolean {
  return under === 'L1' && (source === 'card' || source === 'signature');
}

/** What the pin would be if the evidence were right. Nothing that speaks for the old certificate speaks for another. */
function proposalOf(pin: TrustPin, e: Evidence): TrustPin {
  const same = e.fingerprint === pin.fingerprint;
  if (!same) return merged({ fingerprint: e.fingerprint, source: e.source, learnedAt: e.at }, e);
  const { saeId: _sae, kmeId: _kme, ...rest } = pin;
  const kept = { ...rest, learnedAt: e.at };
  const saeId = e.saeId ?? pin.saeId;
  const kmeId = e.kmeId ?? pin.kmeId;
  return merged({ ...kept, ...(saeId !== undefined && { saeId }), ...(kmeId !== undefined && { kmeId }) }, e);
}

/** What of a proposal contradicts what is known. That something is stated for the first time contradicts nothing. */
function fieldsOf(pin: TrustPin, knownSaeId: string | undefined, proposed: TrustPin): ChangedField[] {
  const saeId = knownSaeId ?? pin.saeId;
  const differs = (was: string | undefined, is: string | undefined): boolean => was !== undefined && is !== undefined && was !== is;
  const fields: ChangedField[] = [];
  if (pin.fingerprint !== proposed.fingerprint) fields.push('fingerprint');
  if (differs(saeId, proposed.saeId)) fields.push('saeId');
  if (differs(pin.kmeId, proposed.kmeId)) fields.push('kmeId');
  return fields;
}

/** A card counts once: what was issued no later than the newest that is known is an old one. */
function isReplay(card: PinnedCard, ...known: readonly (PinnedCard | undefined)[]): boolean {
  return known.some((other) => other !== undefined && card.issuedAt <= other.issuedAt);
}

function nameOf({ fingerprint, saeId, kmeId }: TrustPin): string {
  return [fingerprint, saeId ?? '', kmeId ?? ''].join(' ');
}
