import type { ErrorCode } from '../../core/api.ts';
import type { Localiser } from '../localiser.ts';
import type { Sentence } from '../sentence.ts';

type TrustCode = Extract<ErrorCode, `cert.${string}` | `card.${string}` | `trust.${string}` | `qr.${string}` | `wkd.${string}`>;

/** The words for certificates, contact cards and trust. */
export function trustSentences(l10n: Localiser): Record<TrustCode, Sentence> {
  return {
    'cert.malformed': { say: () => l10n.t('This is not a certificate that QuMail can read.') },
    'cert.too-large': { say: () => l10n.t('This certificate is larger than any honest one and was not read.') },
    'cert.expired': { say: () => l10n.t('This certificate has expired. Ask its owner for the current one.') },
    'cert.revoked': { say: () => l10n.t('The owner of this certificate has revoked it. Ask for the new one.') },
    'cert.weak': {
      say: (f) => l10n.t('This certificate uses an algorithm that is too weak or unknown here ({0}).', f('algorithm', '?')),
    },
    'cert.no-encryption': { say: () => l10n.t('This certificate cannot be used for encryption.') },
    'cert.address-mismatch': {
      say: (f) => l10n.t('This certificate does not belong to {0}.', f('address', l10n.t('this address'))),
    },
    'cert.bad-binding': { say: () => l10n.t('Parts of this certificate were not signed by its owner. It was not accepted.') },
    'card.malformed': { say: () => l10n.t('This is not a contact card that QuMail can read.') },
    'card.unknown-critical': {
      say: (f) => l10n.t('This card needs a feature this QuMail does not know ({0}). Update QuMail to use it.', f('name', '?')),
    },
    'card.forged': { say: () => l10n.t('This card was not signed by the certificate it names. It was not accepted.') },
    'card.replayed': { say: () => l10n.t('This card is older than the one that is known. It was not accepted.') },
    'card.other-address': { say: (f) => l10n.t('This card belongs to {0}.', f('address', l10n.t('somebody else'))) },
    'card.expired': { say: () => l10n.t('This card has expired. Ask the contact for a new one.') },
    'card.no-certificate': {
      say: () => l10n.t('This card came without its certificate, so its signature cannot be checked. Ask for the whole card.'),
    },
    'card.not-sealed': {
      say: () => l10n.t("A card that comes in ordinary mail could be anybody's. Import the file yourself if you trust it."),
    },
    'trust.rejected': { say: () => l10n.t('You turned this very change down before.') },
    'trust.weaker': {
      say: () => l10n.t('This contradicts what is known of the contact and comes from a weaker source. It was not accepted.'),
    },
    'trust.no-change': {
      say: () => l10n.t('This change is no longer there, or another one took its place. Look at the contact again.'),
      step: 'contact',
    },
    'trust.no-certificate': {
      say: (f) =>
        l10n.t('No certificate of {0} is known yet. Ask for a contact card, or look for one.', f('address', l10n.t('this contact'))),
      step: 'certificate',
    },
    'trust.mismatch': {
      say: () =>
        l10n.t('The safety numbers differ. Somebody may be between you and this contact: send nothing, and find out on another way.'),
    },
    'qr.other-protocol': { say: (f) => l10n.t('This code belongs to another program ({0}).', f('scheme', '?')) },
    'qr.malformed': { say: () => l10n.t('This code is not complete. Show and scan it again.') },
    'qr.other-person': { say: (f) => l10n.t('This code is for {0}, not for you and this contact.', f('address', l10n.t('somebody else'))) },
    'wkd.not-found': { say: (f) => l10n.t('{0} publishes no certificate for this address.', f('domain', '?')) },
    'wkd.refused': { say: (f) => l10n.t('There is no place where {0} could publish certificates.', f('domain', '?')) },
  };
}
