import type { PrivateKey, SecretSubkeyPacket, SignaturePacket } from '@protontech/openpgp';
import { QuMailError } from '../base/errors.ts';
import { cleanName } from '../mail/address.ts';
import type { GeneratedCertificate, GenerateOptions, RotateOptions } from './pgpEngine.ts';
import { PGP_LIMITS, pgpConfig, type PgpLibrary, toBuffer } from './pgpLibrary.ts';

const DAY = 86_400;
/**
 * Seconds that an encryption subkey may be sealed to. It is deleted after 60 days (PROTOCOL 5); mail on its way has the five days that a mail
 * server keeps trying.
 */
const SUBKEY_LIFETIME = 55 * DAY;

/** @throws QuMailError `cert.malformed`, also for a key that is protected by a passphrase: QuMail seals its keys itself */
export async function readSecretKey(library: PgpLibrary, secretKey: Uint8Array): Promise<PrivateKey> {
  if (secretKey.byteLength > PGP_LIMITS.secretKey) throw new QuMailError('cert.too-large', { limit: PGP_LIMITS.secretKey });
  let key;
  try {
    // A copy: the library's parameters are views, and wiping the key afterwards must leave the caller's bytes alone.
    key = await library.readPrivateKey({ binaryKey: Uint8Array.from(secretKey), config: pgpConfig(library) });
  } catch (cause) {
    throw new QuMailError('cert.malformed', { what: 'secret key' }, { cause });
  }
  if (!key.keyPacket.isDecrypted()) throw new QuMailError('cert.malformed', { what: 'secret key' });
  return key;
}

/** Zeros in the place of every secret parameter that the library parsed. */
export function wipeSecretKey(key: PrivateKey): void {
  for (const { keyPacket } of key.getKeys()) {
    const params = (keyPacket as SecretSubkeyPacket).privateParams;
    for (const param of Object.values(params ?? {}) as unknown[]) if (param instanceof Uint8Array) param.fill(0);
  }
}

/** `PgpEngine.generate`. */
export async function generatePgp(library: PgpLibrary, { addresses, name, now }: GenerateOptions): Promise<GeneratedCertificate> {
  const shown = cleanName(name).replaceAll(/[<>()]/g, '');
  const { privateKey } = await library.generateKey({
    type: 'pqc',
    userIDs: addresses.map((email) => (shown === '' ? { email } : { name: shown, email })),
    subkeys: [{ keyExpirationTime: SUBKEY_LIFETIME }],
    date: new Date(now),
    format: 'object',
    config: pgpConfig(library),
  });
  try {
    return written(library, privateKey);
  } finally {
    wipeSecretKey(privateKey);
  }
}

/** `PgpEngine.rotateSubkey`. */
export async function rotatePgp(library: PgpLibrary, { secretKey, now, dropBefore }: RotateOptions): Promise<GeneratedCertificate> {
  const key = await readSecretKey(library, secretKey);
  try {
    const subkey = await newSubkey(library, now);
    const packets = key.toPacketList();
    packets.push(subkey, await bind(library, key, subkey, now));
    const rotated = new library.PrivateKey(packets);
    for (const old of rotated.subkeys.slice(0, -1)) {
      // A stub remains, so that mail sealed to it is refused by the true reason.
      if (old.getCreationTime().getTime() < dropBefore) (old.keyPacket as SecretSubkeyPacket).makeDummy(pgpConfig(library));
    }
    const result = written(library, rotated);
    wipeSecretKey(rotated);
    return result;
  } finally {
    wipeSecretKey(key);
  }
}

/** The certificate shows the newest subkey alone: nobody encrypts to an older one, and each has 4.7 KB. */
function written(library: PgpLibrary, key: PrivateKey): GeneratedCertificate {
  const shown = new library.PublicKey(key.toPublic().toPacketList());
  shown.subkeys = shown.subkeys.slice(-1);
  return {
    certificate: toBuffer(shown.write()),
    secretKey: toBuffer(key.write()),
    fingerprint: key.getFingerprint().toUpperCase(),
  };
}

/** What the library does in `addSubkey`, which does not know post-quantum keys yet. */
interface MakingSubkey extends SecretSubkeyPacket {
  generate(): Promise<void>;
  computeFingerprintAndKeyID(): Promise<void>;
}

/** Its declaration knows neither `data` as an object nor the configuration. */
interface MakingSignature extends Omit<SignaturePacket, 'sign'> {
  sign(key: object, data: object, date: Date, detached: boolean, config: object): Promise<void>;
}

async function newSubkey(library: PgpLibrary, now: number): Promise<SecretSubkeyPacket> {
  const Packet = library.SecretSubkeyPacket as unknown as new (date: Date, config: object) => MakingSubkey;
  const subkey = new Packet(new Date(now), pgpConfig(library));
  subkey.algorithm = library.enums.publicKey.pqc_mlkem_x25519;
  await subkey.generate();
  await subkey.computeFingerprintAndKeyID();
  return subkey;
}

/** A subkey binding signature (RFC 9580 section 10.1.5). */
async function bind(library: PgpLibrary, key: PrivateKey, subkey: SecretSubkeyPacket, now: number): Promise<SignaturePacket> {
  const { signature, keyFlags, hash } = library.enums;
  const binding = new library.SignaturePacket() as unknown as MakingSignature;
  Object.assign(binding, {
    signatureType: signature.subkeyBinding,
    keyFlags: [keyFlags.encryptCommunication | keyFlags.encryptStorage],
    keyExpirationTime: SUBKEY_LIFETIME,
    keyNeverExpires: false,
    publicKeyAlgorithm: key.keyPacket.algorithm,
    hashAlgorithm: hash.sha512,
    rawNotations: [],
  });
  await binding.sign(key.keyPacket, { key: key.keyPacket, bind: subkey }, new Date(now), false, pgpConfig(library));
  return binding as unknown as SignaturePacket;
}
