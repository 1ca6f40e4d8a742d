import { QuMailError } from '../base/errors.ts';
import type { Etsi014Status } from './etsi014.ts';

/** One enc_keys request: `number` keys of `size` bits each. */
export interface PlannedRequest {
  readonly number: number;
  readonly size: number;
}

/** PROTOCOL 2: a message names at most so many keys. */
const MAX_KEYS_PER_MESSAGE = 4096;

/**
 * Splits `bits` of key into requests that the key manager can answer: one key where max_key_size allows it, else as few as possible, all
 * of one size, in batches of max_key_per_request. Sizes are multiples of 8 and never below min_key_size, so the sum may exceed `bits`.
 * Where the status tells no max_key_size, key_size is taken for it; where it tells neither, there is no limit.
 *
 * Throws `kme.too-large` (wantedBits, limitBits) when more than 4,096 keys would be needed. The stock is not looked at: key managers tell it
 * wrongly, and those that make keys on demand tell zero. What it is good for is a warning (`budgetFor`).
 */
export function planKeys(bits: number, status: Etsi014Status): PlannedRequest[] {
  const largest = floor8(positive(status.maxKeySize) ?? positive(status.keySize) ?? ceil8(bits));
  const smallest = ceil8(status.minKeySize ?? 8);
  const biggest = Math.max(largest, smallest, 8);
  const count = Math.max(1, Math.ceil(bits / biggest));
  if (count > MAX_KEYS_PER_MESSAGE) throw new QuMailError('kme.too-large', { wantedBits: bits, limitBits: biggest * MAX_KEYS_PER_MESSAGE });
  const size = Math.max(ceil8(bits / count), smallest);
  const batch = positive(status.maxKeyPerRequest) ?? 1;
  return Array.from({ length: Math.ceil(count / batch) }, (_, i) => ({ number: Math.min(batch, count - i * batch), size }));
}

function positive(value: number | undefined): number | undefined {
  return value !== undefined && value > 0 ? value : undefined;
}

const ceil8 = (bits: number): number => Math.ceil(bits / 8) * 8;
const floor8 = (bits: number): number => Math.floor(bits / 8) * 8;
