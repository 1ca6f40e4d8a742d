import { equalBytes, toBase64url, wipe } from '../base/bytes.ts';
import { QuMailError } from '../base/errors.ts';
import type { Random } from '../base/ports.ts';
import type { SealedParts } from './cipherManager.ts';
import { aadOf, encodeHeader, type EnvelopeHeader, type EnvelopeParty, type Payload, writePayload } from './envelope.ts';
import { LIMITS } from './limits.ts';
import { payloadTag } from './payloadTag.ts';
import type { PgpEngine, SignatureResult } from './pgpEngine.ts';
import { SHARE_LENGTH } from './quantumAes.ts';

export interface PostQuantumSealRequest {
  /** 16 random octets. */
  readonly id: Buffer;
  /** RFC 3339, UTC, whole seconds. */
  readonly ts: string;
  readonly from: EnvelopeParty;
  readonly to: readonly EnvelopeParty[];
  /** Octets of the entity that `entity` will give: a padded length (`paddedLength`), reached by a MIME epilogue. */
  readonly length: number;
  /** The inner MIME entity, bound to the envelope by a `QuMail-Control-Digest` of its AAD. */
  readonly entity: (aad: Buffer) => readonly Uint8Array[];
  /** Of everyone in `to` and of oneself. Post-quantum ones alone. */
  readonly certificates: readonly Uint8Array[];
  readonly signWith: Uint8Array;
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
}

/**
 * Seals one message at L3 (PROTOCOL 5): a header without keys, and an OpenPGP message around the signed MIME entity as body.
 * @returns also the message's session key, which the caller keeps sealed and wipes
 * @throws QuMailError `cert.*`, `seal.too-many-recipients`, `engine.bad-request` (details: field)
 */
export async function sealPostQuantum(
  engine: PgpEngine,
  request: PostQuantumSealRequest,
): Promise<Payload & SealedParts & { sessionKey: Buffer }> {
  if (request.to.length > LIMITS.recipients) {
    throw new QuMailError('seal.too-many-recipients', { limit: LIMITS.recipients, size: request.to.length });
  }
  const header: EnvelopeHeader = {
    id: toBase64url(request.id),
    level: 'L3',
    suite: 'QM1-PGP9980',
    ts: request.ts,
    from: request.from,
    to: request.to,
    keys: [],
    paddedLength: request.length,
    plaintext: 'mime',
  };
  const protectedHeader = writable(header);
  const aad = aadOf(protectedHeader);
  const plaintext = request.entity(aad);
  const length = plaintext.reduce((sum, piece) => sum + piece.byteLength, 0);
  if (length !== request.length) throw new QuMailError('engine.bad-request', { field: 'length' });
  const { certificates, signWith, now } = request;
  const { message, sessionKey } = await engine.seal({ plaintext, certificates, signWith, now, profile: 'pq' });
  const tag = payloadTag(sessionKey, aad, message);
  return { ...writePayload(protectedHeader, message, tag), header, aad, body: message, tag, sessionKey };
}

export interface PostQuantumOpenOptions {
  readonly secretKeys: readonly Uint8Array[];
  /** From an earlier opening or sealing; used instead of `secretKeys`. */
  readonly sessionKey?: Uint8Array;
  /** Certificates pinned for the header's `from`. */
  readonly verifyWith: readonly Uint8Array[];
  readonly now: number;
  readonly progress?: (octets: number) => void;
}

/**
 * Opens what `sealPostQuantum` made, and hands out nothing unless a pinned certificate of the sender signed it by algorithm 30. The
 * caller still compares the control digest and the inner addresses (mail/signedInner.ts).
 * @returns the signed MIME entity with its epilogue, and the session key (the caller seals and wipes it)
 * @throws QuMailError `open.*` and `cert.*` as `PgpEngine.open`; `open.bad-signature`, `open.unknown-signer`; `open.tampered` where tag or
 *   length do not fit; `open.level-unsupported` for another suite
 */
export async function openPostQuantum(
  engine: PgpEngine,
  { header, aad, body, tag }: SealedParts,
  options: PostQuantumOpenOptions,
): Promise<{ plaintext: Buffer; sessionKey: Buffer; signature: SignatureResult }> {
  if (header.suite !== 'QM1-PGP9980') throw new QuMailError('open.level-unsupported', { suite: header.suite });
  const { plaintext, signature, sessionKey } = await engine.open({ message: body, ...options });
  try {
    if (!tag || !equalBytes(payloadTag(sessionKey, aad, body), tag)) throw new QuMailError('open.tampered', { what: 'tag' });
    if (signature.state === 'unknown-signer' || signature.state === 'none') throw new QuMailError('open.unknown-signer');
    if (signature.state !== 'valid' || signature.postQuantum !== true) throw new QuMailError('open.bad-signature');
    if (plaintext.byteLength !== header.paddedLength) throw new QuMailError('open.tampered', { what: 'len' });
    return { plaintext, sessionKey, signature };
  } catch (error) {
    wipe(plaintext, sessionKey);
    throw error;
  }
}

/**
 * Spq of PROTOCOL 4: 32 random octets, and the OpenPGP message that carries them to the ML-KEM-768+X25519 subkey of everyone. An attacker
 * must break the key managers' link and both algorithms. The caller wipes `octets`.
 * @throws QuMailError `cert.*`
 */
export async function makeShare(
  engine: PgpEngine,
  random: Random,
  options: { certificates: readonly Uint8Array[]; now: number },
): Promise<{ octets: Buffer; message: Buffer }> {
  const octets = random.bytes(SHARE_LENGTH);
  try {
    const { message, sessionKey } = await engine.seal({ plaintext: octets, ...options, profile: 'pq' });
    wipe(sessionKey);
    return { octets, message };
  } catch (error) {
    wipe(octets);
    throw error;
  }
}

/**
 * The share out of a header's `pq`. The caller wipes it.
 * @throws QuMailError `open.*` as `PgpEngine.open`; `open.tampered` where it does not hold 32 octets
 */
export async function openShare(
  engine: PgpEngine,
  message: Uint8Array,
  options: { secretKeys: readonly Uint8Array[]; now: number },
): Promise<Buffer> {
  const { plaintext, sessionKey } = await engine.open({ message, ...options, verifyWith: [] });
  wipe(sessionKey);
  if (plaintext.byteLength === SHARE_LENGTH) return plaintext;
  wipe(plaintext);
  throw new QuMailError('open.tampered', { what: 'pq' });
}

function writable(header: EnvelopeHeader): string {
  try {
    return encodeHeader(header);
  } catch (cause) {
    const field = QuMailError.is(cause) ? String(cause.details['what'] ?? 'header') : 'header';
    throw new QuMailError('engine.bad-request', { field }, { cause });
  }
}
