import type { Localiser } from '../localiser.ts';

/** `class.subject.detail` of RFC 3463, read from a server's answer. */
export interface EnhancedStatus {
  readonly kind: 'delivered' | 'for-now' | 'for-good';
  readonly subject: number;
  readonly detail: number;
  /** As the server wrote it. */
  readonly text: string;
}

const KINDS: Readonly<Record<string, EnhancedStatus['kind']>> = { 2: 'delivered', 4: 'for-now', 5: 'for-good' };

/** Reads `5.1.1`; undefined where the text is no enhanced status (RFC 3463 clause 2: class 2, 4 or 5, up to three digits each). */
export function parseEnhanced(text: string): EnhancedStatus | undefined {
  const match = /^([245])\.(\d{1,3})\.(\d{1,3})$/.exec(text.trim());
  const kind = KINDS[match?.[1] ?? ''];
  return match && kind ? { kind, subject: Number(match[2]), detail: Number(match[3]), text: match[0] } : undefined;
}

/**
 * What an enhanced status means, with the server's own code: `This mailbox does not exist (5.1.1)`. Details that neither RFC 3463 nor the
 * registry of RFC 5248 names get the words of their subject.
 */
export function statusWords(status: EnhancedStatus, l10n: Localiser): string {
  const words = details(l10n)[`${status.subject}.${status.detail}`] ?? subjects(l10n)[status.subject] ?? subjects(l10n)[0];
  return `${words} (${status.text})`;
}

/** RFC 3463 clause 3: what each subject is about. */
function subjects(l10n: Localiser): Readonly<Record<number, string>> {
  return {
    0: l10n.t('The server gives no closer reason'),
    1: l10n.t('Something is wrong with an address'),
    2: l10n.t('Something is wrong with the mailbox of the recipient'),
    3: l10n.t('The mail system of the recipient has a problem'),
    4: l10n.t('The way to the server of the recipient has a problem'),
    5: l10n.t('The two servers did not understand each other'),
    6: l10n.t('The server cannot handle the content of the message'),
    7: l10n.t('The server refuses the message by its rules'),
  };
}

/** RFC 3463 clauses 3.2 to 3.8, RFC 4954 (7.8 to 7.12), RFC 6710, RFC 7372 (7.20 to 7.26), as far as a sender meets them. */
function details(l10n: Localiser): Readonly<Record<string, string>> {
  return {
    '1.0': l10n.t('The address is not accepted'),
    '1.1': l10n.t('This mailbox does not exist'),
    '1.2': l10n.t('The domain of the address does not exist or takes no mail'),
    '1.3': l10n.t('The address is not written correctly'),
    '1.4': l10n.t('The address fits more than one mailbox'),
    '1.6': l10n.t('The mailbox has moved and left no new address'),
    '1.7': l10n.t('The sender address is not written correctly'),
    '1.8': l10n.t('The domain of the sender address does not exist'),
    '1.10': l10n.t('The domain of the address says that it takes no mail'),
    '2.1': l10n.t('The mailbox is switched off'),
    '2.2': l10n.t('The mailbox is full'),
    '2.3': l10n.t('The message is larger than the mailbox accepts'),
    '2.4': l10n.t('The mailing list could not be expanded'),
    '3.1': l10n.t('The mail system of the recipient is full'),
    '3.2': l10n.t('The mail system takes no mail at the moment'),
    '3.3': l10n.t('The mail system lacks a feature this message needs'),
    '3.4': l10n.t('The message is larger than the mail system accepts'),
    '3.5': l10n.t('The mail system is not set up correctly'),
    '4.1': l10n.t('The server of the recipient does not answer'),
    '4.2': l10n.t('The connection to the server of the recipient broke'),
    '4.3': l10n.t('The server of the recipient could not be looked up'),
    '4.4': l10n.t('There is no way to the domain of the recipient'),
    '4.5': l10n.t('The mail system is too busy'),
    '4.6': l10n.t('The message went in a circle'),
    '4.7': l10n.t('The message waited too long and was given up'),
    '5.2': l10n.t('The server does not know a command it was given'),
    '5.3': l10n.t('The message has more recipients than the server takes at once'),
    '5.4': l10n.t('The server does not accept an argument it was given'),
    '6.1': l10n.t('The server takes no content of this kind'),
    '6.3': l10n.t('The content would have to be converted, and cannot be'),
    '6.7': l10n.t('An address with letters beyond ASCII is not supported on the way'),
    '7.0': l10n.t('The server refuses the message by its rules'),
    '7.1': l10n.t('The recipient takes no mail from this sender'),
    '7.2': l10n.t('Only members may write to this mailing list'),
    '7.8': l10n.t('The sign-in was not accepted'),
    '7.9': l10n.t('The way of signing in is too weak for this server'),
    '7.11': l10n.t('The server wants an encrypted connection for this'),
    '7.12': l10n.t('The server wants the password to be changed first'),
    '7.20': l10n.t('No signature of the sender domain was accepted (DKIM)'),
    '7.23': l10n.t('The sending server may not send for this domain (SPF)'),
    '7.25': l10n.t('The sending server has no proper name (reverse DNS)'),
    '7.26': l10n.t('Neither signature nor server fit the sender domain (DKIM, SPF)'),
    '7.28': l10n.t('The server takes this for a flood of mail'),
  };
}
