import { createHash } from 'node:crypto';
import { toBase64url, wipe } from '../base/bytes.ts';
import { QuMailError } from '../base/errors.ts';
import type { SignatureFact } from '../base/protection.ts';
import { decodeSignedCard, type SignedCard } from '../crypto/contactCard.ts';
import { isPostQuantumMessage } from '../crypto/pkesk.ts';
import type { OpenedPgp, SignatureResult } from '../crypto/pgpEngine.ts';
import { readHeaderSection } from '../mail/headerSection.ts';
import { readPgpEncrypted, readPgpSigned, withHeaders } from '../mail/pgpMime.ts';
import { readMessage } from '../mail/readMime.ts';
import { sameMailbox, type OpenDeps, type OpenedMail, type SealedSource } from './openJob.ts';
import { innerSummary, PGP_MIME_SUITE, readReport, signatureOf, type SealReport } from './sealReport.ts';

const ARMOR = Buffer.from('-----BEGIN PGP MESSAGE-----');

/** What a PGP/MIME message is remembered by, as there is no envelope: a name no envelope has. */
export function pgpMimeId(messageSha256: Buffer): string {
  return `pgp-mime.${toBase64url(messageSha256)}`;
}

/**
 * Opens PGP/MIME (RFC 3156) of any program. It is L3 where no session key of it can be had without breaking ML-KEM and the sender's
 * certificate signed it by ML-DSA; any other is encrypted ordinary mail, and says so.
 *
 * @returns undefined where `source` is no encrypted PGP/MIME, or is for another certificate than the own one: then its parts are shown as they
 *   are, for the program that can read them
 * @throws QuMailError `open.tampered`, `open.malformed`, `open.limit`, `open.subkey-gone`, `open.bad-signature`, `open.headers-differ`
 */
export async function openPgpMime(source: SealedSource, deps: OpenDeps): Promise<OpenedMail | undefined> {
  const { accountId, self, rfcMessageId, raw } = source;
  const part = await readPgpEncrypted(raw);
  if (!part) return undefined;
  const message = part.includes(ARMOR) ? (await deps.pgp.dearmor(part.toString('latin1'))).bytes : part;
  const envelopeId = pgpMimeId(createHash('sha256').update(message).digest());
  const stored = deps.sealedMail.getByEnvelope(accountId, envelopeId);
  if (stored) return { envelopeId, plaintext: stored.plaintext, report: readReport(stored.report) };

  const outer = readHeaderSection(raw).fields;
  const { address } = (await readMessage(raw)).from;
  const opened = await decrypt(accountId, message, certificatesOf(accountId, address, self, deps), deps);
  if (!opened) return undefined;
  try {
    const { message: plaintext, protects } = withHeaders(opened.plaintext, outer);
    const inner = await readMessage(plaintext);
    if (protects === 'own-headers' && !sameMailbox(inner.from.address, address)) throw new QuMailError('open.headers-differ');
    const postQuantum = isPostQuantumMessage(message);
    const signature = await signatureInside({ accountId, address, self, message, opened, card: inner.card }, deps);
    if (signature.state === 'invalid') throw new QuMailError('open.bad-signature');
    const report: SealReport = {
      level: postQuantum && signature.state === 'valid' && signature.postQuantum === true ? 'L3' : 'L4',
      suite: PGP_MIME_SUITE,
      keyIds: [],
      sealedAt: new Date(signature.signedAt ?? inner.date ?? deps.clock.now()).toISOString(),
      openedAt: deps.clock.now(),
      payloadSha256: envelopeId.slice(envelopeId.indexOf('.') + 1),
      postQuantum,
      signature: signatureOf(signature),
      summary: innerSummary(inner),
    };
    const own = sameMailbox(address, self) && signature.state === 'valid' ? 'sent' : 'received';
    deps.sealedMail.put({ accountId, rfcMessageId, envelopeId, plaintext, report, own, sessionKey: opened.sessionKey });
    return { envelopeId, plaintext, report };
  } finally {
    wipe(opened.sessionKey);
  }
}

/** The signature of an unencrypted message whose whole body is signed (RFC 3156 section 5); undefined where it is not. */
export async function signatureOfPlain(
  source: Pick<SealedSource, 'accountId' | 'self' | 'raw'>,
  from: string,
  deps: Pick<OpenDeps, 'pgp' | 'trust' | 'own' | 'clock'>,
): Promise<SignatureFact | undefined> {
  const signed = readPgpSigned(source.raw);
  if (!signed) return undefined;
  const verifyWith = certificatesOf(source.accountId, from, source.self, deps);
  return signatureOf(await verifySigned(signed, verifyWith, deps));
}

async function decrypt(
  accountId: string,
  message: Buffer,
  verifyWith: readonly Buffer[],
  deps: Pick<OpenDeps, 'pgp' | 'own' | 'clock'>,
): Promise<OpenedPgp | undefined> {
  try {
    return await deps.own.withSecret(accountId, (secretKey) =>
      deps.pgp.open({ message, secretKeys: secretKey ? [secretKey] : [], verifyWith, now: deps.clock.now() }),
    );
  } catch (error) {
    if (QuMailError.is(error, 'open.no-secret-key')) return undefined;
    throw error;
  }
}

interface Decrypted {
  readonly accountId: string;
  readonly address: string;
  readonly self: string;
  readonly message: Buffer;
  readonly opened: OpenedPgp;
  readonly card: Buffer | undefined;
}

/**
 * The signature of the OpenPGP message, or the one of a signed entity inside it (RFC 3156 section 6.1). Where the signer is not known, a
 * card that came along is taken on first use if its certificate signed the message.
 */
async function signatureInside(found: Decrypted, deps: Pick<OpenDeps, 'pgp' | 'trust' | 'own' | 'clock'>): Promise<SignatureResult> {
  const { accountId, address, self, message, opened, card } = found;
  const now = deps.clock.now();
  if (opened.signature.state === 'none') {
    const signed = readPgpSigned(opened.plaintext);
    return signed ? verifySigned(signed, certificatesOf(accountId, address, self, deps), deps) : opened.signature;
  }
  const introduced = opened.signature.state === 'unknown-signer' && card ? readCard(card) : undefined;
  if (!introduced?.certificate) return opened.signature;
  const verifyWith = [introduced.certificate];
  const again = await deps.pgp.open({ message, secretKeys: [], sessionKey: opened.sessionKey, verifyWith, now });
  wipe(again.plaintext, again.sessionKey);
  if (again.signature.state !== 'valid') return opened.signature;
  const outcome = await deps.trust.learn({ accountId, address, card: introduced, source: 'card', under: 'L3', at: now });
  return outcome === 'new' || outcome === 'same' ? again.signature : opened.signature;
}

function readCard(card: Buffer): SignedCard | undefined {
  try {
    return decodeSignedCard(card);
  } catch {
    return undefined;
  }
}

async function verifySigned(
  { signed, signature }: { signed: Buffer; signature: string },
  verifyWith: readonly Buffer[],
  deps: Pick<OpenDeps, 'pgp' | 'clock'>,
): Promise<SignatureResult> {
  try {
    const { bytes } = await deps.pgp.dearmor(signature);
    return await deps.pgp.verify({ data: signed, signature: bytes, verifyWith, now: deps.clock.now() });
  } catch {
    // A signature nobody can read proves nothing.
    return { state: 'invalid' };
  }
}

function certificatesOf(
  accountId: string,
  address: string,
  self: string,
  { trust, own }: Pick<OpenDeps, 'trust' | 'own'>,
): readonly Buffer[] {
  if (!sameMailbox(address, self)) return trust.certificatesOf(accountId, address);
  const certificate = own.peek(accountId)?.certificate;
  return certificate ? [certificate] : [];
}
