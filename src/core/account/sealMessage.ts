import { writePlain } from '../mail/writeMime.ts';
import { outboxFields, refuseBelowMinimum, type SealDeps, type SealJob } from './sealJob.ts';
import { sealWithCertificates } from './sealWithCertificates.ts';
import { sealWithKeys } from './sealWithKeys.ts';

export type { SealDeps, SealJob } from './sealJob.ts';

/**
 * Turns a message into outbox entries, sealed at exactly the level asked for, in the durable order of PROTOCOL 7: what is spent on it is
 * reserved; then one transaction puts the complete MIME into the outbox, marks keys USED with their bytes erased, and keeps the own sealed
 * copy. Nothing has been handed to SMTP yet, and afterwards only identical bytes ever will be.
 *
 * @returns ids of the outbox entries, the visible recipients' first
 * @throws QuMailError `seal.*`, `kme.*`, `pad.*`, `key.*`; nothing is in the outbox then, and no level was lowered
 */
export async function sealMessage(job: SealJob, deps: SealDeps): Promise<readonly number[]> {
  const everyone = [...job.message.to, ...job.message.cc, ...job.bcc].map(({ address }) => address);
  for (const address of everyone) refuseBelowMinimum(job, address, deps);
  if (job.level === 'L1' || job.level === 'L2') return sealWithKeys(job, job.level, deps);
  if (job.level === 'L3' || job.protection === 'openpgp') return sealWithCertificates(job, deps);
  return [await queuePlain(job, everyone, deps)];
}

async function queuePlain(job: SealJob, everyone: readonly string[], deps: SealDeps): Promise<number> {
  const mime = await writePlain(job.message);
  return deps.ledger.transaction(() => {
    job.queue.admit();
    for (const address of everyone) refuseBelowMinimum(job, address, deps);
    return deps.outbox.add({ ...outboxFields(job, deps), envelopeTo: everyone, mime, keyIds: [] });
  });
}
