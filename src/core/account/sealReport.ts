import * as v from 'valibot';
import type { SecurityReport } from '../base/model.ts';
import { SECURITY_LEVELS } from '../base/types.ts';
import { previewOf } from '../mail/preview.ts';
import { readProtected } from '../mail/readMime.ts';
import { parseStored } from './stored.ts';

const AddressSchema = v.object({ name: v.string(), address: v.string() });

const ReportSchema = v.object({
  level: v.picklist(SECURITY_LEVELS),
  suite: v.string(),
  senderSaeId: v.string(),
  keyIds: v.array(v.string()),
  sealedAt: v.string(),
  summary: v.object({
    from: AddressSchema,
    to: v.array(AddressSchema),
    subject: v.string(),
    date: v.optional(v.number()),
    preview: v.string(),
    hasAttachments: v.boolean(),
  }),
});

/** What is remembered, sealed, beside the plaintext of a sealed message: how it was protected, and its line in a list. */
export type SealReport = v.InferOutput<typeof ReportSchema>;

/** The list line of an inner message. */
export async function innerSummary(inner: Buffer): Promise<SealReport['summary']> {
  const message = await readProtected(inner);
  return {
    from: message.from,
    to: message.to,
    subject: message.subject,
    ...(message.date !== undefined && { date: message.date }),
    preview: previewOf(message),
    hasAttachments: message.attachments.some(({ inline }) => !inline),
  };
}

/** The report as the sealed store keeps it. */
export function writeReport(report: SealReport): object {
  return report;
}

/** The report as it came out of the sealed store; throws `store.corrupt`. */
export function readReport(stored: object): SealReport {
  return parseStored(ReportSchema, JSON.stringify(stored));
}

/** The banner's facts about a message that was opened (or sealed here). */
export function securityOf(report: SealReport, simulated: boolean, keyManager: string | undefined): SecurityReport {
  return {
    level: report.level,
    seal: 'opened',
    suite: report.suite,
    senderSaeId: report.senderSaeId,
    ...(keyManager !== undefined && { keyManager }),
    keyIds: report.keyIds,
    sealedAt: report.sealedAt,
    simulated,
  };
}
