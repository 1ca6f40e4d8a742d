import type { ErrorCode } from '../../core/api.ts';
import type { Localiser } from '../localiser.ts';
import type { Sentence } from '../sentence.ts';
import { reasonOf } from './facts.ts';

type KeyCode = Extract<ErrorCode, `kme.${string}` | `key.${string}` | `pad.${string}`>;

/** The words for key managers, the ledger and pads. */
export function keySentences(l10n: Localiser): Record<KeyCode, Sentence> {
  return {
    'kme.not-configured': { say: () => l10n.t('This account has no key manager. Connect one to use quantum keys.'), step: 'key-manager' },
    'kme.client-key-missing': {
      say: () => l10n.t('The client key for your key manager is not on this computer. Connect the key manager again.'),
      step: 'key-manager',
    },
    'kme.unreachable': { say: () => l10n.t('The key manager cannot be reached.'), step: 'retry' },
    'kme.timeout': { say: () => l10n.t('The key manager did not answer in time.'), step: 'retry' },
    'kme.identity': {
      say: () =>
        l10n.t(
          'The server that answered is not the key manager you named, or its certificate is not from your authority. No key was asked for.',
        ),
      step: 'key-manager',
    },
    'kme.certificate-expired': {
      say: () => l10n.t('A certificate for the key manager has expired. Ask its operator for a new one.'),
      step: 'key-manager',
    },
    'kme.unauthorised': { say: () => l10n.t('The key manager does not know your client certificate or SAE ID.'), step: 'key-manager' },
    'kme.exhausted': {
      say: (f) =>
        f('wantedBits') === ''
          ? l10n.t('The key manager is short of keys. Wait for more, or choose another level.')
          : l10n.t(
              'The key manager is short of keys: {0} bits are needed, {1} are there. Wait for more, or choose another level.',
              f('wantedBits'),
              f('gotBits', '0'),
            ),
      step: 'level',
    },
    'kme.unavailable': { say: () => l10n.t('The key manager is busy or has no link at the moment. Try again shortly.'), step: 'retry' },
    'kme.bad-request': { say: (f) => l10n.t('The key manager refused the request: {0}.', reasonOf(f, l10n)), step: 'key-manager-status' },
    'kme.bad-answer': {
      say: () => l10n.t('The key manager answered something that is not ETSI GS QKD 014. Check its address.'),
      step: 'key-manager',
    },
    'kme.key-not-found': {
      say: () => l10n.t('The key manager does not have the key of this message. It may have been delivered already, or have expired.'),
      step: 'retry',
    },
    'kme.key-may-be-lost': {
      say: () =>
        l10n.t('The key was asked for once and the answer never came. The key manager no longer has it; ask the sender to send again.'),
    },
    'kme.too-large': {
      say: () => l10n.t('The message needs more key than the key manager gives at once. Shorten it or choose another level.'),
      step: 'level',
    },
    'kme.simulated': { say: () => l10n.t('Key managers of the demo lab serve lab accounts only, and lab accounts use no others.') },
    'key.reused': {
      say: () => l10n.t('The key manager delivered a key it had delivered before. The key was not used. Tell its operator.'),
      step: 'log',
    },
    'key.not-held': { say: () => l10n.t('The key of this message is not here any more.') },
    'key.betrayed': {
      say: () => l10n.t('The key manager names keys in a way that gives them away. The key was not used. Tell its operator.'),
      step: 'log',
    },
    'key.quota-exceeded': {
      say: (f) => l10n.t('The share of keys for {0} is spent for now. Raise it, or wait.', f('address', l10n.t('this contact'))),
      step: 'key-manager-status',
    },
    'pad.malformed': {
      say: (f) =>
        f('reason') === 'newer'
          ? l10n.t('This pad was made by a newer QuMail. Update QuMail and import it again.')
          : l10n.t('This file is not a QuMail pad.'),
    },
    'pad.damaged': {
      say: (f) =>
        f('reason') === 'cut'
          ? l10n.t('The end of this pad is missing, so none of it was used. Copy it again, or make another one.')
          : l10n.t('This pad is damaged, so none of it was used. Copy it again, or make another one.'),
    },
    'pad.bad-randomness': {
      say: () => l10n.t('These bytes are not random: they repeat, or some are far too common. Nothing was made of them.'),
    },
    'pad.too-short': { say: () => l10n.t('That is too little for a pad. Choose a smaller pad, or a larger file of random bytes.') },
    'pad.wrong-contact': {
      say: (f) =>
        l10n.t('This pad belongs to {0}, not to {1}.', f('found', l10n.t('somebody else')), f('expected', l10n.t('this contact'))),
    },
    'pad.own-file': { say: () => l10n.t('You made this pad: your half is here already. Hand the file to your contact.') },
    'pad.already-imported': { say: () => l10n.t('This pad has been imported before. A pad is used once; delete the file.') },
    'pad.exhausted': {
      say: () => l10n.t('The pad shared with this contact is too short for this message. Make another one, or choose L2.'),
      step: 'level',
    },
    'pad.missing': {
      say: (f) =>
        l10n.t('The pad that {0} sealed this with is not here. Import it to open the message.', f('address', l10n.t('the sender'))),
      step: 'pad',
    },
  };
}
