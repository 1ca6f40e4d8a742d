import type { Config, KeyID, Message, PrivateKey, PublicKey, Signature, SignaturePacket } from '@protontech/openpgp';
import { wipe } from '../base/bytes.ts';
import { QuMailError } from '../base/errors.ts';
import type { Random } from '../base/ports.ts';
import { judgeCertificate } from './pgpCertificate.ts';
import { packetHeader, sealEncryptedData } from './pgpEncryptedData.ts';
import type { PgpSealed, PgpSealOptions } from './pgpEngine.ts';
import { CLOCK_TOLERANCE, pgpConfig, type PgpLibrary, plainBytes, toBuffer } from './pgpLibrary.ts';
import { PGP_TAG } from './pgpPackets.ts';
import { readSecretKey, wipeSecretKey } from './pgpSecretKey.ts';
import { type LibrarySessionKey, packSessionKey } from './pgpSessionKey.ts';

const AES_256 = 'aes256';

/** `PgpEngine.seal`. */
export async function sealPgp(library: PgpLibrary, random: Random, options: PgpSealOptions): Promise<PgpSealed> {
  const { certificates, now, profile } = options;
  if (certificates.length === 0) throw new QuMailError('engine.bad-request', { field: 'certificates' });
  const config = pgpConfig(library);
  const recipients = await Promise.all(certificates.map((each) => judgeCertificate(library, each, { now, profile })));
  const encryptionKeys = recipients.map(({ key }) => key);
  // Their certificates may come from a clock ahead of ours.
  const date = new Date(now + CLOCK_TOLERANCE);
  const sessionKey = await chooseSessionKey(library, random, encryptionKeys, date, profile);
  const signingKey = options.signWith && (await readSecretKey(library, options.signWith));
  try {
    const encryptionKeyIDs = recipients.map(({ encryptionKeyId }) => encryptionKeyId);
    const binary = joined(options.plaintext);
    const to = { encryptionKeys, encryptionKeyIDs, date, config };
    const message =
      sessionKey.algorithm === AES_256 && sessionKey.aeadAlgorithm === 'gcm'
        ? await sealGcm(library, random, { binary, signingKey, now, sessionKey, to })
        : await sealAsLibrary(library, { binary, signingKey, now, sessionKey, to });
    return { message, sessionKey: packSessionKey(library, sessionKey) };
  } finally {
    wipe(sessionKey.data);
    if (signingKey) wipeSecretKey(signingKey);
  }
}

interface Sealing {
  readonly binary: Uint8Array<ArrayBuffer>;
  readonly signingKey: PrivateKey | undefined;
  readonly now: number;
  readonly sessionKey: LibrarySessionKey;
  readonly to: { encryptionKeys: PublicKey[]; encryptionKeyIDs: KeyID[]; date: Date; config: Config };
}

/** Signature and session keys by the library, the bulk by this runtime's AES-GCM. */
async function sealGcm(library: PgpLibrary, random: Random, { binary, signingKey, now, sessionKey, to }: Sealing): Promise<Buffer> {
  const sessionKeys = await library.encryptSessionKey({ ...sessionKey, ...to, format: 'binary' });
  const literal = [packetHeader(PGP_TAG.literalData, LITERAL_HEADER_LENGTH + binary.byteLength), literalHeader(now), binary];
  const pieces = signingKey ? await signed(library, signingKey, binary, literal, { now, config: to.config }) : literal;
  return sealEncryptedData(sessionKey.data, random.bytes(32), pieces, sessionKeys);
}

/** One-pass signature, literal, signature (RFC 9580 section 10.3). */
async function signed(
  library: PgpLibrary,
  signingKeys: PrivateKey,
  binary: Uint8Array<ArrayBuffer>,
  literal: readonly Uint8Array[],
  { now, config }: { now: number; config: Config },
): Promise<readonly Uint8Array[]> {
  const message = await library.createMessage({ binary });
  const date = new Date(now);
  const { packets } = (await library.sign({
    message,
    signingKeys,
    detached: true,
    date,
    format: 'object',
    config,
  })) as unknown as Signature;
  const OnePass = library.OnePassSignaturePacket as unknown as {
    fromSignaturePacket(packet: SignaturePacket, isLast: boolean): WritablePacket;
  };
  const onePass = OnePass.fromSignaturePacket(packets[0]!, true).write();
  return [packetHeader(PGP_TAG.onePassSignature, onePass.byteLength), onePass, ...literal, packets.write()];
}

interface WritablePacket {
  write(): Uint8Array;
}

const LITERAL_HEADER_LENGTH = 6;

/** Binary, without a file name, and its date (RFC 9580 section 5.9). */
function literalHeader(now: number): Buffer {
  const header = Buffer.from('b\0\0\0\0\0', 'latin1');
  header.writeUInt32BE(Math.floor(now / 1000), 2);
  return header;
}

async function sealAsLibrary(library: PgpLibrary, { binary, signingKey, now, sessionKey, to }: Sealing): Promise<Buffer> {
  const literal = await library.createMessage({ binary, date: new Date(now) });
  const { config } = to;
  const message = signingKey
    ? await library.sign({ message: literal, signingKeys: signingKey, date: new Date(now), format: 'object', config })
    : literal;
  return toBuffer(await library.encrypt({ ...to, message: message as Message<Uint8Array<ArrayBuffer>>, sessionKey, format: 'binary' }));
}

/** What every recipient says to read; post-quantum never below AES-256 in an AEAD mode, which every program of RFC 9580 reads as OCB. */
async function chooseSessionKey(
  library: PgpLibrary,
  random: Random,
  encryptionKeys: PublicKey[],
  date: Date,
  profile: PgpSealOptions['profile'],
): Promise<LibrarySessionKey> {
  const preferred = (await library.generateSessionKey({ encryptionKeys, date, config: pgpConfig(library) })) as LibrarySessionKey;
  if (profile === 'classic' || (preferred.algorithm === AES_256 && preferred.aeadAlgorithm !== undefined)) return preferred;
  wipe(preferred.data);
  return { data: plainBytes(random.bytes(32)), algorithm: AES_256, aeadAlgorithm: 'ocb' };
}

function joined(plaintext: Uint8Array | readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  if (plaintext instanceof Uint8Array) return plainBytes(plaintext);
  return plainBytes(plaintext.length === 1 ? plaintext[0]! : Buffer.concat(plaintext));
}
