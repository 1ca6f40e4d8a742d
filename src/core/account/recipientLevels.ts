import { QuMailError, type ErrorCode, type ErrorDetails } from '../base/errors.ts';
import type { SecurityLevel } from '../base/types.ts';
import type { ContactStore } from '../store/contacts.ts';
import type { KeyLinks } from './keyLinks.ts';
import { spendsKeys } from './keyingPlan.ts';
import { isAtLeast, type RecipientLevels } from './levels.ts';
import { COMBINED_SUITE, type SealingTrust } from './sealingTrust.ts';

export interface RecipientDeps {
  readonly contacts: ContactStore;
  readonly links: Pick<KeyLinks, 'hasSource' | 'isConfigured'>;
  readonly trust: Pick<SealingTrust, 'usable' | 'expired' | 'minimumOf'>;
}

/** What is known about a recipient's levels from contacts, certificates and configuration alone. */
export function levelsKnownOf(accountId: string, address: string, deps: RecipientDeps): RecipientLevels {
  const contact = deps.contacts.get(accountId, address);
  const certificate = certificateOf(accountId, address, deps);
  return {
    address,
    // Without a record the person has said nothing, and the contact's own word counts.
    minimumLevel: contact?.minimumLevel ?? deps.trust.minimumOf(accountId, address),
    hasLink: deps.links.hasSource(accountId, address),
    ...(certificate && { certificate }),
  };
}

/** Why a message of this kind cannot go to a recipient, of several reasons the one that takes most; undefined where it can. */
export function recipientProblem(
  accountId: string,
  known: RecipientLevels,
  message: { readonly level: SecurityLevel; readonly protection: 'openpgp' | undefined },
  deps: Pick<RecipientDeps, 'contacts' | 'links' | 'trust'>,
): { readonly code: ErrorCode; readonly details: ErrorDetails } | undefined {
  const { address, minimumLevel, hasLink, certificate } = known;
  const { level, protection } = message;
  const sealed = level !== 'L4' || protection !== undefined;
  if (sealed && certificate === 'changed') return changeOf(accountId, address, deps);
  if (spendsKeys(level) && !hasLink) {
    if (!deps.links.isConfigured(accountId)) return { code: 'kme.not-configured', details: { address } };
    return { code: deps.contacts.get(accountId, address) ? 'seal.no-link' : 'seal.no-contact', details: { address } };
  }
  if ((level === 'L3' || protection) && certificate === 'expired')
    return { code: 'seal.certificate-expired', details: expiryOf(accountId, address, deps) };
  if ((level === 'L3' || protection) && certificate === undefined)
    return { code: 'seal.no-certificate', details: { addresses: [address] } };
  if (level === 'L3' && certificate === 'classic') return { code: 'seal.not-post-quantum', details: { addresses: [address] } };
  return isAtLeast(level, minimumLevel) ? undefined : { code: 'seal.below-minimum', details: { address, minimum: minimumLevel } };
}

/**
 * What is lost at L2 because a certificate has expired: the post-quantum share that this contact's card says it opens. Nobody is kept from
 * writing by it, and nobody is left to believe that it is still there.
 */
export function shareLost(
  accountId: string,
  { address, certificate, hasLink }: RecipientLevels,
  level: SecurityLevel,
  deps: Pick<RecipientDeps, 'trust'>,
): { readonly code: ErrorCode; readonly details: ErrorDetails } | undefined {
  if (level !== 'L2' || !hasLink || certificate !== 'expired') return undefined;
  if (!deps.trust.expired(accountId, address)?.suites.includes(COMBINED_SUITE)) return undefined;
  return { code: 'seal.share-expired', details: expiryOf(accountId, address, deps) };
}

function expiryOf(accountId: string, address: string, { trust }: Pick<RecipientDeps, 'trust'>): ErrorDetails {
  return { address, expiredAt: trust.expired(accountId, address)?.at ?? 0 };
}

function certificateOf(accountId: string, address: string, { trust }: Pick<RecipientDeps, 'trust'>): RecipientLevels['certificate'] {
  try {
    const usable = trust.usable(accountId, address);
    if (usable) return usable.postQuantum ? 'post-quantum' : 'classic';
    return trust.expired(accountId, address) && 'expired';
  } catch (error) {
    if (QuMailError.is(error, 'seal.key-changed')) return 'changed';
    throw error;
  }
}

function changeOf(accountId: string, address: string, { trust }: Pick<RecipientDeps, 'trust'>) {
  try {
    trust.usable(accountId, address);
    return undefined;
  } catch (error) {
    const { code, details } = QuMailError.from(error);
    return { code, details };
  }
}
