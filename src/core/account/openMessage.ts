import { createHash } from 'node:crypto';
import { toBase64url, wipe } from '../base/bytes.ts';
import { QuMailError, type ErrorCode } from '../base/errors.ts';
import type { Failure } from '../base/model.ts';
import type { CipherManager, SealedParts } from '../crypto/cipherManager.ts';
import { readPayload } from '../crypto/envelope.ts';
import type { DeliveredKey } from '../keys/kmeClient.ts';
import type { KeyLedger } from '../keys/keyLedger.ts';
import { readPayloads, readProtected } from '../mail/readMime.ts';
import type { ContactStore } from '../store/contacts.ts';
import type { SealedMailStore } from '../store/sealedMail.ts';
import type { KeyLinks } from './keyLinks.ts';
import { innerSummary, readReport, type SealReport } from './sealReport.ts';

export interface OpenDeps {
  readonly links: KeyLinks;
  readonly ledger: KeyLedger;
  readonly cipher: CipherManager;
  readonly contacts: ContactStore;
  readonly sealedMail: SealedMailStore;
}

/** A sealed message as it lies on the server, and whose mailbox it lies in. */
export interface SealedSource {
  readonly accountId: string;
  /** The account's own address, normalised. */
  readonly self: string;
  readonly rfcMessageId: string;
  /** RFC 5322 source. */
  readonly raw: Buffer;
}

export interface OpenedMail {
  readonly envelopeId: string;
  readonly plaintext: Buffer;
  readonly report: SealReport;
}

/** Failures that say something of the message itself; whatever else keeps it shut, time or the person can still mend. */
const LASTING: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['key.reused', 'key.betrayed']);

/** True when trying again later may open the message: it stays unopened then, not failed. */
export function mayPass(failure: Failure): boolean {
  if (failure.code === 'open.sender-unknown') return true;
  // Sealed to another SAE of this mailbox: the key manager that is connected may not be the last.
  if (failure.code === 'open.not-for-you') return failure.details['what'] === 'sae';
  return !failure.code.startsWith('open.') && !LASTING.has(failure.code);
}

/**
 * Opens a sealed message, in the order of PROTOCOL 7: everything that can be checked without a key is checked first;
 * keys are fetched once, recorded durably, and spent only by a message that verifies; plaintext stored and keys
 * consumed are one transaction. A message that was opened before is answered from the sealed store: no key is asked twice.
 *
 * @returns undefined when `source` is not a QuMail message at all
 * @throws QuMailError `open.*`, `kme.*`, `key.reused`; the keys of a message that fails verification stay held
 */
export async function openSealed(source: SealedSource, deps: OpenDeps, signal?: AbortSignal): Promise<OpenedMail | undefined> {
  const payloads = await readPayloads(source.raw);
  if (!payloads) return undefined;
  const parts = readPayload(payloads.json, payloads.parts);
  const sealed = { ...parts, payloadSha256: payloadHash(parts) };

  if (sameMailbox(parts.header.from.addr, source.self)) return ownCopy(source, sealed, deps);
  const known = openedBefore(source, sealed, deps);
  if (known) return known;
  try {
    return await openWithKeys(source, sealed, deps, signal);
  } catch (error) {
    // Another window, or another caller in this one, may have opened it meanwhile: the key was delivered there, once.
    const meanwhile = openedBefore(source, sealed, deps);
    if (meanwhile) return meanwhile;
    throw error;
  }
}

/** What a payload is remembered by: SHA-256(AAD ‖ body), PROTOCOL 6. */
export function payloadHash({ aad, body }: SealedParts): Buffer {
  return createHash('sha256').update(aad).update(body).digest();
}

interface Sealed extends SealedParts {
  readonly payloadSha256: Buffer;
}

async function openWithKeys(source: SealedSource, sealed: Sealed, deps: OpenDeps, signal: AbortSignal | undefined): Promise<OpenedMail> {
  const { accountId, rfcMessageId } = source;
  const { header, payloadSha256 } = sealed;
  if (header.level !== 'L1' && header.level !== 'L2') throw new QuMailError('open.level-unsupported', { level: header.level });
  const { saeId } = await deps.links.clientOf(accountId);
  const selfIndex = header.to.findIndex((party) => sameMailbox(party.addr, source.self));
  if (selfIndex < 0) throw new QuMailError('open.not-for-you');
  const namedSae = header.to[selfIndex]?.sae;
  if (namedSae !== undefined && namedSae !== saeId) throw new QuMailError('open.not-for-you', { what: 'sae' });
  // Who sent it is told by the own contact record, never by the message (PROTOCOL 6).
  const senderSaeId = deps.contacts.get(accountId, header.from.addr)?.saeId;
  if (senderSaeId === undefined) throw new QuMailError('open.sender-unknown', { address: header.from.addr });
  const { keyIds } = deps.cipher.entryFor(header, selfIndex).entry;

  const keys = await keysFor(accountId, senderSaeId, header.id, keyIds, deps, signal);
  const keyBytes = Buffer.concat(keys.map((key) => key.bytes));
  try {
    const plaintext = deps.cipher.open({ header, aad: sealed.aad, body: sealed.body, selfIndex, keyBytes });
    const inner = await readProtected(plaintext);
    if (inner.from.address !== header.from.addr) throw new QuMailError('open.headers-differ');
    const report: SealReport = {
      level: header.level,
      suite: header.suite,
      senderSaeId,
      keyIds: [...keyIds],
      sealedAt: header.ts,
      payloadSha256: toBase64url(payloadSha256),
      summary: innerSummary(inner),
    };
    deps.ledger.transaction(() => {
      deps.sealedMail.put({ accountId, rfcMessageId, envelopeId: header.id, plaintext, report, own: 'received' });
      deps.ledger.consume({ accountId, peerSaeId: senderSaeId, keyIds, envelopeId: header.id, payloadSha256 });
    });
    return { envelopeId: header.id, plaintext, report };
  } finally {
    wipe(keyBytes, ...keys.map((key) => key.bytes));
  }
}

/** The keys in the order the envelope lists them: what is held from an earlier try, and the rest fetched and recorded. */
async function keysFor(
  accountId: string,
  peerSaeId: string,
  envelopeId: string,
  keyIds: readonly string[],
  deps: OpenDeps,
  signal: AbortSignal | undefined,
): Promise<readonly DeliveredKey[]> {
  const notHeld = (): string[] => deps.ledger.notHeld({ accountId, peerSaeId, keyIds });
  const missing = notHeld();
  if (missing.length > 0) {
    // Each batch is durable before the next is asked for: a key manager delivers once.
    const record = (keys: readonly DeliveredKey[]): void => deps.ledger.recordFetched({ accountId, peerSaeId, envelopeId, keys });
    try {
      const fetched = await deps.links.exchange(accountId, (client) => client.getKeysWithIds(peerSaeId, missing, signal, record));
      wipe(...fetched.map((key) => key.bytes));
    } catch (error) {
      // Two windows asked at once, and the other one recorded them.
      if (notHeld().length > 0) throw error;
    }
  }
  const held = deps.ledger.heldKeys({ accountId, peerSaeId, keyIds });
  if (!held) throw new QuMailError('key.not-held');
  return held;
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

/** Sealed mail in one's own name: the copy in Sent, readable where it was written, as long as it is the very payload that was written. */
function ownCopy({ accountId, self }: SealedSource, { header, payloadSha256 }: Sealed, deps: OpenDeps): OpenedMail {
  const stored = deps.sealedMail.getByEnvelope(accountId, header.id);
  if (stored?.own === 'sent') {
    const report = readReport(stored.report);
    if (report.payloadSha256 !== toBase64url(payloadSha256)) throw new QuMailError('open.tampered');
    return { envelopeId: header.id, plaintext: stored.plaintext, report };
  }
  // Where this account is also named as a recipient, it is mail thrown back at it.
  if (header.to.some((party) => sameMailbox(party.addr, self))) throw new QuMailError('open.reflection');
  throw new QuMailError('open.written-elsewhere');
}

/** No case of the local part makes another mailbox of one's own, as contacts are found whatever the case. */
function sameMailbox(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
