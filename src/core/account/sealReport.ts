import * as v from 'valibot';
import { QuMailError } from '../base/errors.ts';
import type { SecurityReport } from '../base/model.ts';
import type { SignatureFact } from '../base/protection.ts';
import { SECURITY_LEVELS } from '../base/types.ts';
import { previewOf } from '../mail/preview.ts';
import { hasAttachments, type ReadMessage } from '../mail/readMime.ts';

/** What reports call OpenPGP mail outside of QuMail's container (RFC 3156). */
export const PGP_MIME_SUITE = 'PGP/MIME';

const AddressSchema = v.object({ name: v.string(), address: v.string() });

export const SealReportSchema = v.object({
  level: v.picklist(SECURITY_LEVELS),
  suite: v.string(),
  /** Where keys of a key manager or pad opened it. */
  senderSaeId: v.optional(v.string()),
  keyIds: v.array(v.string()),
  sealedAt: v.string(),
  /** When it was opened here, milliseconds since the epoch; earlier versions did not note it. */
  openedAt: v.optional(v.number()),
  /** Of AAD and body, base64url: tells this very payload from another under the same id. */
  payloadSha256: v.string(),
  /** True where reading it takes breaking ML-KEM-768+X25519, whatever else. */
  postQuantum: v.optional(v.boolean()),
  /** Of OpenPGP mail: who signed. */
  signature: v.optional(
    v.object({
      state: v.picklist(['valid', 'invalid', 'unknown-signer', 'none']),
      fingerprint: v.optional(v.string()),
      signedAt: v.optional(v.number()),
    }),
  ),
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
export type SealReport = v.InferOutput<typeof SealReportSchema>;

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
  const parsed = v.safeParse(SealReportSchema, stored);
  if (!parsed.success) throw new QuMailError('store.corrupt', { column: 'sealed_report' });
  return parsed.output;
}

/** A signature as plain data. */
export function signatureOf({ state, fingerprint, signedAt }: NonNullable<SealReport['signature']>): SignatureFact {
  return { state, ...(fingerprint !== undefined && { fingerprint }), ...(signedAt !== undefined && { signedAt }) };
}

/** The banner's facts about a message that was opened (or sealed here). */
export function openedSecurity(report: SealReport, simulated: boolean, keyManager: string | undefined): SecurityReport {
  return {
    level: report.level,
    seal: 'opened',
    suite: report.suite,
    ...(report.senderSaeId !== undefined && { senderSaeId: report.senderSaeId, ...(keyManager !== undefined && { keyManager }) }),
    keyIds: report.keyIds,
    sealedAt: report.sealedAt,
    ...(report.postQuantum !== undefined && { postQuantum: report.postQuantum }),
    ...(report.signature && { signature: signatureOf(report.signature) }),
    simulated,
  };
}
