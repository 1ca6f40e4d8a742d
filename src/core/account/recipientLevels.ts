import { QuMailError, type ErrorCode, type ErrorDetails } from '../base/errors.ts';
import type { SecurityLevel } from '../base/types.ts';
import type { ContactStore } from '../store/contacts.ts';
import type { KeyLinks } from './keyLinks.ts';
import { spendsKeys } from './keyingPlan.ts';
import { isAtLeast, type RecipientLevels } from './levels.ts';
import type { SealingTrust } from './sealingTrust.ts';

export interface RecipientDeps {
  readonly contacts: ContactStore;
  readonly links: Pick<KeyLinks, 'hasSource' | 'isConfigured'>;
  readonly trust: Pick<SealingTrust, 'usable'>;
}

/** What is known about a recipient's levels from contacts, certificates and configuration alone. */
export function levelsKnownOf(accountId: string, address: string, deps: RecipientDeps): RecipientLevels {
  const contact = deps.contacts.get(accountId, address);
  const certificate = certificateOf(accountId, address, deps);
  return {
    address,
    minimumLevel: contact?.minimumLevel ?? 'L4',
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
  if ((level === 'L3' || protection) && certificate === undefined)
    return { code: 'seal.no-certificate', details: { addresses: [address] } };
  if (level === 'L3' && certificate === 'classic') return { code: 'seal.not-post-quantum', details: { addresses: [address] } };
  return isAtLeast(level, minimumLevel) ? undefined : { code: 'seal.below-minimum', details: { address, minimum: minimumLevel } };
}

function certificateOf(accountId: string, address: string, { trust }: Pick<RecipientDeps, 'trust'>): RecipientLevels['certificate'] {
  try {
    const usable = trust.usable(accountId, address);
    return usable && (usable.postQuantum ? 'post-quantum' : 'classic');
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
