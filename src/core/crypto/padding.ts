import { QuMailError } from '../base/errors.ts';

const MARK = 0x80;

/** Rounds a length that already counts the 0x80 mark; values it returns are its fixed points. */
function roundUp(length: number): number {
  if (length <= 4096) return Math.ceil(length / 256) * 256;
  // Padmé (PURBs, Nikitin et al. 2019, section 4.2): at most 12 % overhead, O(log log n) bits of the length leak.
  const e = Math.floor(Math.log2(length));
  const s = Math.floor(Math.log2(e)) + 1;
  const step = 2 ** (e - s);
  return Math.ceil(length / step) * step;
}

/** Octets that a plaintext of `length` octets has after padding (PROTOCOL 2); always more than `length`. */
export function paddedLength(length: number): number {
  return roundUp(length + 1);
}

/** True for lengths that `paddedLength` returns for some plaintext. */
export function isPaddedLength(length: number): boolean {
  return Number.isSafeInteger(length) && length > 0 && roundUp(length) === length;
}

/** What has to follow a plaintext of `length` octets: 0x80, then zeros. */
export function paddingOf(length: number): Buffer {
  const padding = Buffer.alloc(paddedLength(length) - length);
  padding[0] = MARK;
  return padding;
}

/** A padded copy of `plaintext`. */
export function pad(plaintext: Uint8Array): Buffer {
  const padded = Buffer.alloc(paddedLength(plaintext.byteLength));
  padded.set(plaintext);
  padded[plaintext.byteLength] = MARK;
  return padded;
}

/**
 * The plaintext inside `padded`, as a view of it. Only ever given authenticated bytes, so it need not run in constant time.
 * @throws QuMailError `open.malformed` when there is no mark or more padding than a writer adds
 */
export function unpad(padded: Buffer): Buffer {
  let end = padded.byteLength - 1;
  while (end >= 0 && padded[end] === 0) end--;
  if (end < 0 || padded[end] !== MARK || paddedLength(end) !== padded.byteLength) {
    throw new QuMailError('open.malformed', { what: 'padding' });
  }
  return padded.subarray(0, end);
}
