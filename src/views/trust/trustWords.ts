import type { ChangedField, Contact, ContactCertificate, KeyChange, TrustMark, TrustSource, VerificationProof } from '../../core/api.ts';
import type { Localiser } from '../present.ts';

/** How a contact's trust mark looks: a codicon, its colour where it has one, and the words. */
export interface MarkLook {
  readonly icon: string;
  readonly color?: string;
  readonly words: string;
}

/** `none`: no certificate is known. */
export function markLook(mark: TrustMark | 'none', l10n: Localiser): MarkLook {
  const looks: Record<TrustMark | 'none', MarkLook> = {
    verified: { icon: 'verified-filled', color: 'charts.green', words: l10n.t('verified') },
    qkd: { icon: 'verified', color: 'charts.green', words: l10n.t('confirmed by QKD') },
    'first-use': { icon: 'unverified', words: l10n.t('first use') },
    unverified: { icon: 'question', words: l10n.t('unverified') },
    changed: { icon: 'warning', color: 'list.errorForeground', words: l10n.t('KEY CHANGED') },
    revoked: { icon: 'error', color: 'list.errorForeground', words: l10n.t('key revoked') },
    none: { icon: 'person', words: l10n.t('no certificate') },
  };
  return looks[mark];
}

/** What is to be thought of a contact: a change that blocks counts more than what was known before it. */
export function markOf(contact: Pick<Contact, 'certificate' | 'keyChange'>): TrustMark | 'none' {
  if (contact.keyChange?.effect === 'blocks') return 'changed';
  return contact.certificate?.mark ?? 'none';
}

/** What a mark means, in one sentence. */
export function markMeaning(mark: TrustMark | 'none', l10n: Localiser): string {
  const meanings: Record<TrustMark | 'none', string> = {
    verified: l10n.t('You compared the safety number with this contact.'),
    qkd: l10n.t('The certificate came in a message that only the two ends of your quantum link could have sealed.'),
    'first-use': l10n.t('The certificate came from the contact and has not changed since. Compare the safety number to be sure.'),
    unverified: l10n.t('A server or a mail header says that this is their certificate. Compare the safety number to be sure.'),
    changed: l10n.t('Another key than before has come. Nothing is sealed for this contact until you have decided.'),
    revoked: l10n.t('The contact took this certificate back. Nothing is sealed for this contact until there is another one.'),
    none: l10n.t('No certificate of this contact is known yet.'),
  };
  return meanings[mark];
}

/** Where something was learned. */
function sourceWords(source: TrustSource, l10n: Localiser): string {
  const words: Record<TrustSource, string> = {
    card: l10n.t('a contact card in sealed mail'),
    signature: l10n.t('a signature in sealed mail'),
    file: l10n.t('a file or a code that you imported'),
    wkd: l10n.t('the key directory of their domain'),
    autocrypt: l10n.t('a header of ordinary mail'),
    introduction: l10n.t('another member of a group'),
  };
  return words[source];
}

/** A fingerprint or number in groups that can be read aloud. */
export function inGroups(text: string, size: number): readonly string[] {
  return text.match(new RegExp(`.{1,${size}}`, 'g')) ?? [];
}

/** `ABCD 1234 ...`; only fingerprints are grouped, an SAE ID is shown as it is. */
function changedValue(field: ChangedField, value: string | undefined, l10n: Localiser): string {
  if (value === undefined || value === '') return l10n.t('none');
  return field === 'fingerprint' ? inGroups(value, 4).join(' ') : value;
}

/** What has changed, before and after, line by line. */
export function changeDetail(change: KeyChange, l10n: Localiser): string {
  const names: Record<ChangedField, string> = {
    fingerprint: l10n.t('Certificate'),
    saeId: 'SAE ID',
    kmeId: 'KME ID',
  };
  const fields = change.fields.map((field) =>
    [
      names[field],
      l10n.t('  before: {0}', changedValue(field, change.before[field], l10n)),
      l10n.t('  now: {0}', changedValue(field, change.after[field], l10n)),
    ].join('\n'),
  );
  const effect =
    change.effect === 'blocks'
      ? l10n.t('A new device or a new installation does this, and so does somebody who poses as them. Nothing is sent until you decide.')
      : l10n.t('Only a weak source says so. What is known stays in use unless you accept the change.');
  const from =
    change.under === 'none'
      ? l10n.t('It came from {0}.', sourceWords(change.source, l10n))
      : l10n.t('It came from {0}, sealed at {1}.', sourceWords(change.source, l10n), change.under);
  return [...fields, '', from, effect].join('\n');
}

/** The certificate in lines for a tooltip. */
export function certificateLines(certificate: ContactCertificate, l10n: Localiser, dateOf: (time: number) => string): readonly string[] {
  const { facts } = certificate;
  return [
    inGroups(certificate.fingerprint, 4).join(' '),
    l10n.t('Learned on {0} from {1}', dateOf(certificate.learnedAt), sourceWords(certificate.source, l10n)),
    ...(certificate.verifiedAt === undefined ? [] : [l10n.t('Verified on {0}', dateOf(certificate.verifiedAt))]),
    ...(facts
      ? [facts.postQuantum ? l10n.t('Post-quantum: can receive L3') : l10n.t('Not post-quantum: no L3')]
      : [l10n.t('Only its fingerprint is known')]),
    ...(facts?.expiresAt === undefined ? [] : [l10n.t('Expires on {0}', dateOf(facts.expiresAt))]),
  ];
}

/** More is neither a number nor a code. */
const MAX_PROOF = 4096;

/** What a person typed, pasted or scanned, as a proof: the sixty digits, however they are spaced, or the text of a code. */
export function proofOf(text: string): VerificationProof | undefined {
  const trimmed = text.trim();
  if (trimmed === '' || trimmed.length > MAX_PROOF) return undefined;
  const digits = trimmed.replace(/[\s.\-·]/g, '');
  return /^\d{60}$/.test(digits) ? { digits } : { qr: trimmed };
}
