import { toBase64url, wipe } from '../base/bytes.ts';
import { QuMailError } from '../base/errors.ts';
import { decodeSignedCard, type SignedCard } from '../crypto/contactCard.ts';
import { openPostQuantum } from '../crypto/postQuantum.ts';
import type { SignatureResult } from '../crypto/pgpEngine.ts';
import { readProtected, type ProtectedMessage } from '../mail/readMime.ts';
import { requireControlDigest } from '../mail/signedInner.ts';
import { learnFrom } from './learnFrom.ts';
import { sameMailbox, type OpenDeps, type OpenedMail, type Sealed, type SealedSource } from './openJob.ts';
import { innerSummary, signatureOf, type SealReport } from './sealReport.ts';

/** A body that was decrypted and whose signature verified. */
interface Verified {
  readonly plaintext: Buffer;
  readonly sessionKey: Buffer;
  readonly signature: SignatureResult;
}

/**
 * Opens L3. Nothing is shown that the sender's pinned certificate did not sign for this very envelope. Where none is pinned yet, the one
 * that came along inside is taken on first use, if it signed the message and everything else fits.
 *
 * @throws QuMailError `open.not-for-you`, `open.no-secret-key`, `open.subkey-gone`, `open.tampered`, `open.bad-signature`,
 *   `open.unknown-signer`, `open.sender-changed` (details: address, fingerprint), `open.headers-differ`
 */
export async function openWithCertificate(source: SealedSource, sealed: Sealed, deps: OpenDeps): Promise<OpenedMail> {
  const { accountId, self } = source;
  const { header, aad } = sealed;
  if (!header.to.some((party) => sameMailbox(party.addr, self))) throw new QuMailError('open.not-for-you');
  const { verified, introducedBy } = await decrypt(accountId, sealed, deps);
  try {
    const inner = await readProtected(verified.plaintext);
    requireSameHeaders(inner, sealed);
    requireControlDigest(inner.headers, aad);
    if (introducedBy) await introduce(accountId, header.from.addr, introducedBy, deps);
    await learnFrom({ accountId, header, card: inner.card, level: 'L3' }, deps);
    return keep(source, sealed, verified, inner, 'received', deps);
  } finally {
    wipe(verified.sessionKey);
  }
}

/** The copy of one's own message where the store does not have it; undefined where it was not signed by the own certificate, or not sealed to it. */
export async function openOwnPostQuantum(source: SealedSource, sealed: Sealed, deps: OpenDeps): Promise<OpenedMail | undefined> {
  const { accountId } = source;
  const own = deps.own.peek(accountId);
  if (!own) return undefined;
  try {
    const verified = await decryptWith(accountId, sealed, [own.certificate], deps);
    const inner = await readProtected(verified.plaintext);
    requireSameHeaders(inner, sealed);
    requireControlDigest(inner.headers, sealed.aad);
    return keep(source, sealed, verified, inner, 'sent', deps);
  } catch (error) {
    if (QuMailError.is(error) && error.code.startsWith('open.')) return undefined;
    throw error;
  }
}

async function decrypt(accountId: string, sealed: Sealed, deps: OpenDeps): Promise<{ verified: Verified; introducedBy?: SignedCard }> {
  const pinned = deps.trust.certificatesOf(accountId, sealed.header.from.addr);
  try {
    return { verified: await decryptWith(accountId, sealed, pinned, deps) };
  } catch (error) {
    if (!QuMailError.is(error, 'open.unknown-signer')) throw error;
    const card = await cardInside(accountId, sealed, deps);
    if (!card?.certificate) throw error;
    // Whether the card counts is decided below; here it only has to have signed what it came in.
    return { verified: await decryptWith(accountId, sealed, [card.certificate], deps), introducedBy: card };
  }
}

function decryptWith(accountId: string, sealed: Sealed, verifyWith: readonly Buffer[], deps: OpenDeps): Promise<Verified> {
  return deps.own.withSecret(accountId, (secretKey) =>
    openPostQuantum(deps.pgp, sealed, { secretKeys: secretKey ? [secretKey] : [], verifyWith, now: deps.clock.now() }),
  );
}

/** The card in a message whose signer is not known. Nothing else of it is used. */
async function cardInside(accountId: string, { body }: Sealed, deps: OpenDeps): Promise<SignedCard | undefined> {
  const opened = await deps.own.withSecret(accountId, (secretKey) =>
    deps.pgp.open({ message: body, secretKeys: secretKey ? [secretKey] : [], verifyWith: [], now: deps.clock.now() }),
  );
  try {
    const { card } = await readProtected(opened.plaintext);
    return card && decodeSignedCard(card);
  } catch {
    return undefined;
  } finally {
    wipe(opened.plaintext, opened.sessionKey);
  }
}

async function introduce(accountId: string, address: string, card: SignedCard, deps: OpenDeps): Promise<void> {
  const outcome = await deps.trust.learn({ accountId, address, card, source: 'card', under: 'L3', at: deps.clock.now() });
  if (outcome === 'changed') throw new QuMailError('open.sender-changed', { address, fingerprint: card.card.fingerprint });
  if (outcome === 'refused') throw new QuMailError('open.unknown-signer', { address });
}

/** Inner From and To against the header's: what is shown is what was sealed, to whom it was sealed (a Bcc copy goes to one, unnamed inside). */
function requireSameHeaders(inner: ProtectedMessage, { header }: Sealed): void {
  const named = new Set([...inner.to, ...inner.cc].map(({ address }) => address.toLowerCase()));
  const visible = header.to.every(({ addr }) => named.has(addr.toLowerCase()));
  if (inner.from.address !== header.from.addr || (!visible && header.to.length > 1)) throw new QuMailError('open.headers-differ');
}

function keep(
  { accountId, rfcMessageId }: SealedSource,
  { header, payloadSha256 }: Sealed,
  { plaintext, sessionKey, signature }: Verified,
  inner: ProtectedMessage,
  own: 'received' | 'sent',
  deps: OpenDeps,
): OpenedMail {
  const report: SealReport = {
    level: 'L3',
    suite: header.suite,
    keyIds: [],
    sealedAt: header.ts,
    ...(own === 'received' && { openedAt: deps.clock.now() }),
    payloadSha256: toBase64url(payloadSha256),
    postQuantum: true,
    signature: signatureOf(signature),
    summary: innerSummary(inner),
  };
  deps.ledger.transaction(() => {
    deps.sealedMail.put({ accountId, rfcMessageId, envelopeId: header.id, plaintext, report, own, sessionKey });
    // No key is spent, but the id is: nothing else is ever opened under it.
    if (own === 'received') {
      deps.ledger.consume({ accountId, peerSaeId: header.from.addr, keyIds: [], envelopeId: header.id, payloadSha256 });
    }
  });
  return { envelopeId: header.id, plaintext, report };
}
