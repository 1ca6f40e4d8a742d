import type { Contact, OpeningStep, SecurityReport } from '../../core/api.ts';
import { present, type Localiser, type NextStep } from '../present.ts';
import { markLook, markOf, inGroups } from '../trust/trustWords.ts';

export interface Fact {
  readonly label: string;
  readonly value: string;
}

/** What the engine says helps, as a step of the views. */
const STEPS: Readonly<Record<Exclude<OpeningStep, 'none'>, NextStep>> = {
  wait: 'retry',
  'ask-again': 'ask-again',
  verify: 'verify-contact',
  report: 'report',
  update: 'update',
};
/** Steps that are offered for want of a better one: what the engine knows of this very message goes first. */
const WEAK: readonly (NextStep | undefined)[] = [undefined, 'retry', 'log', 'restart', 'level'];

/** The one next step for a message that was not opened, or about which something does not agree. */
export function nextStepOf(security: Pick<SecurityReport, 'failure' | 'nextStep'>, l10n: Localiser): NextStep | undefined {
  if (!security.failure) return undefined;
  const { step } = present(security.failure, l10n);
  const { nextStep } = security;
  if (!WEAK.includes(step) || nextStep === undefined || nextStep === 'none') return step === 'level' ? undefined : step;
  return STEPS[nextStep];
}

/** Whether it is post-quantum, who signed it, and what is known of the sender. `contact`: the sender, where it is one. */
export function protectionFacts(security: SecurityReport, contact: Contact | undefined, l10n: Localiser): readonly Fact[] {
  const { postQuantum, signature } = security;
  const facts: Fact[] = [];
  if (postQuantum !== undefined)
    facts.push({
      label: l10n.t('Post-quantum'),
      value: postQuantum
        ? l10n.t('yes: ML-KEM-768 and X25519 together protect it')
        : l10n.t('no: a quantum computer could open it one day'),
    });
  if (signature) facts.push({ label: l10n.t('Signature'), value: signatureWords(signature.state, l10n) });
  if (signature?.fingerprint !== undefined)
    facts.push({ label: l10n.t('Signed with'), value: inGroups(signature.fingerprint, 4).join(' ') });
  if (contact?.certificate) facts.push({ label: l10n.t('Trust in the sender'), value: markLook(markOf(contact), l10n).words });
  return facts;
}

/** What is said in the banner of OpenPGP mail, sealed at L3 or by another program; undefined for all other mail. */
export function signatureSentence(
  security: SecurityReport,
  sender: string,
  contact: Contact | undefined,
  l10n: Localiser,
): string | undefined {
  const { level, seal, signature } = security;
  if (!signature) return undefined;
  if (seal === 'opened' && level === 'L3') {
    const words = markLook(contact ? markOf(contact) : 'none', l10n).words;
    return signature.state === 'valid'
      ? l10n.t('Sealed against quantum computers and signed by {0} ({1}).', sender, words)
      : l10n.t('Sealed against quantum computers; who sealed it is not proven.');
  }
  if (level !== 'L4') return undefined;
  const signed: Record<typeof signature.state, string> = {
    valid: l10n.t('Signed with the certificate of {0} and unchanged since.', sender),
    invalid: l10n.t('The signature does not fit: the message was changed, or somebody else wrote it.'),
    'unknown-signer': l10n.t('Signed with a certificate that is not known here, which proves nothing.'),
    none: l10n.t('Nobody signed it, so the sender is not proven.'),
  };
  return seal === 'opened'
    ? l10n.t('Encrypted with OpenPGP, not post-quantum. {0}', signed[signature.state])
    : l10n.t('Not encrypted: every server on the way could read it. {0}', signed[signature.state]);
}

function signatureWords(state: NonNullable<SecurityReport['signature']>['state'], l10n: Localiser): string {
  const words: Record<typeof state, string> = {
    valid: l10n.t('valid'),
    invalid: l10n.t('does not fit the message'),
    'unknown-signer': l10n.t('of an unknown signer'),
    none: l10n.t('none'),
  };
  return words[state];
}

/** What happened to a message, to be told to somebody: facts and codes, nothing of its content, nobody's address. */
export function messageReport(
  security: SecurityReport,
  about: { readonly date: number; readonly rfcMessageId: string; readonly version: string },
): string {
  const { level, seal, suite, failure, keyIds, signature } = security;
  return [
    `QuMail ${about.version}`,
    `date: ${new Date(about.date).toISOString()}`,
    `message-id: ${about.rfcMessageId}`,
    `level: ${level}, seal: ${seal}${suite === undefined ? '' : `, suite: ${suite}`}`,
    `failure: ${failure?.code ?? 'none'}`,
    `signature: ${signature?.state ?? 'none'}`,
    `key IDs: ${keyIds.join(', ') || 'none'}`,
    '',
  ].join('\n');
}
