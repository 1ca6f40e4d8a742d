import type { Message, PublicKey, Subkey, VerifyMessageResult } from '@protontech/openpgp';
import { wipe } from '../base/bytes.ts';
import { QuMailError } from '../base/errors.ts';
import { othersFirst } from '../base/othersFirst.ts';
import { readCertificate } from './pgpCertificate.ts';
import type { OpenedPgp, PgpOpenOptions, SignatureResult } from './pgpEngine.ts';
import { CLOCK_TOLERANCE, PGP_LIMITS, pgpConfig, type PgpLibrary, plainBytes, toBuffer } from './pgpLibrary.ts';
import { PGP_TAG, type PgpPacket, readPackets } from './pgpPackets.ts';
import { readSecretKey, wipeSecretKey } from './pgpSecretKey.ts';
import { type LibrarySessionKey, packSessionKey, unpackSessionKey } from './pgpSessionKey.ts';

/** Pieces that OCB messages are fed in, and the most between two reports of progress. Octets. */
const PIECE = 262_144;
/** Below this, everything is fast enough to be read at once. Octets. */
const STREAM_ABOVE = 1_048_576;

/** `PgpEngine.open`. */
export async function openPgp(library: PgpLibrary, options: PgpOpenOptions): Promise<OpenedPgp> {
  const { packets, data } = readOuter(options.message);
  const verifyWith = await Promise.all(options.verifyWith.map((each) => readCertificate(library, each)));
  const binary = plainBytes(options.message);
  const sessionKey = options.sessionKey
    ? unpackSessionKey(library, options.sessionKey)
    : await findSessionKey(library, binary, packets, options.secretKeys);
  const config = pgpConfig(library);
  const date = new Date(options.now + CLOCK_TOLERANCE);
  const slow = binary.byteLength > STREAM_ABOVE && isSlow(library, data);
  try {
    const message = slow
      ? await library.readMessage({ binaryMessage: inPieces(binary), config })
      : await library.readMessage({ binaryMessage: binary, config });
    const opened = await library.decrypt({
      message: message as Message<Uint8Array<ArrayBuffer>>,
      sessionKeys: [sessionKey],
      verificationKeys: verifyWith,
      format: 'binary',
      date,
      config,
    });
    const plaintext = await collect(opened.data as unknown, options.progress);
    const signature = await bestSignature(opened.signatures, verifyWith);
    return { plaintext, signature, sessionKey: packSessionKey(library, sessionKey), recipients: packets.length };
  } catch (cause) {
    // Whatever is wrong inside has one name: telling which check failed would help only those who try (EFAIL).
    throw new QuMailError('open.tampered', {}, { cause });
  } finally {
    wipe(sessionKey.data);
  }
}

/** The session-key packets and the encrypted data of a message, bounded and in the only order there is. */
function readOuter(message: Uint8Array): { packets: readonly PgpPacket[]; data: PgpPacket } {
  if (message.byteLength > PGP_LIMITS.message) throw new QuMailError('open.limit', { what: 'message', limit: PGP_LIMITS.message });
  const all = readPackets(message, PGP_LIMITS.messagePackets).filter(({ tag }) => tag !== PGP_TAG.marker && tag !== PGP_TAG.padding);
  const data = all.pop();
  const packets = all.filter(({ tag }) => tag === PGP_TAG.publicKeyEncryptedSessionKey);
  const others = all.filter(({ tag }) => tag !== PGP_TAG.publicKeyEncryptedSessionKey && tag !== PGP_TAG.symmetricKeyEncryptedSessionKey);
  // Without integrity protection (packet 9) a message is not read at all.
  if (!data || data.tag !== PGP_TAG.symmetricallyEncryptedIntegrityProtected || others.length > 0 || all.some(({ whole }) => !whole)) {
    throw new QuMailError('open.malformed', { what: 'OpenPGP message' });
  }
  return { packets, data };
}

async function findSessionKey(
  library: PgpLibrary,
  binary: Uint8Array<ArrayBuffer>,
  packets: readonly PgpPacket[],
  secretKeys: readonly Uint8Array[],
): Promise<LibrarySessionKey> {
  const named = packets.map(recipientOf);
  const config = pgpConfig(library);
  let gone = false;
  for (const secretKey of secretKeys) {
    const key = await readSecretKey(library, secretKey);
    try {
      const wanted = key.getKeys().filter((each) => namesOf(each).some((name) => named.includes(name)));
      const present = wanted.filter(({ keyPacket }) => keyPacket.isDecrypted());
      if (wanted.length > 0 && present.length === 0) gone = true;
      if (present.length === 0) continue;
      const found = await library
        .readMessage({ binaryMessage: binary, config })
        .then((message) => library.decryptSessionKeys({ message, decryptionKeys: key, config }))
        .catch(() => undefined);
      if (found?.[0]) return found[0] as LibrarySessionKey;
      // Named, and yet not for it: what was encrypted was changed.
      if (!named.includes(ANYBODY)) throw new QuMailError('open.tampered');
    } finally {
      wipeSecretKey(key);
    }
  }
  throw new QuMailError(gone ? 'open.subkey-gone' : 'open.no-secret-key');
}

const ANYBODY = '*';

/**
 * Whom a session-key packet is for (RFC 9580 section 5.1): a key ID, or key version and fingerprint, which the library compares in its first
 * eight octets alone; `*` where it does not say.
 */
function recipientOf({ body }: PgpPacket): string {
  const hex = (from: number, to: number): string => Buffer.from(body.subarray(from, to)).toString('hex');
  if (body[0] === 3) return hex(1, 9) === '0'.repeat(16) ? ANYBODY : hex(1, 9);
  if (body[0] !== 6) return '';
  const length = body[1] ?? 0;
  return length === 0 ? ANYBODY : `${body[2]}:${hex(3, 2 + length)}`;
}

/** Every way a session-key packet may name a key. */
function namesOf(key: PublicKey | Subkey): readonly string[] {
  return [ANYBODY, key.getKeyID().toHex(), `${key.keyPacket.version}:${key.getFingerprint()}`];
}

type VerificationResult = VerifyMessageResult['signatures'][number];

/** Of several signatures the best counts; certificates are found by the key ID of the signature. */
export async function bestSignature(results: readonly VerificationResult[], verifyWith: readonly PublicKey[]): Promise<SignatureResult> {
  let best: SignatureResult = { state: 'none' };
  for (const { keyID, verified, signature } of results) {
    const certificate = verifyWith.find((key) => key.getKeys(keyID).length > 0);
    const valid = await verified.catch(() => false as const);
    if (valid && certificate) {
      const packet = (await signature).packets[0];
      return {
        state: 'valid',
        fingerprint: certificate.getFingerprint().toUpperCase(),
        postQuantum: packet?.publicKeyAlgorithm === 30,
        ...(packet?.created && { signedAt: packet.created.getTime() }),
      };
    }
    if (certificate) best = { state: 'invalid' };
    else if (best.state === 'none') best = { state: 'unknown-signer' };
  }
  return best;
}

function isSlow(library: PgpLibrary, { body }: PgpPacket): boolean {
  return body[0] === 2 && body[2] !== library.enums.aead.gcm;
}

/** Gives the event loop a turn before every piece, so that seconds of OCB do not stop everything else. */
function inPieces(binary: Uint8Array<ArrayBuffer>): ReadableStream<Uint8Array<ArrayBuffer>> {
  let at = 0;
  return new ReadableStream(
    {
      async pull(controller) {
        await othersFirst();
        if (at >= binary.byteLength) controller.close();
        else controller.enqueue(binary.subarray(at, (at += PIECE)));
      },
    },
    { highWaterMark: 0 },
  );
}

/** All of the plaintext, or nothing: a stream that fails at its end has handed out nothing. */
async function collect(data: unknown, progress: ((octets: number) => void) | undefined): Promise<Buffer> {
  if (data instanceof Uint8Array) {
    progress?.(data.byteLength);
    return toBuffer(data);
  }
  const pieces: Uint8Array[] = [];
  let octets = 0;
  try {
    for await (const piece of data as AsyncIterable<Uint8Array>) {
      pieces.push(piece);
      octets += piece.byteLength;
      progress?.(octets);
    }
    return Buffer.concat(pieces, octets);
  } finally {
    wipe(...pieces);
  }
}
