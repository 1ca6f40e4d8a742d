import type { KeyID, PublicKey, Subkey } from '@protontech/openpgp';
import { QuMailError, type ErrorCode } from '../base/errors.ts';
import { normalizeAddress } from '../mail/address.ts';
import { isMlKem768Key } from './mlKemKey.ts';
import type { CertificateFacts, PgpProfile } from './pgpEngine.ts';
import { CLOCK_TOLERANCE, PGP_LIMITS, pgpConfig, type PgpLibrary, plainBytes } from './pgpLibrary.ts';
import { PGP_TAG, readPackets } from './pgpPackets.ts';

/** Public-key algorithms (RFC 9580 section 9.1, RFC 9980 section 2) that may be used, as the library names them; the rest is weak. */
const ALGORITHMS: ReadonlyMap<number, string> = new Map([
  [1, 'rsaEncryptSign'],
  [2, 'rsaEncrypt'],
  [3, 'rsaSign'],
  [18, 'ecdh'],
  [19, 'ecdsa'],
  [22, 'eddsaLegacy'],
  [25, 'x25519'],
  [26, 'x448'],
  [27, 'ed25519'],
  [28, 'ed448'],
  [30, 'pqc_mldsa_ed25519'],
  [35, 'pqc_mlkem_x25519'],
]);
/** The library has secp256k1 and Brainpool curves only with a further package. */
const CURVES: ReadonlySet<string> = new Set(['ed25519Legacy', 'curve25519Legacy', 'nistP256', 'nistP384', 'nistP521']);
const MLDSA65_ED25519 = 'pqc_mldsa_ed25519';
const MLKEM768_X25519 = 'pqc_mlkem_x25519';
const ENCRYPTS: ReadonlySet<string> = new Set(['rsaEncryptSign', 'rsaEncrypt', 'ecdh', 'x25519', 'x448', MLKEM768_X25519]);

/** A certificate that passed every check, and what of it is used. */
export interface UsableCertificate {
  readonly key: PublicKey;
  /** Of the encryption subkey, or of the primary key where that one encrypts. */
  readonly encryptionKeyId: KeyID;
  readonly facts: CertificateFacts;
}

/**
 * Reads a certificate with every bound checked before parsing.
 * @throws QuMailError `cert.too-large`, `cert.malformed`, `cert.weak` (details: algorithm)
 */
export async function readCertificate(library: PgpLibrary, certificate: Uint8Array): Promise<PublicKey> {
  requireBounded(certificate);
  try {
    const key = await library.readKey({ binaryKey: plainBytes(certificate), config: pgpConfig(library) });
    // A secret key in somebody's hands is a mishap, not a certificate.
    if (!key.isPrivate()) return key as PublicKey;
  } catch (cause) {
    throw new QuMailError('cert.malformed', {}, { cause });
  }
  throw new QuMailError('cert.malformed', { what: 'secret key' });
}

/** Every check of `PgpEngine.inspect`. @throws QuMailError `cert.*` */
export async function judgeCertificate(
  library: PgpLibrary,
  certificate: Uint8Array,
  options: { now: number; address?: string; profile?: PgpProfile },
): Promise<UsableCertificate> {
  const config = pgpConfig(library);
  const key = await readCertificate(library, certificate);
  // Certificates made a moment ago by a clock ahead of ours are no certificates from the future.
  const date = new Date(options.now + CLOCK_TOLERANCE);
  const primary = algorithmOf(key);
  if (isWeak(key, primary)) throw new QuMailError('cert.weak', { algorithm: primary.name });
  if (await key.isRevoked(undefined, undefined, date, config)) {
    throw new QuMailError('cert.revoked', { fingerprint: key.getFingerprint().toUpperCase() });
  }
  await requireSelfSignature(library, key, date);
  const addresses = await addressesOf(library, key, date);
  const { address } = options;
  if (address !== undefined && !addresses.some((own) => own.toLowerCase() === address.toLowerCase())) {
    throw new QuMailError('cert.address-mismatch', { address });
  }
  const encryption = await encryptionKeyOf(library, key, date, options.profile ?? 'classic');
  const expiry = await key.getExpirationTime(undefined, config);
  const subkeyExpiry = encryption.subkey && (await encryption.subkey.getExpirationTime(date, config));
  const facts: CertificateFacts = {
    fingerprint: key.getFingerprint().toUpperCase(),
    version: key.keyPacket.version === 6 ? 6 : 4,
    addresses,
    createdAt: key.getCreationTime().getTime(),
    ...(expiry instanceof Date && { expiresAt: expiry.getTime() }),
    postQuantum: primary.name === MLDSA65_ED25519 && encryption.algorithm === MLKEM768_X25519,
    algorithms: [primary.name, encryption.algorithm],
    ...(subkeyExpiry instanceof Date && { encryptionSubkeyExpiresAt: subkeyExpiry.getTime() }),
  };
  return { key, encryptionKeyId: encryption.keyId, facts };
}

function requireBounded(certificate: Uint8Array): void {
  const tooLarge = (what: string, limit: number, size: number): never => {
    throw new QuMailError('cert.too-large', { what, limit, size });
  };
  if (certificate.byteLength > PGP_LIMITS.certificate) tooLarge('octets', PGP_LIMITS.certificate, certificate.byteLength);
  const counts = { users: 0, subkeys: 0 };
  let packets;
  try {
    packets = readPackets(certificate, PGP_LIMITS.certificatePackets);
  } catch (cause) {
    if (QuMailError.is(cause, 'open.limit')) tooLarge('packets', PGP_LIMITS.certificatePackets, PGP_LIMITS.certificatePackets + 1);
    throw new QuMailError('cert.malformed', {}, { cause });
  }
  const first = packets[0];
  if (first?.tag !== PGP_TAG.publicKey || packets.some(({ whole }) => !whole)) throw new QuMailError('cert.malformed');
  if (packets.filter(({ tag }) => tag === PGP_TAG.publicKey).length > 1) throw new QuMailError('cert.malformed', { what: 'keys' });
  // The algorithm stands at the same place in versions 4 and 6; a key the library cannot parse would be just "malformed".
  const [version, algorithm] = [first.body[0], first.body[5] ?? 0];
  if (version !== 4 && version !== 6) throw new QuMailError('cert.weak', { algorithm: `version ${version ?? '?'}` });
  if (!ALGORITHMS.has(algorithm)) throw new QuMailError('cert.weak', { algorithm: `algorithm ${algorithm}` });
  for (const { tag } of packets) {
    if (tag === PGP_TAG.userId || tag === PGP_TAG.userAttribute) counts.users++;
    if (tag === PGP_TAG.publicSubkey) counts.subkeys++;
  }
  if (counts.users > PGP_LIMITS.userIds) tooLarge('user IDs', PGP_LIMITS.userIds, counts.users);
  if (counts.subkeys > PGP_LIMITS.subkeys) tooLarge('subkeys', PGP_LIMITS.subkeys, counts.subkeys);
}

interface AlgorithmOf {
  readonly name: string;
  readonly bits?: number | undefined;
  readonly curve?: string | undefined;
}

function algorithmOf(key: PublicKey | Subkey): AlgorithmOf {
  const { algorithm, bits, curve } = key.getAlgorithmInfo();
  return { name: [algorithm, bits ?? curve].filter((part) => part !== undefined).join(' '), bits, curve };
}

function isWeak(key: PublicKey | Subkey, { bits, curve }: AlgorithmOf): boolean {
  // Some programs make RSA keys of 2047 bits when they mean 2048.
  return (
    !ALGORITHMS.has(Number(key.keyPacket.algorithm)) || (bits !== undefined && bits < 2047) || (curve !== undefined && !CURVES.has(curve))
  );
}

/** A post-quantum subkey whose ML-KEM key is none. */
function isOutOfRange(subkey: Subkey): boolean {
  if (algorithmOf(subkey).name !== MLKEM768_X25519) return false;
  const { mlkemPublicKey } = subkey.keyPacket.publicParams as { mlkemPublicKey?: Uint8Array };
  return mlkemPublicKey === undefined || !isMlKem768Key(mlkemPublicKey);
}

/** A self-signature that holds, by a hash that is not broken, and of a key that has not expired. */
async function requireSelfSignature(library: PgpLibrary, key: PublicKey, date: Date): Promise<void> {
  const config = pgpConfig(library);
  try {
    await key.verifyPrimaryKey(date, undefined, config);
    return;
  } catch (cause) {
    const heldOnce = await succeeds(key.getPrimaryUser(null as unknown as Date, undefined, config));
    const expired = await succeeds(key.verifyPrimaryKey(null as unknown as Date, undefined, config));
    if (expired) throw new QuMailError('cert.expired', {}, { cause });
    const lenient = { ...config, rejectHashAlgorithms: new Set<never>() };
    const byBrokenHash = await succeeds(key.verifyPrimaryKey(date, undefined, lenient));
    if (byBrokenHash) throw new QuMailError('cert.weak', { algorithm: 'sha1' }, { cause });
    const revoked = !heldOnce && key.users.some((user) => user.revocationSignatures.length > 0);
    throw new QuMailError(revoked ? 'cert.revoked' : 'cert.bad-binding', {}, { cause });
  }
}

async function addressesOf(library: PgpLibrary, key: PublicKey, date: Date): Promise<string[]> {
  const config = pgpConfig(library);
  const found = new Set<string>();
  const primary = await key.getPrimaryUser(date, undefined, config).catch(() => undefined);
  for (const user of primary ? [primary.user, ...key.users] : key.users) {
    const address = normalizeAddress(user.userID?.email ?? '');
    if (address === undefined || found.has(address)) continue;
    if (await succeeds(user.verify(date, config))) found.add(address);
  }
  return [...found];
}

interface EncryptionKey {
  readonly keyId: KeyID;
  readonly algorithm: string;
  readonly subkey?: Subkey;
}

/** The newest subkey that may be encrypted to; why there is none, otherwise. */
async function encryptionKeyOf(library: PgpLibrary, key: PublicKey, date: Date, profile: PgpProfile): Promise<EncryptionKey> {
  const config = pgpConfig(library);
  const reasons: { code: ErrorCode; algorithm: string }[] = [];
  const newestFirst = key.subkeys.toSorted((a, b) => b.getCreationTime().getTime() - a.getCreationTime().getTime());
  // Post-quantum subkeys first, whatever the profile: a certificate that has one means it.
  const candidates = [...newestFirst.filter((each) => algorithmOf(each).name === MLKEM768_X25519), ...newestFirst];
  for (const subkey of new Set(candidates)) {
    const algorithm = algorithmOf(subkey);
    const base = algorithm.name.split(' ')[0] ?? '';
    if (!ENCRYPTS.has(base)) continue;
    const usable =
      !isWeak(subkey, algorithm) &&
      !isOutOfRange(subkey) &&
      (profile === 'classic' || base === MLKEM768_X25519) &&
      (await succeeds(key.getEncryptionKey(subkey.getKeyID(), date, undefined, config)));
    if (usable) return { keyId: subkey.getKeyID(), algorithm: algorithm.name, subkey };
    reasons.push({ code: await whyNot(library, subkey, date, profile), algorithm: algorithm.name });
  }
  if (profile === 'classic' && (await succeeds(key.getEncryptionKey(key.getKeyID(), date, undefined, config)))) {
    return { keyId: key.getKeyID(), algorithm: algorithmOf(key).name };
  }
  // The newest says most about what went wrong.
  const reason = reasons[0];
  if (!reason) throw new QuMailError('cert.no-encryption');
  throw new QuMailError(reason.code, reason.code === 'cert.weak' ? { algorithm: reason.algorithm } : {});
}

async function whyNot(library: PgpLibrary, subkey: Subkey, date: Date, profile: PgpProfile): Promise<ErrorCode> {
  const config = pgpConfig(library);
  const algorithm = algorithmOf(subkey);
  if (isOutOfRange(subkey)) return 'cert.malformed';
  if (isWeak(subkey, algorithm) || (profile === 'pq' && algorithm.name !== MLKEM768_X25519)) return 'cert.weak';
  // Without a date: whether the owner ever bound this subkey, expired or not.
  const bound = await subkey.verify(null as unknown as Date, config).catch(() => undefined);
  if (!bound) {
    const revoked = await subkey.isRevoked(null as never, null as never, date, config);
    return revoked ? 'cert.revoked' : 'cert.bad-binding';
  }
  return (await succeeds(subkey.verify(date, config))) ? 'cert.no-encryption' : 'cert.expired';
}

/** The library tells what is wrong by sentences alone; asked one question at a time, it answers by yes and no. */
async function succeeds(check: Promise<unknown>): Promise<boolean> {
  try {
    await check;
    return true;
  } catch {
    return false;
  }
}
