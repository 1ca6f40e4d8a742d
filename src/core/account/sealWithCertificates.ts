import { createHash } from 'node:crypto';
import { toBase64url, wipe } from '../base/bytes.ts';
import { QuMailError } from '../base/errors.ts';
import type { Address } from '../base/types.ts';
import { paddedLength } from '../crypto/padding.ts';
import { sealPostQuantum } from '../crypto/postQuantum.ts';
import { PGP_OUTER_SUBJECT, writePgpMime } from '../mail/pgpMimeWriting.ts';
import { readProtected } from '../mail/readMime.ts';
import { padEntity, writeSignedInner } from '../mail/signedInner.ts';
import { outerHeadersOf, writeInner, writeOuter, type OutgoingMessage } from '../mail/writeMime.ts';
import { allOpenContainers, certificatesFor, refuseChangedCertificate, type CertifiedRecipient } from './certificatesFor.ts';
import { payloadHash } from './openJob.ts';
import { pgpMimeId } from './openPgpMime.ts';
import { audiencesOf, outboxFields, refuseBelowMinimum, timestampOf, type SealDeps, type SealJob } from './sealJob.ts';
import { innerSummary, PGP_MIME_SUITE, type SealReport } from './sealReport.ts';
import type { SealingTrust } from './sealingTrust.ts';

/** One message on the wire, and what is kept of it. */
interface SealedForAudience {
  readonly recipients: readonly CertifiedRecipient[];
  readonly mime: Buffer;
  readonly plaintext: Buffer;
  readonly sessionKey: Buffer;
  readonly envelopeId: string;
  readonly payloadSha256: Buffer;
  readonly report: Pick<SealReport, 'suite' | 'sealedAt' | 'postQuantum' | 'signature'>;
}

/** What the messages to all audiences share. */
interface Sealing {
  readonly job: SealJob;
  readonly deps: SealDeps;
  readonly message: OutgoingMessage;
  readonly own: { readonly certificate: Buffer; readonly fingerprint: string };
}

/**
 * Seals with certificates alone; no key manager is asked. L3: QuMail's container to those who are known to open it, plain PGP/MIME where
 * somebody may have no QuMail (PROTOCOL 5). With `protection: openpgp` PGP/MIME to whatever certificates there are, which is no L3.
 *
 * @throws QuMailError `seal.no-certificate`, `seal.not-post-quantum`, `seal.key-changed`, `cert.*`
 */
export async function sealWithCertificates(job: SealJob, deps: SealDeps): Promise<readonly number[]> {
  const audiences = audiencesOf(job);
  const strength = job.level === 'L3' ? 'post-quantum' : 'any';
  const everyone = audiences.flat();
  certificatesFor(job.accountId, everyone, strength, deps.trust);
  const own = await deps.own.get(job.accountId);
  const card = job.level === 'L3' ? await outgoingCard(job, everyone, deps.trust) : undefined;
  const message = { ...job.message, attachments: [...job.message.attachments, ...(card?.attachments ?? [])] };
  const sealing: Sealing = { job, deps, message, own };

  job.progress('sealing');
  const sealed: SealedForAudience[] = [];
  try {
    for (const audience of audiences) {
      const recipients = certificatesFor(job.accountId, audience, strength, deps.trust);
      const asContainer = job.level === 'L3' && allOpenContainers(recipients);
      sealed.push(await (asContainer ? container(sealing, recipients) : pgpMime(sealing, recipients)));
    }
    return await queue(job, sealed, card?.sent, deps);
  } finally {
    wipe(...sealed.map(({ sessionKey }) => sessionKey));
  }
}

function outgoingCard(job: SealJob, everyone: readonly Address[], trust: SealingTrust) {
  const addresses = everyone.map(({ address }) => address);
  return trust.outgoingCard(job.accountId, addresses, job.level);
}

async function container({ job, deps, message, own }: Sealing, recipients: readonly CertifiedRecipient[]): Promise<SealedForAudience> {
  const outer = outerHeadersOf(message);
  const inner = await writeSignedInner(message, outer, paddedLength);
  const now = deps.clock.now();
  let plaintext = Buffer.alloc(0);
  const parts = await withSecret(job, deps, (signWith) =>
    sealPostQuantum(deps.pgp, {
      id: deps.random.bytes(16),
      ts: timestampOf(deps.clock),
      from: { addr: message.from.address, fpr: own.fingerprint },
      to: recipients.map(({ address, fingerprint }) => ({ addr: address, fpr: fingerprint })),
      length: inner.length,
      entity: (aad) => [(plaintext = Buffer.concat(inner.pieces(aad)))],
      certificates: sealedTo(recipients, own.certificate),
      signWith,
      now,
    }),
  );
  const { sessionKey, header } = parts;
  return {
    recipients,
    mime: await writeOuter(outer, parts),
    plaintext,
    sessionKey,
    envelopeId: header.id,
    payloadSha256: payloadHash(parts),
    report: {
      suite: header.suite,
      sealedAt: header.ts,
      postQuantum: true,
      signature: { state: 'valid', fingerprint: own.fingerprint, signedAt: now },
    },
  };
}

/** RFC 3156. Only a program that knows RFC 9980 reads our signature, and it makes others stumble: with classic certificates there is none. */
async function pgpMime({ job, deps, message, own }: Sealing, recipients: readonly CertifiedRecipient[]): Promise<SealedForAudience> {
  const outer = { ...outerHeadersOf(message), subject: PGP_OUTER_SUBJECT };
  const plaintext = await padEntity(await writeInner({ ...message, body: 'text+html' }, outer), 0, paddedLength);
  const postQuantum = job.level === 'L3';
  const now = deps.clock.now();
  const certificates = sealedTo(recipients, own.certificate);
  const { message: octets, sessionKey } = postQuantum
    ? await withSecret(job, deps, (signWith) => deps.pgp.seal({ plaintext, certificates, signWith, now, profile: 'pq' }))
    : // The own certificate stays out: a program that does not know its algorithm may stumble over it, and the own copy is in the store.
      await deps.pgp.seal({ plaintext, certificates: sealedTo(recipients), now, profile: 'classic' });
  const payloadSha256 = createHash('sha256').update(octets).digest();
  return {
    recipients,
    mime: writePgpMime(outer, await deps.pgp.armor('message', octets), `qumail-${deps.random.bytes(16).toString('hex')}`),
    plaintext,
    sessionKey,
    envelopeId: pgpMimeId(payloadSha256),
    payloadSha256,
    report: {
      suite: PGP_MIME_SUITE,
      sealedAt: timestampOf(deps.clock),
      postQuantum,
      signature: postQuantum ? { state: 'valid', fingerprint: own.fingerprint, signedAt: now } : { state: 'none' },
    },
  };
}

async function queue(
  job: SealJob,
  sealed: readonly SealedForAudience[],
  cardSent: (() => void) | undefined,
  deps: SealDeps,
): Promise<readonly number[]> {
  const { accountId, level } = job;
  const summary = innerSummary(await readProtected(sealed[0]!.plaintext));
  return deps.ledger.transaction(() => {
    job.queue.admit();
    cardSent?.();
    const ids = sealed.map(({ recipients, mime, plaintext, sessionKey, envelopeId, payloadSha256, report }, index) => {
      // Contacts may have been edited and certificates may have changed while the message was sealed.
      for (const recipient of recipients) {
        refuseBelowMinimum(job, recipient.address, deps);
        refuseChangedCertificate(accountId, recipient, deps.trust);
      }
      // The visible recipients' message stands for all of them in Sent.
      if (index === 0) {
        deps.sealedMail.put({
          accountId,
          rfcMessageId: job.message.messageId,
          envelopeId,
          plaintext,
          sessionKey,
          report: { ...report, level, keyIds: [], payloadSha256: toBase64url(payloadSha256), summary } satisfies SealReport,
          own: 'sent',
        });
      }
      return deps.outbox.add({ ...outboxFields(job, deps), envelopeTo: recipients.map(({ address }) => address), mime, keyIds: [] });
    });
    job.queue.queued?.(sealed[0]!.envelopeId);
    return ids;
  });
}

function sealedTo(recipients: readonly CertifiedRecipient[], own?: Buffer): readonly Buffer[] {
  const all = [...recipients.map(({ certificate }) => certificate), ...(own ? [own] : [])];
  return [...new Map(all.map((certificate) => [certificate.toString('latin1'), certificate])).values()];
}

function withSecret<T>(job: SealJob, deps: SealDeps, use: (secretKey: Buffer) => Promise<T>): Promise<T> {
  return deps.own.withSecret(job.accountId, async (secretKey) => {
    if (!secretKey) throw new QuMailError('store.secret-missing');
    return use(secretKey);
  });
}
