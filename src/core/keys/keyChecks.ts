import { QuMailError } from '../base/errors.ts';
import { findBetrayal } from './betrayal.ts';
import { decodeContainer, type DeliveredKey } from './etsi014.ts';
import { wipeKeys } from './undelivered.ts';

/**
 * A container that answers enc_keys: at most `number` keys, each of exactly `size` bits, with IDs and bytes that differ from each other
 * and from those that `known` holds already. Throws `kme.bad-answer` (reason) or `key.betrayed` (keyId, how); all keys are wiped then.
 */
export function acceptNewKeys(answer: Buffer, asked: { number: number; size: number }, known: readonly DeliveredKey[]): DeliveredKey[] {
  return accept(answer, known, (keys) => {
    if (keys.length > asked.number) throw bad('too-many-keys');
    if (keys.some((key) => key.bytes.length * 8 !== asked.size)) throw bad('key-length');
  });
}

/** A container that answers dec_keys: no ID that was not asked for. Keys may be missing; the order does not count. Throws like the other. */
export function acceptNamedKeys(answer: Buffer, keyIds: readonly string[], known: readonly DeliveredKey[]): DeliveredKey[] {
  const asked = new Set(keyIds);
  return accept(answer, known, (keys) => {
    if (keys.some((key) => !asked.has(key.keyId))) throw bad('unrequested-id');
    if (keys.some((key) => key.bytes.length === 0)) throw bad('key-length');
  });
}

function accept(answer: Buffer, known: readonly DeliveredKey[], check: (keys: readonly DeliveredKey[]) => void): DeliveredKey[] {
  const keys = decodeContainer(answer);
  try {
    check(keys);
    const all = [...known, ...keys];
    if (new Set(all.map((key) => key.keyId)).size !== all.length) throw bad('duplicate-id');
    // Sorted, because a set of bytes would need strings.
    const sorted = all.map((key) => key.bytes).sort(Buffer.compare);
    if (sorted.some((bytes, i) => i > 0 && bytes.equals(sorted[i - 1]!))) throw bad('duplicate-key');
    for (const key of keys) {
      const how = findBetrayal(key.keyId, key.bytes);
      if (how !== undefined) throw new QuMailError('key.betrayed', { keyId: key.keyId, how });
    }
    return keys;
  } catch (error) {
    wipeKeys(keys);
    throw error;
  }
}

function bad(reason: string): QuMailError {
  return new QuMailError('kme.bad-answer', { reason });
}
