import { createHash } from 'node:crypto';
import { toBase64url, wipe } from '../base/bytes.ts';
import { QuMailError } from '../base/errors.ts';
import type { Address } from '../base/types.ts';
import type { EnvelopeHeader } from '../crypto/header.ts';
import { makeShare } from '../crypto/postQuantum.ts';
import { readProtected } from '../mail/readMime.ts';
import { outerHeadersOf, writeInner, writeOuter } from '../mail/writeMime.ts';
import { combinedFor, refuseChangedCertificate, type CertifiedRecipient } from './certificatesFor.ts';
import { abandonKeys, gatherKeys, type GatheredEnvelope, type GatherPeer } from './gatherKeys.ts';
import type { KeySource } from './keySource.ts';
import { payloadHash } from './openJob.ts';
import { audiencesOf, outboxFields, refuseBelowMinimum, timestampOf, type SealDeps, type SealJob } from './sealJob.ts';
import { innerSummary, type SealReport } from './sealReport.ts';

/** One envelope ready for the outbox. */
interface SealedEnvelope {
  readonly envelope: GatheredEnvelope;
  readonly combined: readonly CertifiedRecipient[] | undefined;
  readonly header: EnvelopeHeader;
  readonly mime: Buffer;
  readonly keyIds: readonly string[];
  readonly payloadSha256: Buffer;
}

/**
 * Seals at L1 or L2 with keys from key managers and pads: keys RESERVED first, and in the transaction that queues the message USED and
 * erased. At L2 a post-quantum share is added wherever everyone in an envelope can open it.
 */
export async function sealWithKeys(job: SealJob, level: 'L1' | 'L2', deps: SealDeps): Promise<readonly number[]> {
  const audiences = audiencesOf(job);
  const linked = audiences.map((audience) => audience.map((recipient) => sourceOf(job.accountId, recipient, deps)));
  // A changed certificate stops the message before a key is asked for.
  for (const audience of audiences) combinedFor(job.accountId, audience, deps.trust);
  const { inner, cardSent } = await innerWithCard(job, level, deps);
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
    return await queueSealed(job, level, { inner, cardSent }, envelopes, deps);
  } catch (error) {
    for (const { entries } of envelopes) abandonKeys(job.accountId, entries, deps.ledger);
    throw error;
  } finally {
    for (const { entries } of envelopes) wipe(...entries.map(({ bytes }) => bytes));
  }
}

interface InnerMessage {
  readonly inner: Buffer;
  readonly cardSent: (() => void) | undefined;
}

/** The inner entity with the own card where somebody lacks it. At L1 there is none: see OwnCards. */
async function innerWithCard(job: SealJob, level: 'L1' | 'L2', deps: SealDeps): Promise<InnerMessage> {
  const addresses = audiencesOf(job)
    .flat()
    .map(({ address }) => address);
  const card = await deps.trust.outgoingCard(job.accountId, addresses, level);
  const message = { ...job.message, attachments: [...job.message.attachments, ...(card?.attachments ?? [])] };
  return { inner: await writeInner(message, outerHeadersOf(message)), cardSent: card?.sent };
}

async function sealEnvelope(
  job: SealJob,
  level: 'L1' | 'L2',
  inner: Buffer,
  envelope: GatheredEnvelope,
  deps: SealDeps,
): Promise<SealedEnvelope> {
  const sae = ownSaeOf(envelope);
  const fpr = deps.own.peek(job.accountId)?.fingerprint;
  const combined = level === 'L2' ? combinedFor(job.accountId, envelope.peers, deps.trust) : undefined;
  const certificates = combined?.map(({ certificate }) => certificate);
  const share = certificates && (await makeShare(deps.pgp, deps.random, { certificates, now: deps.clock.now() }));
  try {
    const parts = deps.cipher.seal({
      level,
      id: deps.random.bytes(16),
      ts: timestampOf(deps.clock),
      from: { addr: job.message.from.address, ...(sae !== undefined && { sae }), ...(fpr !== undefined && { fpr }) },
      to: envelope.peers.map(({ address, source }) => ({ addr: address, ...(source.kind === 'kme' && { sae: source.peerId }) })),
      plaintext: inner,
      keys: envelope.entries,
      ...(share && { pqShare: share }),
    });
    const mime = await writeOuter(outerHeadersOf(job.message), parts);
    const keyIds = envelope.entries.flatMap((entry) => entry.keyIds);
    return { envelope, combined, header: parts.header, mime, keyIds, payloadSha256: payloadHash(parts) };
  } finally {
    wipe(share?.octets);
  }
}

async function queueSealed(
  job: SealJob,
  level: 'L1' | 'L2',
  { inner, cardSent }: InnerMessage,
  envelopes: readonly GatheredEnvelope[],
  deps: SealDeps,
): Promise<readonly number[]> {
  const messageId = job.message.messageId;
  const sealed: SealedEnvelope[] = [];
  for (const envelope of envelopes) sealed.push(await sealEnvelope(job, level, inner, envelope, deps));
  const summary = innerSummary(await readProtected(inner));
  return deps.ledger.transaction(() => {
    job.queue.admit();
    cardSent?.();
    // The key manager took its time, and contacts may have been edited meanwhile.
    for (const { envelope, combined } of sealed) {
      for (const peer of envelope.peers) refuseChanged(job, peer, deps);
      for (const recipient of combined ?? []) refuseChangedCertificate(job.accountId, recipient, deps.trust);
    }
    const ids = sealed.map(({ envelope, header, mime, keyIds, payloadSha256 }, index) => {
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
            senderSaeId: ownSaeOf(envelope) ?? envelope.peers[0]!.peerId,
            keyIds: sealed.flatMap((each) => each.keyIds),
            sealedAt: header.ts,
            payloadSha256: toBase64url(payloadSha256),
            postQuantum: sealed.every(({ combined }) => combined !== undefined),
            summary,
          } satisfies SealReport,
          own: 'sent',
        });
      }
      return id;
    });
    job.queue.queued?.(sealed[0]!.header.id);
    return ids;
  });
}

function refuseChanged(job: SealJob, { address, source }: GatherPeer, deps: SealDeps): void {
  refuseBelowMinimum(job, address, deps);
  const now = sourceOf(job.accountId, { name: '', address }, deps).source;
  if (now.peerId !== source.peerId || now.ownSaeId !== source.ownSaeId) throw new QuMailError('seal.no-link', { address });
}

/** The SAE this account is to those of an envelope that have a QKD link; undefined where all of them have a pad. */
function ownSaeOf(envelope: GatheredEnvelope): string | undefined {
  return envelope.peers.find(({ source }) => source.ownSaeId !== undefined)?.source.ownSaeId;
}

function sourceOf(accountId: string, recipient: Address, deps: SealDeps): { address: string; source: KeySource } {
  const contact = deps.contacts.get(accountId, recipient.address);
  if (!contact) throw new QuMailError('seal.no-contact', { address: recipient.address });
  const source = deps.links.sourceFor(accountId, recipient.address);
  if (source) return { address: contact.address, source };
  if (contact.saeId !== undefined) throw new QuMailError('kme.not-configured', { address: recipient.address });
  throw new QuMailError('seal.no-link', { address: recipient.address });
}
