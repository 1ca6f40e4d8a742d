import { createHash } from 'node:crypto';
import { wipe } from '../base/bytes.ts';
import { QuMailError, type ErrorCode } from '../base/errors.ts';
import type { CipherManager } from '../crypto/cipherManager.ts';
import { readPayload } from '../crypto/envelope.ts';
import type { EnvelopeHeader } from '../crypto/header.ts';
import type { DeliveredKey } from '../keys/kmeClient.ts';
import type { KeyLedger } from '../keys/keyLedger.ts';
import { readPayloads, readProtected } from '../mail/readMime.ts';
import type { ContactStore } from '../store/contacts.ts';
import type { SealedMailStore } from '../store/sealedMail.ts';
import type { KeyLinks } from './keyLinks.ts';
import { innerSummary, readReport, writeReport, type SealReport } from './sealReport.ts';

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

/** Failures that time, another device's work or a new contact can still mend; the message stays unopened, not failed. */
const MAY_PASS: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'kme.not-configured',
  'kme.unreachable',
  'kme.timeout',
  'kme.identity',
  'kme.certificate-expired',
  'kme.unauthorised',
  'kme.unavailable',
  'kme.exhausted',
  'kme.bad-answer',
  'kme.bad-request',
  'kme.key-not-found',
  'kme.key-may-be-lost',
  'open.sender-unknown',
  'net.cut',
  'net.timeout',
  'engine.cancelled',
  'engine.stopped',
  'store.locked',
  'store.full',
]);

/** True when trying again later may open the message. */
export function mayPass(failure: QuMailError): boolean {
  return MAY_PASS.has(failure.code);
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
  const { header, aad, body } = readPayload(payloads.json, payloads.parts);
  const payloadSha256 = createHash('sha256').update(aad).update(body).digest();

  if (header.from.addr === source.self) return ownCopy(source, header, deps);
  const keyIds = header.keys.flatMap((entry) => entry.keyIds);
  const standing = deps.ledger.seen({ accountId: source.accountId, envelopeId: header.id, payloadSha256, keyIds });
  if (standing === 'replay') throw new QuMailError('open.replayed');
  if (standing === 'duplicate') return storedCopy(source, header, deps);

  if (header.level !== 'L1' && header.level !== 'L2') throw new QuMailError('open.level-unsupported', { level: header.level });
  const { saeId } = await deps.links.clientOf(source.accountId);
  const selfIndex = header.to.findIndex((party) => party.addr === source.self);
  if (selfIndex < 0) throw new QuMailError('open.not-for-you');
  const namedSae = header.to[selfIndex]?.sae;
  if (namedSae !== undefined && namedSae !== saeId) throw new QuMailError('open.not-for-you');
  // Who sent it is told by the own contact record, never by the message (PROTOCOL 6).
  const senderSaeId = deps.contacts.get(source.accountId, header.from.addr)?.saeId;
  if (senderSaeId === undefined) throw new QuMailError('open.sender-unknown', { address: header.from.addr });
  const { entry } = deps.cipher.entryFor(header, selfIndex);

  const keys = await keysFor(source.accountId, senderSaeId, header.id, entry.keyIds, deps, signal);
  const keyBytes = Buffer.concat(keys.map((key) => key.bytes));
  try {
    const plaintext = deps.cipher.open({ header, aad, body, selfIndex, keyBytes });
    const inner = await readProtected(plaintext);
    if (inner.from.address !== header.from.addr) throw new QuMailError('open.headers-differ');
    const summary = await innerSummary(plaintext);
    const report: SealReport = {
      level: header.level,
      suite: header.suite,
      senderSaeId,
      keyIds: [...entry.keyIds],
      sealedAt: header.ts,
      summary,
    };
    deps.ledger.transaction(() => {
      deps.sealedMail.put({
        accountId: source.accountId,
        rfcMessageId: source.rfcMessageId,
        envelopeId: header.id,
        plaintext,
        report: writeReport(report),
        own: 'received',
      });
      deps.ledger.consume({
        accountId: source.accountId,
        peerSaeId: senderSaeId,
        keyIds: entry.keyIds,
        envelopeId: header.id,
        payloadSha256,
      });
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
  const missing = deps.ledger.notHeld({ accountId, peerSaeId, keyIds });
  if (missing.length > 0) {
    // Each batch is durable before the next is asked for: a key manager delivers once.
    const record = (keys: readonly DeliveredKey[]): void => deps.ledger.recordFetched({ accountId, peerSaeId, envelopeId, keys });
    const fetched = await deps.links.exchange(accountId, (client) => client.getKeysWithIds(peerSaeId, missing, signal, record));
    wipe(...fetched.map((key) => key.bytes));
  }
  const held = deps.ledger.heldKeys({ accountId, peerSaeId, keyIds });
  if (!held) throw new QuMailError('key.not-held');
  return held;
}

function storedCopy(source: SealedSource, header: EnvelopeHeader, deps: OpenDeps): OpenedMail {
  const stored = deps.sealedMail.getByEnvelope(source.accountId, header.id);
  if (!stored) throw new QuMailError('open.replayed');
  return { envelopeId: header.id, plaintext: stored.plaintext, report: readReport(stored.report) };
}

/** Sealed mail in one's own name: the copy in Sent, readable where it was written. */
function ownCopy(source: SealedSource, header: EnvelopeHeader, deps: OpenDeps): OpenedMail {
  const stored = deps.sealedMail.getByEnvelope(source.accountId, header.id);
  if (stored?.own === 'sent') return { envelopeId: header.id, plaintext: stored.plaintext, report: readReport(stored.report) };
  // Where this account is also named as a recipient, it is mail thrown back at it.
  if (header.to.some((party) => party.addr === source.self)) throw new QuMailError('open.reflection');
  throw new QuMailError('open.written-elsewhere');
}
