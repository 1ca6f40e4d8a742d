import { toBase64url, wipe } from '../base/bytes.ts';
import { QuMailError } from '../base/errors.ts';
import { openShare } from '../crypto/postQuantum.ts';
import type { DeliveredKey } from '../keys/kmeClient.ts';
import { readProtected } from '../mail/readMime.ts';
import type { KeySource } from './keySource.ts';
import { learnFrom } from './learnFrom.ts';
import { sameMailbox, type OpenDeps, type OpenedMail, type Sealed, type SealedSource } from './openJob.ts';
import { innerSummary, type SealReport } from './sealReport.ts';

/** Opens L1 and L2 with keys from a key manager or a pad. The post-quantum share is opened first: it costs nothing that is spent. */
export async function openWithKeys(
  source: SealedSource,
  sealed: Sealed,
  level: 'L1' | 'L2' | 'L4',
  deps: OpenDeps,
  signal: AbortSignal | undefined,
): Promise<OpenedMail> {
  const { accountId, rfcMessageId } = source;
  const { header, payloadSha256 } = sealed;
  if (level === 'L4') throw new QuMailError('open.level-unsupported', { level });
  const selfIndex = header.to.findIndex((party) => sameMailbox(party.addr, source.self));
  if (selfIndex < 0) throw new QuMailError('open.not-for-you');
  const { keyIds } = deps.cipher.entryFor(header, selfIndex).entry;
  const keySource = deps.links.sourceOfKeys(accountId, header.from.addr, keyIds, header.to[selfIndex]?.sae);
  const senderSaeId = keySource.peerId;

  const pqShare = header.pq && (await shareOf(accountId, header.pq, deps));
  const keys = await keysFor(accountId, keySource, header.id, keyIds, deps, signal);
  const keyBytes = Buffer.concat(keys.map((key) => key.bytes));
  try {
    const { aad, body } = sealed;
    const plaintext = deps.cipher.open({ header, aad, body, selfIndex, keyBytes, ...(pqShare && { pqShare }) });
    const inner = await readProtected(plaintext);
    if (inner.from.address !== header.from.addr) throw new QuMailError('open.headers-differ');
    const report: SealReport = {
      level,
      suite: header.suite,
      senderSaeId,
      keyIds: [...keyIds],
      sealedAt: header.ts,
      openedAt: deps.clock.now(),
      payloadSha256: toBase64url(payloadSha256),
      ...(level === 'L2' && { postQuantum: pqShare !== undefined }),
      summary: innerSummary(inner),
    };
    await learnFrom({ accountId, header, card: inner.card, level }, deps);
    deps.ledger.transaction(() => {
      deps.sealedMail.put({ accountId, rfcMessageId, envelopeId: header.id, plaintext, report, own: 'received' });
      deps.ledger.consume({ accountId, peerSaeId: senderSaeId, keyIds, envelopeId: header.id, payloadSha256 });
    });
    return { envelopeId: header.id, plaintext, report };
  } finally {
    wipe(pqShare, keyBytes, ...keys.map((key) => key.bytes));
  }
}

function shareOf(accountId: string, message: Buffer, deps: OpenDeps): Promise<Buffer> {
  return deps.own.withSecret(accountId, (secretKey) =>
    openShare(deps.pgp, message, { secretKeys: secretKey ? [secretKey] : [], now: deps.clock.now() }),
  );
}

/** The keys in the order the envelope lists them: what is held from an earlier try, and the rest fetched and recorded. */
async function keysFor(
  accountId: string,
  keySource: KeySource,
  envelopeId: string,
  keyIds: readonly string[],
  deps: OpenDeps,
  signal: AbortSignal | undefined,
): Promise<readonly DeliveredKey[]> {
  const peerSaeId = keySource.peerId;
  const notHeld = (): string[] => deps.ledger.notHeld({ accountId, peerSaeId, keyIds });
  const missing = notHeld();
  if (missing.length > 0) {
    try {
      await keySource.fetch({ keyIds: missing, envelopeId, signal });
    } catch (error) {
      // Two windows asked at once, and the other one recorded them.
      if (notHeld().length > 0) throw error;
    }
  }
  const held = deps.ledger.heldKeys({ accountId, peerSaeId, keyIds });
  if (!held) throw new QuMailError('key.not-held');
  return held;
}
