import * as v from 'valibot';
import { QuMailError } from '../base/errors.ts';
import type { SecurityReport } from '../base/model.ts';
import { SECURITY_LEVELS } from '../base/types.ts';
import { previewOf } from '../mail/preview.ts';
import { hasAttachments, type ReadMessage } from '../mail/readMime.ts';

const AddressSchema = v.object({ name: v.string(), address: v.string() });

const ReportSchema = v.object({
  level: v.picklist(SECURITY_LEVELS),
  suite: v.string(),
  senderSaeId: v.string(),
  keyIds: v.array(v.string()),
  sealedAt: v.string(),
  /** Of AAD and body, base64url: tells this very payload from another under the same id. */
  payloadSha256: v.string(),
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
export function innerSummary(message: ReadMessage): SealReport['summary'] {
  return {
    from: message.from,
    to: message.to,
    subject: message.subject,
    ...(message.date !== undefined && { date: message.date }),
    preview: previewOf(message),
    hasAttachments: hasAttachments(message),
  };
}

/** The report as it came out of the sealed store; throws `store.corrupt`. */
export function readReport(stored: object): SealReport {
  const parsed = v.safeParse(ReportSchema, stored);
  if (!parsed.success) throw new QuMailError('store.corrupt', { column: 'sealed_report' });
  return parsed.output;
}

/** The banner's facts about a message that was opened (or sealed here). */
export function openedSecurity(report: SealReport, simulated: boolean, keyManager: string | undefined): SecurityReport {
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
