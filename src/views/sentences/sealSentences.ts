import type { ErrorCode } from '../../core/api.ts';
import type { Localiser } from '../localiser.ts';
import type { Sentence } from '../sentence.ts';
import { eitherFact } from './facts.ts';

type SealCode = Extract<ErrorCode, `seal.${string}`>;

/** The words for sealing. */
export function sealSentences(l10n: Localiser): Record<SealCode, Sentence> {
  return {
    'seal.no-contact': {
      say: (f) => l10n.t('{0} is not among your contacts yet, so there is no key to seal with.', eitherFact(f, 'address', 'recipient')),
      step: 'contact',
    },
    'seal.no-link': {
      say: (f) =>
        l10n.t(
          'There is no quantum key link to {0}: the contact needs an SAE ID and this account a key manager.',
          eitherFact(f, 'address', 'recipient'),
        ),
      step: 'contact',
    },
    'seal.below-minimum': {
      say: (f) =>
        l10n.t('{0} is to get nothing below {1}. Choose a higher level, or change the contact.', f('address', '?'), f('minimum', '?')),
      step: 'level',
    },
    'seal.quotes-sealed': {
      say: (f) =>
        l10n.t(
          'This draft still holds text or the subject of a message that came sealed at {0}. Choose that level or a higher one, or take them out.',
          f('minimum', '?'),
        ),
      step: 'level',
    },
    'seal.level-unsupported': { say: () => l10n.t('QuMail cannot send at this level yet. Choose another one.'), step: 'level' },
    'seal.pad-too-large': {
      say: (f) =>
        l10n.t(
          'A one-time pad message may have {0} bytes; this one has {1}. Shorten it or choose another level.',
          f('limit', '?'),
          f('size', '?'),
        ),
      step: 'level',
    },
    'seal.too-many-recipients': { say: (f) => l10n.t('A sealed message can have at most {0} recipients.', f('limit', '?')) },
    'seal.no-certificate': {
      say: (f) => l10n.t('No certificate is known for {0}. Ask for a contact card, or choose another level.', f('addresses', '?')),
      step: 'certificate',
    },
    'seal.not-post-quantum': {
      say: (f) =>
        l10n.t(
          'The certificate of {0} does not hold against quantum computers, so L3 would promise too much. Choose "PGP" to use it anyway.',
          f('addresses', '?'),
        ),
      step: 'level',
    },
    'seal.certificate-expired': {
      say: (f) =>
        l10n.t(
          'The certificate of {0} has expired. Ask for a newer contact card or look for one, or choose another level.',
          f('address', '?'),
        ),
      step: 'certificate',
    },
    'seal.share-expired': {
      say: (f) =>
        l10n.t(
          'The certificate of {0} has expired, so this goes with quantum keys alone, without the post-quantum share it had. Sealed mail from them brings it back.',
          f('address', '?'),
        ),
      step: 'certificate',
    },
    'seal.key-changed': {
      say: (f) => l10n.t('The keys of {0} have changed. Nothing is sent until you have decided about the change.', f('address', '?')),
      step: 'key-change',
    },
  };
}
