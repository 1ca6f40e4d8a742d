import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto';
import { u16be, wipe } from '../base/bytes.ts';
import { QuMailError } from '../base/errors.ts';

/**
 * One sealed record (PROTOCOL 7, "Erasing"):
 *
 *   0x01 ‖ epoch (16) ‖ sequence (u64be) ‖ salt (32) ‖ AES-256-GCM ciphertext ‖ tag (16)
 *
 * record key = HKDF-SHA-512(epoch key, salt, "QuMail record v1" ‖ 0x00 ‖ type, 32)
 * nonce      = 0 (4) ‖ sequence: with a random salt every record has a key of its own, and should randomness ever repeat, the
 *              sequence, counted per epoch in the database, still keeps two records apart
 * AAD        = u16be(|type|) ‖ type ‖ u16be(|id|) ‖ id ‖ epoch ‖ sequence: a record moved to another row does not open
 */
const VERSION = 1;
export const EPOCH_ID_LENGTH = 16;
export const EPOCH_KEY_LENGTH = 32;
export const SALT_LENGTH = 32;
const SEQUENCE_AT = 1 + EPOCH_ID_LENGTH;
const SALT_AT = SEQUENCE_AT + 8;
const CIPHERTEXT_AT = SALT_AT + SALT_LENGTH;
const TAG_LENGTH = 16;
const INFO = 'QuMail record v1\0';

export interface RecordPlace {
  readonly type: string;
  readonly id: string;
}

export interface RecordSeed {
  /** Hex. */
  readonly epochId: string;
  readonly epochKey: Buffer;
  readonly sequence: number;
  readonly salt: Buffer;
}

/** The epoch (hex) that a record, or its first 17 octets, names. */
export function epochIdOf(sealed: Uint8Array): string {
  return Buffer.from(sealed.subarray(1, SEQUENCE_AT)).toString('hex');
}

export function sealRecord(place: RecordPlace, seed: RecordSeed, plaintext: Uint8Array): Buffer {
  const sealed = Buffer.allocUnsafeSlow(CIPHERTEXT_AT + plaintext.byteLength + TAG_LENGTH);
  sealed[0] = VERSION;
  sealed.write(seed.epochId, 1, EPOCH_ID_LENGTH, 'hex');
  sealed.writeBigUInt64BE(BigInt(seed.sequence), SEQUENCE_AT);
  sealed.set(seed.salt, SALT_AT);
  const key = recordKey(seed.epochKey, sealed, place.type);
  try {
    const cipher = createCipheriv('aes-256-gcm', key, nonceOf(sealed)).setAAD(aadOf(place, sealed));
    sealed.set(cipher.update(plaintext), CIPHERTEXT_AT);
    cipher.final();
    sealed.set(cipher.getAuthTag(), sealed.byteLength - TAG_LENGTH);
    return sealed;
  } finally {
    wipe(key);
  }
}

/** @throws QuMailError `store.corrupt` when the bytes are no record */
export function requireRecord(sealed: Uint8Array): void {
  if (sealed.byteLength < CIPHERTEXT_AT + TAG_LENGTH || sealed[0] !== VERSION) throw new QuMailError('store.corrupt', { what: 'record' });
}

/** @throws QuMailError `store.corrupt` when the record was altered or belongs elsewhere */
export function openRecord(place: RecordPlace, epochKey: Buffer, sealed: Uint8Array): Buffer {
  const key = recordKey(epochKey, sealed, place.type);
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, nonceOf(sealed), { authTagLength: TAG_LENGTH });
    decipher.setAAD(aadOf(place, sealed)).setAuthTag(sealed.subarray(-TAG_LENGTH));
    const plaintext = decipher.update(sealed.subarray(CIPHERTEXT_AT, -TAG_LENGTH));
    try {
      decipher.final();
    } catch (cause) {
      wipe(plaintext);
      throw new QuMailError('store.corrupt', { what: 'record' }, { cause });
    }
    return plaintext;
  } finally {
    wipe(key);
  }
}

function recordKey(epochKey: Buffer, sealed: Uint8Array, type: string): Buffer {
  return Buffer.from(hkdfSync('sha512', epochKey, sealed.subarray(SALT_AT, CIPHERTEXT_AT), INFO + type, 32));
}

function nonceOf(sealed: Uint8Array): Buffer {
  return Buffer.concat([Buffer.alloc(4), sealed.subarray(SEQUENCE_AT, SALT_AT)]);
}

function aadOf(place: RecordPlace, sealed: Uint8Array): Buffer {
  const type = Buffer.from(place.type, 'utf8');
  const id = Buffer.from(place.id, 'utf8');
  return Buffer.concat([u16be(type.byteLength), type, u16be(id.byteLength), id, sealed.subarray(1, SALT_AT)]);
}
