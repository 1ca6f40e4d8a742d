import type { ErrorCode } from '../../core/api.ts';
import type { Localiser } from '../localiser.ts';
import type { Sentence } from '../sentence.ts';
import { eitherFact } from './facts.ts';

type OpenCode = Extract<ErrorCode, `open.${string}`>;

/** The words for opening sealed mail. */
export function openSentences(l10n: Localiser): Record<OpenCode, Sentence> {
  return {
    'open.malformed': {
      say: () => l10n.t('The sealed part of this message is damaged or not written by QuMail. Ask the sender to send it again.'),
    },
    'open.unknown-version': { say: () => l10n.t('This message was sealed by a newer QuMail. Update QuMail to read it.') },
    'open.unknown-suite': {
      say: () => l10n.t('This message was sealed with a method this QuMail does not know. Update QuMail to read it.'),
    },
    'open.unknown-critical': {
      say: (f) => l10n.t('This message needs a feature this QuMail does not know ({0}). Update QuMail to read it.', f('name', '?')),
    },
    'open.duplicate-member': { say: () => l10n.t('The sealed part of this message contradicts itself and was not opened.') },
    'open.two-payloads': { say: () => l10n.t('This message carries two sealed parts, which no sender makes. It was not opened.') },
    'open.limit': { say: (f) => l10n.t('This message is beyond what QuMail opens ({0}).', f('what', '?')) },
    'open.truncated': { say: () => l10n.t('This message was cut on its way. Ask the sender to send it again.') },
    'open.part-missing': { say: () => l10n.t('A part of this sealed message is missing. Ask the sender to send it again.') },
    'open.part-mismatch': { say: () => l10n.t('A part of this sealed message was changed on its way. It was not opened.') },
    'open.tampered': { say: () => l10n.t('This message was changed after it was sealed, or sealed with another key. It was not opened.') },
    'open.not-for-you': {
      say: (f) =>
        f('what', '') === 'sae'
          ? l10n.t('This message was sealed to another device of yours. Read it there, or ask the sender to seal it to this one.')
          : l10n.t('This message was sealed for other recipients.'),
    },
    'open.sender-unknown': {
      say: (f) =>
        l10n.t(
          'The SAE ID of the sender {0} is not known. Add it to the contact to open this message.',
          eitherFact(f, 'address', 'sender'),
        ),
      step: 'contact',
    },
    'open.reflection': { say: () => l10n.t('Someone sent you back a message of your own. It was not opened.') },
    'open.replayed': {
      say: () => l10n.t('The key of this message has opened another one before. Someone sent a copy; it was not opened.'),
    },
    'open.headers-differ': {
      say: () => l10n.t('Sender or recipients outside differ from those sealed inside. Trust only what is sealed.'),
    },
    'open.written-elsewhere': {
      say: () => l10n.t('You sealed this message on another device. Read it there, or restore a backup of that device here.'),
    },
    'open.level-unsupported': { say: () => l10n.t('QuMail cannot open messages of this level yet.') },
    'open.no-secret-key': {
      say: () => l10n.t('This message was sealed to a certificate whose key is not on this computer. Ask the sender to seal it again.'),
    },
    'open.subkey-gone': {
      say: () => l10n.t('This message was sealed to a key that has been replaced and erased. Ask the sender to seal it again.'),
    },
    'open.sender-changed': {
      say: (f) => l10n.t('{0} signed this message with another certificate than before. Check the change first.', f('address', '?')),
      step: 'key-change',
    },
    'open.bad-signature': { say: () => l10n.t('The signature of this message does not fit it. It was not opened.') },
    'open.unknown-signer': {
      say: () => l10n.t('This message was not signed with the certificate known for its sender. Check the contact before you trust it.'),
      step: 'verify-contact',
    },
  };
}
