import type { Attachment, Failure, Message, MessageSummary, SecurityReport } from '../base/model.ts';
import { QuMailError } from '../base/errors.ts';
import { readMessage, readProtected, type ReadAttachment, type ReadMessage } from '../mail/readMime.ts';
import { htmlToPlain } from '../mail/preview.ts';
import { OUTER_SUBJECT } from '../mail/writeMime.ts';
import { BODY } from '../store/messageRow.ts';
import type { MessageRow } from '../store/messages.ts';
import type { SealedMailStore } from '../store/sealedMail.ts';
import { withInlineImages } from './inlineImages.ts';
import { openingStep } from './openingStep.ts';
import type { PlainFacts } from './readPlain.ts';
import { PGP_MIME_SUITE, readReport, type SealReport } from './sealReport.ts';
import { readFailure } from './stored.ts';

/** A row of the store as the views list it; a sealed message that was opened is listed by its inner headers. */
export function summaryOf(row: MessageRow, sealedMail: SealedMailStore): MessageSummary {
  const { report, lost } = openedReport(row, sealedMail);
  const inner = report?.summary;
  const failure = lost ? { code: lost.code, details: lost.details } : (readFailure(row.failureJson) ?? withheld(row));
  return {
    id: row.id,
    accountId: row.accountId,
    folder: row.folder,
    from: inner?.from ?? row.from,
    to: inner?.to ?? row.to,
    // What stands outside a sealed message is anyone's to write.
    subject: inner?.subject ?? (row.seal === 'plain' || row.level === 'L4' ? row.subject : OUTER_SUBJECT),
    date: inner?.date ?? row.date,
    size: row.size,
    flags: row.flags,
    hasAttachments: inner?.hasAttachments ?? row.hasAttachments,
    preview: inner?.preview ?? row.preview,
    level: row.level,
    seal: lost ? 'failed' : row.seal,
    ...(failure && { failure }),
  };
}

/** Of what the server did not hand out when it was asked for it. */
function withheld({ bodyState }: MessageRow): Failure | undefined {
  return bodyState === BODY.damaged ? { code: 'imap.message-withheld', details: {} } : undefined;
}

/** What is remembered of an opened message. One whose record can no longer be read must not hide the rest of the list. */
function openedReport(row: MessageRow, sealedMail: SealedMailStore): { report?: SealReport; lost?: QuMailError } {
  if (row.seal !== 'opened' || row.envelopeId === undefined) return {};
  try {
    const stored = sealedMail.reportByEnvelope(row.accountId, row.envelopeId);
    return stored ? { report: readReport(stored) } : {};
  } catch (error) {
    if (!QuMailError.is(error, 'store.secret-missing') && !QuMailError.is(error, 'store.corrupt')) throw error;
    return { lost: error };
  }
}

/** The parts of a message as they are shown, from the plaintext of a sealed one or the source of any other. */
export async function partsOf(source: { plaintext: Buffer; report: Pick<SealReport, 'suite'> } | { raw: Buffer }): Promise<ReadMessage> {
  if ('raw' in source) return readMessage(source.raw);
  // What other programs encrypted need not protect its headers; it was put together from what there was (mail/pgpMime.ts).
  return source.report.suite === PGP_MIME_SUITE ? readMessage(source.plaintext) : readProtected(source.plaintext);
}

/** A readable message: ordinary mail, or sealed mail that was opened. */
export function messageOf(summary: MessageSummary, parts: ReadMessage, security: SecurityReport): Message {
  const inline = parts.html === undefined ? undefined : withInlineImages(parts.html, parts.attachments);
  return {
    summary,
    cc: parts.cc,
    bcc: parts.bcc,
    replyTo: parts.replyTo,
    rfcMessageId: parts.messageId,
    text: parts.text !== '' || parts.html === undefined ? parts.text : htmlToPlain(parts.html),
    ...(inline && { html: inline.html }),
    attachments: parts.attachments.map(attachmentOf).filter(({ index }) => !inline?.shown.has(index)),
    security,
  };
}

/** A sealed message that could not be opened: what is known of it, and why. Its notice is never shown as the message. */
export function unopenedMessage(
  summary: MessageSummary,
  rfcMessageId: string,
  failure: QuMailError,
  context: { readonly simulated: boolean; readonly now: number },
): Message {
  const seal = summary.seal === 'plain' ? 'failed' : summary.seal;
  const { simulated, now } = context;
  const nextStep = openingStep(failure.code, now - summary.date);
  return {
    summary,
    cc: [],
    bcc: [],
    replyTo: [],
    rfcMessageId,
    text: '',
    attachments: [],
    security: { level: summary.level, seal, keyIds: [], failure: { code: failure.code, details: failure.details }, nextStep, simulated },
  };
}

/** Ordinary mail makes no claim, except that somebody may have signed it, or encrypted it to a certificate that is not the own one. */
export function plainSecurity(simulated: boolean, facts: PlainFacts = {}): SecurityReport {
  const { signature, failure } = facts;
  return {
    level: 'L4',
    seal: 'plain',
    keyIds: [],
    ...(signature && { signature }),
    ...(failure && { failure, nextStep: openingStep(failure.code, 0) }),
    simulated,
  };
}

/** One attachment with its content; throws `attachment.missing`. */
export function attachmentAt(parts: ReadMessage, index: number): { attachment: Attachment; content: Buffer } {
  const found = parts.attachments[index];
  if (!found) throw new QuMailError('attachment.missing');
  return { attachment: attachmentOf(found, index), content: found.content };
}

function attachmentOf(attachment: ReadAttachment, index: number): Attachment {
  return { index, name: attachment.name, mimeType: attachment.mimeType, size: attachment.content.length };
}
