import { toBase64url } from '../base/bytes.ts';
import { QuMailError, type ErrorCode } from '../base/errors.ts';
import type { Failure } from '../base/model.ts';
import { readPayload } from '../crypto/envelope.ts';
import { readPayloads } from '../mail/readMime.ts';
import { payloadHash, sameMailbox, type OpenDeps, type OpenedMail, type Sealed, type SealedSource } from './openJob.ts';
import { openPgpMime } from './openPgpMime.ts';
import { openOwnPostQuantum, openWithCertificate } from './openWithCertificate.ts';
import { openWithKeys } from './openWithKeys.ts';
import { readReport } from './sealReport.ts';

export type { OpenDeps, OpenedMail, SealedSource } from './openJob.ts';

/** Failures that say something of the message itself; whatever else keeps it shut, time or the person can still mend. */
const LASTING: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['key.reused', 'key.betrayed']);
/** Failures to open that end when the person has learned or decided something about the sender. */
const UNTIL_KNOWN: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['open.sender-unknown', 'open.unknown-signer', 'open.sender-changed']);

/** True when trying again later may open the message: it stays unopened then, not failed. */
export function mayPass(failure: Failure): boolean {
  if (UNTIL_KNOWN.has(failure.code)) return true;
  // Sealed to another SAE of this mailbox: the key manager that is connected may not be the last.
  if (failure.code === 'open.not-for-you') return failure.details['what'] === 'sae';
  return !failure.code.startsWith('open.') && !LASTING.has(failure.code);
}

/**
 * Opens a sealed message, in the order of PROTOCOL 7: everything that can be checked without a key is checked first;
 * keys are fetched once, recorded durably, and spent only by a message that verifies; plaintext stored and keys
 * consumed are one transaction. A message that was opened before is answered from the sealed store: no key is asked twice.
 *
 * @returns undefined when `source` is neither a QuMail message nor PGP/MIME that was encrypted to the own certificate
 * @throws QuMailError `open.*`, `kme.*`, `pad.*`, `key.reused`; the keys of a message that fails verification stay held
 */
export async function openSealed(source: SealedSource, deps: OpenDeps, signal?: AbortSignal): Promise<OpenedMail | undefined> {
  const payloads = await readPayloads(source.raw);
  if (!payloads) return openPgpMime(source, deps);
  const parts = readPayload(payloads.json, payloads.parts);
  const sealed = { ...parts, payloadSha256: payloadHash(parts) };

  if (sameMailbox(parts.header.from.addr, source.self)) return ownCopy(source, sealed, deps);
  const known = openedBefore(source, sealed, deps);
  if (known) return known;
  try {
    return await (sealed.header.level === 'L3'
      ? openWithCertificate(source, sealed, deps)
      : openWithKeys(source, sealed, sealed.header.level, deps, signal));
  } catch (error) {
    // Another window, or another caller in this one, may have opened it meanwhile: the key was delivered there, once.
    const meanwhile = openedBefore(source, sealed, deps);
    if (meanwhile) return meanwhile;
    throw error;
  }
}

/** A message that was opened here before, from the sealed store; throws `open.replayed` where only its id or its keys are known. */
function openedBefore({ accountId }: SealedSource, { header, payloadSha256 }: Sealed, deps: OpenDeps): OpenedMail | undefined {
  const keyIds = header.keys.flatMap((entry) => entry.keyIds);
  const standing = deps.ledger.seen({ accountId, envelopeId: header.id, payloadSha256, keyIds });
  if (standing === 'new') return undefined;
  const stored = standing === 'duplicate' ? deps.sealedMail.getByEnvelope(accountId, header.id) : undefined;
  if (!stored) throw new QuMailError('open.replayed');
  return { envelopeId: header.id, plaintext: stored.plaintext, report: readReport(stored.report) };
}

/**
 * Sealed mail in one's own name: the copy in Sent, readable where it was written, as long as it is the very payload that was written. At L3
 * it was sealed to the own certificate as well, and opens wherever that is.
 */
async function ownCopy(source: SealedSource, sealed: Sealed, deps: OpenDeps): Promise<OpenedMail> {
  const { accountId, self } = source;
  const { header, payloadSha256 } = sealed;
  const stored = deps.sealedMail.getByEnvelope(accountId, header.id);
  if (stored?.own === 'sent') {
    const report = readReport(stored.report);
    if (report.payloadSha256 !== toBase64url(payloadSha256)) throw new QuMailError('open.tampered');
    return { envelopeId: header.id, plaintext: stored.plaintext, report };
  }
  const opened = header.level === 'L3' ? await openOwnPostQuantum(source, sealed, deps) : undefined;
  if (opened) return opened;
  // Where this account is also named as a recipient, it is mail thrown back at it.
  if (header.to.some((party) => sameMailbox(party.addr, self))) throw new QuMailError('open.reflection');
  throw new QuMailError('open.written-elsewhere');
}
