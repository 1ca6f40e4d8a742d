import { createCipheriv, createDecipheriv, createHash, hkdfSync } from 'node:crypto';
import { equalBytes, wipe } from '../base/bytes.ts';
import { QuMailError } from '../base/errors.ts';

/**
 * The file of a backup:
 *
 *   header  "QuMailBackup" (12) ‖ version u16be ‖ |body| u64be ‖ salt (32) ‖ commitment (32) ‖ SHA-256 of all before (first 8)
 *   body    chunks of 65,536 octets and a tag each; the last is always shorter, possibly empty
 *
 * key (32) ‖ base nonce (12) ‖ commitment (32) = HKDF-SHA-512(ikm the phrase's 32 octets, salt, info "QuMail backup v1"): 256 bits of
 * entropy need no slow function. Chunk n: AES-256-GCM, nonce = base nonce xor n (big-endian), AAD = 0x01 for the last chunk, else 0x00.
 * The commitment tells another phrase from an altered file, the checksum an altered header from another phrase.
 */
const MAGIC = Buffer.from('QuMailBackup', 'latin1');
const INFO = 'QuMail backup v1';
export const BACKUP_VERSION = 1;
const LENGTH_AT = MAGIC.length + 2;
const SALT_AT = LENGTH_AT + 8;
export const BACKUP_SALT_LENGTH = 32;
const COMMITMENT_AT = SALT_AT + BACKUP_SALT_LENGTH;
const CHECK_AT = COMMITMENT_AT + 32;
const CHECK_LENGTH = 8;
export const HEADER_LENGTH = CHECK_AT + CHECK_LENGTH;
export const CHUNK_LENGTH = 65_536;
const TAG_LENGTH = 16;
export const SEALED_CHUNK_LENGTH = CHUNK_LENGTH + TAG_LENGTH;

export interface BackupKeys {
  readonly key: Buffer;
  readonly baseNonce: Buffer;
  readonly commitment: Buffer;
}

/** The keys of a file; the caller wipes them. */
export function backupKeys(entropy: Buffer, salt: Uint8Array): BackupKeys {
  const all = Buffer.from(hkdfSync('sha512', entropy, salt, INFO, 76));
  return { key: all.subarray(0, 32), baseNonce: all.subarray(32, 44), commitment: all.subarray(44) };
}

export function wipeBackupKeys({ key, baseNonce, commitment }: BackupKeys): void {
  wipe(key, baseNonce, commitment);
}

export function writeHeader(bodyLength: number, salt: Buffer, keys: BackupKeys): Buffer {
  const header = Buffer.alloc(HEADER_LENGTH);
  MAGIC.copy(header);
  header.writeUInt16BE(BACKUP_VERSION, MAGIC.length);
  header.writeBigUInt64BE(BigInt(bodyLength), LENGTH_AT);
  salt.copy(header, SALT_AT);
  keys.commitment.copy(header, COMMITMENT_AT);
  checksumOf(header).copy(header, CHECK_AT);
  return header;
}

/**
 * Checks a file's first octets against its size before anything is derived or allocated.
 *
 * @param start the first HEADER_LENGTH octets, fewer where the file has no more
 * @throws QuMailError `backup.malformed`, `backup.truncated`, `backup.newer` (details: version), `backup.tampered`
 */
export function readHeader(start: Buffer, fileSize: number): { salt: Buffer; commitment: Buffer; bodyLength: number } {
  const seen = Math.min(start.length, MAGIC.length);
  if (seen === 0 || !start.subarray(0, seen).equals(MAGIC.subarray(0, seen))) throw new QuMailError('backup.malformed');
  if (start.length < LENGTH_AT) throw new QuMailError('backup.truncated');
  const version = start.readUInt16BE(MAGIC.length);
  // A later version may have another header: nothing after this is looked at.
  if (version > BACKUP_VERSION) throw new QuMailError('backup.newer', { version });
  if (version === 0) throw new QuMailError('backup.malformed');
  if (start.length < HEADER_LENGTH) throw new QuMailError('backup.truncated');
  if (!equalBytes(checksumOf(start), start.subarray(CHECK_AT, HEADER_LENGTH))) throw new QuMailError('backup.tampered');
  const claimed = start.readBigUInt64BE(LENGTH_AT);
  const actual = BigInt(fileSize - HEADER_LENGTH);
  if (claimed > actual) throw new QuMailError('backup.truncated');
  if (claimed < actual || actual % BigInt(SEALED_CHUNK_LENGTH) < TAG_LENGTH) throw new QuMailError('backup.tampered');
  return {
    salt: start.subarray(SALT_AT, COMMITMENT_AT),
    commitment: start.subarray(COMMITMENT_AT, CHECK_AT),
    bodyLength: Number(actual),
  };
}

export function sealChunk(keys: BackupKeys, number: number, plaintext: Uint8Array): Buffer {
  const cipher = createCipheriv('aes-256-gcm', keys.key, nonceOf(keys, number)).setAAD(aadOf(plaintext.length < CHUNK_LENGTH));
  return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

/** @throws QuMailError `backup.tampered` */
export function openChunk(keys: BackupKeys, number: number, sealed: Buffer): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', keys.key, nonceOf(keys, number), { authTagLength: TAG_LENGTH });
  decipher.setAAD(aadOf(sealed.length < SEALED_CHUNK_LENGTH)).setAuthTag(sealed.subarray(-TAG_LENGTH));
  const plaintext = decipher.update(sealed.subarray(0, -TAG_LENGTH));
  try {
    decipher.final();
    return plaintext;
  } catch (cause) {
    wipe(plaintext);
    throw new QuMailError('backup.tampered', { chunk: number }, { cause });
  }
}

function checksumOf(header: Buffer): Buffer {
  return createHash('sha256').update(header.subarray(0, CHECK_AT)).digest().subarray(0, CHECK_LENGTH);
}

function nonceOf({ baseNonce }: BackupKeys, number: number): Buffer {
  const nonce = Buffer.from(baseNonce);
  nonce.writeBigUInt64BE(nonce.readBigUInt64BE(4) ^ BigInt(number), 4);
  return nonce;
}

function aadOf(isLast: boolean): Buffer {
  return Buffer.from([isLast ? 1 : 0]);
}
