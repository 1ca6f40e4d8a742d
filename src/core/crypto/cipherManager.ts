import { toBase64url, wipe } from '../base/bytes.ts';
import { QuMailError } from '../base/errors.ts';
import type { Random } from '../base/ports.ts';
import type { SecurityLevel } from '../base/types.ts';
import { aadOf, type Payload, writePayload } from './envelope.ts';
import { encodeHeader, type EnvelopeHeader, type EnvelopeKey, type EnvelopeParty, type Suite } from './header.ts';
import { LIMITS } from './limits.ts';
import { openOneTimePad, PAD_AUTHENTICATOR_LENGTH, sealOneTimePad } from './oneTimePad.ts';
import { pad, paddedLength, paddingOf, unpad } from './padding.ts';
import { openQuantumAes, QUANTUM_SECRET_LENGTH, sealQuantumAes, SHARE_LENGTH } from './quantumAes.ts';
import { CEK_LENGTH, unwrapCek, WRAP_KEY_LENGTH, wrapCek } from './wrap.ts';

/** `direct`: the keys seal the message themselves; `wrapped`: they wrap its content encryption key. */
export type KeyUse = 'direct' | 'wrapped';

export interface KeyNeed {
  /** All key bits that one entry of `keys` takes. */
  readonly bits: number;
  readonly purpose: 'pad' | 'secret' | 'wrap';
}

export interface SealKey {
  readonly keyIds: readonly string[];
  /** The listed keys one after another. Read, never wiped: that is the caller's duty. */
  readonly bytes: Buffer;
  /** Indexes into `to`; mandatory where wrapped. */
  readonly to?: readonly number[];
  readonly how: KeyUse;
}

export interface SealRequest {
  readonly level: 'L1' | 'L2';
  /** 16 random octets. */
  readonly id: Buffer;
  /** RFC 3339, UTC, whole seconds. */
  readonly ts: string;
  readonly from: EnvelopeParty;
  readonly to: readonly EnvelopeParty[];
  /** The inner MIME entity. */
  readonly plaintext: Uint8Array;
  /** L1: one direct entry. L2: one direct entry, or wrapped ones. */
  readonly keys: readonly SealKey[];
  /** L2 with `+PQ`: 32 random octets, and the OpenPGP message that brings them to every recipient. Read, never wiped. */
  readonly pqShare?: { readonly octets: Buffer; readonly message: Buffer };
}

/** What a payload consists of, sealed or to be opened. */
export interface SealedParts {
  readonly header: EnvelopeHeader;
  readonly aad: Buffer;
  readonly body: Buffer;
  /** At L3, and there alone. */
  readonly tag?: Buffer;
}

export interface OpenRequest extends SealedParts {
  /** Which of the header's `to` is oneself. */
  readonly selfIndex: number;
  /** The keys of the entry that `entryFor` names, one after another. Not wiped here. */
  readonly keyBytes: Buffer;
  /** With `+PQ`: what the header's OpenPGP message carries. Not wiped here. */
  readonly pqShare?: Buffer;
}

/**
 * The levels that spend keys behind one contract. Pure: no I/O, no key is fetched or remembered here. L3 is OpenPGP's (postQuantum.ts).
 */
export class CipherManager {
  readonly #random: Random;

  constructor(deps: { random: Random }) {
    this.#random = deps.random;
  }

  /**
   * How much key one entry takes for a plaintext of `plaintextLength` octets before padding.
   * @throws QuMailError `seal.pad-too-large` (details: limit, size), `seal.level-unsupported` (details: level)
   */
  needOf(level: SecurityLevel, how: KeyUse, plaintextLength: number): KeyNeed {
    if (level === 'L2') {
      if (how === 'wrapped') return { bits: 8 * WRAP_KEY_LENGTH, purpose: 'wrap' };
      return { bits: 8 * QUANTUM_SECRET_LENGTH, purpose: 'secret' };
    }
    if (level !== 'L1' || how !== 'direct') throw new QuMailError('seal.level-unsupported', { level, how });
    const size = paddedLength(plaintextLength);
    if (size > LIMITS.padPlaintext) throw new QuMailError('seal.pad-too-large', { limit: LIMITS.padPlaintext, size });
    return { bits: 8 * (PAD_AUTHENTICATOR_LENGTH + size), purpose: 'pad' };
  }

  /**
   * Seals one message. Every key handed in counts as used afterwards, also when this throws.
   * @throws QuMailError `seal.pad-too-large`, `seal.too-many-recipients`, `seal.level-unsupported`, `kme.exhausted` (an entry with
   *   too few bits), `engine.bad-request` (details: field) for requests that no reader would accept
   */
  seal(request: SealRequest): Payload & SealedParts {
    requireSealable(request);
    for (const key of request.keys) {
      const wantedBits = this.needOf(request.level, key.how, request.plaintext.byteLength).bits;
      const gotBits = key.bytes.byteLength * 8;
      if (gotBits < wantedBits) throw new QuMailError('kme.exhausted', { wantedBits, gotBits });
    }
    const id = toBase64url(request.id);
    const wrapped = request.keys[0]?.how === 'wrapped';
    const cek = wrapped ? this.#random.bytes(CEK_LENGTH) : undefined;
    try {
      const header: EnvelopeHeader = {
        id,
        level: request.level,
        suite: suiteOf(request),
        ts: request.ts,
        from: request.from,
        to: request.to,
        keys: request.keys.map((key) => headerKey(key, id, cek)),
        ...(request.pqShare && { pq: request.pqShare.message }),
        paddedLength: paddedLength(request.plaintext.byteLength),
        plaintext: 'mime',
      };
      const protectedHeader = writableHeader(header);
      const secret = cek ?? request.keys[0]!.bytes;
      const aad = aadOf(protectedHeader);
      const body = this.#sealBody(request, secret, aad);
      return { ...writePayload(protectedHeader, body), header, aad, body };
    } finally {
      wipe(cek);
    }
  }

  #sealBody({ level, plaintext, pqShare }: SealRequest, secret: Buffer, aad: Buffer): Buffer {
    // The padding is a piece of its own, so that 25 MiB are not copied only to be padded.
    const pieces = [plaintext, paddingOf(plaintext.byteLength)];
    if (level === 'L2') return sealQuantumAes(secret, aad, pieces, this.#random, pqShare?.octets);
    const padded = pad(plaintext);
    try {
      return sealOneTimePad(secret, aad, padded);
    } finally {
      wipe(padded);
    }
  }

  /**
   * Which keys a recipient needs.
   * @throws QuMailError `open.not-for-you` when no entry serves `selfIndex`
   */
  entryFor(header: EnvelopeHeader, selfIndex: number): { entry: EnvelopeKey; how: KeyUse } {
    const listed = selfIndex >= 0 && selfIndex < header.to.length;
    const entry = listed ? header.keys.find((key) => !key.to || key.to.includes(selfIndex)) : undefined;
    if (!entry) throw new QuMailError('open.not-for-you');
    return { entry, how: entry.wrap ? 'wrapped' : 'direct' };
  }

  /**
   * Verifies and decrypts; the result is the inner MIME entity, unpadded.
   * @throws QuMailError `open.tampered`, `open.truncated`, `open.malformed` (padding), `open.not-for-you`, `open.level-unsupported`
   */
  open(request: OpenRequest): Buffer {
    const { header, keyBytes } = request;
    const { entry } = this.entryFor(header, request.selfIndex);
    if (keyBytes.byteLength * 8 !== entry.bits) {
      throw new QuMailError('open.tampered', { what: 'bits', wantedBits: entry.bits, gotBits: keyBytes.byteLength * 8 });
    }
    const padded = openBody(request, entry);
    try {
      return unpad(padded);
    } catch (error) {
      wipe(padded);
      throw error;
    }
  }
}

function openBody({ header, aad, body, keyBytes, pqShare }: OpenRequest, entry: EnvelopeKey): Buffer {
  if (header.suite === 'QM1-OTP-P1305') return openOneTimePad(keyBytes, aad, body);
  if (header.suite !== 'QM1-CB256' && header.suite !== 'QM1-CB256+PQ')
    throw new QuMailError('open.level-unsupported', { suite: header.suite });
  const combined = header.suite === 'QM1-CB256+PQ';
  if (combined && pqShare?.byteLength !== SHARE_LENGTH) throw new QuMailError('open.tampered', { what: 'pq' });
  const share = combined ? pqShare : undefined;
  if (!entry.wrap) return openQuantumAes(keyBytes, aad, body, share);
  const cek = unwrapCek(keyBytes, header.id, entry.to ?? [], entry.wrap);
  try {
    return openQuantumAes(cek, aad, body, share);
  } finally {
    wipe(cek);
  }
}

function suiteOf({ level, pqShare }: SealRequest): Suite {
  if (level === 'L1') return 'QM1-OTP-P1305';
  return pqShare ? 'QM1-CB256+PQ' : 'QM1-CB256';
}

function requireSealable(request: SealRequest): void {
  if (request.to.length > LIMITS.recipients) {
    throw new QuMailError('seal.too-many-recipients', { limit: LIMITS.recipients, size: request.to.length });
  }
  const keyIds = request.keys.reduce((sum, key) => sum + key.keyIds.length, 0);
  if (keyIds > LIMITS.keyIds) throw new QuMailError('seal.pad-too-large', { limit: LIMITS.keyIds, size: keyIds, what: 'key IDs' });
}

function headerKey(key: SealKey, id: string, cek: Buffer | undefined): EnvelopeKey {
  const entry = { keyIds: key.keyIds, bits: key.bytes.byteLength * 8, ...(key.to ? { to: key.to } : {}) };
  if (key.how === 'direct') return entry;
  if (!key.to || !cek) throw new QuMailError('engine.bad-request', { field: 'keys' });
  return { ...entry, wrap: wrapCek(key.bytes, id, key.to, cek) };
}

/** A header that every reader accepts, or a request that was wrong. */
function writableHeader(header: EnvelopeHeader): string {
  try {
    return encodeHeader(header);
  } catch (cause) {
    const field = QuMailError.is(cause) ? String(cause.details['what'] ?? 'header') : 'header';
    throw new QuMailError('engine.bad-request', { field }, { cause });
  }
}
