import type { Account, Contact, ExportedCard, OwnCertificateInfo, SafetyNumber } from '../../core/api.ts';
import type { Localiser } from '../present.ts';
import { inGroups, markLook, markMeaning } from './trustWords.ts';

/** What the panel shows, in words already. */
export interface TrustPage {
  readonly title: string;
  readonly lead: string;
  readonly mark?: { readonly words: string; readonly meaning: string; readonly tone: 'good' | 'bad' | 'plain' };
  /** Twelve groups of five digits, the same on both sides. */
  readonly number?: { readonly heading: string; readonly hint: string; readonly groups: readonly string[]; readonly typed: string };
  readonly code: { readonly heading: string; readonly hint: string; readonly text: string; readonly label: string };
  readonly scan: {
    readonly heading: string;
    readonly hint: string;
    readonly picture: string;
    readonly paste: string;
    readonly use: string;
  };
  readonly buttons: readonly {
    readonly action: 'match' | 'differ' | 'save' | 'copy' | 'import';
    readonly label: string;
    readonly primary: 'yes' | 'no';
  }[];
  readonly facts: readonly { readonly label: string; readonly groups: readonly string[] }[];
  /** What the live comparison of typed digits says. */
  readonly compare: { readonly same: string; readonly differs: string };
}

/** The safety number of a contact, to be compared and scanned. */
export function safetyPage(
  contact: Pick<Contact, 'name' | 'address'>,
  safety: SafetyNumber,
  of: 'pinned' | 'changed',
  l10n: Localiser,
): TrustPage {
  const name = contact.name || contact.address;
  const look = markLook(safety.mark, l10n);
  const good = safety.mark === 'verified' || safety.mark === 'qkd';
  return {
    title: of === 'changed' ? l10n.t('Compare the New Key of {0}', name) : l10n.t('Verify {0}', name),
    lead: l10n.t('Talk to {0} in person or by phone, not by mail. If the numbers are the same on both sides, nobody is between you.', name),
    mark: {
      words: look.words,
      meaning: markMeaning(safety.mark, l10n),
      tone: good ? 'good' : safety.mark === 'changed' || safety.mark === 'revoked' ? 'bad' : 'plain',
    },
    number: {
      heading: l10n.t('Safety number'),
      hint: l10n.t('Both of you see the same sixty digits. Read them to each other.'),
      groups: inGroups(safety.digits, 5),
      typed: l10n.t('Type or paste the number that {0} sees', name),
    },
    code: {
      heading: l10n.t('Your code'),
      hint: l10n.t('{0} scans this.', name),
      text: safety.qr,
      label: l10n.t('QR code of your safety number with {0}', name),
    },
    scan: {
      heading: l10n.t('Their code'),
      hint: l10n.t('Choose, drop or paste a picture of the code that {0} shows, or paste its text.', name),
      picture: l10n.t('Picture of the code'),
      paste: l10n.t('Text of the code'),
      use: l10n.t('Check the Code'),
    },
    buttons: [
      { action: 'match', label: l10n.t('They Match'), primary: 'yes' },
      { action: 'differ', label: l10n.t('They Differ'), primary: 'no' },
    ],
    facts: [
      { label: l10n.t('Your certificate'), groups: inGroups(safety.ownFingerprint, 4) },
      { label: l10n.t('Certificate of {0}', name), groups: inGroups(safety.fingerprint, 4) },
    ],
    compare: { same: l10n.t('All sixty digits are the same.'), differs: l10n.t('These digits differ from the number above.') },
  };
}

/** The own contact card as a code, and a place to scan somebody else's. */
export function cardPage(
  account: Pick<Account, 'email' | 'saeId'>,
  card: ExportedCard,
  own: OwnCertificateInfo,
  l10n: Localiser,
): TrustPage {
  return {
    title: l10n.t('Contact Card of {0}', account.email),
    lead: l10n.t('Whoever scans this code or imports the card file can seal mail for you.'),
    code: {
      heading: l10n.t('Your card'),
      hint: l10n.t('It holds your address, the fingerprint of your certificate and your SAE ID. It is no secret.'),
      text: card.qr,
      label: l10n.t('QR code of your contact card'),
    },
    scan: {
      heading: l10n.t('Card of somebody else'),
      hint: l10n.t('Choose, drop or paste a picture of a card code, or paste its text.'),
      picture: l10n.t('Picture of the code'),
      paste: l10n.t('Text of the code'),
      use: l10n.t('Import the Card'),
    },
    buttons: [
      { action: 'save', label: l10n.t('Save Card File…'), primary: 'yes' },
      { action: 'copy', label: l10n.t('Copy Code as Text'), primary: 'no' },
      { action: 'import', label: l10n.t('Import Card File…'), primary: 'no' },
    ],
    facts: [{ label: l10n.t('Your certificate'), groups: inGroups(own.fingerprint, 4) }],
    compare: { same: '', differs: '' },
  };
}
