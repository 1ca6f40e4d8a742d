import type { Contact, Failure, Message, SecurityReport } from '../../core/api.ts';
import { levelName, sizeLabel } from '../labels.ts';
import { buttonLabel, present } from '../present.ts';
import type { Localiser, NextStep } from '../present.ts';
import { guardOf, iconOf } from './attachmentGuard.ts';
import { nextStepOf, protectionFacts, signatureSentence } from './protection.ts';
import type { ShownBanner, ShownFailure, ShownMessage } from './readerProtocol.ts';

/** Where and how dates are told; `timeZone` only for tests. */
export interface ReaderLocale {
  readonly l10n: Localiser;
  readonly language: string;
  readonly timeZone?: string;
}

/** A message as the page shows it: every sentence made, every number put into words. Pure. */
export function readerModel(message: Message, locale: ReaderLocale, contact?: Contact): ShownMessage {
  const { summary, security } = message;
  const replyTo = message.replyTo.filter((reply) => reply.address.toLowerCase() !== summary.from.address.toLowerCase());
  return {
    subject: summary.subject,
    from: summary.from,
    to: summary.to,
    cc: message.cc,
    bcc: message.bcc,
    replyTo,
    date: dateInWords(summary.date, locale),
    banner: bannerOf(security, message, contact, locale.l10n),
    ...(isUnreadable(message) && security.failure
      ? { failure: failureInWords(security.failure, locale.l10n, nextStepOf(security, locale.l10n)) }
      : {}),
    text: message.text,
    ...(message.html === undefined ? {} : { html: message.html }),
    attachments: message.attachments.map((attachment) => ({
      index: attachment.index,
      name: attachment.name,
      size: sizeLabel(attachment.size),
      icon: iconOf(attachment.name, attachment.mimeType),
      guarded: guardOf(attachment.name) !== 'free',
    })),
  };
}

/** A failure as the page shows it. */
export function failureInWords(failure: Failure, l10n: Localiser, step?: NextStep): ShownFailure {
  const { sentence, button } = present(failure, l10n);
  return { sentence, step: nextStepInWords(failure, step, l10n), button: step ? buttonLabel(step, l10n) : (button ?? '') };
}

/** What to do about a message that stays shut, where the sentence itself does not say it. */
function nextStepInWords(failure: Failure, step: NextStep | undefined, l10n: Localiser): string {
  if (step === 'ask-again') return l10n.t('QuMail writes the request for you: it tells the date and the reason, nothing else.');
  if (step === 'report') return l10n.t('Keep the message. The report tells what happened and nothing of its content.');
  if (failure.code.startsWith('kme.'))
    return l10n.t('The sealed message stays on the server and here; opening it can be tried again at any time.');
  if (failure.code === 'open.sender-unknown') return l10n.t('Once the contact has its SAE ID, open the message again.');
  if (failure.code.startsWith('open.')) return l10n.t('The source of the message can still be looked at.');
  return '';
}

/** Nothing was opened, so there is nothing to read: the failure takes the place of the body. */
function isUnreadable({ security, text, html }: Message): boolean {
  return (
    (security.seal === 'failed' || security.seal === 'unopened') && security.failure !== undefined && text === '' && html === undefined
  );
}

function bannerOf(security: SecurityReport, message: Message, contact: Contact | undefined, l10n: Localiser): ShownBanner {
  const step = isUnreadable(message) ? undefined : nextStepOf(security, l10n);
  return {
    tone: toneOf(security),
    level: security.level,
    title: l10n.t('{0} · {1}', security.level, levelName(security.level, l10n)),
    sentence: bannerSentence(security, message, contact, l10n),
    simulated: security.simulated,
    facts: factsOf(security, message, contact, l10n),
    keyIds: security.keyIds,
    button: step ? buttonLabel(step, l10n) : '',
  };
}

function toneOf(security: SecurityReport): ShownBanner['tone'] {
  if (security.seal === 'failed') return 'failed';
  if (security.seal === 'unopened') return 'waiting';
  // Opened, and yet something about it does not agree (open.headers-differ): never shown as verified.
  if (security.failure) return 'failed';
  return security.seal === 'opened' && security.level !== 'L4' ? 'sealed' : 'plain';
}

function bannerSentence(security: SecurityReport, message: Message, contact: Contact | undefined, l10n: Localiser): string {
  if (security.failure && !isUnreadable(message)) return present(security.failure, l10n).sentence;
  const sender = message.summary.from.address;
  const signed = security.failure ? undefined : signatureSentence(security, sender, contact, l10n);
  if (signed !== undefined) return signed;
  switch (toneOf(security)) {
    case 'failed':
      return l10n.t('Sealed, but it could not be opened and verified.');
    case 'waiting':
      return l10n.t('Sealed, not opened yet.');
    case 'plain':
      return l10n.t('Ordinary mail: every server on the way could read and change it, and the sender is not proven.');
    case 'sealed':
      return security.senderSaeId
        ? l10n.t('Verified: sealed by {0} (SAE {1}) and unchanged since.', sender, security.senderSaeId)
        : l10n.t('Verified: sealed by {0} and unchanged since.', sender);
  }
}

function factsOf(
  security: SecurityReport,
  message: Message,
  contact: Contact | undefined,
  l10n: Localiser,
): { label: string; value: string }[] {
  const facts: { label: string; value: string }[] = [];
  const add = (label: string, value: string | undefined): void => {
    if (value) facts.push({ label, value });
  };
  if (security.seal === 'plain' && !security.signature) return facts;
  add(l10n.t('Sender'), message.summary.from.address);
  add(l10n.t('SAE ID'), security.senderSaeId);
  add(l10n.t('Key manager'), security.keyManager);
  add(l10n.t('Suite'), security.suite);
  add(l10n.t('Sealed at'), security.sealedAt);
  facts.push(...protectionFacts(security, contact, l10n));
  if (security.failure) add(l10n.t('Code'), security.failure.code);
  return facts;
}

function dateInWords(date: number, { language, timeZone }: ReaderLocale): { long: string; iso: string } {
  // A date beyond what ECMAScript can hold comes from a hostile header: told as nothing rather than thrown.
  if (!Number.isFinite(date) || Math.abs(date) > 8.64e15) return { long: '', iso: '' };
  const zone = timeZone === undefined ? {} : { timeZone };
  const long = new Intl.DateTimeFormat(language, {
    ...zone,
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
  }).format(date);
  return { long, iso: new Date(date).toISOString() };
}
