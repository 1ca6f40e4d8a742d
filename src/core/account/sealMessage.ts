import { createHash } from 'node:crypto';
import { toBase64url, wipe } from '../base/bytes.ts';
import { QuMailError } from '../base/errors.ts';
import type { Clock, Random } from '../base/ports.ts';
import type { Address, SecurityLevel } from '../base/types.ts';
import type { CipherManager } from '../crypto/cipherManager.ts';
import type { EnvelopeHeader } from '../crypto/header.ts';
import type { KeyLedger } from '../keys/keyLedger.ts';
import { readProtected } from '../mail/readMime.ts';
import { outerHeadersOf, writeInner, writeOuter, writePlain, type OutgoingMessage } from '../mail/writeMime.ts';
import type { ContactStore } from '../store/contacts.ts';
import type { OutboxStore } from '../store/outbox.ts';
import type { SealedMailStore } from '../store/sealedMail.ts';
import { abandonKeys, gatherKeys, type GatheredEnvelope } from './gatherKeys.ts';
import type { KeyLinks } from './keyLinks.ts';
import { spendsKeys, type KeyingPeer } from './keyingPlan.ts';
import { isAtLeast } from './levels.ts';
import { payloadHash } from './openMessage.ts';
import { innerSummary, type SealReport } from './sealReport.ts';

export interface SealDeps {
  readonly links: KeyLinks;
  readonly ledger: KeyLedger;
  readonly cipher: CipherManager;
  readonly contacts: ContactStore;
  readonly outbox: OutboxStore;
  readonly sealedMail: SealedMailStore;
  readonly clock: Clock;
  readonly random: Random;
}

/** A message ready to be sealed: everything a person decided, nothing left to choose. */
export interface SealJob {
  readonly accountId: string;
  readonly level: SecurityLevel;
  readonly message: OutgoingMessage;
  readonly bcc: readonly Address[];
  readonly draftId: string;
  /** Names this very text: the same group is resent as the same bytes. */
  readonly groupId: string;
  readonly signal?: AbortSignal;
  readonly queue: {
    readonly state: 'queued' | 'held' | 'scheduled';
    /** When what is held or scheduled goes. */
    readonly notBefore?: number;
    /** Looks, inside the transaction that queues, whether the message is still wanted; throws where it is not. */
    readonly admit: () => void;
  };
  readonly progress: (step: 'keys' | 'sealing') => void;
}

/**
 * Turns a message into outbox entries, sealed at exactly the level asked for, in the durable order of PROTOCOL 7:
 * keys reserved; then in one transaction the complete MIME in the outbox, the keys USED with their bytes erased, and
 * the own sealed copy. Nothing has been handed to SMTP yet, and afterwards only identical bytes ever will be.
 *
 * @returns ids of the outbox entries, the visible recipients' first
 * @throws QuMailError `seal.*`, `kme.*`, `key.reused`; nothing is in the outbox then, and no level was lowered
 */
export async function sealMessage(job: SealJob, deps: SealDeps): Promise<readonly number[]> {
  const visible = [...job.message.to, ...job.message.cc];
  const everyone = [...visible, ...job.bcc];
  for (const recipient of everyone) refuseBelowMinimum(job, recipient, deps.contacts);
  if (job.level === 'L4') return [await queuePlain(job, everyone, deps)];
  if (!spendsKeys(job.level)) throw new QuMailError('seal.level-unsupported', { level: job.level });

  const level = job.level;
  const inner = await writeInner(job.message, outerHeadersOf(job.message));
  // A Bcc recipient gets a message of its own, so that no header of the others' names it.
  const audiences = [visible, ...job.bcc.map((recipient) => [recipient])].filter((audience) => audience.length > 0);
  const linked = audiences.map((audience) => audience.map((recipient) => linkOf(job.accountId, recipient, deps)));
  deps.cipher.needOf(level, 'direct', inner.length);

  job.progress('keys');
  const envelopes: GatheredEnvelope[] = [];
  try {
    for (const recipients of linked) {
      const request = {
        accountId: job.accountId,
        level,
        recipients,
        plaintextLength: inner.length,
        ...(job.signal && { signal: job.signal }),
      };
      envelopes.push(...(await gatherKeys(request, deps)));
    }
    job.progress('sealing');
    return await queueSealed(job, level, inner, envelopes, deps);
  } catch (error) {
    for (const { entries } of envelopes) abandonKeys(job.accountId, entries, deps.ledger);
    throw error;
  } finally {
    for (const { entries } of envelopes) wipe(...entries.map(({ bytes }) => bytes));
  }
}

async function queuePlain(job: SealJob, everyone: readonly Address[], deps: SealDeps): Promise<number> {
  const mime = await writePlain(job.message);
  return deps.ledger.transaction(() => {
    job.queue.admit();
    for (const recipient of everyone) refuseBelowMinimum(job, recipient, deps.contacts);
    return deps.outbox.add({ ...outboxFields(job, deps), envelopeTo: everyone.map(({ address }) => address), mime, keyIds: [] });
  });
}

async function queueSealed(
  job: SealJob,
  level: 'L1' | 'L2',
  inner: Buffer,
  envelopes: readonly GatheredEnvelope[],
  deps: SealDeps,
): Promise<readonly number[]> {
  const { saeId } = await deps.links.clientOf(job.accountId);
  const messageId = job.message.messageId;
  const sealed: { envelope: GatheredEnvelope; header: EnvelopeHeader; mime: Buffer; keyIds: readonly string[]; payloadSha256: Buffer }[] =
    [];
  for (const envelope of envelopes) {
    const parts = deps.cipher.seal({
      level,
      id: deps.random.bytes(16),
      ts: new Date(deps.clock.now()).toISOString().replace(/\.\d{3}Z$/, 'Z'),
      from: { addr: job.message.from.address, sae: saeId },
      to: envelope.peers.map((peer) => ({ addr: peer.address, sae: peer.saeId })),
      plaintext: inner,
      keys: envelope.entries,
    });
    const mime = await writeOuter(outerHeadersOf(job.message), parts);
    const keyIds = envelope.entries.flatMap((entry) => entry.keyIds);
    sealed.push({ envelope, header: parts.header, mime, keyIds, payloadSha256: payloadHash(parts) });
  }
  const summary = innerSummary(await readProtected(inner));
  return deps.ledger.transaction(() => {
    job.queue.admit();
    // The key manager took its time, and contacts may have been edited meanwhile.
    for (const { envelope } of sealed) for (const peer of envelope.peers) refuseChanged(job, peer, deps);
    return sealed.map(({ envelope, header, mime, keyIds, payloadSha256 }, index) => {
      const id = deps.outbox.add({ ...outboxFields(job, deps), envelopeTo: envelope.peers.map(({ address }) => address), mime, keyIds });
      deps.ledger.markUsed({ accountId: job.accountId, keyIds, messageId, mimeSha256: createHash('sha256').update(mime).digest() });
      // The visible recipients' envelope stands for the message in Sent.
      if (index === 0) {
        deps.sealedMail.put({
          accountId: job.accountId,
          rfcMessageId: messageId,
          envelopeId: header.id,
          plaintext: inner,
          report: {
            level,
            suite: header.suite,
            senderSaeId: saeId,
            keyIds: sealed.flatMap((each) => each.keyIds),
            sealedAt: header.ts,
            payloadSha256: toBase64url(payloadSha256),
            summary,
          } satisfies SealReport,
          own: 'sent',
        });
      }
      return id;
    });
  });
}

function outboxFields(job: SealJob, deps: SealDeps) {
  return {
    accountId: job.accountId,
    rfcMessageId: job.message.messageId,
    envelopeFrom: job.message.from.address,
    subject: job.message.subject,
    level: job.level,
    state: job.queue.state,
    notBefore: job.queue.notBefore,
    groupId: job.groupId,
    draftId: job.draftId,
    updatedAt: deps.clock.now(),
  };
}

function refuseBelowMinimum(job: SealJob, recipient: Address, contacts: ContactStore): void {
  const minimum = contacts.get(job.accountId, recipient.address)?.minimumLevel ?? 'L4';
  if (!isAtLeast(job.level, minimum)) throw new QuMailError('seal.below-minimum', { address: recipient.address, minimum });
}

function refuseChanged(job: SealJob, { address, saeId }: KeyingPeer, deps: SealDeps): void {
  refuseBelowMinimum(job, { name: '', address }, deps.contacts);
  if (linkOf(job.accountId, { name: '', address }, deps).saeId !== saeId) throw new QuMailError('seal.no-link', { address });
}

function linkOf(accountId: string, recipient: Address, deps: SealDeps): { address: string; saeId: string } {
  const contact = deps.contacts.get(accountId, recipient.address);
  if (!contact) throw new QuMailError('seal.no-contact', { address: recipient.address });
  if (contact.saeId === undefined) throw new QuMailError('seal.no-link', { address: recipient.address });
  return { address: contact.address, saeId: contact.saeId };
}
