import type { SecurityLevel } from '../base/types.ts';
import type { EnvelopeHeader } from '../crypto/header.ts';
import type { OpenDeps } from './openJob.ts';

/**
 * Takes in what a message that verified says about its sender: the card that came along, and the fingerprint in its header, which at L1 and
 * L2 only the pair's keys can have written. Before the message is stored, so that whoever finds it opened finds its sender known.
 */
export async function learnFrom(
  found: { accountId: string; header: EnvelopeHeader; card: Buffer | undefined; level: SecurityLevel },
  deps: Pick<OpenDeps, 'trust' | 'clock'>,
): Promise<void> {
  const { accountId, header, card, level } = found;
  const base = { accountId, address: header.from.addr, under: level, at: deps.clock.now() };
  const fingerprint = header.from.fpr;
  try {
    if (card) await deps.trust.learn({ ...base, card, source: 'card' });
    if (fingerprint !== undefined) await deps.trust.learn({ ...base, fingerprint, source: 'signature' });
  } catch {
    // What a message tells of its sender must not keep it from being opened, and comes again with a later one.
  }
}
