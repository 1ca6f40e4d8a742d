import type { Random } from '../../../src/core/base/ports.ts';
import { systemRandom } from '../../../src/core/base/systemPorts.ts';
import { CipherManager, type SealKey, type SealRequest } from '../../../src/core/crypto/cipherManager.ts';
import { readPayload, type Payload } from '../../../src/core/crypto/envelope.ts';
import type { EnvelopeHeader } from '../../../src/core/crypto/header.ts';

export const ALICE = { addr: 'alice@example.org', sae: 'sae-alice' };
export const BOB = { addr: 'bob@example.org', sae: 'sae-bob' };
export const CAROL = { addr: 'carol@example.org', sae: 'sae-carol' };
export const TS = '2026-01-02T03:04:05Z';

export const cipher = new CipherManager({ random: systemRandom });

export interface Sealed {
  readonly payload: Payload & { header: EnvelopeHeader };
  readonly keys: readonly SealKey[];
  readonly plaintext: Buffer;
}

/** Alice seals for Bob (and Carol, where the keys are wrapped); the keys stay here, as they would in two key managers. */
export function sealFor(how: 'L1' | 'L2' | 'L2 wrapped', plaintext: Buffer, random: Random = systemRandom): Sealed {
  const key = (id: string, length: number, to?: number[]): SealKey => ({
    keyIds: [id],
    bytes: random.bytes(length),
    how: to ? 'wrapped' : 'direct',
    ...(to && { to }),
  });
  const level = how === 'L1' ? 'L1' : 'L2';
  const keys =
    how === 'L2 wrapped'
      ? [key('key-bob', 64, [0]), key('key-carol', 64, [1])]
      : [key('key-1', cipher.needOf(level, 'direct', plaintext.length).bits / 8)];
  const request: SealRequest = {
    level,
    id: random.bytes(16),
    ts: TS,
    from: ALICE,
    to: how === 'L2 wrapped' ? [BOB, CAROL] : [BOB],
    plaintext,
    keys,
  };
  return { payload: cipher.seal(request), keys, plaintext };
}

export function partsOf(payload: Payload): Map<string, Buffer> {
  return new Map(payload.bin ? [['qumail_payload.bin', payload.bin]] : []);
}

/** Bob (or another recipient) reads what came and opens it with the keys that his key manager would hand him. */
export function openAs(selfIndex: number, payload: Payload, keys: readonly SealKey[]): Buffer {
  const read = readPayload(payload.json, partsOf(payload));
  const { entry } = cipher.entryFor(read.header, selfIndex);
  const key = keys.find(({ keyIds }) => keyIds.join() === entry.keyIds.join());
  // A key ID that nobody handed out: the key manager would answer "not found", so nothing is opened.
  if (!key) throw new KeyNotFound();
  return cipher.open({ ...read, selfIndex, keyBytes: key.bytes });
}

export class KeyNotFound extends Error {}
